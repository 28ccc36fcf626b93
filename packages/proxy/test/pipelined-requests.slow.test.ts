import { expect } from 'chai';
import { header, type ReceivedRequest, type ScriptedBackend, startBackend } from './scripted-backend.ts';
import { makeCoreServer, makeExpressServer, type Rig, startRig } from './server-rig.ts';
import { endpointAt } from './test-context.ts';

const host = 'Host: a.example\r\n';
const get = (path: string) => `GET ${path} HTTP/1.1\r\n${host}\r\n`;
const sized = (path: string, body: string, method = 'POST') =>
  `${method} ${path} HTTP/1.1\r\n${host}Content-Length: ${body.length}\r\n\r\n${body}`;
const chunked = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

interface Case {
  readonly name: string;
  readonly sent: readonly string[];
  /** As the endpoint gets them. */
  readonly requests: readonly string[];
  /** The endpoint responds to a head without waiting for the body. */
  readonly early?: true;
}

const cases: readonly Case[] = [
  { name: 'safe requests', sent: [get('/1'), get('/2'), get('/3')], requests: ['GET /1 ', 'GET /2 ', 'GET /3 '] },
  {
    name: 'safe requests behind an unsafe method without a body',
    sent: [`DELETE /1 HTTP/1.1\r\n${host}\r\n`, get('/2'), get('/3')],
    requests: ['DELETE /1 ', 'GET /2 ', 'GET /3 '],
  },
  {
    name: 'requests behind one with a body',
    sent: [sized('/1', 'abc'), get('/2'), sized('/3', 'de', 'PUT')],
    requests: ['POST /1 abc', 'GET /2 ', 'PUT /3 de'],
  },
  {
    name: 'requests behind chunked bodies',
    sent: [chunked('/1', 'abc'), chunked('/2', 'de'), get('/3')],
    requests: ['POST /1 abc', 'POST /2 de', 'GET /3 '],
  },
  {
    name: 'unsafe requests behind a safe one',
    sent: [get('/1'), sized('/2', 'abc'), chunked('/3', 'de')],
    requests: ['GET /1 ', 'POST /2 abc', 'POST /3 de'],
  },
  {
    name: 'requests behind HEAD',
    sent: [`HEAD /1 HTTP/1.1\r\n${host}\r\n`, get('/2')],
    requests: ['HEAD /1 ', 'GET /2 '],
  },
  {
    name: 'requests behind a body that the endpoint does not wait for',
    sent: [sized('/1', 'x'.repeat(1_000)), get('/2')],
    requests: [`POST /1 ${'x'.repeat(1_000)}`, 'GET /2 '],
    early: true,
  },
];

for (const [router, makeServer] of [
  ['core', makeCoreServer],
  ['Express', makeExpressServer],
] as const)
  describe(`pipelined requests, with the ${router} router`, () => {
    let backends: readonly ScriptedBackend[];
    let rig: Rig;
    /** Requests of the pipelining client whose response has not been sent to its end. */
    let open: Set<ReceivedRequest>;
    let mostOpen: number;
    let seen: string[];

    beforeEach(async () => {
      // Two endpoints in turn: requests that went out together would not wait for each other on one connection.
      backends = [await startBackend(), await startBackend()];
      rig = await startRig(makeServer, { endpoints: backends.map(({ port }) => endpointAt(port)) });
      open = new Set();
      mostOpen = 0;
      seen = [];
    });
    afterEach(async () => {
      await rig.stop();
      for (const backend of backends) await backend.stop();
    });

    /**
     * A client beside it gets two responses meanwhile, one from each endpoint: a request that the proxy had not held back
     * would have arrived by then.
     */
    async function othersServed(): Promise<void> {
      const other = rig.client();
      for (const path of ['/other/1', '/other/2']) {
        other.send(get(path));
        await other.response();
      }
      other.destroy();
    }

    async function respond(request: ReceivedRequest): Promise<void> {
      const body = `to ${request.target}`;
      await othersServed();
      request.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
      if (request.method !== 'HEAD') {
        request.socket.write(body.slice(0, 2));
        await othersServed();
        // It counts as open until the last byte is on its way.
        open.delete(request);
        request.socket.write(body.slice(2));
      } else open.delete(request);
    }

    function serve(early: boolean): void {
      for (const backend of backends) {
        backend.onHead = (request) => {
          if (request.target.startsWith('/other')) return;
          open.add(request);
          mostOpen = Math.max(mostOpen, open.size);
          if (early) void respond(request);
        };
        backend.onRequest = (request, socket) => {
          if (request.target.startsWith('/other')) {
            socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
            return;
          }
          seen.push(`${request.method} ${request.target} ${request.body}`);
          if (!early) void respond(request);
        };
      }
    }

    for (const { name, sent, requests, early = false } of cases)
      for (const [how, pieces] of [
        ['in one piece', [sent.join('')]],
        ['one by one', sent],
        // The end of each request comes together with the beginning of the next.
        ['across their borders', sent.join('').match(/[\s\S]{1,37}/g) ?? []],
      ] as const) {
        // Responded to before its body is whole, a request is the last of its connection.
        if (early && how === 'across their borders') continue;
        it(`are at the endpoints one at a time: ${name}, ${how}`, async () => {
          serve(early);
          const client = rig.client();
          for (const piece of pieces) {
            client.send(piece);
            await new Promise((resolve) => setImmediate(resolve));
          }
          for (const request of requests) {
            const [method, target] = request.split(' ');
            const { status, body } = await client.response(method);
            expect([status, body]).to.deep.equal([200, method === 'HEAD' ? '' : `to ${target}`]);
          }
          expect(seen).to.deep.equal(requests);
          expect(mostOpen).to.equal(1);
          expect(backends.map(({ strayBytes }) => strayBytes)).to.deep.equal([0, 0]);
        });
      }

    it('behind an upgrade become bytes of the tunnel, and no request', async () => {
      serve(false);
      for (const backend of backends) {
        const { onRequest } = backend;
        backend.onRequest = (request, socket) => {
          if (header(request, 'upgrade') === undefined) onRequest(request, socket);
          else {
            socket.removeAllListeners('data');
            let text = '';
            socket.on('data', (bytes) => {
              text += bytes.toString('latin1');
              if (text === get('/2')) socket.end('all of it');
            });
            socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n');
          }
        };
      }
      const client = rig.client();
      client.send(`GET /1 HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: foo\r\n\r\n${get('/2')}`);
      expect((await client.response()).status).to.equal(101);
      await client.end();
      expect(client.received).to.equal('all of it');
      expect(seen).to.deep.equal([]);
      expect(mostOpen).to.equal(1);
    });
  });
