import { once } from 'node:events';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import type { Endpoint } from '../src/model/endpoint.ts';
import { relay } from '../src/server/relay/relayed-connection.ts';
import { readHello } from '../src/server/relay/server-name.ts';
import { checkEndpoint } from '../src/transport/check-endpoint.ts';
import { connectTo } from '../src/transport/connect.ts';
import { type MakeServer, makeCoreServer, makeExpressServer, startRig } from './server-rig.ts';
import { testCertificate } from './test-certificate.ts';
import { endpointAt, tinyRoute } from './test-context.ts';
import { until } from './until.ts';

describe('the TLS server name that an endpoint gets', () => {
  const ended = new AbortController();
  /** Reads each ClientHello, then gives the connection to `server`. */
  let front: Server;
  let server: SecureServer;
  let port: number;
  /** Of every ClientHello; `undefined`: it named none. */
  let names: (string | undefined)[];
  const sockets = new Set<Socket>();

  before(async () => {
    const { cert, key } = await testCertificate(['endpoint.example']);
    server = createSecureServer({ cert, key }, (_request, response) => response.end('fine'));
    server.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n');
    });
    front = createServer(async (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      // A check may be over before the server is notified of its handshake.
      const read = await readHello(socket, 20_000, false);
      if (read.kind === 'none' || read.hello.kind !== 'hello') return;
      names.push(read.hello.serverName);
      socket.unshift(read.bytes);
      server.emit('connection', socket);
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    port = (front.address() as AddressInfo).port;
  });
  beforeEach(() => {
    names = [];
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  });
  after(() => {
    ended.abort();
    front.close();
  });

  const request = (makeServer: MakeServer, lines: string, status: number) => async (endpoint: Endpoint) => {
    const rig = await startRig(makeServer, { endpoints: [endpoint] });
    try {
      const client = rig.client();
      client.send(`GET / HTTP/1.1\r\nHost: client.example\r\n${lines}\r\n`);
      expect((await client.response()).status).to.equal(status);
    } finally {
      await rig.stop();
    }
  };

  const check = (destination: Parameters<typeof tinyRoute>[1]) => async (endpoint: Endpoint) => {
    const passed = await checkEndpoint(endpoint, tinyRoute('web', destination), 20_000, ended.signal);
    expect(passed).to.equal(true);
  };

  async function relayed(endpoint: Endpoint): Promise<void> {
    const entry = createServer({ allowHalfOpen: true });
    entry.listen(0, '127.0.0.1');
    await once(entry, 'listening');
    const accepted = once(entry, 'connection');
    const client = connect((entry.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = (await accepted) as [Socket];
    const over = relay(socket, Buffer.from('GET / HTTP/1.1\r\nHost: client.example\r\nConnection: close\r\n\r\n'), {
      pick: () => ({ kind: 'endpoint', endpoint, hasOthers: false }),
      finished: () => undefined,
      connectMs: 20_000,
      idleMs: 20_000,
      signal: ended.signal,
    });
    client.setEncoding('latin1').on('data', () => undefined);
    client.once('end', () => client.end());
    expect(await over).to.equal('closed');
    entry.close();
  }

  const ways: readonly (readonly [what: string, go: (endpoint: Endpoint) => Promise<void>])[] = [
    ['a request', request(makeCoreServer, '', 200)],
    ['a request through Express', request(makeExpressServer, '', 200)],
    ['a tunnel', request(makeCoreServer, 'Connection: Upgrade\r\nUpgrade: foo\r\n', 101)],
    ['a tunnel through Express', request(makeExpressServer, 'Connection: Upgrade\r\nUpgrade: foo\r\n', 101)],
    ['a relay', relayed],
    ['a health check by path', check({ checkPath: '/', serviceDomain: ['service.example'] })],
    ['a health check by connection', check({ checkTcp: true, serviceDomain: ['service.example'] })],
    [
      'a connection that is opened ahead',
      async (endpoint) => {
        (await connectTo(endpoint, 20_000, ended.signal)).destroy();
      },
    ],
  ];
  for (const [host, sent] of [
    ['localhost', 'localhost'],
    // RFC 6066, section 3: an address is no server name.
    ['127.0.0.1', undefined],
  ] as const)
    for (const [what, go] of ways)
      it(`is ${sent === undefined ? 'none' : 'its host'} by ${what} to ${host}, whatever the client or the service is called`, async () => {
        await go(endpointAt(port, { host, secure: true }));
        await until(() => names.length > 0, 'the handshake');
        expect(names).to.deep.equal([sent]);
      });
});
