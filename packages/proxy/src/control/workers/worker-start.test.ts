import type { Worker as ClusterWorker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { ServiceKey } from '@swarmgate/registry';
import { readSettings } from '@swarmgate/runtime';
import { expect } from 'chai';
import { definition } from '../../../test/registered.ts';
import { until } from '../../../test/until.ts';
import type { ServedService, ServicesChange } from '../../model/served-service.ts';
import { ControlView } from './control-view.ts';
import type { ControlMessage, StartMessage } from './messages.ts';
import { servicesAtOnce } from './services-feed.ts';
import { WorkerProcess } from './worker-process.ts';

const most = 2.5 * servicesAtOnce;

function served(key: ServiceKey): ServedService {
  return { key, definition: definition(key), endpoints: undefined, origin: 'registry', addressesFresh: true };
}

function firstChange(): ServicesChange {
  const keys = Array.from({ length: most }, (_, at): ServiceKey => `swarm/s${at}`);
  const changes = new Map(keys.map((key) => [key, served(key)]));
  return { revision: '7', sequence: 7, registryId: 'r', changes, rejected: new Map() };
}

const settings = readSettings('proxy', { env: {} });

describe('the table of a control process', () => {
  it('takes a first change in turns of the event loop; what workers are sent is there at once', async () => {
    const view = new ControlView(settings, () => []);
    const sizes: number[] = [];
    const done = view.applyInTurns(firstChange());
    for (let at = 0; at < 3; at += 1) {
      sizes.push([...view.table.routes()].length);
      expect([view.services.size, view.revision]).to.deep.equal([most, '7']);
      await setImmediate();
    }
    await done;
    expect(sizes).to.deep.equal([servicesAtOnce, 2 * servicesAtOnce, most]);
  });
});

describe('a worker that starts', () => {
  function rig() {
    const sent: ControlMessage[] = [];
    const child = Object.assign(new EventEmitter(), {
      isConnected: () => true,
      send: (message: ControlMessage, callback: () => void) => {
        sent.push(message);
        queueMicrotask(callback);
      },
      process: { pid: 1, kill: () => undefined },
    });
    const services = new Map<ServiceKey, ServedService>();
    const firstServices = Promise.withResolvers<void>();
    const firstTable = Promise.withResolvers<void>();
    const worker = new WorkerProcess(child as unknown as ClusterWorker, {
      start: { kind: 'start', blockReportFd: undefined } as StartMessage,
      firstServices: firstServices.promise,
      firstTable: firstTable.promise,
      first: () => [{ kind: 'peer-ejected', endpointId: 'first' }],
      revision: () => '7',
      services,
      onMessage: () => undefined,
      onBlocked: () => undefined,
      onUnusable: () => undefined,
      owner: {
        onFault: (error) => {
          throw error;
        },
      },
    });
    const put = ({ revision, changes }: ServicesChange) => {
      for (const [key, each] of changes) services.set(key, each as ServedService);
      return worker.apply({ revision, changes });
    };
    child.emit('message', { kind: 'up' });
    const kinds = () => sent.map(({ kind }) => kind);
    const keys = () => sent.flatMap((each) => (each.kind === 'services' ? [...each.changes.keys()] : []));
    return { put, kinds, keys, firstServices, firstTable };
  }

  it('gets services as soon as there are many, each once, and opens its ports with the first table', async () => {
    const { put, kinds, keys, firstServices, firstTable } = rig();
    const change = firstChange();
    await put(change);
    await setImmediate();
    expect(kinds()).to.deep.equal(['start']);
    firstServices.resolve();
    await until(() => keys().length === most, 'all services');
    await setImmediate();
    expect(kinds()).to.deep.equal(['start', 'peer-ejected', 'services', 'services', 'services']);
    firstTable.resolve();
    await until(() => kinds().includes('open'), 'the ports');
    expect(keys()).to.deep.equal([...change.changes.keys()]);
  });

  it('gets what changed until the first table, before its ports open', async () => {
    const { put, kinds, keys, firstServices, firstTable } = rig();
    await put(firstChange());
    firstServices.resolve();
    await until(() => keys().length === most, 'all services');
    await put({ ...firstChange(), changes: new Map([['swarm/late', served('swarm/late')]]) });
    firstTable.resolve();
    await until(() => kinds().includes('open'), 'the ports');
    expect(keys().slice(most)).to.deep.equal(['swarm/late']);
    expect(kinds().slice(-2)).to.deep.equal(['services', 'open']);
  });

  it('gets an empty list where there are no services', async () => {
    const { kinds, firstServices, firstTable } = rig();
    firstServices.resolve();
    firstTable.resolve();
    await until(() => kinds().includes('open'), 'the ports');
    expect(kinds()).to.deep.equal(['start', 'peer-ejected', 'services', 'open']);
  });
});
