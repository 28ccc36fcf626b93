import { createHash } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import {
  makeCoreServer,
  makeExpressHttp2Server,
  makeExpressServer,
  makeHttp2Server,
  type Rig,
  startRig,
} from '../server-rig.ts';
import { until } from '../until.ts';
import { type ForeignEndpoint, startEndpoint } from './foreign-endpoint.ts';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
const upgrade = (protocol: string) =>
  `GET /chat?x HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;

for (const [router, http1, http2] of [
  ['core', makeCoreServer, makeHttp2Server],
  ['express', makeExpressServer, makeExpressHttp2Server],
] as const)
  describe(`upgrades to an HTTP/2 endpoint (RFC 8441), ${router}`, () => {
    let foreign: ForeignEndpoint;
    let rig: Rig;
    let client: Socket | undefined;
    afterEach(async () => {
      client?.destroy();
      await rig.stop();
      await foreign.stop();
    });

    async function start(make = http1, enableConnectProtocol = true): Promise<void> {
      foreign = await startEndpoint({ settings: { enableConnectProtocol } });
      foreign.onRequest = () => undefined;
      foreign.onHead = (stream, { headers }) => {
        if (headers[':method'] !== 'CONNECT') return;
        stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' });
        stream.on('data', (chunk: Buffer) => stream.write(`<${chunk.toString()}>`));
        stream.on('end', () => stream.end('bye'));
      };
      rig = await startRig(make, { endpoints: [foreign.endpoint] });
    }

    function open(text: string): { received: () => string; closed: () => boolean } {
      let received = '';
      let closed = false;
      const socket = connect({ port: rig.port, host: '127.0.0.1', allowHalfOpen: true });
      client = socket;
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1');
      });
      socket.on('close', () => {
        closed = true;
      });
      socket.on('end', () => socket.end());
      socket.write(text);
      return { received: () => received, closed: () => closed };
    }

    it('pass a WebSocket of HTTP/1.1 both ways, with its proof, and half-closes', async () => {
      await start();
      const tunnel = open(upgrade('websocket'));
      await until(() => tunnel.received().includes('\r\n\r\n'), 'the 101');
      const head = tunnel.received().toLowerCase();
      expect(head).to.match(/^http\/1\.1 101 /);
      expect(tunnel.received()).to.include(accept);
      expect(head).to.include('upgrade: websocket').and.to.include('sec-websocket-protocol: chat');
      client?.write('hello');
      await until(() => tunnel.received().endsWith('<hello>'), 'the echo');
      client?.end();
      await until(() => tunnel.received().endsWith('<hello>bye'), 'what follows the half-close');
      await until(tunnel.closed, 'the end');
      const headers = foreign.seen[0]?.headers ?? {};
      expect([headers[':method'], headers[':protocol'], headers[':path']]).to.deep.equal([
        'CONNECT',
        'websocket',
        '/chat?x',
      ]);
      expect(headers['sec-websocket-version']).to.equal('13');
      for (const name of ['sec-websocket-key', 'upgrade', 'connection'])
        expect(headers[name], name).to.equal(undefined);
      await until(() => rig.context.reports.length === 1, 'the access record');
      expect(rig.context.reports[0]).to.include({ status: 101 });
      expect(rig.context.outstanding).to.equal(0);
      expect(foreign.sessions.size).to.equal(1);
    });

    it('pass a WebSocket of HTTP/2', async () => {
      await start(http2);
      const session = connectHttp2(`http://127.0.0.1:${rig.port}`);
      await new Promise((resolve) => session.once('remoteSettings', resolve));
      const stream = session.request(
        { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat', ':authority': 'a.test', ':scheme': 'http' },
        { endStream: false },
      );
      let received = '';
      let status = 0;
      stream.on('response', (headers) => {
        status = Number(headers[':status']);
        expect(headers['sec-websocket-accept']).to.equal(undefined);
      });
      stream.on('data', (chunk: Buffer) => {
        received += chunk.toString();
      });
      stream.write('hello');
      await until(() => received === '<hello>', 'the echo');
      expect(status).to.equal(200);
      stream.end();
      await until(() => received === '<hello>bye', 'the end');
      session.destroy();
    });

    it('end with a reset on one side what is reset on the other', async () => {
      await start();
      foreign.onHead = (stream) => {
        stream.respond({ ':status': 200 });
        stream.on('data', () => stream.close(8));
      };
      const tunnel = open(upgrade('websocket'));
      await until(() => tunnel.received().includes('\r\n\r\n'), 'the 101');
      client?.write('x');
      await until(tunnel.closed, 'the end');
      await until(() => rig.context.outstanding === 0, 'the end of the exchange');
    });

    it('end at the endpoint when the client is gone', async () => {
      await start();
      let isClosed = false;
      foreign.onHead = (stream) => {
        stream.respond({ ':status': 200 });
        stream.on('close', () => {
          isClosed = true;
        });
      };
      const tunnel = open(upgrade('websocket'));
      await until(() => tunnel.received().includes('\r\n\r\n'), 'the 101');
      client?.resetAndDestroy();
      await until(() => isClosed, 'the end of the stream');
      await until(() => rig.context.outstanding === 0, 'the end of the exchange');
    });

    it('pass on what the endpoint refuses', async () => {
      await start();
      foreign.onHead = (stream) => stream.respond({ ':status': 403, 'content-length': 0 }, { endStream: true });
      const tunnel = open(upgrade('websocket'));
      await until(() => /^HTTP\/1\.1 403 /.test(tunnel.received()), 'the 403');
    });

    for (const [name, protocol, announced] of [
      ['a WebSocket that the endpoint has not announced', 'websocket', false],
      ['another protocol', 'tcp', true],
    ] as const)
      it(`refuse ${name}`, async () => {
        await start(http1, announced);
        const tunnel = open(upgrade(protocol));
        await until(() => tunnel.received().includes('\r\n\r\n'), 'the response');
        expect(tunnel.received()).to.match(/^HTTP\/1\.1 501 /);
        expect(tunnel.received()).to.include('X-Swarmgate-Reason: upgrade-not-supported');
        expect(foreign.seen).to.deep.equal([]);
        expect(rig.context.outcomes).to.deep.equal(['abandoned']);
      });
  });
