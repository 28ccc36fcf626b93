import type { Destination } from '@swarmgate/registry';
import { expect } from 'chai';
import type { Endpoint } from '../model/endpoint.ts';
import { createRouteTable } from '../routing/create-route-table.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { HealthChecks } from './health-checks.ts';

const endpointAt = (port: number): Endpoint => ({
  id: `127.0.0.1:${port}`,
  host: '127.0.0.1',
  port,
  secure: false,
  state: 'active',
});

function tableWith(destination: Partial<Destination>): RouteTable {
  const table = createRouteTable({
    order: 'strict',
    instanceName: 'swarmgate',
    filterInstanceName: false,
  });
  const definition = {
    version: 1,
    service: 'web',
    owner: 'swarm',
    source: { kind: 'rest', by: 'test' },
    updatedAt: '',
    destinations: [{ index: 0, since: 0, servicePath: ['/'], port: 80, ...destination }],
  } as const;
  return table.with(new Map([['swarm/web', definition]]));
}

describe('active checks', () => {
  let nowMs: number;
  let well: boolean;
  let checks: HealthChecks;
  let reported: boolean[];
  let requested: number;
  /** Checks respond when this does. */
  let blocked: Promise<void> | undefined;
  let ended: AbortController;
  let running: Promise<void>;
  let tick: () => Promise<void>;

  beforeEach(() => {
    nowMs = 0;
    well = true;
    reported = [];
    requested = 0;
    blocked = undefined;
    ended = new AbortController();
    let waiting: ((alive: boolean) => void) | undefined;
    checks = new HealthChecks({
      upstreamOf: () => ({ endpoints: [endpointAt(1)], inOrder: false, ifNone: 'no-endpoint' }),
      balancer: { checked: (_endpoint, passed) => reported.push(passed) },
      signal: ended.signal,
      check: async () => {
        requested += 1;
        await blocked;
        return well;
      },
      now: () => nowMs,
      wait: (_ms, signal) =>
        new Promise((resolve) => {
          waiting = resolve;
          signal.addEventListener('abort', () => resolve(false), { once: true });
        }),
    });
    running = checks.run();
    tick = async () => {
      waiting?.(true);
      await new Promise((resolve) => setImmediate(resolve));
    };
  });
  afterEach(async () => {
    ended.abort();
    await running;
  });

  it('run only where a label requests them', async () => {
    checks.apply(tableWith({}), ['swarm/web']);
    await tick();
    expect(requested).to.equal(0);
  });

  it('run at once, then every interval', async () => {
    checks.apply(tableWith({ checkPath: '/health', checkIntervalMs: 1_000 }), ['swarm/web']);
    await tick();
    nowMs = 999;
    await tick();
    expect(requested).to.equal(1);
    nowMs = 1_000;
    await tick();
    expect(requested).to.equal(2);
    expect(reported).to.deep.equal([true, true]);
  });

  it('report the second failure in a row, and the first success', async () => {
    checks.apply(tableWith({ checkPath: '/health', checkIntervalMs: 1_000 }), ['swarm/web']);
    for (const each of [false, true, false, false, true]) {
      well = each;
      await tick();
      nowMs += 1_000;
    }
    expect(reported).to.deep.equal([true, false, true]);
  });

  it('clear a failing endpoint once no service requests checks', async () => {
    const table = tableWith({ checkTcp: true, checkIntervalMs: 1_000 });
    checks.apply(table, ['swarm/web']);
    well = false;
    for (let times = 0; times < 2; times += 1) {
      await tick();
      nowMs += 1_000;
    }
    expect(reported).to.deep.equal([false]);
    checks.apply(tableWith({}), ['swarm/web']);
    await tick();
    expect(reported).to.deep.equal([false, true]);
  });

  it('report nothing more for an endpoint that was released while a check was pending', async () => {
    checks.apply(tableWith({ checkTcp: true, checkIntervalMs: 1_000 }), ['swarm/web']);
    well = false;
    await tick();
    nowMs += 1_000;
    await tick();
    const response = Promise.withResolvers<void>();
    blocked = response.promise;
    nowMs += 1_000;
    await tick();
    checks.apply(tableWith({}), ['swarm/web']);
    await tick();
    response.resolve();
    await tick();
    expect(requested).to.equal(3);
    expect(reported).to.deep.equal([false, true]);
  });

  it('end with the service', async () => {
    const table = tableWith({ checkTcp: true });
    checks.apply(table, ['swarm/web']);
    await tick();
    checks.apply(table.with(new Map([['swarm/web', undefined]])), ['swarm/web']);
    nowMs = 60_000;
    await tick();
    expect(requested).to.equal(1);
  });
});
