import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { MovedClock, openToNobody } from '../../test/gone-endpoint.ts';
import { type ScriptedBackend, startBackend } from '../../test/scripted-backend.ts';
import { endpointAt, type TinyPlane, tinyPlane } from '../../test/tiny-plane.ts';
import { until } from '../../test/until.ts';
import { RetryBudget } from '../exchange/retry-budget.ts';
import { createTunnels } from '../forwarding/hpm/create-tunnels.ts';
import { createCoreForwarder } from '../forwarding/http1/core-handler.ts';
import { ConnectionPool } from '../transport/connection-pool.ts';
import { DeadlineSweep } from '../transport/deadline-sweep.ts';
import { handleExchange } from './exchange-handler.ts';

const serverMs = 10_000;

describe('an exchange of the Express lane whose endpoint says nothing', () => {
  let slow: ScriptedBackend;
  let well: ScriptedBackend;
  let clock: MovedClock;
  let pool: ConnectionPool;
  let plane: TinyPlane;
  let retries: RetryBudget;
  let server: Server;

  beforeEach(async () => {
    [slow, well] = await Promise.all([startBackend(), startBackend()]);
    slow.onRequest = () => undefined;
    clock = new MovedClock();
    pool = new ConnectionPool(new DeadlineSweep(10, clock.now), {}, undefined, openToNobody);
    plane = tinyPlane({ endpoints: [endpointAt(slow.port), endpointAt(well.port)] });
    retries = new RetryBudget();
    const facts = {
      peerAddress: '127.0.0.1',
      peerTrusted: false,
      entryPort: 80,
      secure: false,
      certificateVerified: false,
    };
    const settings = {
      timeouts: { connectMs: 5_000, serverMs, clientMs: 60_000, tunnelMs: 60_000 },
      trusted: () => false,
      viaName: 'x',
      newRequestId: () => 'id',
    };
    const forwarder = createCoreForwarder(pool, createTunnels());
    const parts = { plane, forwarder, retries, settings, logger: silentLogger };
    server = createServer((incoming, response) => void handleExchange(incoming, response, facts, parts));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    pool.stop();
    server.closeAllConnections();
    server.close();
    await Promise.all([slow.stop(), well.stop()]);
  });

  const pass = (ms: number) => clock.move(ms, pool.sweep, 10);

  /** Its status, to be waited for; the first endpoint has the request. */
  async function asking(method: string): Promise<{ readonly status: Promise<number> }> {
    const { port } = server.address() as AddressInfo;
    const status = new Promise<number>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, method, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on('error', reject);
      sent.end();
    });
    await until(() => slow.requests.length === 1, 'the request');
    return { status };
  }

  it('goes to another endpoint where that one has gone', async () => {
    const { status } = await asking('GET');
    pass(2_100);
    expect(await status).to.equal(200);
    expect(plane.outcomes).to.deep.equal(['unreachable', 'answered']);
    expect(well.requests).to.have.length(1);
  });

  for (const [why, method, hasBudget] of [
    ['it may not be sent twice', 'POST', true],
    ['the budget for retries is spent', 'GET', false],
  ] as const)
    it(`waits on if ${why}`, async () => {
      while (!hasBudget && retries.take());
      const { status } = await asking(method);
      pass(serverMs - 100);
      expect(plane.outcomes).to.deep.equal([]);
      pass(200);
      expect(await status).to.equal(504);
      expect(well.requests).to.deep.equal([]);
    });
});
