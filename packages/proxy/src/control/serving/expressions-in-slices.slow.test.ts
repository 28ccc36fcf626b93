import type { ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import { definition } from '../../../test/registered.ts';
import { InOrder } from './in-order.ts';
import { startInProcessServer } from './in-process-server.ts';

/** A service with as many expressions as its bounds take. */
function largest(key: ServiceKey): ServiceDefinition {
  const base = definition(key);
  const [first] = base.destinations;
  if (first === undefined) throw new Error('a definition has a destination');
  const paths = Array.from({ length: 900 }, (_, at) => `^/${key}-${at}/[a-z]+x$`);
  const rewrites = Array.from({ length: 100 }, (_, at) => ({ search: `^/${key}-${at}/([a-z]+)x$`, replace: '/\\1' }));
  const pathType = { matcher: 'path_reg', ignoreCase: false } as const;
  return { ...base, destinations: [{ ...first, servicePath: paths, pathType, reqPathSearchReplace: rewrites }] };
}

describe('expressions of services', () => {
  it('are compiled in slices: requests have their turn while thousands of them are put in force', async function () {
    this.timeout(60_000);
    const keys = Array.from({ length: 15 }, (_, at): ServiceKey => `swarm/large-${at}`);
    const server = await startInProcessServer({
      settings: readSettings('proxy', { env: { DATA_DIR: '/nowhere' }, secretsDir: '/nowhere' }),
      logger: silentLogger,
      metrics: new Metrics(),
      env: {},
      entrypoints: [{ port: 0, secure: false }],
      host: '127.0.0.1',
    });
    try {
      const definitions = keys.map(largest);
      const changes = new Map(
        definitions.map((each, at) => [
          keys[at] as ServiceKey,
          {
            key: keys[at] as ServiceKey,
            definition: each,
            endpoints: undefined,
            origin: 'registry' as const,
            addressesFresh: true,
          },
        ]),
      );
      const turn = longestTurn();
      await server.apply({ revision: 'one', sequence: 1, registryId: 'test', changes, rejected: new Map() });
      const { longestMs, wholeMs } = turn.stop();
      expect([...server.table().routes()]).to.have.length(keys.length);
      expect(longestMs, `longest turn of ${wholeMs} ms of work`).to.be.below(wholeMs / 5);
    } finally {
      await server.stop();
    }
  });

  it('do not let a later change overtake the one that is prepared', async () => {
    const inOrder = new InOrder();
    const acted: string[] = [];
    function* steps() {
      for (let at = 0; at < 3; at += 1) {
        const endMs = performance.now() + 5;
        while (performance.now() < endMs);
        yield;
      }
    }
    const slow = inOrder.run(steps(), () => acted.push('slow'));
    const quick = inOrder.run(undefined, () => acted.push('quick'));
    expect(acted).to.deep.equal([]);
    await Promise.all([slow, quick]);
    expect(acted).to.deep.equal(['slow', 'quick']);
    const atOnce = inOrder.run(undefined, () => acted.push('at once'));
    expect(acted.at(-1)).to.equal('at once');
    await atOnce;
  });

  it('do not hold up a later change where the one before fails', async () => {
    const inOrder = new InOrder();
    const acted: string[] = [];
    // biome-ignore lint/correctness/useYield: it fails before its first step
    function* failing(): Generator<void, void> {
      throw new Error('a fault');
    }
    const failed = inOrder.run(failing(), () => acted.push('failed')).catch((error: Error) => error.message);
    const next = inOrder.run(undefined, () => acted.push('next'));
    expect(await failed).to.equal('a fault');
    await next;
    expect(acted).to.deep.equal(['next']);
    const atOnce = inOrder.run(undefined, () => acted.push('at once'));
    expect(acted.at(-1)).to.equal('at once');
    await atOnce;
  });
});

/** CPU time of the process, whatever else the machine does: between two turns of the event loop at most, and in all. */
function longestTurn() {
  const cpuMs = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  };
  const beganMs = cpuMs();
  let lastMs = beganMs;
  let longestMs = 0;
  let isOn = true;
  const look = () => {
    const nowMs = cpuMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (isOn) setImmediate(look);
  };
  setImmediate(look);
  return {
    stop() {
      look();
      isOn = false;
      return { longestMs, wholeMs: cpuMs() - beganMs };
    },
  };
}
