import { expect } from 'chai';
import { WebSocket, WebSocketServer } from 'ws';
import type { Suite } from './suite.ts';

/** WebSocket tunnels. */
export function upgrades(suite: Suite): void {
  describe('upgrades', () => {
    beforeEach(() => suite.start());

    it('tunnels WebSocket messages both ways and closes with the closing code', async () => {
      const endpoint = await suite.rig.backend(() => undefined);
      const sockets = new WebSocketServer({ server: endpoint.server });
      sockets.on('connection', (socket) => {
        socket.on('message', (data, binary) => socket.send(data, { binary }));
        socket.on('close', (code) => suite.rig.reports.length >= 0 && expect(code).to.equal(4001));
      });
      suite.rig.route('ws', { endpoints: [endpoint] });
      const client = new WebSocket(`ws://127.0.0.1:${suite.rig.port}/ws/chat?x=1`);
      const echoed = new Promise<string>((resolve) => client.once('message', (data) => resolve(data.toString())));
      await new Promise((resolve) => client.once('open', resolve));
      client.send('hello');
      expect(await echoed).to.equal('hello');
      const closed = new Promise<number>((resolve) => client.once('close', resolve));
      client.close(4001);
      expect(await closed).to.equal(4001);
      expect((await suite.rig.report()).status).to.equal(101);
      sockets.close();
    });

    it('carries bytes that came with the upgrade (head bytes)', async () => {
      const endpoint = await suite.rig.backend(() => undefined);
      endpoint.server.on('upgrade', (_request, socket, head: Buffer) => {
        socket.on('error', () => undefined);
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        const echo = (bytes: Buffer) => socket.write(`got ${bytes.toString()}`);
        if (head.length > 0) echo(head);
        socket.on('data', echo);
      });
      suite.rig.route('ws', { endpoints: [endpoint] });
      const client = suite.rig.connect();
      client.send('GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly');
      expect(await client.until('got early')).to.match(/^HTTP\/1\.1 101 /);
      client.socket.destroy();
    });

    it('relays a refusal', async () => {
      const endpoint = await suite.rig.backend((_request, response) => response.writeHead(403).end('go away'));
      endpoint.server.on('upgrade', (_request, socket) => {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\nConnection: close\r\n\r\ngo away');
      });
      suite.rig.route('ws', { endpoints: [endpoint] });
      const client = suite.rig.connect();
      client.send('GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      await client.until(/^HTTP\/1\.1 403 [\s\S]*go away/);
      client.socket.destroy();
    });

    it('tries another endpoint when one refuses the connection', async () => {
      const endpoint = await suite.rig.backend(() => undefined);
      const sockets = new WebSocketServer({ server: endpoint.server });
      suite.rig.route('ws', { endpoints: [await suite.rig.refusing(), endpoint] });
      const client = new WebSocket(`ws://127.0.0.1:${suite.rig.port}/ws`);
      await new Promise((resolve) => client.once('open', resolve));
      client.terminate();
      sockets.close();
    });

    it('responds with 502 and 503 as for other requests', async () => {
      suite.rig.route('down', { endpoints: [await suite.rig.refusing()] });
      const responseTo = async (path: string) => {
        const client = suite.rig.connect();
        client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
        return await client.until(/\r\n\r\n/);
      };
      expect(await responseTo('/down')).to.match(/^HTTP\/1\.1 502 [\s\S]*X-Swarmgate-Reason: endpoint-unreachable/);
      expect(await responseTo('/none')).to.match(/^HTTP\/1\.1 503 [\s\S]*X-Swarmgate-Reason: no-route/);
    });

    it('closes the client when the endpoint goes', async () => {
      const endpoint = await suite.rig.backend(() => undefined);
      const sockets = new WebSocketServer({ server: endpoint.server });
      sockets.on('connection', (socket) => socket.terminate());
      suite.rig.route('ws', { endpoints: [endpoint] });
      const client = new WebSocket(`ws://127.0.0.1:${suite.rig.port}/ws`);
      client.on('error', () => undefined);
      await new Promise((resolve) => client.once('close', resolve));
      sockets.close();
    });

    it('ignores an offer of another protocol and serves the request (RFC 9110, 7.8)', async () => {
      let upgrade: string | undefined = 'unset';
      const endpoint = await suite.rig.backend((request, response) => {
        upgrade = request.headers.upgrade;
        response.end('plain');
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const client = suite.rig.connect();
      client.send(
        'GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n',
      );
      await client.until('plain');
      expect(upgrade).to.equal(undefined);
      client.socket.destroy();
    });

    for (const [how, framing, body] of [
      ['a length', 'Content-Length: 5', 'hello'],
      ['chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
    ] as const) {
      it(`passes an offer with a body of ${how} on, and serves the next request where the endpoint declines`, async () => {
        const endpoint = await suite.rig.backend((request, response) => {
          let received = '';
          request.on('data', (bytes: Buffer) => {
            received += bytes.toString();
          });
          request.on('end', () => response.end(`${request.url} upgrade=${request.headers.upgrade} body=${received};`));
        });
        suite.rig.route('a', { endpoints: [endpoint] });
        const client = suite.rig.connect();
        const offer = `GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${framing}\r\n\r\n`;
        client.send(`${offer}${body}GET /a/next HTTP/1.1\r\nHost: h\r\n\r\n`);
        await client.until('/a upgrade=websocket body=hello;');
        await client.until('/a/next upgrade=undefined body=;');
        client.socket.destroy();
      });
    }
  });

  describe('upgrades on silent connections', () => {
    beforeEach(() => suite.start({ timeouts: { tunnelMs: 400 } }));

    it('ends a tunnel that has been silent for too long', async () => {
      const endpoint = await suite.rig.backend(() => undefined);
      const sockets = new WebSocketServer({ server: endpoint.server });
      suite.rig.route('ws', { endpoints: [endpoint] });
      const client = new WebSocket(`ws://127.0.0.1:${suite.rig.port}/ws`);
      const closed = new Promise((resolve) => client.once('close', resolve));
      await new Promise((resolve) => client.once('open', resolve));
      await closed;
      sockets.close();
    });
  });
}
