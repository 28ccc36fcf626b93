import { createServer, type Server } from 'node:net';
import { type Logger, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { onStage } from '../../../test/conformance/suite.ts';
import { http1ConnectionContext } from '../../../test/http1-connection-context.ts';
import { ownClient } from '../../../test/own-connection.ts';
import { RawClient } from '../../../test/raw-client.ts';
import { type ScriptedBackend, startBackend } from '../../../test/scripted-backend.ts';
import { makeCoreServer } from '../../../test/server-rig.ts';
import { endpointAt, type TestContext, testContext } from '../../../test/test-context.ts';
import { until } from '../../../test/until.ts';
import { ConnectionPool } from '../../transport/connection-pool.ts';
import { DeadlineSweep } from '../../transport/deadline-sweep.ts';
import type { DrainableConnection } from '../tracked-connections.ts';
import { Http1Connection } from './connection.ts';

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
        const { client, socket, end } = await ownClient(rig);
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
      const { client, socket, end } = await ownClient(rig);
      client.send(open);
      expect((await client.response()).status).to.equal(200);
      client.socket.end();
      await until(() => socket.destroyed && client.ended, 'the end of the connection');
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
