import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { connect as connectHttp2, constants, createServer as createHttp2Server, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { freePort } from './free-ports.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './otlp-receiver.ts';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from './running-proxy.ts';
import { listening } from './worker-rig.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const sampledParent = `00-${traceId}-${parentId}-01`;

/** `…-<trace>-<span>-<flags>` */
function read(traceParent: string | string[] | undefined) {
  const found = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$/.exec(String(traceParent));
  expect(found, String(traceParent)).not.to.equal(null);
  const [, trace, span, flags] = found ?? [];
  return { trace, span, sampled: flags === '01' };
}

for (const router of ['core', 'express'] as const)
  describe(`traces through a proxy, with the ${router} router`, () => {
    let receiver: OtlpReceiver;
    let backend: Server;
    let http2Backend: Http2Server;
    let under: ProxyUnderTest | undefined;
    /** What the service got with its last request. */
    let got: IncomingHttpHeaders;
    /** What it got with a request to which it did not respond. */
    let refused: IncomingHttpHeaders;
    /** Header lines of its last request of HTTP/1.1, as sent. */
    let lines: readonly (readonly [name: string, value: string])[];
    let closeNext = false;
    const closes = (received: { readonly headers: IncomingHttpHeaders }): boolean => {
      if (closeNext) refused = received.headers;
      else got = received.headers;
      const isClosed = closeNext;
      closeNext = false;
      return isClosed;
    };

    before(async () => {
      receiver = await startOtlpReceiver();
      backend = await listening(
        createServer((received, response) => {
          if (closes(received)) {
            received.socket.destroy();
            return;
          }
          const { rawHeaders: raw } = received;
          lines = raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1] ?? ''] as const] : []));
          const status = Number(/^\/[a-z]+\/(\d{3})$/.exec(received.url ?? '')?.[1] ?? 200);
          const reply = () => response.writeHead(status).end('fine');
          if (received.url === '/shop/late') setTimeout(reply, 600);
          else reply();
        }),
      );
      backend.on('upgrade', (received, socket) => {
        got = received.headers;
        socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      });
    });
    before(async () => {
      http2Backend = createHttp2Server((received, response) => {
        if (closes(received)) {
          response.stream.close(constants.NGHTTP2_REFUSED_STREAM);
          return;
        }
        response.end('fine');
      });
      await new Promise<void>((resolve) => http2Backend.listen(0, '127.0.0.1', resolve));
    });
    afterEach(async () => {
      await under?.stop();
      under = undefined;
      expect(receiver.refused).to.deep.equal([]);
      receiver.spans.length = 0;
    });
    after(async () => {
      await receiver.stop();
      backend.closeAllConnections();
      backend.close();
      http2Backend.close();
    });

    async function start(env: Readonly<Record<string, string>> = {}, labels = ''): Promise<void> {
      under = await startProxyUnderTest({
        env: { HTTP_ROUTER: router, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '1', ...env },
      });
      await eventually('the proxy is ready', () => under?.proxy.ready());
      await serve('shop', (backend.address() as AddressInfo).port, labels);
    }

    async function serve(name: string, port: number, labels = ''): Promise<void> {
      const query = `serviceName=${name}&servicePath=/${name}&port=${port}&outboundHostname=127.0.0.1${labels}`;
      const reply = await under?.call('GET', `/v1/docker-flow-proxy/reconfigure?${query}`);
      expect(reply?.status, reply?.text).to.equal(200);
    }

    function get(path: string, headers: Readonly<Record<string, string | string[]>> = {}): Promise<number> {
      const port = under?.proxy.entrypoints()[0]?.port;
      return new Promise((resolve, reject) => {
        const sent = request({ port, host: '127.0.0.1', path, headers, agent: false }, (response) => {
          response.resume();
          response.once('end', () => resolve(response.statusCode ?? 0));
        });
        sent.once('upgrade', (response, socket) => {
          socket.destroy();
          resolve(response.statusCode ?? 0);
        });
        sent.once('error', reject);
        sent.end();
      });
    }

    async function getHttp2(path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
      const session = connectHttp2(`http://127.0.0.1:${under?.proxy.entrypoints()[0]?.port}`);
      try {
        return await new Promise<number>((resolve, reject) => {
          const sent = session.request({ ':path': path, ...headers });
          let status = 0;
          sent.once('response', (head) => {
            status = Number(head[':status']);
          });
          sent.resume();
          sent.once('error', reject);
          sent.once('close', () => resolve(status));
        });
      } finally {
        session.close();
      }
    }

    async function spansOf(trace: string | undefined): Promise<readonly ReceivedSpan[]> {
      const of = () => receiver.spans.filter((span) => span.traceId === trace);
      await eventually('the spans arrive', () => of().length >= 2);
      return of();
    }

    /** Everything that was to be exported has arrived by then. */
    async function exported(): Promise<readonly ReceivedSpan[]> {
      await under?.stop();
      under = undefined;
      return receiver.spans;
    }

    it('begin at the proxy, and go on at the service under the span of its attempt', async () => {
      await start();
      expect(await get('/shop/a?b=1')).to.equal(200);
      const { trace, span, sampled } = read(got.traceparent);
      expect(sampled).to.equal(true);
      const [server, client] = await spansOf(trace);
      expect(server).to.deep.include({ name: 'GET /shop', kind: 'server', parentSpanId: undefined, failed: false });
      expect(client).to.deep.include({ kind: 'client', spanId: span, parentSpanId: server?.spanId });
      expect(server?.attributes).to.deep.include({ 'url.path': '/shop/a', 'swarmgate.service': 'manual/shop' });
      expect(server?.attributes).not.to.have.property('url.query');
      expect(receiver.resources.at(-1)).to.include({ 'service.name': 'swarmgate' });
    });

    // With steps the head goes by the header policy, without them as the lines that the client sent.
    for (const [how, labels] of [
      ['a plain route', ''],
      ['a route with steps', '&setReqHeader=X-A%20b'],
    ] as const) {
      it(`carry a caller’s trace on by ${how}, tracestate and baggage as they came`, async () => {
        await start({}, labels);
        await get('/shop/a', { traceparent: sampledParent, tracestate: 'a=1,b=2', baggage: 'user=7, x=y' });
        const { trace, span } = read(got.traceparent);
        expect([trace, got.tracestate, got.baggage]).to.deep.equal([traceId, 'a=1,b=2', 'user=7, x=y']);
        const [server, client] = await spansOf(trace);
        expect(server?.parentSpanId).to.equal(parentId);
        expect(server?.traceState).to.equal('a=1,b=2');
        expect(client?.spanId).to.equal(span);
      });

      it(`carry several lines of tracestate and baggage on as they came, by ${how}`, async () => {
        await start({}, labels);
        await get('/shop/a', {
          traceparent: sampledParent,
          tracestate: ['a=1', 'b@c=\t2 ,, d=x"y'],
          Baggage: ['k=%20;p=1', ' =x='],
        });
        expect(lines.filter(([name]) => /^(?:tracestate|baggage)$/i.test(name))).to.deep.equal([
          ['tracestate', 'a=1'],
          ['tracestate', 'b@c=\t2 ,, d=x"y'],
          ['Baggage', 'k=%20;p=1'],
          ['Baggage', '=x='],
        ]);
        const [server] = await spansOf(traceId);
        expect(server?.traceState).to.equal('a=1, b@c=\t2 ,, d=x"y');
      });

      it(`give a service a parent of the proxy’s own also where nothing is sampled, by ${how}`, async () => {
        await start({ OTEL_TRACES_SAMPLER: 'always_off' }, labels);
        await get('/shop/a', { traceparent: sampledParent });
        const continued = read(got.traceparent);
        expect(continued).to.deep.include({ trace: traceId, sampled: false });
        expect(continued.span).not.to.equal(parentId);
        await get('/shop/b');
        expect(read(got.traceparent)).to.deep.include({ sampled: false });
        expect(await exported()).to.deep.equal([]);
      });

      it(`start a new trace if the caller’s traceparent is unusable, by ${how}`, async () => {
        await start({}, labels);
        for (const wrong of ['00-1-2-01', `${sampledParent}, ${sampledParent}`, `ff-${traceId}-${parentId}-01`]) {
          await get('/shop/a', { traceparent: wrong, tracestate: 'a=1', baggage: 'k=v' });
          expect(read(got.traceparent).trace).not.to.equal(traceId);
          expect(got).not.to.have.property('tracestate');
          expect(got.baggage).to.equal('k=v');
        }
        await get('/shop/a', { tracestate: 'a=1' });
        expect(got).not.to.have.property('tracestate');
      });
    }

    for (const [client, version, send] of [
      ['HTTP/1.1', '1.1', get],
      ['HTTP/2', '2', getHttp2],
    ] as const)
      for (const endpoint of ['HTTP/1.1', 'HTTP/2', 'gRPC'] as const) {
        if (client === 'HTTP/1.1' && endpoint !== 'HTTP/2') continue;
        it(`go from ${client} to an endpoint of ${endpoint}: begun, carried on, and not sampled`, async () => {
          await start({ OTEL_TRACES_SAMPLER: 'always_off' });
          const port = ((endpoint === 'HTTP/1.1' ? backend : http2Backend).address() as AddressInfo).port;
          const protocol = { 'HTTP/1.1': '', 'HTTP/2': '&protocol=h2c', gRPC: '&protocol=grpc' }[endpoint];
          await serve('traced', port, `${protocol}&traceSample=1`);
          await serve('untraced', port, protocol);

          expect(await send('/traced')).to.equal(200);
          const begun = read(got.traceparent);
          expect(begun.sampled).to.equal(true);
          const [server, attempt] = await spansOf(begun.trace);
          expect(server?.attributes).to.include({
            'network.protocol.version': version,
            'http.response.status_code': 200,
          });
          expect(attempt).to.include({ kind: 'client', spanId: begun.span, parentSpanId: server?.spanId });

          const more = { traceparent: sampledParent, tracestate: 'a=1,b=2', baggage: 'user=7' };
          expect(await send('/traced', more)).to.equal(200);
          const joined = read(got.traceparent);
          expect([joined.trace, got.tracestate, got.baggage]).to.deep.equal([traceId, 'a=1,b=2', 'user=7']);
          const [continued] = await spansOf(traceId);
          expect(continued).to.include({ parentSpanId: parentId, traceState: 'a=1,b=2' });

          receiver.spans.length = 0;
          for (const headers of [{}, more]) {
            expect(await send('/untraced', headers)).to.equal(200);
            expect(read(got.traceparent)).to.include({ sampled: false });
          }
          expect(await exported()).to.deep.equal([]);
        });
      }

    it('follow the decision of a trusted caller, and of no other', async () => {
      const env = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' };
      await start(env);
      await get('/shop/a', { traceparent: sampledParent });
      expect(read(got.traceparent).sampled).to.equal(false);
      expect(await exported()).to.deep.equal([]);
      await start({ ...env, TRUSTED_PROXIES: '127.0.0.1' });
      await get('/shop/a', { traceparent: sampledParent });
      expect(read(got.traceparent).sampled).to.equal(true);
      expect(await spansOf(traceId)).to.have.length(2);
    });

    it('are sampled by the label of the service', async () => {
      await start({ OTEL_TRACES_SAMPLER: 'always_off' }, '&traceSample=1');
      await get('/shop/a');
      expect(await spansOf(read(got.traceparent).trace)).to.have.length(2);
    });

    it('are exported for 5xx and slow ones in any case: that is decided at the end', async () => {
      await start({ OTEL_TRACES_SAMPLER: 'always_off', TRACES_SLOW_MS: '500' });
      for (const path of ['/shop/a', '/shop/404', '/shop/500', '/shop/late', '/nowhere']) await get(path);
      const spans = await exported();
      const servers = spans.filter(({ kind }) => kind === 'server');
      expect(servers.map(({ attributes }) => attributes['url.path'])).to.have.members([
        '/shop/500',
        '/shop/late',
        '/nowhere',
      ]);
      const unmatched = servers.find(({ name }) => name === 'GET');
      expect(unmatched?.attributes).to.include({ 'error.type': 'no-route', 'http.response.status_code': 503 });
      expect(unmatched?.failed).to.equal(true);
    });

    it('show every attempt at an endpoint', async () => {
      await start();
      await serve('gone', await freePort());
      expect(await get('/gone')).to.equal(502);
      await eventually('the spans arrive', () => receiver.spans.length >= 2);
      const client = receiver.spans.find(({ kind }) => kind === 'client');
      expect(client?.attributes).to.include({ 'error.type': 'endpoint-unreachable' });
      expect(client?.failed).to.equal(true);
    });

    for (const protocol of ['', '&protocol=h2c'])
      it(`give each attempt at an endpoint a span of its own as the parent${protocol}`, async () => {
        await start();
        const over = protocol === '' ? backend : http2Backend;
        await serve('again', (over.address() as AddressInfo).port, protocol);
        // A connection that was kept, and then closes, is no failure of the endpoint.
        expect(await get('/again')).to.equal(200);
        closeNext = true;
        expect(await get('/again')).to.equal(200);
        const { trace, span } = read(got.traceparent);
        const first = read(refused.traceparent);
        expect(first.trace).to.equal(trace);
        await eventually('the spans arrive', () => receiver.spans.length >= 5);
        const spans = receiver.spans.filter(({ traceId }) => traceId === trace);
        const clients = spans.filter(({ kind }) => kind === 'client');
        expect(clients.map(({ spanId, failed }) => [spanId, failed])).to.deep.equal([
          [first.span, true],
          [span, false],
        ]);
        expect(new Set(spans.map(({ spanId }) => spanId))).to.have.property('size', 3);
      });

    it('go with an upgrade', async () => {
      await start();
      const upgrade = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'x',
        'sec-websocket-version': '13',
      };
      expect(await get('/shop/socket', { ...upgrade, traceparent: sampledParent })).to.equal(101);
      const { trace, span } = read(got.traceparent);
      expect(trace).to.equal(traceId);
      const spans = await spansOf(trace);
      expect(spans.map(({ spanId }) => spanId)).to.include(span);
      expect(spans[0]?.attributes).to.include({ 'http.response.status_code': 101 });
    });

    it('leave every header alone where tracing is off', async () => {
      await start({ OTEL_EXPORTER_OTLP_ENDPOINT: '' });
      const sent = { traceparent: 'Anything-01', tracestate: 'a=1,,', baggage: ' k = v ' };
      await get('/shop/a', sent);
      expect(got).to.include({ traceparent: 'Anything-01', tracestate: 'a=1,,', baggage: 'k = v' });
      await get('/shop/a');
      expect(got).not.to.have.property('traceparent');
    });

    it('stand beside the durations they explain, for a scraper that accepts OpenMetrics', async () => {
      await start();
      await get('/shop/a');
      const { trace } = read(got.traceparent);
      await spansOf(trace);
      const scrape = (accept: string) => under?.call('GET', '/metrics', { headers: { accept } });
      const open = await scrape('application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
      expect(open?.headers['content-type']).to.include('application/openmetrics-text');
      expect(open?.text).to.match(
        new RegExp(`service="manual/shop".* # \\{trace_id="${trace}",span_id="[0-9a-f]{16}"\\}`),
      );
      const usual = await scrape('*/*');
      expect(usual?.headers['content-type']).to.include('text/plain; version=0.0.4');
      expect(usual?.text).to.include('swarmgate_requests_total{service="manual/shop",status="2xx"} 1');
      expect(usual?.text).not.to.include('trace_id');
    });

    it('are counted in the metrics', async () => {
      await start();
      await get('/shop/a');
      await spansOf(read(got.traceparent).trace);
      await eventually('the spans are counted', async () =>
        (await under?.call('GET', '/metrics'))?.text.includes('swarmgate_spans_total{outcome="exported"} 2'),
      );
    });
  });
