import { expect } from 'chai';
import { WebSocket, WebSocketServer } from 'ws';
import { until } from '../behaviour-rig.ts';
import { get, type Suite } from './suite.ts';

/** Endpoints behind TLS, and endpoints that fail. */
export function endpoints(suite: Suite): void {
  describe('endpoints behind TLS', () => {
    beforeEach(() => suite.start());

    it('get requests of any kind, and keep their connections', async () => {
      const connections = new Set<unknown>();
      const endpoint = await suite.rig.secureBackend((request, response) => {
        connections.add(request.socket);
        request.pipe(response);
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      for (let turn = 0; turn < 3; turn += 1)
        expect(
          await suite.rig.exchange(
            'PUT /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 6\r\n\r\nsecret',
          ),
        ).to.match(/^HTTP\/1\.1 200 [\s\S]*secret/);
      expect(connections.size).to.equal(1);
    });

    it('get WebSocket tunnels', async () => {
      const endpoint = await suite.rig.secureBackend(() => undefined);
      const sockets = new WebSocketServer({ server: endpoint.server });
      sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
      suite.rig.route('ws', { endpoints: [endpoint] });
      const client = new WebSocket(`ws://127.0.0.1:${suite.rig.port}/ws`);
      const echoed = new Promise<string>((resolve) => client.once('message', (data) => resolve(data.toString())));
      await new Promise((resolve) => client.once('open', resolve));
      client.send('hello');
      expect(await echoed).to.equal('echo hello');
      client.terminate();
      sockets.close();
    });
  });

  describe('endpoints that fail', () => {
    beforeEach(() => suite.start());

    it('tries another endpoint when one refuses, whatever the method', async () => {
      const good = await suite.rig.backend((request, response) => {
        request.pipe(response);
      });
      suite.rig.route('a', { endpoints: [await suite.rig.refusing(), good] });
      const reply = await suite.rig.exchange(
        'POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody',
      );
      expect(reply).to.match(/^HTTP\/1\.1 200 [\s\S]*body/);
      expect((await suite.rig.report()).retries).to.equal(1);
    });

    it('tries another endpoint when a GET got no byte of a response', async () => {
      const bad = await suite.rig.rawBackend((socket) => socket.once('data', () => socket.resetAndDestroy()));
      const good = await suite.rig.backend((_request, response) => response.end('second'));
      suite.rig.route('a', { endpoints: [bad, good] });
      expect(await suite.rig.exchange(get('/a'))).to.include('second');
    });

    it('never sends a POST twice that may have been received', async () => {
      let posts = 0;
      const bad = await suite.rig.rawBackend((socket) => socket.once('data', () => socket.resetAndDestroy()));
      const good = await suite.rig.backend((_request, response) => {
        posts += 1;
        response.end();
      });
      suite.rig.route('a', { endpoints: [bad, good] });
      const reply = await suite.rig.exchange(
        'POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody',
      );
      expect(reply).to.match(/^HTTP\/1\.1 502 /);
      expect(posts).to.equal(0);
    });

    for (const [what, head] of [
      ['a length', 'Content-Length: 100\r\n\r\npart'],
      ['chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
    ] as const)
      it(`never makes a response with ${what} look complete when it broke off`, async () => {
        const bad = await suite.rig.rawBackend((socket) =>
          socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${head}`)),
        );
        suite.rig.route('a', { endpoints: [bad] });
        const reply = await suite.rig.exchange('GET /a HTTP/1.1\r\nHost: h\r\n\r\n');
        expect(reply).to.match(/^HTTP\/1\.1 200 /);
        expect(reply).not.to.match(/0\r\n\r\n$/);
        expect((await suite.rig.report()).reason).to.equal('answer-truncated');
      });

    it('cancels the request to the endpoint when the client is gone', async () => {
      let closed = false;
      let requested = false;
      const endpoint = await suite.rig.backend((_request, response) => {
        requested = true;
        response.once('close', () => {
          closed = true;
        });
      });
      suite.rig.route('a', { endpoints: [endpoint], destination: { timeoutServerMs: 60_000 } });
      const client = suite.rig.connect();
      client.send(get('/a'));
      await until(() => requested);
      client.socket.resetAndDestroy();
      await until(() => closed);
      const report = await suite.rig.report();
      expect(report.status).to.equal(499);
      expect(report.reason).to.equal('client-gone');
      expect(suite.rig.balancer.outstandingOf(endpoint.id)).to.equal(0);
    });

    it('reuses a connection for the next request', async () => {
      const ports = new Set<number | undefined>();
      const endpoint = await suite.rig.backend((request, response) => {
        ports.add(request.socket.remotePort);
        response.end('ok');
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      for (let turn = 0; turn < 3; turn += 1) await suite.rig.exchange(get('/a'));
      expect(ports.size).to.equal(1);
    });
  });
}
