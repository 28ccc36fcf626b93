import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { accessRecord } from '../../../test/access-record.ts';
import { type CollectorResponse, type OtlpReceiver, startOtlpReceiver } from '../../../test/otlp-receiver.ts';
import { type TestCertificate, testCertificate } from '../../../test/test-certificate.ts';
import { tinyRoute } from '../../../test/test-context.ts';
import type { AccessRecord } from '../access-record.ts';
import { resourceOf } from './otlp-spans.ts';
import { type ExportedSpans, SpanExporter, type SpanExporterOptions } from './span-exporter.ts';
import { attemptIdOf, type RequestTrace } from './trace-context.ts';

const trace: RequestTrace = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  parentId: '00f067aa0ba902b7',
  spanId: '1111111111111111',
  attemptId: '2222222222222222',
  sampled: true,
  traceState: 'vendor=a,"b',
};
const endpoint = { id: 't1', host: '10.0.0.7', port: 8080, secure: false, state: 'active' } as const;
const endedAtMs = 1_760_000_000_123.456;
const usual = {
  headers: {},
  resource: resourceOf({ 'service.name': 'swarmgate' }),
  version: '1.2.3',
  mostQueuedSpans: 100,
  mostSpansPerBatch: 10,
  scheduleMs: 1,
  timeoutMs: 5_000,
  firstBackoffMs: 10,
  logger: silentLogger,
} as const;

describe('spans on their way to a collector', () => {
  let receiver: OtlpReceiver;
  let exporter: SpanExporter | undefined;

  beforeEach(async () => {
    receiver = await startOtlpReceiver();
  });
  afterEach(async () => {
    await exporter?.stop();
    exporter = undefined;
    await receiver.stop();
  });

  function exporting(more: Partial<SpanExporterOptions> = {}): SpanExporter {
    exporter = new SpanExporter({ ...usual, url: new URL(`${receiver.url}/v1/traces`), ...more });
    return exporter;
  }
  const exchange = (given: Partial<AccessRecord> = {}) => ({ record: accessRecord(given), trace, endedAtMs });
  const arrived = (spans: number) =>
    until('the spans', () => {
      expect(receiver.refused).to.deep.equal([]);
      return receiver.spans.length >= spans;
    });

  it('have the attributes of the conventions for HTTP', async () => {
    exporting({
      headers: { authorization: 'Bearer x' },
      resource: resourceOf({ 'service.name': 'edge', zone: 'a"b\n' }),
    });
    exporter?.add(
      exchange({
        route: tinyRoute('shop', { servicePath: ['/cart', '/cart/items'] }),
        endpoint,
        method: 'POST',
        path: '/cart/items/7',
        query: '?secret=1',
        secure: true,
        entryPort: 443,
        durationMs: 30,
        upstreamMs: 20,
        attemptAfterMs: 5,
        clientAddress: '203.0.113.9',
      }),
    );
    await arrived(2);
    const [server, client] = receiver.spans;
    expect(server).to.deep.equal({
      traceId: trace.traceId,
      spanId: trace.spanId,
      parentSpanId: trace.parentId,
      traceState: trace.traceState,
      name: 'POST /cart/items',
      kind: 'server',
      startMs: 1_760_000_000_093.456,
      endMs: endedAtMs,
      failed: false,
      attributes: {
        'http.request.method': 'POST',
        'url.path': '/cart/items/7',
        'url.scheme': 'https',
        'server.address': 'shop.example',
        'server.port': 443,
        'client.address': '203.0.113.9',
        'network.protocol.version': '1.1',
        'http.response.status_code': 200,
        'http.route': '/cart/items',
        'swarmgate.service': 'swarm/shop',
        'swarmgate.route': 'swarm/shop/0',
      },
    });
    expect(client).to.deep.include({
      spanId: trace.attemptId,
      parentSpanId: trace.spanId,
      kind: 'client',
      failed: false,
    });
    expect(client).to.include({ startMs: 1_760_000_000_098.456, endMs: endedAtMs });
    expect(client?.attributes).to.deep.equal({
      'http.request.method': 'POST',
      'server.address': '10.0.0.7',
      'server.port': 8080,
      'url.full': 'http://10.0.0.7:8080/cart/items/7',
      'http.response.status_code': 200,
    });
    expect(receiver.resources[0]).to.deep.equal({ 'service.name': 'edge', zone: 'a"b\n' });
    expect(receiver.batches[0]?.headers.authorization).to.equal('Bearer x');
  });

  it('have one client span for every attempt, with why it failed and how often before', async () => {
    const other = { ...endpoint, id: 't2', host: 'fd00::7' };
    exporting().add(
      exchange({
        route: tinyRoute(),
        endpoint: other,
        status: 502,
        reason: 'endpoint-unreachable',
        retries: 2,
        durationMs: 100,
        attemptAfterMs: 70,
        failedAttempts: [
          { endpoint, failure: 'connect-timeout', afterMs: 0, durationMs: 50 },
          { endpoint, failure: 'endpoint-unreachable', afterMs: 50, durationMs: 20 },
        ],
      }),
    );
    await arrived(4);
    const clients = receiver.spans.filter(({ kind }) => kind === 'client');
    const startedMs = receiver.spans.find(({ kind }) => kind === 'server')?.startMs ?? 0;
    expect(
      clients.map(({ startMs, endMs, failed, attributes }) => [
        Math.round(startMs - startedMs),
        Math.round(endMs - startedMs),
        failed,
        attributes['error.type'],
        attributes['http.request.resend_count'],
        attributes['server.address'],
      ]),
    ).to.deep.equal([
      [0, 50, true, 'connect-timeout', undefined, '10.0.0.7'],
      [50, 70, true, 'endpoint-unreachable', 1, '10.0.0.7'],
      [70, 100, true, 'endpoint-unreachable', 2, 'fd00::7'],
    ]);
    expect(clients[2]?.attributes['url.full']).to.equal('http://[fd00::7]:8080/');
    expect(clients.map(({ spanId }) => spanId)).to.deep.equal([0, 1, 2].map((each) => attemptIdOf(trace, each)));
    expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).to.equal(4);
    expect(receiver.spans[0]).to.deep.include({ failed: true });
    expect(receiver.spans[0]?.attributes).to.include({ 'error.type': 'endpoint-unreachable' });
  });

  const odd = [
    [
      'a method of its own',
      { method: 'BREW' },
      { 'http.request.method': '_OTHER', 'http.request.method_original': 'BREW' },
    ],
    [
      'characters that JSON escapes',
      { path: '/a"\\\u0001', host: 'x"y' },
      { 'url.path': '/a"\\\u0001', 'server.address': 'x"y' },
    ],
    ['a 500 of the service', { status: 500, upstreamMs: 1 }, { 'error.type': '500' }],
    ['HTTP/1.0', { protocol: 'HTTP/1.0' }, { 'network.protocol.version': '1.0' }],
  ] as const;
  for (const [what, given, attributes] of odd)
    it(`carry ${what}`, async () => {
      exporting().add(exchange(given));
      await arrived(1);
      expect(receiver.spans[0]?.attributes).to.deep.include(attributes);
    });

  it('are not failed by a client’s mistake, but their attempt is', async () => {
    exporting().add(exchange({ endpoint, status: 404, upstreamMs: 1 }));
    await arrived(2);
    expect(receiver.spans.map(({ failed }) => failed)).to.deep.equal([false, true]);
    expect(receiver.spans[0]?.attributes).not.to.have.property('error.type');
  });

  const statuses = [
    ['a client that left before the response: none', { status: 499, reason: 'client-gone' }, undefined, undefined],
    ['a client that left amid it: none', { status: 499, reason: 'client-gone', upstreamMs: 1 }, undefined, undefined],
    ['a response that broke off', { status: 200, reason: 'answer-truncated', upstreamMs: 1 }, 200, 200],
    ['a response of the proxy itself', { status: 502, reason: 'endpoint-unreachable' }, 502, undefined],
    ['an upgrade', { status: 101, upstreamMs: 1 }, 101, 101],
  ] as const;
  for (const [what, given, ofServer, ofClient] of statuses)
    it(`have the status that was sent, and that was received, of ${what}`, async () => {
      exporting().add(exchange({ endpoint, ...given }));
      await arrived(2);
      const found = receiver.spans.map(({ attributes }) => attributes['http.response.status_code']);
      expect(found).to.deep.equal([ofServer, ofClient]);
      const errors = receiver.spans.map(({ attributes }) => attributes['error.type']);
      const reason = 'reason' in given ? given.reason : undefined;
      expect(errors).to.deep.equal([reason, reason]);
      // A client that leaves is no failure of the server.
      const isServersFault = reason !== undefined && reason !== 'client-gone';
      expect(receiver.spans[0]?.failed).to.equal(isServersFault);
    });

  it('leave out what only the service is to see, unless a setting says otherwise', async () => {
    exporting().add(exchange({ query: '?token=1' }));
    await arrived(1);
    expect(JSON.stringify(receiver.spans)).not.to.include('token');
    await exporter?.stop();
    exporting({ spans: { withQuery: true } }).add(exchange({ query: '?token=1' }));
    await arrived(2);
    expect(receiver.spans[1]?.attributes['url.query']).to.equal('token=1');
  });

  it('name the port that clients use, where it is another than the entrypoint’s', async () => {
    exporting({ spans: { publishedPorts: new Map([[443, 8443]]) } });
    exporter?.add(
      exchange({ endpoint, secure: true, entryPort: 443, durationMs: 30, upstreamMs: 20, attemptAfterMs: 5 }),
    );
    await arrived(2);
    const [ofServer, ofClient] = receiver.spans.map(({ attributes }) => attributes['server.port']);
    expect([ofServer, ofClient]).to.deep.equal([8443, 8080]);
  });

  it('go many in one call', async () => {
    exporting({ mostSpansPerBatch: 50, scheduleMs: 60_000 });
    for (let each = 0; each < 50; each += 1) exporter?.add(exchange());
    await arrived(50);
    expect(receiver.batches.map(({ spans }) => spans)).to.deep.equal([50]);
  });

  const exported = { exported: 1, dropped: 0, failed: 0 };
  const failed = { exported: 0, dropped: 0, failed: 1 };
  const many = Array.from({ length: 5 }, () => 503);
  const collectors: readonly (readonly [string, readonly CollectorResponse[], ExportedSpans, calls: number])[] = [
    ['takes them', [], exported, 1],
    ['responds with 202 and no body', [202], exported, 1],
    ['responds with what is no JSON', [{ body: '<html>' }], exported, 1],
    ['responds with a megabyte', [{ body: ' '.repeat(1_000_000) }], exported, 1],
    ['says later, by 503 and 429', [503, 429], exported, 3],
    ['is behind a proxy that cannot reach it', [502, 504], exported, 3],
    ['closes the connection', ['close'], exported, 2],
    ['closes it amid the response', ['cut'], exported, 2],
    ['is silent for longer than the timeout', ['hang'], exported, 2],
    ['says later again and again', many, failed, 5],
    ['refuses them', [400], failed, 1],
    ['has no such path', [404], failed, 1],
    ['does not let this client in', [401], failed, 1],
    ['fails', [500], failed, 1],
    ['sends it elsewhere', [307], failed, 1],
    ['rejects them, as it says in its response', [{ rejectedSpans: '1', errorMessage: 'no' }], failed, 1],
    ['rejects more than it got', [{ rejectedSpans: 100 }], failed, 1],
    ['rejects none, by name', [{ rejectedSpans: 0, errorMessage: 'a warning' }], exported, 1],
    ['rejects fewer than none', [{ rejectedSpans: '-3' }], exported, 1],
  ];
  for (const [what, responses, counts, calls] of collectors)
    it(`are counted where the collector ${what}`, async function () {
      this.timeout(120_000);
      receiver.respondNext(...responses);
      exporting({ timeoutMs: what.includes('silent') ? 2_000 : 60_000 }).add(exchange());
      const counted = () => Number(exporter?.counts().exported) + Number(exporter?.counts().failed);
      await until('they are counted', () => counted() > 0, { withinMs: 60_000 });
      expect(exporter?.counts()).to.deep.equal(counts);
      expect(receiver.callsAtMs).to.have.length(calls);
      expect(exporter?.queuedSpans).to.equal(0);
    });

  for (const status of [429, 503])
    it(`are sent again no sooner than the collector says: ${status} with Retry-After`, async () => {
      receiver.respondNext({ status, retryAfter: '1' });
      exporting().add(exchange());
      await arrived(1);
      const [first = 0, second = 0] = receiver.callsAtMs;
      expect(second - first).to.be.at.least(990);
    });

  it('do not delay a stop by the collector’s Retry-After', async () => {
    receiver.respondNext({ status: 503, retryAfter: '3600' });
    exporting().add(exchange());
    await until('the first try', () => receiver.callsAtMs.length === 1);
    await exporter?.stop();
    expect(exporter?.counts()).to.deep.equal(failed);
  });

  const unready = [
    ['is silent', () => receiver.respondNext('hang')],
    ['says later', () => receiver.respondNext({ status: 503, retryAfter: '60' })],
    ['is away', () => receiver.stop()],
  ] as const;
  for (const [what, make] of unready)
    it(`are dropped and counted beyond the queue, at a request’s usual cost, while the collector ${what}`, async () => {
      await make();
      exporting({ mostQueuedSpans: 20, timeoutMs: 60_000 });
      exporter?.add(exchange());
      await until('the first batch is under way', () => exporter?.queuedSpans === 0);
      const before = process.cpuUsage();
      for (let each = 0; each < 10_000; each += 1) exporter?.add(exchange());
      const { user, system } = process.cpuUsage(before);
      // Some 5 ms. Processor time, because others take the clock's.
      expect((user + system) / 1_000).to.be.lessThan(1_000);
      expect(exporter?.queuedSpans).to.equal(20);
      expect(exporter?.counts().dropped).to.equal(9_980);
      await receiver.stop();
    });

  it('are sent at the stop, what the queue holds', async () => {
    exporting({ scheduleMs: 60_000, mostSpansPerBatch: 8 });
    for (let each = 0; each < 20; each += 1) exporter?.add(exchange());
    await exporter?.stop();
    expect(receiver.spans).to.have.length(20);
    expect(receiver.refused).to.deep.equal([]);
  });

  it('do not keep a stop waiting for a collector that is away', async () => {
    await receiver.stop();
    exporting({ scheduleMs: 60_000 }).add(exchange());
    await exporter?.stop();
    expect(exporter?.counts()).to.deep.equal({ exported: 0, dropped: 0, failed: 1 });
    receiver = await startOtlpReceiver();
  });
});

describe('spans on their way to a collector by TLS', () => {
  const authorities = getCACertificates();
  let trusted: TestCertificate;
  let receiver: OtlpReceiver;
  let exporter: SpanExporter | undefined;

  before(async () => {
    trusted = await testCertificate(['127.0.0.1']);
    setDefaultCACertificates([...authorities, trusted.cert]);
  });
  afterEach(async () => {
    await exporter?.stop();
    await receiver.stop();
  });
  after(() => setDefaultCACertificates(authorities));

  async function exportTo(
    { pem }: TestCertificate,
    ...responses: readonly CollectorResponse[]
  ): Promise<ExportedSpans> {
    receiver = await startOtlpReceiver(pem);
    receiver.respondNext(...responses);
    const of = new SpanExporter({ ...usual, url: new URL(`${receiver.url}/v1/traces`), timeoutMs: 20_000 });
    exporter = of;
    of.add({ record: accessRecord({}), trace, endedAtMs });
    const isCounted = () => of.counts().exported + of.counts().failed > 0;
    await until('they are counted', isCounted, { withinMs: 60_000 });
    return of.counts();
  }

  const cases: readonly (readonly [string, readonly CollectorResponse[], ExportedSpans, calls: number])[] = [
    ['takes them', [], { exported: 1, dropped: 0, failed: 0 }, 1],
    ['closes the connection', ['close'], { exported: 1, dropped: 0, failed: 0 }, 2],
    ['closes it amid the response', ['cut'], { exported: 1, dropped: 0, failed: 0 }, 2],
    ['says later', [{ status: 429, retryAfter: '1' }], { exported: 1, dropped: 0, failed: 0 }, 2],
    ['refuses them', [403], { exported: 0, dropped: 0, failed: 1 }, 1],
    ['rejects them', [{ rejectedSpans: 1 }], { exported: 0, dropped: 0, failed: 1 }, 1],
  ];
  for (const [what, responses, counts, calls] of cases)
    it(`are counted where the collector ${what}`, async function () {
      this.timeout(120_000);
      expect(await exportTo(trusted, ...responses)).to.deep.equal(counts);
      expect(receiver.refused).to.deep.equal([]);
      const { callsAtMs } = receiver;
      expect(callsAtMs).to.have.length(calls);
      if (what === 'says later') expect((callsAtMs[1] ?? 0) - (callsAtMs[0] ?? 0)).to.be.at.least(990);
    });

  it('reach no collector whose certificate is not trusted', async function () {
    this.timeout(120_000);
    expect(await exportTo(await testCertificate(['127.0.0.1']))).to.deep.equal({ exported: 0, dropped: 0, failed: 1 });
    expect(receiver.callsAtMs).to.deep.equal([]);
  });
});
