import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request, type Server, type ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { freePorts } from './free-ports.ts';
import { embeddedRegistry, eventually, type ProxyUnderTest, startProxyUnderTest } from './running-proxy.ts';
import { listening } from './worker-rig.ts';

interface Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const html = 'text/html,application/xhtml+xml,*/*;q=0.8';
/** In order or by a reset. */
const closed = (socket: Socket) =>
  new Promise<void>((resolve) =>
    socket
      .on('error', () => undefined)
      .once('close', () => resolve())
      .resume(),
  );
const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

for (const router of ['core', 'express'])
  describe(`maintenance and drains, ${router}`, () => {
    let under: ProxyUnderTest;
    let backends: Server[];
    let tcp: ReturnType<typeof createTcpServer>;
    let relayPort: number;
    const entry = () => under.proxy.entrypoints().find(({ port }) => port !== relayPort)?.port ?? 0;
    const open = new Set<Socket>();
    /** Emits `request` with each response that the backend holds back. */
    const held = new EventEmitter();

    const send = (path: string, headers: Record<string, string> = {}, method = 'GET', body?: string) =>
      new Promise<Response>((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port: entry(), path, method, headers, agent: false }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => {
            text += part;
          });
          response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        });
        // An upgrade that was taken.
        sent.once('upgrade', (response, socket) => {
          socket.destroy();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: '' });
        });
        sent.once('error', reject);
        sent.end(body);
      });
    const sendHttp2 = async (headers: Record<string, string>): Promise<Response> => {
      const session = connectHttp2(`http://127.0.0.1:${entry()}`);
      try {
        const stream = session.request({ ':path': '/shop', ...headers });
        let text = '';
        stream.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        stream.end();
        const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }];
        if (!stream.closed) await once(stream, 'close');
        return { status: Number(head[':status']), headers: head, text };
      } finally {
        session.close();
      }
    };
    const change = async (method: string, query: string, body?: object) => {
      const more =
        body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const reply = await under.call(method, `/v1/maintenance?${query}`, more);
      expect(reply.status, reply.text).to.equal(200);
      return String(reply.body.Message);
    };
    const reconfigure = async (query: string) => {
      const { status, text } = await under.call('GET', `/v1/docker-flow-proxy/reconfigure?${query}`);
      expect(status, text).to.equal(200);
    };
    const relayed = async (): Promise<Socket> => {
      const socket = connect(relayPort, '127.0.0.1');
      open.add(socket);
      await once(socket, 'connect');
      return socket;
    };
    const tunnel = async (): Promise<Socket> => {
      const socket = connect(entry(), '127.0.0.1');
      open.add(socket);
      socket.write('GET /shop HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      expect(String(bytes)).to.match(/^HTTP\/1.1 101 /);
      return socket;
    };

    before(async () => {
      [relayPort = 0] = await freePorts(1);
      backends = await Promise.all(
        ['one', 'two'].map(async (name) => {
          const server = createServer((request, response) => {
            if (request.url === '/shop/slow') held.emit('request', response);
            else response.end(name);
          });
          server.on('upgrade', (_request, socket: Socket) => {
            open.add(socket);
            socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
            socket.on('error', () => undefined).resume();
          });
          return await listening(server);
        }),
      );
      tcp = createTcpServer((socket) => {
        open.add(socket);
        socket.on('error', () => undefined).write('hello');
      });
      tcp.listen(0, '127.0.0.1');
      await once(tcp, 'listening');
      under = await startProxyUnderTest({ replica: 'one', env: { HTTP_ROUTER: router } });
      await eventually('the proxy is ready', () => under.proxy.ready());
      await reconfigure('serviceName=shop&servicePath=/shop&port=8080&sessionType=sticky-server&grpcWeb=true');
      await reconfigure(
        `serviceName=db&reqMode=tcp&srcPort=${relayPort}&port=${portOf(tcp)}&outboundHostname=127.0.0.1`,
      );
      await reconfigure(
        `serviceName=private&servicePath=/private&port=${portOf(backends[0] as Server)}&outboundHostname=127.0.0.1&users=jane:secret&httpsOnly=true&denyHttp=true&allowedAddresses=10.9.9.9`,
      );
      const published = backends.map((backend) => ({ host: '127.0.0.1', port: portOf(backend), targetPort: 8080 }));
      await under.registry.publish(
        [
          {
            owner: 'manual',
            service: 'shop',
            endpoints: { version: 1, owner: 'manual', service: 'shop', dnsName: 'shop', tasks: [], published },
          },
        ],
        { by: 'a test', signal: under.signal, awaited: true },
      );
      await eventually('both endpoints respond', async () => {
        const names = new Set([(await send('/shop')).text, (await send('/shop')).text]);
        return names.has('one') && names.has('two');
      });
    });
    after(async () => {
      for (const socket of open) socket.destroy();
      await under.stop();
      for (const backend of backends) backend.close();
      tcp.close();
    });

    it('responds to every kind of request with 503 and Retry-After, as the client reads it, and then serves again', async () => {
      const message = await change('POST', 'service=shop&for=30m&message=Back+at+<10>&except=203.0.113.9');
      expect(message).to.equal('Distributed to all instances');
      const cases: readonly (readonly [string, () => Promise<Response>, RegExp])[] = [
        ['text', () => send('/shop'), /^Back at <10>\n$/],
        ['anything', () => send('/shop', { accept: '*/*' }), /^Back at <10>\n$/],
        ['a browser', () => send('/shop', { accept: html }), /<p>Back at &#60;10&#62;<\/p>/],
        ['HEAD', () => send('/shop', {}, 'HEAD'), /^$/],
        ['a body', () => send('/shop', { 'content-type': 'text/plain' }, 'POST', 'x'.repeat(10_000)), /^Back/],
        ['an upgrade', () => send('/shop', { connection: 'Upgrade', upgrade: 'websocket' }), /^Back/],
        ['HTTP/2', () => sendHttp2({}), /^Back at <10>\n$/],
        ['a browser by HTTP/2', () => sendHttp2({ accept: html }), /<h1>Maintenance/],
      ];
      for (const [what, sent, body] of cases) {
        const { status, headers, text } = await sent();
        expect([status, headers['x-swarmgate-reason']], what).to.deep.equal([503, 'maintenance']);
        expect(Number(headers['retry-after']), what).to.be.within(1_700, 1_800);
        expect(headers['cache-control'], what).to.equal('no-store');
        expect(text, what).to.match(body);
      }
      expect(await change('DELETE', 'service=shop')).to.equal('Distributed to all instances');
      expect((await send('/shop')).status).to.equal(200);
      expect(await change('DELETE', 'service=shop')).to.equal('nothing done: shop is not in maintenance');
    });

    it('ends calls of gRPC and gRPC-Web with 14 and the message', async () => {
      await change('POST', 'service=shop&message=Back+soon.');
      const call = await sendHttp2({ ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' });
      expect(call.headers).to.include({ 'grpc-status': '14', 'grpc-message': 'Back soon.' });
      const web = await send('/shop', { 'content-type': 'application/grpc-web+proto' }, 'POST', '\0\0\0\0\0');
      expect(`${JSON.stringify(web.headers)}${web.text}`).to.match(/grpc-status["':\s]+14/);
      await change('DELETE', 'service=shop');
    });

    it('stands before the access rules and redirects of the service, and shows the operator’s own page', async () => {
      expect((await send('/private')).status).to.equal(403);
      await change('POST', '', { service: 'private', page: '<h1>Ours</h1>', retryAfter: 7 });
      const { status, headers, text } = await send('/private', { accept: html });
      expect([status, headers['retry-after'], text]).to.deep.equal([503, '7', '<h1>Ours</h1>']);
      expect((await send('/private')).text).to.equal('the service is down for maintenance\n');
      await change('DELETE', 'service=private');
    });

    it('lets requests in flight finish, of the service and of a drained endpoint', async () => {
      for (const query of ['service=shop', 'service=shop&endpoint=127.0.0.1']) {
        const arrived = once(held, 'request');
        const slow = send('/shop/slow');
        const [response] = (await arrived) as [ServerResponse];
        await change('POST', query);
        expect((await send('/shop')).status).to.equal(503);
        response.end('late');
        expect(await slow).to.deep.include({ status: 200, text: 'late' });
        await change('DELETE', query);
      }
    });

    it('is a step in explain, and a mark of its routes', async () => {
      await change('POST', 'service=shop');
      const { body } = await under.call('GET', `/v1/explain?url=${encodeURIComponent('http://a.example/shop')}`);
      expect(body.middleware).to.include('maintenance');
      expect(body.winner).to.include({ maintenance: true });
      await change('DELETE', 'service=shop');
    });

    it('lets clients of the exceptions pass', async () => {
      await change('POST', 'service=shop&except=192.0.2.0/24,127.0.0.1');
      expect((await send('/shop')).status).to.equal(200);
      await change('POST', 'service=shop&except=192.0.2.0/24');
      expect((await send('/shop')).status).to.equal(503);
      await change('DELETE', 'service=shop');
    });

    it('ends by its time, without a change', async () => {
      await change('POST', 'service=shop&for=1s');
      await eventually('it is over', async () => (await send('/shop')).status === 200);
      const { body } = await under.call('GET', '/v1/maintenance');
      const shop = (body.services as { service: string }[]).find(({ service }) => service === 'shop');
      expect(shop).to.include({ maintenance: null });
    });

    it('ends open tunnels, and refuses connections of tcp services and closes those that are open', async () => {
      const upgraded = await tunnel();
      const relay = await relayed();
      await once(relay, 'data');
      await change('POST', 'service=shop');
      await change('POST', 'service=db');
      await Promise.all([closed(upgraded), closed(relay)]);
      const refused = connect(relayPort, '127.0.0.1').on('error', () => undefined);
      open.add(refused);
      let received = '';
      refused.on('data', (bytes) => {
        received += String(bytes);
      });
      await closed(refused);
      expect(received).to.equal('');
      await change('DELETE', 'service=shop');
      await change('DELETE', 'service=db');
      expect(String((await once(await relayed(), 'data'))[0])).to.equal('hello');
      await change('POST', 'service=db&except=127.0.0.0/8');
      expect(String((await once(await relayed(), 'data'))[0])).to.equal('hello');
      await change('DELETE', 'service=db');
    });

    it('drains an endpoint: no new requests, sessions move, requests in flight and tunnels stay until the time', async () => {
      const [one, two] = backends.map((backend) => `127.0.0.1:${portOf(backend)}`);
      await change('POST', `service=shop&endpoint=${two}`);
      const first = await send('/shop');
      const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
      expect(first.text).to.equal('one');
      await change('DELETE', `service=shop&endpoint=${two}`);
      const upgraded = await tunnelTo('one');
      await change('POST', `service=shop&endpoint=${one}`);
      for (let time = 0; time < 4; time += 1) expect((await send('/shop', { cookie })).text).to.equal('two');
      expect(upgraded.destroyed).to.equal(false);
      const { body } = await under.call('GET', '/v1/services?service=shop');
      expect(body.services).to.have.nested.property('[0].drains[0].endpoint', one);
      const states = (body.services as { endpointNumbers: { port: number; state: string }[] }[])[0]?.endpointNumbers;
      expect(states?.find(({ port }) => `127.0.0.1:${port}` === one)?.state).to.equal('draining');
      await change('POST', `service=shop&endpoint=${one}&for=1s`);
      await closed(upgraded);
      // The end of the tunnels is not the end of the drain.
      expect((await send('/shop')).text).to.equal('two');

      const message = await change('POST', `service=shop&endpoint=${two}`);
      expect(message).to.include('manual/shop has no other endpoint that takes requests');
      const none = await send('/shop');
      expect([none.status, none.headers['x-swarmgate-reason']]).to.deep.equal([503, 'no-endpoint']);
      await eventually('the problem is reported', async () =>
        (await under.call('GET', '/v1/problems')).text.includes('endpoints-drained'),
      );
      await change('DELETE', 'service=shop&endpoint=127.0.0.1');
      expect((await send('/shop')).status).to.equal(200);
      const status = await under.call('GET', '/v1/status');
      expect(status.body.maintenance).to.deep.equal({ services: 0, endpoints: 0 });
    });

    /** An upgraded connection through the endpoint of that name: others are drained meanwhile. */
    async function tunnelTo(name: string): Promise<Socket> {
      const other = backends[name === 'one' ? 1 : 0] as Server;
      await change('POST', `service=shop&endpoint=127.0.0.1:${portOf(other)}`);
      const socket = await tunnel();
      await change('DELETE', `service=shop&endpoint=127.0.0.1:${portOf(other)}`);
      return socket;
    }

    const refusals = [
      ['service=nope', 404, 'no service nope is published'],
      ['service=shop&owner=other', 404, 'no service shop of owner other is published'],
      ['service=shop&endpoint=10.0.0.1:80', 404, 'no endpoint of the service: it has 127.0.0.1'],
      ['service=shop&until=2020-01-01T00:00:00Z', 400, 'which is over'],
      ['service=shop&until=tomorrow', 400, 'ISO 8601'],
      ['service=shop&for=0', 400, 'up to a year'],
      ['service=shop&for=1h&until=2099-01-01T00:00:00Z', 400, 'give one of them'],
      ['service=shop&except=everyone', 400, 'CIDRs'],
      ['service=shop&retryAfter=soon', 400, 'retryAfter is "soon": expected whole seconds'],
      ['service=shop&endpoint=127.0.0.1&message=x', 400, 'is for a whole service'],
      ['service=shop&endpoint=a/b', 400, 'expected an address'],
      ['service=shop&messsage=x', 400, 'is unknown'],
      ['', 400, 'service is not set'],
    ] as const;
    if (router === 'core')
      for (const [query, status, sentence] of refusals)
        it(`refuses ${query === '' ? 'nothing' : query}: ${sentence}`, async () => {
          const reply = await under.call('POST', `/v1/maintenance?${query}`);
          expect([reply.status, String(reply.body.Message)]).to.satisfy(
            ([found, text]: [number, string]) => found === status && text.includes(sentence),
            reply.text,
          );
        });
  });

describe('maintenance in the registry', () => {
  it('holds on every replica, over a restart, and for the definition that replaces the service', async () => {
    const { mkdtemp, rm } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const { join } = await import('node:path');
    const dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-maintenance-'));
    const registry = await embeddedRegistry(dataDir);
    const start = (replica: string) => startProxyUnderTest({ registry, replica });
    const reasonOf = async ({ proxy }: ProxyUnderTest) => {
      const reply = await fetch(`http://127.0.0.1:${proxy.entrypoints()[0]?.port}/shop`);
      await reply.text();
      return reply.headers.get('x-swarmgate-reason');
    };
    const running: ProxyUnderTest[] = [];
    try {
      running.push(await start('one'), await start('two'));
      await eventually('both are ready', () => running.every(({ proxy }) => proxy.ready()));
      const [one, two] = running as [ProxyUnderTest, ProxyUnderTest];
      const definition = 'serviceName=shop&servicePath=/shop&port=1&outboundHostname=127.0.0.1';
      await one.call('GET', `/v1/docker-flow-proxy/reconfigure?${definition}`);
      const { body } = await one.call('POST', '/v1/maintenance?service=shop');
      expect(body).to.deep.include({ Status: 'OK', serving: ['one', 'two'], waitingFor: [] });
      expect(await reasonOf(two)).to.equal('maintenance');
      await two.call('GET', `/v1/docker-flow-proxy/reconfigure?${definition.replace('port=1', 'port=2')}`);
      expect(await reasonOf(two)).to.equal('maintenance');
      await one.stop();
      running.shift();
      const again = await start('three');
      running.push(again);
      await eventually('it is ready', () => again.proxy.ready());
      expect(await reasonOf(again)).to.equal('maintenance');
      await again.call('DELETE', '/v1/maintenance?service=shop');
      expect(await reasonOf(two)).to.not.equal('maintenance');
      const listed = await two.call('GET', '/v1/maintenance');
      expect(listed.body.services).to.have.nested.property('[0].ended[0].endedBy', 'REST from 127.0.0.1');
    } finally {
      for (const each of running) await each.stop();
      await registry.store.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
