import { expect } from 'chai';
import { MovedClock } from '../../test/gone-endpoint.ts';
import { http2At, type ScriptedEndpoint, startScriptedEndpoint } from '../../test/http2-endpoint/scripted-endpoint.ts';
import { headers } from '../../test/http2-wire.ts';
import { type ScriptedBackend, startBackend } from '../../test/scripted-backend.ts';
import { endpointAt, testContext, tinyRoute } from '../../test/test-context.ts';
import { until } from '../../test/until.ts';
import { Flag, Frame } from '../http/http2/frames.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { ConnectionPool } from '../transport/connection-pool.ts';
import { DeadlineSweep } from '../transport/deadline-sweep.ts';
import { Forwarding, type ForwardingSink } from './forwarding.ts';
import { RetryBudget } from './retry-budget.ts';

const serverMs = 20_000;
const tunnelMs = 60_000;

describe('the silence of an endpoint within a response', () => {
  let http1: ScriptedBackend;
  let http2: ScriptedEndpoint;
  let clock: MovedClock;
  let pool: ConnectionPool;
  let events: string[];

  beforeEach(async () => {
    [http1, http2] = await Promise.all([startBackend(), startScriptedEndpoint()]);
    clock = new MovedClock();
    pool = new ConnectionPool(new DeadlineSweep(100, clock.now));
    events = [];
  });
  afterEach(async () => {
    pool.stop();
    await Promise.all([http1.stop(), http2.stop()]);
  });

  const sink: ForwardingSink = {
    wantsPayload: true,
    onInterim: () => undefined,
    onHead: () => {
      events.push('head');
      return false;
    },
    onBody: () => {
      events.push('body');
      return false;
    },
    onFailure: (failure, responded) => events.push(responded ? 'cut' : failure),
    onWritable: () => undefined,
    onUpgrade: () => undefined,
    onFault: (error) => {
      throw error;
    },
  };

  /** Each responds with a head alone, of a body that is yet to come. */
  const endpointOf = {
    'HTTP/1.1': (type: string): Endpoint => {
      http1.onRequest = (_request, socket) =>
        socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`);
      return endpointAt(http1.port);
    },
    'HTTP/2': (type: string): Endpoint => {
      const head = [
        [':status', '200'],
        ['content-type', type],
      ] as const;
      http2.onFrame = ({ type: kind, flags, payload }, socket) => {
        if (kind === Frame.headers) socket.write(headers(1, head, Flag.endHeaders));
        if (kind === Frame.ping && flags === 0)
          socket.write(Buffer.concat([Buffer.from([0, 0, 8, 6, Flag.ack, 0, 0, 0, 0]), payload]));
      };
      return http2At(http2.port);
    },
  };

  const untilHead = async (endpoint: Endpoint, destination: Parameters<typeof tinyRoute>[1]) => {
    const context = { ...testContext({ endpoints: [endpoint] }), pool, budget: new RetryBudget(), serverMs, tunnelMs };
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const request = { method: 'GET', head, chunked: false, firstBytes: '', whole: true, trailers: '', upgrade: '' };
    new Forwarding(context, tinyRoute('web', destination), request, {}, performance.now(), sink).start();
    await until(() => events.length > 0, 'the head');
  };
  const pass = (ms: number) => clock.move(ms, pool.sweep, 100);

  const cases = [
    ['text/html', {}, serverMs],
    ['text/event-streams', {}, serverMs],
    ['application/text/event-stream', {}, serverMs],
    ['text/event-stream', {}, tunnelMs],
    ['Text/Event-Stream; charset=utf-8', {}, tunnelMs],
    ['text/event-stream ;charset=utf-8', {}, tunnelMs],
    ['text/event-stream', { timeoutTunnelMs: 40_000 }, 40_000],
    ['text/event-stream', { timeoutTunnelMs: 1_000 }, serverMs],
    ['text/event-stream', { timeoutServerMs: 5_000 }, 5_000],
    ['text/html', { timeoutServerMs: 90_000 }, 90_000],
  ] as const;
  for (const [protocol, endpoint] of Object.entries(endpointOf))
    for (const [type, destination, mostMs] of cases)
      it(`may last ${mostMs / 1_000} s in ${type} with ${JSON.stringify(destination)}, by ${protocol}`, async () => {
        await untilHead(endpoint(type), destination);
        pass(mostMs - 300);
        expect(events).to.deep.equal(['head']);
        pass(600);
        await until(() => events.length > 1, 'the end');
        expect(events).to.deep.equal(['head', 'cut']);
      });

  it('is counted from the last event', async () => {
    await untilHead(endpointOf['HTTP/1.1']('text/event-stream'), {});
    for (const at of [1, 2, 3]) {
      pass(tunnelMs - 300);
      http1.requests[0]?.socket.write('6\r\n:\n\n12\n\r\n');
      await until(() => events.length === 1 + at, 'the event');
    }
    expect(events).to.deep.equal(['head', 'body', 'body', 'body']);
  });
});
