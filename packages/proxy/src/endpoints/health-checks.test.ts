import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Destination } from '@swarmgate/registry';
import { expect } from 'chai';
import { createRouteTable } from '../routing/create-route-table.ts';
import type { Route } from '../model/route.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { ActiveChecks, checkEndpoint } from './health-checks.ts';
import type { Endpoint } from '../model/endpoint.ts';

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
    isSupported: () => true,
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
  let checks: ActiveChecks;
  let told: boolean[];
  let asked: number;
  /** Checks answer when this does. */
  let held: Promise<void> | undefined;
  let ended: AbortController;
  let running: Promise<void>;
  let tick: () => Promise<void>;

  beforeEach(() => {
    nowMs = 0;
    well = true;
    told = [];
    asked = 0;
    held = undefined;
    ended = new AbortController();
    let waiting: ((alive: boolean) => void) | undefined;
    checks = new ActiveChecks({
      upstreamOf: () => ({ endpoints: [endpointAt(1)], inOrder: false, ifNone: 'no-endpoint' }),
      balancer: { checked: (_endpoint, passed) => told.push(passed) },
      signal: ended.signal,
      check: async () => {
        asked += 1;
        await held;
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

  it('ask only where a label asks for it', async () => {
    checks.apply(tableWith({}), ['swarm/web']);
    await tick();
    expect(asked).to.equal(0);
  });

  it('ask at once, then every interval', async () => {
    checks.apply(tableWith({ checkPath: '/health', checkIntervalMs: 1_000 }), ['swarm/web']);
    await tick();
    nowMs = 999;
    await tick();
    expect(asked).to.equal(1);
    nowMs = 1_000;
    await tick();
    expect(asked).to.equal(2);
    expect(told).to.deep.equal([true, true]);
  });

  it('tell the second failure in a row, and the first success', async () => {
    checks.apply(tableWith({ checkPath: '/health', checkIntervalMs: 1_000 }), ['swarm/web']);
    for (const each of [false, true, false, false, true]) {
      well = each;
      await tick();
      nowMs += 1_000;
    }
    expect(told).to.deep.equal([true, false, true]);
  });

  it('let go of an endpoint that fails when nobody asks for checks any more', async () => {
    const table = tableWith({ checkTcp: true, checkIntervalMs: 1_000 });
    checks.apply(table, ['swarm/web']);
    well = false;
    for (let times = 0; times < 2; times += 1) {
      await tick();
      nowMs += 1_000;
    }
    expect(told).to.deep.equal([false]);
    checks.apply(tableWith({}), ['swarm/web']);
    await tick();
    expect(told).to.deep.equal([false, true]);
  });

  it('say nothing more of an endpoint that was let go while a check was on its way', async () => {
    checks.apply(tableWith({ checkTcp: true, checkIntervalMs: 1_000 }), ['swarm/web']);
    well = false;
    await tick();
    nowMs += 1_000;
    await tick();
    const answer = Promise.withResolvers<void>();
    held = answer.promise;
    nowMs += 1_000;
    await tick();
    checks.apply(tableWith({}), ['swarm/web']);
    await tick();
    answer.resolve();
    await tick();
    expect(asked).to.equal(3);
    expect(told).to.deep.equal([false, true]);
  });

  it('end with the service', async () => {
    const table = tableWith({ checkTcp: true });
    checks.apply(table, ['swarm/web']);
    await tick();
    checks.apply(table.with(new Map([['swarm/web', undefined]])), ['swarm/web']);
    nowMs = 60_000;
    await tick();
    expect(asked).to.equal(1);
  });

  describe('of a real endpoint', () => {
    let server: Server;
    let seen: string[];
    let status: number;
    let endpoint: Endpoint;
    const routeOf = (destination: Partial<Destination>): Route => {
      const [route] = tableWith(destination).routes();
      if (route === undefined) throw new Error('no route');
      return route;
    };
    const ask = (destination: Partial<Destination>, withinMs = 20_000) =>
      checkEndpoint(endpoint, routeOf(destination), withinMs, ended.signal);

    beforeEach(async () => {
      seen = [];
      status = 200;
      server = createServer((request, response) => {
        seen.push(`${request.headers.host} ${request.url}`);
        if (status > 0) response.writeHead(status).end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      endpoint = endpointAt((server.address() as AddressInfo).port);
    });
    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });

    it('pass by 200 to 399, and ask for the path under the service’s name', async () => {
      const destination = { checkPath: '/health?x', serviceDomain: ['*.any.example', 'shop.example'] };
      expect(await ask(destination)).to.equal(true);
      expect(seen).to.deep.equal(['shop.example /health?x']);
      for (const [each, passes] of [
        [302, true],
        [404, false],
        [503, false],
      ] as const) {
        status = each;
        expect(await ask(destination), String(each)).to.equal(passes);
      }
    });

    it('fail where no answer comes, or no connection', async () => {
      status = 0;
      expect(await ask({ checkPath: '/' }, 100)).to.equal(false);
      server.close();
      server.closeAllConnections();
      expect(await ask({ checkPath: '/' })).to.equal(false);
      expect(await ask({ checkTcp: true })).to.equal(false);
    });

    it('are content with a connection for checkTcp', async () => {
      expect(await ask({ checkTcp: true })).to.equal(true);
      expect(seen).to.deep.equal([]);
    });
  });
});
