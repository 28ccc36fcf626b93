import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { responding, type ScriptedBackend, startBackend } from '../../test/scripted-backend.ts';
import { endpointAt } from '../../test/test-context.ts';
import { until } from '../../test/until.ts';
import { ConnectionPool, type PoolLimits, type Waiter } from './connection-pool.ts';
import { DeadlineSweep } from './deadline-sweep.ts';
import type { ConnectionFault, EndpointChannel, ResponseReceiver } from './endpoint-channel.ts';
import { EndpointConnection } from './endpoint-connection.ts';

/** A receiver that only counts. */
function listener() {
  const heard = { complete: 0, faults: [] as ConnectionFault['kind'][] };
  const receiver: ResponseReceiver = {
    silenceMs: 5_000,
    wantsPayload: true,
    onInterim: () => undefined,
    onHead: (_head, _bytes, _framing, _from, _to, complete) => {
      if (complete) heard.complete += 1;
      return false;
    },
    onBody: (_bytes, _from, _to, complete) => {
      if (complete) heard.complete += 1;
      return false;
    },
    onBroken: (fault) => heard.faults.push(fault.kind),
    onWritable: () => undefined,
    onConnected: () => undefined,
    onSilence: () => undefined,
    onUpgrade: () => undefined,
    onFault,
  };
  return { heard, receiver };
}

const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const request = { method: 'GET', head, chunked: false, firstBytes: '', whole: true, trailers: '', upgrade: '' };

function onFault(error: unknown): void {
  throw error;
}

describe('the pool of connections to endpoints', () => {
  let backend: ScriptedBackend;
  let pool: ConnectionPool;
  let nowMs = 0;

  beforeEach(async () => {
    backend = await startBackend();
    nowMs = 0;
  });
  afterEach(async () => {
    pool.stop();
    await backend.stop();
  });

  const poolWith = (limits: Partial<PoolLimits> = {}) => {
    pool = new ConnectionPool(new DeadlineSweep(10, () => nowMs), limits);
    return pool;
  };

  async function exchange(connection: EndpointConnection): Promise<void> {
    const { heard, receiver } = listener();
    connection.send(request, receiver);
    await until(() => heard.complete === 1, 'the response');
  }

  function taken(
    endpoint: ReturnType<typeof endpointAt>,
    required: 'any' | 'recent' | 'fresh' = 'any',
  ): EndpointConnection {
    const connection = pool.take(endpoint, required);
    if (!(connection instanceof EndpointConnection)) throw new Error('no connection');
    return connection;
  }

  for (const [name, response] of [
    ['chunks and the end in one read', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'],
    ['chunks, trailers and the end in one read', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n'],
  ] as const)
    it(`reads the next response on a connection that was paused for a slow client: ${name}`, async () => {
      poolWith({ perEndpoint: 1 });
      backend.onRequest = responding(`HTTP/1.1 200 OK\r\n${response}`);
      const endpoint = endpointAt(backend.port);
      const first = taken(endpoint);
      const { heard, receiver } = listener();
      let pauses = 0;
      const slow: ResponseReceiver = {
        ...receiver,
        onBody: (bytes, from, to, complete, carried) => {
          if (!complete && ++pauses > 0) first.pause();
          return receiver.onBody(bytes, from, to, complete, carried);
        },
      };
      first.send(request, slow);
      await until(() => heard.complete === 1, 'the response');
      expect(pauses).to.be.greaterThan(0);
      const next = taken(endpoint);
      expect(next).to.equal(first);
      await exchange(next);
    });

  it('gives a place that becomes free to another endpoint that has waited for it', async () => {
    const other = await startBackend();
    try {
      poolWith({ inAll: 2, perEndpoint: 2 });
      const [first, second] = [endpointAt(backend.port), endpointAt(other.port)];
      const held = taken(first);
      // Half of all connections is the most that one endpoint gets.
      expect(pool.take(first, 'any')).to.equal(undefined);
      const alike = taken(second);
      const got: string[] = [];
      const waiter = (name: string): Waiter => ({
        onConnection: () => got.push(name),
        onQueueTimeout: () => got.push(`${name} late`),
        onFault,
      });
      const third = { ...endpointAt(other.port), id: 'third' };
      expect(pool.take(third, 'any')).to.equal(undefined);
      expect(pool.wait(third, waiter('third'))).to.equal(true);
      held.abandon();
      await until(() => got.length === 1, 'the place of the first');
      expect(pool.take(first, 'any')).to.equal(undefined);
      expect(pool.wait(first, waiter('first'))).to.equal(true);
      await exchange(alike);
      await until(() => got.length === 2, 'the place of an idle connection');
      expect(got).to.deep.equal(['third', 'first']);
    } finally {
      await other.stop();
    }
  });

  it('waits less for a connection where another endpoint could be tried, never more than its own limit', () => {
    const endpoint = endpointAt(backend.port);
    poolWith({ connectMs: 5_000 });
    const deadlineWith = (mostConnectMs?: number) =>
      (pool.take(endpoint, 'fresh', mostConnectMs) as EndpointConnection).deadlineMs;
    const patient = deadlineWith();
    expect(patient - deadlineWith(1_000)).to.equal(4_000);
    expect(deadlineWith(60_000)).to.equal(patient);
  });

  it('uses the same connection again, also for the same address under another object', async () => {
    poolWith();
    const first = taken(endpointAt(backend.port));
    await exchange(first);
    expect(pool.take(endpointAt(backend.port), 'any')).to.equal(first);
  });

  it('distinguishes endpoints of one address by id', async () => {
    poolWith();
    const first = taken(endpointAt(backend.port, { id: 'task-1' }));
    await exchange(first);
    expect(pool.take(endpointAt(backend.port, { id: 'task-2' }), 'any')).not.to.equal(first);
  });

  it('gives a request that cannot be repeated only a connection used a moment ago', async () => {
    poolWith();
    const endpoint = endpointAt(backend.port);
    const first = taken(endpoint);
    await exchange(first);
    expect(pool.take(endpoint, 'recent')).to.equal(first);
    await exchange(first);
    nowMs = 1_500;
    pool.sweep.tick();
    pool.sweep.tick();
    expect(pool.take(endpoint, 'recent')).not.to.equal(first);
    expect(pool.take(endpoint, 'any')).to.equal(first);
  });

  it('closes connections that stay idle, sooner where the endpoint said so', async () => {
    poolWith({ idleMs: 30_000 });
    const endpoint = endpointAt(backend.port);
    backend.onRequest = (_request, socket) =>
      socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: 0\r\n\r\n');
    await exchange(taken(endpoint));
    nowMs = 3_900;
    pool.sweep.tick();
    pool.sweep.tick();
    expect(pool.sizes()).to.deep.equal({ open: 1, idle: 1, queued: 0 });
    nowMs = 4_100;
    pool.sweep.tick();
    pool.sweep.tick();
    await until(() => pool.sizes().open === 0, 'the idle connection to close');
  });

  it('queues beyond its cap, first come first served, and refuses beyond its queue', async () => {
    poolWith({ perEndpoint: 1, queued: 2 });
    const endpoint = endpointAt(backend.port);
    const first = taken(endpoint);
    const order: number[] = [];
    const waiter = (which: number): Waiter => ({
      onConnection: (connection) => {
        order.push(which);
        void exchange(connection as EndpointConnection);
      },
      onQueueTimeout: () => order.push(-which),
      onFault,
    });
    expect(pool.take(endpoint, 'any')).to.equal(undefined);
    expect(pool.wait(endpoint, waiter(1))).to.equal(true);
    expect(pool.wait(endpoint, waiter(2))).to.equal(true);
    expect(pool.wait(endpoint, waiter(3))).to.equal(false);
    await exchange(first);
    await until(() => order.length === 2, 'both waiters');
    expect(order).to.deep.equal([1, 2]);
    expect(backend.connections).to.equal(1);
  });

  it('opens a connection for a waiter when one closes', async () => {
    poolWith({ perEndpoint: 1 });
    const endpoint = endpointAt(backend.port);
    const first = taken(endpoint);
    let got: EndpointChannel | undefined;
    pool.wait(endpoint, {
      onConnection: (connection) => {
        got = connection;
      },
      onQueueTimeout: () => undefined,
      onFault,
    });
    first.abandon();
    await until(() => got !== undefined, 'the waiter');
    expect(got).not.to.equal(first);
  });

  it('ends a wait with its deadline', () => {
    poolWith({ perEndpoint: 1, queueMs: 1_000 });
    const endpoint = endpointAt(backend.port);
    taken(endpoint);
    let timedOut = 0;
    pool.wait(endpoint, { onConnection: () => undefined, onQueueTimeout: () => timedOut++, onFault });
    for (const at of [40, 500, 900, 1_030]) {
      nowMs = at;
      pool.sweep.tick();
      pool.sweep.tick();
    }
    expect(timedOut).to.equal(1);
    expect(pool.sizes().queued).to.equal(0);
  });

  it('closes an idle connection elsewhere rather than refuse at its total', async () => {
    poolWith({ inAll: 1 });
    const other = await startBackend();
    await exchange(taken(endpointAt(other.port)));
    const connection = pool.take(endpointAt(backend.port), 'any');
    expect(connection).not.to.equal(undefined);
    await until(() => other.sockets.size === 0, 'the idle one to close');
    await other.stop();
  });

  it('times out an endpoint that stays silent', async () => {
    poolWith();
    backend.onRequest = () => undefined;
    const { heard, receiver } = listener();
    taken(endpointAt(backend.port)).send(request, { ...receiver, silenceMs: 1_000 });
    await until(() => backend.requests.length === 1, 'the request');
    for (let at = 40; at < 1_200; at += 40) {
      nowMs = at;
      pool.sweep.tick();
    }
    expect(heard.faults).to.deep.equal(['silent']);
  });

  it('keeps nothing of endpoints that are gone', async () => {
    poolWith();
    for (let at = 0; at < 3; at++) {
      const connection = taken(endpointAt(backend.port, { id: `task-${at}` }));
      await exchange(connection);
      connection.socket.destroy();
    }
    await until(() => pool.sizes().open === 0, 'all to close');
    expect(pool.sizes()).to.deep.equal({ open: 0, idle: 0, queued: 0 });
  });

  it('takes bytes that come before a request has left for no response to it, and lets it be sent again', async () => {
    poolWith();
    const connection = taken(endpointAt(backend.port));
    await exchange(connection);
    const { heard, receiver } = listener();
    const [endpoint] = [...backend.sockets] as [Socket];
    const { promise: turned, resolve } = Promise.withResolvers<void>();
    const client = connect(backend.port, '127.0.0.1');
    await once(client, 'connect');
    await until(() => backend.sockets.size === 2, 'the other connection');
    const [, other] = [...backend.sockets] as [Socket, Socket];
    // Both are there when the event loop looks again, in this order: what the first one brings has the request sent.
    client.once('data', () => {
      connection.send(request, receiver);
      resolve();
    });
    setImmediate(() => {
      other.write('now');
      endpoint.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
    await turned;
    await until(() => heard.faults.length + heard.complete > 0, 'an end of the exchange');
    expect(heard).to.deep.equal({ complete: 0, faults: ['unprocessed'] });
    expect(backend.requests).to.have.length(1);
    client.destroy();
  });
});
