import { createServer, type Server, type Socket } from 'node:net';
import { type Logger, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { onStage } from '../../../test/conformance/suite.ts';
import { http1ConnectionContext } from '../../../test/http1-connection-context.ts';
import { ownConnection as listenFor } from '../../../test/own-connection.ts';
import { RawClient } from '../../../test/raw-client.ts';
import { readChunk } from '../../../test/read-chunk.ts';
import { type ScriptedBackend, startBackend } from '../../../test/scripted-backend.ts';
import { makeCoreServer, type Rig } from '../../../test/server-rig.ts';
import { endpointAt, type TestContext, testContext, tinyRoute } from '../../../test/test-context.ts';
import { until } from '../../../test/until.ts';
import { ConnectionPool } from '../../transport/connection-pool.ts';
import { DeadlineSweep } from '../../transport/deadline-sweep.ts';
import type { DrainableConnection } from '../tracked-connections.ts';
import { Http1Connection } from './connection.ts';

async function ownConnection(rig: Rig) {
  const { port, socket, isAccepted, close } = await listenFor(rig);
  const client = new RawClient(port);
  await until(isAccepted, 'the connection');
  const end = () => {
    client.destroy();
    close();
  };
  return { client, socket: socket(), end };
}

describe('the end of an HTTP/1.1 connection behind its last response', () => {
  const last = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';
  const post = 'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi';
  const open = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
  for (const [what, sent, bodyBytes, isAtOnce] of [
    ['a request that its client announced as the last one', last, 2, true],
    ['one of HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a.example\r\n\r\n', 2, true],
    // Some clients send an empty line behind a body: a reset would destroy the response.
    ['a request with a body', post, 2, false],
    ['a request with bytes behind it', `${last}GET `, 2, false],
    ['a long response, which would stay in the memory of the system', last, 20_000, false],
    ['the last response of a server that drains', open, 2, false],
  ] as const)
    it(`${isAtOnce ? 'comes at once' : 'waits for the client'}: ${what}`, () =>
      onStage(makeCoreServer, async ({ rig, backend }) => {
        const { client, socket, end } = await ownConnection(rig);
        backend.onRequest = (_request, upstream) => {
          if (sent === open) void rig.server.drain(60_000);
          upstream.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n${'x'.repeat(bodyBytes)}`);
        };
        client.send(sent);
        await until(() => client.ended, 'the end of the response');
        expect(client.received).to.match(/^HTTP\/1\.1 200 [\s\S]*x$/);
        expect(socket.destroyed).to.equal(isAtOnce);
        client.socket.end();
        await until(() => socket.destroyed, 'the end of the connection');
        expect(client.error).to.equal(undefined);
        end();
      }));

  it('comes with that of a client that has gone between two requests', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      backend.onRequest = (_request, upstream) => upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      const { client, socket, end } = await ownConnection(rig);
      client.send(open);
      expect((await client.response()).status).to.equal(200);
      client.socket.end();
      await until(() => socket.destroyed && client.ended, 'the end of the connection');
      end();
    }));
});

describe('the share of an HTTP/1.1 connection in a turn of the event loop', () => {
  const full = Buffer.alloc(65_536, 'x');

  for (const [what, chunk, isPaused] of [
    ['reads no more behind a full read of a body', full, true],
    ['reads on behind less', full.subarray(0, 16_384), false],
  ] as const)
    it(`${what}: ${isPaused ? 'others are waiting' : 'nothing more is there'}`, () =>
      onStage(makeCoreServer, async ({ rig, backend }) => {
        backend.onRequest = (_request, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        const { client, socket, end } = await ownConnection(rig);
        const length = 3 * chunk.length + 3;
        client.send(`POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${length}\r\n\r\n`);
        await until(() => backend.received.includes('\r\n\r\n'), 'the head at the endpoint');
        for (let times = 0; times < 3; times += 1) {
          readChunk(socket, chunk);
          expect(socket.isPaused()).to.equal(isPaused);
          await until(() => !socket.isPaused(), 'the next turn');
        }
        client.send('end');
        expect((await client.response()).status).to.equal(200);
        expect(backend.requests[0]?.body).to.equal(`${'x'.repeat(length - 3)}end`);
        end();
      }));

  it('writes a response before it ends, where its client stops sending in the same turn', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      const { client, socket, end } = await ownConnection(rig);
      const { reports } = rig.context;
      reports.push = (...ended) => {
        process.nextTick(() => socket.emit('end'));
        return Array.prototype.push.apply(reports, ended);
      };
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
      const { status, body } = await client.response();
      expect([status, body]).to.deep.equal([200, 'ok']);
      await client.end();
      end();
    }));

  for (const [what, head] of [
    ['a body', 'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 16000000\r\n\r\n'],
    ['what is pipelined behind a request', 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'],
  ] as const)
    it(`holds a share of ${what} while its endpoint does not respond, and reads no more`, () =>
      onStage(makeCoreServer, async ({ rig, backend }) => {
        backend.onConnection = (endpoint) => endpoint.pause();
        backend.onRequest = () => undefined;
        const { client, socket, end } = await ownConnection(rig);
        client.send(head);
        client.socket.write(Buffer.alloc(16_000_000, 'x'));
        const staysPaused = async () => {
          for (let turn = 0; turn < 50; turn += 1) {
            if (!socket.isPaused()) return false;
            await new Promise((resolve) => setImmediate(resolve));
          }
          return true;
        };
        await until(staysPaused, 'nothing more to be read');
        // With what the system takes on the way to the endpoint.
        expect(socket.bytesRead).to.be.within(head.length, 12_000_000);
        end();
      }));

  it('reads no more behind a full read of a tunnel, and stays paused where the endpoint does not keep up', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      let tunnel: Socket | undefined;
      backend.onRequest = (_request, socket) => {
        tunnel = socket;
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n');
      };
      const { client, socket, end } = await ownConnection(rig);
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n');
      await until(() => client.received.includes('101'), 'the tunnel');
      readChunk(socket, full);
      expect(socket.isPaused()).to.equal(true);
      await until(() => !socket.isPaused(), 'the next turn');
      tunnel?.pause();
      // Far more than the system takes on the way to it.
      while (!socket.isPaused()) {
        readChunk(socket, Buffer.alloc(1024 * 1024));
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
      }
      tunnel?.resume();
      await until(() => !socket.isPaused(), 'the tunnel goes on');
      end();
      tunnel?.destroy();
    }));

  const unserved = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
  const noRoute = { routeOf: () => undefined };

  it('serves some of many pipelined requests in a turn where no endpoint has a part in them, and all in the end', () =>
    onStage(
      makeCoreServer,
      async ({ rig }) => {
        const { client, socket, end } = await ownConnection(rig);
        readChunk(socket, Buffer.from(unserved.repeat(49)));
        expect(rig.context.reports).to.have.length(4);
        expect(socket.isPaused()).to.equal(true);
        await until(() => rig.context.reports.length === 49, 'all to be served');
        await until(() => !socket.isPaused(), 'the connection to be read again');
        client.send(unserved);
        await until(() => client.received.split('HTTP/1.1 503').length === 51, 'all responses');
        end();
      },
      noRoute,
    ));

  it('goes on with one connection in a turn, however many have pipelined more than their share', () =>
    onStage(
      makeCoreServer,
      async ({ rig }) => {
        const connections = await Promise.all(Array.from({ length: 4 }, () => ownConnection(rig)));
        for (const { socket } of connections) readChunk(socket, Buffer.from(unserved.repeat(20)));
        const turns: number[] = [];
        while (rig.context.reports.length < 80) {
          const before = rig.context.reports.length;
          await new Promise((resolve) => setImmediate(resolve));
          turns.push(rig.context.reports.length - before);
        }
        expect(Math.max(...turns)).to.equal(4);
        for (const { end } of connections) end();
      },
      noRoute,
    ));

  it('begins one pipelined request in a turn, however many responses of endpoints came in it', () => {
    let begun = 0;
    const route = tinyRoute();
    const routeOf = () => {
      begun += 1;
      return route;
    };
    return onStage(
      makeCoreServer,
      async ({ rig, backend }) => {
        const waiting: Socket[] = [];
        backend.onRequest = (_request, endpoint) => waiting.push(endpoint);
        const connections = await Promise.all(Array.from({ length: 12 }, () => ownConnection(rig)));
        for (const { socket } of connections) readChunk(socket, Buffer.from(unserved.repeat(3)));
        for (const round of [1, 2, 3]) {
          await until(() => waiting.length === 12, `the requests of round ${round}`);
          for (const endpoint of waiting.splice(0)) endpoint.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
          let most = 0;
          while (round < 3 && begun < 12 * (round + 1)) {
            const before = begun;
            await new Promise((resolve) => setImmediate(resolve));
            most = Math.max(most, begun - before);
          }
          // The turn before this one's count and the one behind it.
          expect(most).to.be.at.most(2);
        }
        for (const { client, end } of connections) {
          await until(() => client.received.split('200 OK').length === 4, 'all responses');
          end();
        }
        expect(begun).to.equal(36);
      },
      { routeOf },
    );
  });

  it('finds that a client has gone while its last pipelined request is served', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      backend.onRequest = ({ target }, endpoint) => {
        if (target === '/') endpoint.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      };
      const { client, socket, end } = await ownConnection(rig);
      readChunk(socket, Buffer.from(`${unserved}${unserved.replace('/', '/slow')}`));
      await until(() => backend.requests.length === 2, 'the last request');
      await until(() => !socket.isPaused(), 'the connection to be read');
      client.destroy();
      await until(() => rig.context.reports.length === 2, 'the end of the exchange');
      expect(rig.context.reports[1]).to.include({ status: 499 });
      end();
    }));

  it('counts the smaller pieces that TLS gives', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      const { client, socket, end } = await ownConnection(rig);
      client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\n');
      await until(() => backend.received.includes('\r\n\r\n'), 'the head at the endpoint');
      const isPaused = [1, 2, 3, 4].map(() => {
        readChunk(socket, full.subarray(0, 16_384));
        return socket.isPaused();
      });
      expect(isPaused).to.deep.equal([false, false, false, true]);
      end();
    }));

  it('reads what is dropped behind the last response at the same pace', () =>
    onStage(makeCoreServer, async ({ rig }) => {
      const { client, socket, end } = await ownConnection(rig);
      client.send('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n');
      await until(() => client.received.includes('\r\n\r\n'), 'the refusal');
      readChunk(socket, full);
      expect(socket.isPaused()).to.equal(true);
      await until(() => !socket.isPaused(), 'the next turn');
      end();
    }));
});

describe('a fault on an HTTP/1.1 connection', () => {
  const fault = new Error('broken');
  let backend: ScriptedBackend;
  let exchanges: TestContext;
  let pool: ConnectionPool;
  let listener: Server;
  let connection: Http1Connection | undefined;
  let forgotten: DrainableConnection[];
  let logged: { readonly fields: Record<string, unknown>; readonly message: string }[];
  let client: RawClient;

  beforeEach(async () => {
    backend = await startBackend();
    exchanges = testContext({ endpoints: [endpointAt(backend.port)] });
    pool = new ConnectionPool(new DeadlineSweep(10));
    forgotten = [];
    logged = [];
    connection = undefined;
    const error = (fields: Record<string, unknown>, message: string) => logged.push({ fields, message });
    const context = http1ConnectionContext(exchanges, pool, {
      logger: { ...silentLogger, error } as unknown as Logger,
      forget: (each) => forgotten.push(each),
    });
    listener = createServer({ allowHalfOpen: true }, (socket) => {
      connection = new Http1Connection(socket, { port: 80, secure: false }, context);
      connection.start(undefined);
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const address = listener.address();
    client = new RawClient(typeof address === 'object' && address !== null ? address.port : 0);
    await until(() => connection !== undefined, 'the connection');
  });

  afterEach(async () => {
    client.destroy();
    pool.stop();
    await backend.stop();
    await new Promise((resolve) => listener.close(resolve));
  });

  /** The fault, as a guarded callback reports it. */
  const fail = () => connection?.onFault(fault);

  /** Nothing of the connection is left, on either side of the proxy. */
  async function leavesNothing(): Promise<void> {
    await until(() => forgotten.length > 0, 'the connection to be forgotten');
    expect([...new Set(forgotten)]).to.deep.equal([connection]);
    await until(() => pool.sizes().open === 0 || pool.sizes().idle === pool.sizes().open, 'the endpoint to be free');
    expect(exchanges.picks.length).to.equal(exchanges.outcomes.length);
    // One deadline for each idle connection to an endpoint, and none for the client.
    await until(() => pool.sweep.size === pool.sizes().idle, 'no deadline to be left');
  }

  it('ends a connection that has no request, and is logged with its stack', async () => {
    fail();
    await client.end();
    expect(client.received).to.equal('');
    expect(logged).to.have.length(1);
    expect(logged[0]?.message).to.equal('a connection failed');
    expect(logged[0]?.fields).to.deep.equal({ err: fault, peer: '127.0.0.1' });
    await leavesNothing();
  });

  it('ends a connection in the middle of a head without serving it', async () => {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n');
    await until(() => (connection as Http1Connection).deadlineMs > 0, 'the head to begin');
    fail();
    client.send('\r\n');
    await client.end();
    expect(backend.requests).to.deep.equal([]);
    await leavesNothing();
  });

  it('costs the exchange a 500, and the connection ends behind it', async () => {
    backend.onRequest = () => undefined;
    client.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => backend.requests.length === 1, 'the request at the endpoint');
    fail();
    const { status } = await client.response();
    expect(status).to.equal(500);
    client.socket.end();
    await client.end();
    expect(client.received, 'a response to the request behind the fault').to.equal('');
    expect(backend.requests).to.have.length(1);
    expect(logged.map(({ message }) => message)).to.deep.equal(['an exchange failed']);
    expect(logged[0]?.fields).to.include({ err: fault, service: 'swarm/web', path: '/slow' });
    expect(exchanges.reports.map(({ status, reason }) => [status, reason])).to.deep.equal([[500, 'internal-error']]);
    await leavesNothing();
  });

  it('cuts a response that has begun: nothing can be taken for its end', async () => {
    backend.onRequest = (_request, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart');
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => client.received.endsWith('part'), 'the beginning of the response');
    fail();
    await client.end();
    expect(client.error).to.equal('ECONNRESET');
    expect(client.received).to.match(/part$/);
    await leavesNothing();
  });

  it('cuts a tunnel on both sides', async () => {
    backend.onRequest = (_request, socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\nhello');
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\n');
    await until(() => client.received.endsWith('hello'), 'the tunnel');
    fail();
    await client.end();
    expect(client.error).to.equal('ECONNRESET');
    await until(() => [...backend.sockets].every(({ destroyed }) => destroyed), 'the endpoint to see the end');
    await leavesNothing();
  });

  it('takes the connection out of the books where the fault was in acting on its close', async () => {
    client.destroy();
    await until(() => forgotten.length > 0, 'the connection to be closed');
    forgotten.length = 0;
    // What a guarded listener for `close` that threw at once leaves behind.
    fail();
    await leavesNothing();
  });
});
