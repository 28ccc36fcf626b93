import type { ServiceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { definition } from '../../../test/registered.ts';
import type { ServedService } from '../../model/served-service.ts';
import type { ServicesMessage } from './messages.ts';
import { Backlog, piecesOf } from './services-feed.ts';
import { UpdateQueue } from './update-queue.ts';

function served(key: ServiceKey): ServedService {
  return { key, definition: definition(key), endpoints: undefined, origin: 'registry', addressesFresh: true };
}

function message(revision: string): ServicesMessage {
  return { kind: 'services', number: 1, last: true, revision, changes: new Map() };
}

describe('piecesOf', () => {
  it('leaves a small change whole, in its order', () => {
    const change = new Map<ServiceKey, ServedService | undefined>([
      ['swarm/gone', undefined],
      ['swarm/a', served('swarm/a')],
    ]);
    expect(piecesOf(change)).to.deep.equal([change]);
  });

  it('takes a large one apart, removals last', () => {
    const change = new Map<ServiceKey, ServedService | undefined>();
    for (let at = 0; at < 5; at += 1) change.set(`swarm/gone-${at}`, undefined);
    for (let at = 0; at < 5; at += 1) change.set(`swarm/new-${at}`, served(`swarm/new-${at}`));
    const pieces = piecesOf(change, 4);
    expect(pieces.map(({ size }) => size)).to.deep.equal([4, 4, 2]);
    const removed = pieces.flatMap((piece) => [...piece.values()].map((each) => each === undefined));
    expect(removed).to.deep.equal([...Array(5).fill(false), ...Array(5).fill(true)]);
  });
});

describe('the backlog of a starting worker', () => {
  it('gives every service once, as it is by then', () => {
    const services = new Map([served('swarm/a'), served('swarm/b'), served('swarm/c')].map((each) => [each.key, each]));
    const backlog = new Backlog(services.keys());
    const first = backlog.take(services, 2);
    expect([...first.keys()]).to.deep.equal(['swarm/a', 'swarm/b']);
    services.delete('swarm/a');
    services.delete('swarm/c');
    backlog.add(['swarm/a', 'swarm/c']);
    expect([...backlog.take(services)]).to.deep.equal([
      ['swarm/c', undefined],
      ['swarm/a', undefined],
    ]);
    expect(backlog.isEmpty).to.equal(true);
  });
});

describe('the queue of a worker', () => {
  it('keeps what comes before the ports open apart from what comes after, in order', async () => {
    const queue = new UpdateQueue();
    const before: string[] = [];
    const after: string[] = [];
    const reading = (async () => {
      for await (const { revision } of queue.before()) before.push(revision);
    })();
    queue.take(message('1'));
    await Promise.resolve();
    queue.take(message('2'));
    queue.open();
    await reading;
    queue.take(message('3'));
    const fault = new Error('broken');
    const faults: unknown[] = [];
    queue.follow(
      async ({ revision }) => {
        await Promise.resolve();
        if (revision === '4') throw fault;
        after.push(revision);
      },
      { onFault: (error) => faults.push(error) },
    );
    queue.take(message('4'));
    queue.take(message('5'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(before).to.deep.equal(['1', '2']);
    expect(after, 'one that fails does not hold up the next').to.deep.equal(['3', '5']);
    expect(faults).to.deep.equal([fault]);
  });
});
