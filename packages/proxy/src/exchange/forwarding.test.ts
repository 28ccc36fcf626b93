import { expect } from 'chai';
import { MovedClock, openToNobody } from '../../test/gone-endpoint.ts';
import { type ScriptedBackend, startBackend } from '../../test/scripted-backend.ts';
import { endpointAt, type TestContext, type TinyDestination, testContext, tinyRoute } from '../../test/test-context.ts';
import { until } from '../../test/until.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { ConnectionPool, type ReusePolicy } from '../transport/connection-pool.ts';
import { DeadlineSweep } from '../transport/deadline-sweep.ts';
import type { EndpointChannel } from '../transport/endpoint-channel.ts';
import { Forwarding, type ForwardingSink } from './forwarding.ts';
import { RetryBudget } from './retry-budget.ts';

/** A pool that writes down how long each connection may take to open. */
class WatchedPool extends ConnectionPool {
  readonly mostConnectMs: (number | undefined)[] = [];

  override take(endpoint: Endpoint, required: ReusePolicy, mostConnectMs?: number): EndpointChannel | undefined {
    this.mostConnectMs.push(mostConnectMs);
    return super.take(endpoint, required, mostConnectMs);
  }
}

const serverMs = 10_000;
const tunnelMs = 3_600_000;

describe('a request on its way', () => {
  let slow: ScriptedBackend;
  let well: ScriptedBackend;
  let clock: MovedClock;
  let pool: WatchedPool;
  let context: TestContext;
  let budget: RetryBudget;
  let responses: string[];

  beforeEach(async () => {
    [slow, well] = await Promise.all([startBackend(), startBackend()]);
    slow.onRequest = () => undefined;
    clock = new MovedClock();
    budget = new RetryBudget();
    responses = [];
    poolWith(openToNobody);
  });
  afterEach(async () => {
    pool.stop();
    await Promise.all([slow.stop(), well.stop()]);
  });

  function poolWith(openForLiveness?: typeof openToNobody): void {
    pool = new WatchedPool(new DeadlineSweep(10, clock.now), {}, undefined, openForLiveness);
  }

  const sink: ForwardingSink = {
    wantsPayload: true,
    onInterim: ({ status }) => {
      responses.push(`${status}`);
    },
    onHead: (head, _bytes, _framing, _from, _to, complete) => {
      responses.push(`${head.status}${complete ? '' : ' …'}`);
      return false;
    },
    onBody: () => false,
    onFailure: (failure) => responses.push(failure),
    onWritable: () => undefined,
    onUpgrade: () => undefined,
    onFault: (error) => {
      throw error;
    },
  };

  /** Sent to the first endpoint, which has it when this resolves. */
  async function sent(
    endpoints: readonly Endpoint[],
    method = 'GET',
    { destination = {}, whole = true }: { readonly destination?: TinyDestination; readonly whole?: boolean } = {},
  ): Promise<Forwarding> {
    context = testContext({ endpoints });
    const framing = whole ? 'Content-Length: 0' : 'Transfer-Encoding: chunked';
    const head = `${method} / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`;
    const request = { method, head, chunked: !whole, firstBytes: '', whole, trailers: '', upgrade: '' };
    const forwardingContext = { ...context, pool, budget, serverMs, tunnelMs };
    const forwarding = new Forwarding(
      forwardingContext,
      tinyRoute('web', destination),
      request,
      {},
      performance.now(),
      sink,
    );
    forwarding.start();
    await until(() => slow.received.length + well.received.length > 0, 'the request');
    return forwarding;
  }

  const pass = (ms: number) => clock.move(ms, pool.sweep, 10);
  const both = () => [endpointAt(slow.port), endpointAt(well.port)];

  it('waits a second for a connection where another endpoint could be tried, else as long as the pool says', async () => {
    await sent(both());
    expect(pool.mostConnectMs).to.deep.equal([1_000]);
    await sent([endpointAt(slow.port)]);
    expect(pool.mostConnectMs).to.deep.equal([1_000, undefined]);
  });

  it('goes to another endpoint when the first has gone without a word', async () => {
    const forwarding = await sent(both());
    pass(2_100);
    await until(() => responses.length > 0, 'a response');
    expect(responses).to.deep.equal(['200']);
    expect(context.outcomes).to.deep.equal(['unreachable', 'responded']);
    expect(forwarding.retries).to.equal(1);
    expect(slow.requests).to.have.length(1);
  });

  it('closes idle connections to the failed endpoint: no request is sent over them', async () => {
    await sent([endpointAt(slow.port)]);
    await sent(both());
    await until(() => slow.requests.length === 2, 'both requests');
    slow.requests[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await until(() => pool.sizes().idle === 1, 'the idle connection');
    pass(2_100);
    await until(() => slow.sockets.size === 0, 'the end of both connections');
    await until(() => responses.length === 2, 'both responses');
    expect(well.requests).to.have.length(1);
  });

  it('waits for an endpoint that is slow: its kernel accepts', async () => {
    poolWith();
    await sent(both());
    pass(1_100);
    await until(() => slow.connections === 2 && slow.sockets.size === 1, 'the probe');
    pass(800);
    slow.requests[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await until(() => responses.length > 0, 'a response');
    expect(context.outcomes).to.deep.equal(['responded']);
    expect(well.requests).to.deep.equal([]);
  });

  const staying = [
    ['it may not be sent twice', 'POST', both, true],
    ['there is no other endpoint', 'GET', () => [endpointAt(slow.port)], true],
    ['the budget for retries is spent', 'GET', both, false],
  ] as const;
  for (const [why, method, endpoints, hasBudget] of staying)
    it(`stays where it is, to the end of its time, if ${why}`, async () => {
      while (!hasBudget && budget.take());
      await sent(endpoints(), method);
      pass(serverMs - 100);
      expect(responses).to.deep.equal([]);
      pass(200);
      expect(responses).to.deep.equal(['head-timeout']);
      expect(context.outcomes).to.deep.equal(['timed-out']);
      expect(well.requests).to.deep.equal([]);
    });

  const hour = { timeoutServerMs: 3_600_000 };
  for (const [what, method, whole] of [
    ['POST', 'POST', true],
    ['POST whose body comes behind it', 'POST', false],
    ['GET', 'GET', true],
  ] as const)
    it(`fails a ${what} after a minute where its route would wait for longer, and its endpoint accepts no connection`, async () => {
      const forwarding = await sent([endpointAt(slow.port)], method, { destination: hour, whole });
      if (!whole) forwarding.endBody('');
      await until(() => slow.requests.some((request) => request.whole), 'the whole request');
      pass(62_000);
      expect(responses).to.deep.equal([]);
      pass(3_000);
      expect(responses).to.deep.equal(['endpoint-unreachable']);
    });

  it('fails an upload after a minute, too, whose endpoint went away behind its 100', async () => {
    slow.onHead = (_request, socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    const forwarding = await sent([endpointAt(slow.port)], 'POST', { destination: hour, whole: false });
    await until(() => responses.includes('100'), 'the 100');
    forwarding.endBody('');
    await until(() => slow.requests.some((request) => request.whole), 'the whole request');
    pass(62_000);
    expect(responses).to.deep.equal(['100']);
    pass(3_000);
    expect(responses).to.deep.equal(['100', 'endpoint-unreachable']);
  });

  it('waits for longer than a minute where its route says so, and its endpoint accepts connections', async () => {
    poolWith();
    await sent([endpointAt(slow.port)], 'POST', { destination: hour });
    pass(64_000);
    await until(() => slow.connections > 1, 'the check');
    expect(responses).to.deep.equal([]);
  });

  const closing = () => {
    slow.onRequest = (_request, socket) => socket.end();
    well.onRequest = (_request, socket) => socket.end();
  };

  for (const [method, tries] of [
    ...(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY'] as const).map((each) => [each, 2] as const),
    ...(['POST', 'PATCH', 'FOO', 'PROPFIND'] as const).map((each) => [each, 1] as const),
  ])
    it(`sends a ${method} ${tries === 2 ? 'to another endpoint, too,' : 'once'} where an endpoint closes without a response`, async () => {
      closing();
      const forwarding = await sent(both(), method);
      await until(() => responses.length > 0, 'the failure');
      expect(responses).to.deep.equal(['endpoint-unreachable']);
      expect(slow.requests.length + well.requests.length).to.equal(tries);
      expect(forwarding.retries).to.equal(tries - 1);
      expect(context.outcomes).to.deep.equal(Array.from({ length: tries }, () => 'broken'));
      expect(context.outstanding).to.equal(0);
    });

  it('tries three endpoints at most, and says when the last attempt began', async () => {
    closing();
    const third = await startBackend();
    third.onRequest = (_request, socket) => socket.end();
    const before = performance.now();
    const more = Array.from({ length: 4 }, (_, at) => ({ ...endpointAt(third.port), id: `more-${at}` }));
    const forwarding = await sent([...both(), ...more]);
    await until(() => responses.length > 0, 'the failure');
    expect(forwarding.retries).to.equal(2);
    expect(slow.requests.length + well.requests.length + third.requests.length).to.equal(3);
    expect(forwarding.attemptAtMs).to.be.greaterThan(before);
    expect(new Set(context.picks).size).to.equal(3);
    await third.stop();
  });

  it('does not try again where a byte of a response has come, or the budget is spent', async () => {
    slow.onRequest = (_request, socket) => socket.end('H');
    await sent(both());
    await until(() => responses.length > 0, 'the failure');
    expect(well.requests).to.have.length(0);
    closing();
    while (budget.take());
    await sent(both());
    await until(() => responses.length > 1, 'the second failure');
    expect(slow.requests.length + well.requests.length).to.equal(2);
    expect(responses).to.deep.equal(['endpoint-unreachable', 'endpoint-unreachable']);
  });

  it('sends to the same endpoint again, on a fresh connection, where idle ones turn out to be closed', async () => {
    // Two idle connections: the second attempt must not take the other one.
    await sent([endpointAt(slow.port)]);
    await sent([endpointAt(slow.port)]);
    await until(() => slow.requests.length === 2, 'both requests');
    for (const { socket } of slow.requests) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await until(() => pool.sizes().idle === 2, 'the idle connections');
    slow.onHead = ({ connection, socket }) => {
      if (connection <= 2) socket.destroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    };
    const forwarding = await sent([endpointAt(slow.port)]);
    await until(() => responses.length === 3, 'the third response');
    expect(responses).to.deep.equal(['200', '200', '200']);
    expect(context.outcomes).to.deep.equal(['abandoned', 'responded']);
    expect(forwarding.retries).to.equal(1);
    expect(slow.connections).to.equal(3);
  });
});
