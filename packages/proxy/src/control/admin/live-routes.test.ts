import { once } from 'node:events';
import { createServer, get as httpGet, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { pause, readSettings, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import express from 'express';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';
import { get } from '../../../test/worker-rig.ts';
import type { LiveRequest } from '../live/live-request.ts';
import type { LiveBatch } from '../live/live-tail.ts';
import type { AdminParts } from './admin-parts.ts';
import { liveRoutes } from './live-routes.ts';

interface Stream {
  readonly status: number;
  readonly type: string | undefined;
  text(): string;
  /** Data of events of this name. */
  events(name: string): readonly Record<string, unknown>[];
  close(): void;
}

describe('GET /v1/requests', () => {
  let under: ProxyUnderTest;
  const streams: Stream[] = [];

  before(async () => {
    under = await startProxyUnderTest({ replica: 'one' });
    await eventually('the proxy is ready', () => under.proxy.ready());
    await under.call(
      'GET',
      '/v1/docker-flow-proxy/reconfigure?serviceName=shop&servicePath=/shop&port=1&outboundHostname=127.0.0.1',
    );
  });
  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.close();
    await eventually('all streams have ended', async () => {
      const one = await open('');
      one.close();
      return one.status === 200;
    });
  });
  after(() => under.stop());

  const send = (path: string) => get(under.proxy.entrypoints()[0]?.port ?? 0, path, undefined);

  function open(query: string): Promise<Stream> {
    return new Promise((resolve, reject) => {
      const sent = httpGet(
        { host: '127.0.0.1', port: under.proxy.admin.port, path: `/v1/requests${query}`, agent: false },
        (response: IncomingMessage) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => {
            text += part;
          });
          response.on('error', () => undefined);
          const stream: Stream = {
            status: response.statusCode ?? 0,
            type: response.headers['content-type'],
            text: () => text,
            events: (name) =>
              [...text.matchAll(new RegExp(`event: ${name}\\ndata: (.*)\\n\\n`, 'g'))].map(
                ([, data]) => JSON.parse(data ?? '') as Record<string, unknown>,
              ),
            close: () => sent.destroy(),
          };
          streams.push(stream);
          resolve(stream);
        },
      );
      sent.once('error', reject);
    });
  }

  it('sends requests as they end, and what the proxy returned itself', async () => {
    const stream = await open('');
    expect([stream.status, stream.type]).to.deep.equal([200, 'text/event-stream']);
    await send('/shop/a?token=1');
    await send('/nowhere');
    await eventually('both are reported', () => stream.events('request').length === 2);
    const [shop, nowhere] = stream.events('request');
    expect(shop).to.include({
      service: 'manual/shop',
      path: '/shop/a',
      status: 502,
      reason: 'endpoint-unreachable',
      endpoint: '127.0.0.1:1',
      method: 'GET',
    });
    expect(nowhere).to.include({ service: null, path: '/nowhere', status: 503, reason: 'no-route' });
  });

  it('sends only those that match', async () => {
    const [ofShop, unmatched, none] = [
      await open('?service=manual/shop&status=5xx'),
      await open('?reason=no-route&status=503'),
      await open('?service=shop&status=2xx'),
    ];
    await send('/nowhere');
    await send('/shop/b');
    await eventually(
      'they are reported',
      () => ofShop.events('request').length + unmatched.events('request').length === 2,
    );
    expect(ofShop.events('request')[0]).to.include({ path: '/shop/b' });
    expect(unmatched.events('request')[0]).to.include({ path: '/nowhere' });
    expect(none.events('request')).to.deep.equal([]);
  });

  it('counts what is beyond the limit', async () => {
    const stream = await open('?limit=2');
    for (let time = 0; time < 10; time += 1) await send('/nowhere');
    await eventually('all are reported or counted', () => {
      const counted = stream.events('skipped').reduce((sum, { count }) => sum + Number(count), 0);
      return stream.events('request').length + counted === 10;
    });
    expect(stream.events('request').length).to.be.within(2, 4);
  });

  it('ends after the time that the call names, for a client that gets nothing before', async () => {
    const path = `http://127.0.0.1:${under.proxy.admin.port}/v1/requests?forMs=1500`;
    const whole = fetch(path).then((response) => response.text());
    await eventually('a request is in it', async () => {
      await send('/nowhere');
      return (await Promise.race([whole, undefined])) !== undefined;
    });
    expect(await whole)
      .to.match(/^retry: 100\n/)
      .and.to.include('"path":"/nowhere"');
  });

  it('opens so many streams and no more', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => open('')));
    const statuses = all.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).to.have.length(16);
    expect(statuses.filter((status) => status === 503)).to.have.length(4);
  });

  for (const query of [
    'status=6xx',
    'status=abc',
    'minDurationMs=-1',
    'limit=0',
    'limit=501',
    'forMs=1',
    'service=a/b/c',
  ])
    it(`refuses ${query}`, async () => {
      const { status, body } = await under.call('GET', `/v1/requests?${query}`);
      expect(status).to.equal(400);
      expect(body.Message)
        .to.be.a('string')
        .that.includes(query.split('=')[0] ?? '');
    });
});

describe('a stream of live requests', () => {
  it('pings a silent stream, and ends one whose client takes nothing, holding little for it meanwhile', async () => {
    const app = express();
    const ended = Promise.withResolvers<void>();
    let push = (_batch: LiveBatch) => {};
    const server = {
      workers: () => [],
      watchRequests: (_watch: unknown, onBatch: (batch: LiveBatch) => void) => {
        push = onBatch;
        return () => ended.resolve();
      },
    };
    const settings = readSettings('proxy', { env: {} });
    const parts = { settings, server, logger: silentLogger, draining: () => false } as unknown as AdminParts;
    app.use(liveRoutes(parts, { pingEveryMs: 20, stalledMs: 200 }));
    let held: ServerResponse | undefined;
    const listening = createServer((request, response) => {
      held = response;
      app(request, response);
    }).listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const client = connect((listening.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
    try {
      client.write('GET /v1/requests HTTP/1.1\r\nHost: localhost\r\n\r\n');
      let text = '';
      client.on('data', (part) => {
        text += part;
      });
      await eventually('two pings', () => text.split(': ping').length > 2);
      client.pause();
      const request = { path: 'x'.repeat(10_000) } as unknown as LiveRequest;
      let most = 0;
      for (let isOver = false; !isOver; ) {
        push({ requests: Array(100).fill(request), skipped: 0 });
        most = Math.max(most, held?.writableLength ?? 0);
        isOver = await Promise.race([
          ended.promise.then(() => true),
          pause(5, new AbortController().signal).then(() => false),
        ]);
      }
      // One batch more than what stops the next.
      expect(most).to.be.below(256 * 1_024 + 100 * 11_000);
      expect(held?.destroyed).to.equal(true);
    } finally {
      client.destroy();
      listening.close();
    }
  });
});

describe('GET /v1/requests of a proxy with ADMIN_TOKEN', () => {
  it('needs the token: addresses of clients and paths are not for everyone who reaches the port', async () => {
    const under = await startProxyUnderTest({ env: { ADMIN_TOKEN: 'secret-of-this-test' } });
    try {
      const statusWith = (headers: Readonly<Record<string, string>>) =>
        new Promise<number | undefined>((resolve, reject) => {
          const { port } = under.proxy.admin;
          const sent = httpGet({ host: '127.0.0.1', port, path: '/v1/requests', agent: false, headers }, (response) => {
            resolve(response.statusCode);
            sent.destroy();
          });
          sent.once('error', reject);
        });
      expect(await statusWith({})).to.equal(401);
      expect(await statusWith({ Authorization: 'Bearer another' })).to.equal(401);
      expect(await statusWith({ Authorization: 'Bearer secret-of-this-test' })).to.equal(200);
    } finally {
      await under.stop();
    }
  });
});
