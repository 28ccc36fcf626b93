import { expect } from 'chai';
import fc from 'fast-check';
import { testContext, tinyRoute } from '../../test/test-context.ts';
import { RequestHead } from '../http/request-head.ts';
import type { Decision, Middleware } from '../middleware/middleware.ts';
import type { RequestTarget } from '../model/request-target.ts';
import type { Route } from '../model/route.ts';
import type { PathReading } from '../routing/path-readings.ts';
import { Http1Request } from '../server/http1/http1-request.ts';
import type { RecordedRequest } from './access-record.ts';
import { trustedProxies } from './client-connection.ts';
import type { ConnectionCache } from './connection-cache.ts';
import { type DecisionContext, decide, type ExchangeDecision, type ForwardOrder } from './decide.ts';
import { AddedFields } from './upstream-head.ts';

const peer = '10.1.2.3';
const goOn: Decision = { kind: 'continue' };

interface Situation {
  readonly trusted?: boolean;
  readonly secure?: boolean;
  readonly steps?: readonly Middleware[];
  readonly route?: Route | undefined;
  readonly mostBodyBytes?: number;
  readonly ambiguous?: boolean;
  readonly writesForwarded?: boolean;
  readonly writesVia?: boolean;
  readonly recordsAgents?: boolean;
}

interface Decided {
  readonly decision: ExchangeDecision | Promise<ExchangeDecision>;
  readonly record: RecordedRequest;
  readonly target: RequestTarget | undefined;
  readonly readings: readonly PathReading[] | undefined;
}

function cacheFor({
  trusted = false,
  secure = false,
  writesForwarded = false,
  writesVia = true,
}: Situation): ConnectionCache {
  return {
    info: { peerAddress: peer, peerTrusted: trusted, entryPort: 8080, secure, certificateVerified: false },
    added: new AddedFields(peer, secure ? 'https' : 'http', 8080, writesVia ? 'me' : undefined, writesForwarded),
    sentHost: '',
    host: '',
  };
}

function decided(text: string, situation: Situation = {}, cache = cacheFor(situation)): Decided {
  const bytes = Buffer.from(text, 'latin1');
  const head = new RequestHead();
  expect(head.parse(bytes, 0, bytes.length), text).to.equal('complete');
  const { steps = [], mostBodyBytes = 0, writesForwarded = false, writesVia = true } = situation;
  let target: RequestTarget | undefined;
  let readings: readonly PathReading[] | undefined;
  const context: DecisionContext = {
    ...testContext({ endpoints: [], steps }),
    lookup: (given, others) => {
      target = given;
      readings = others;
      if (situation.ambiguous === true) return 'path-ambiguous';
      return 'route' in situation ? situation.route : tinyRoute();
    },
    trusted: trustedProxies(situation.trusted === true ? [peer] : []),
    viaName: writesVia ? 'me' : undefined,
    newRequestId: () => 'new',
    writesForwarded,
    mostBodyBytes,
    encodedSlash: 'keep',
    recordsAgents: situation.recordsAgents ?? false,
  };
  const record: RecordedRequest = {
    host: '',
    path: '',
    query: '',
    sentPath: '',
    referer: undefined,
    userAgent: undefined,
    user: undefined,
    grpcWeb: undefined,
    authMs: undefined,
    exchange: undefined,
    route: undefined,
    clientAddress: peer,
    trace: undefined,
  };
  return { decision: decide(new Http1Request(head, bytes), cache, context, record), record, target, readings };
}

function forwarded(text: string, situation: Situation = {}): { readonly line: string; readonly fields: string[] } {
  const { decision } = decided(text, situation);
  if (decision instanceof Promise || decision.kind !== 'forward') throw new Error(`not forwarded: ${text}`);
  if (typeof decision.head !== 'string') throw new Error('a head of HTTP/2');
  const [line = '', ...lines] = decision.head.split('\r\n').slice(0, -2);
  const fields = lines.map(
    (each) => `${each.slice(0, each.indexOf(':'))}: ${each.slice(each.indexOf(':') + 1).trim()}`,
  );
  return { line, fields };
}

const get = (more = '', target = '/a?q=1') => `GET ${target} HTTP/1.1\r\nHost: Shop.Example:80\r\n${more}\r\n`;

describe('deciding', () => {
  it('looks up a route once, by host and path in normal form and the port that clients connect to', () => {
    const { target, record } = decided(get('', '/x/../a?q=/../1'));
    expect({ ...target, header: undefined, lines: undefined }).to.deep.equal({
      method: 'GET',
      host: 'shop.example',
      path: '/a',
      port: 8080,
      secure: false,
      header: undefined,
      lines: undefined,
      query: '?q=/../1',
      clientAddress: peer,
    });
    const twice = decided(get('X-A: 1\r\nx-a: 2\r\n')).target;
    expect(twice?.lines?.('x-a')).to.deep.equal(['1', '2']);
    expect(record).to.include({ host: 'shop.example', path: '/a', clientAddress: peer });
    expect(record.route?.key).to.equal('swarm/web');
  });

  const targets = [
    ['/a%2Fb/../c?d', '/a%2Fb/../c'],
    ['http://other.example/a?b', 'http://other.example/a'],
    ['HTTP://other.example?b', 'HTTP://other.example'],
    ['*', '*'],
    ['/%00', '/%00'],
  ] as const;
  for (const [target, sent] of targets)
    it(`records the target before the query as it was sent: ${target}`, () => {
      const text = get('', target).replace('GET', target === '*' ? 'OPTIONS' : 'GET');
      expect(decided(text).record.sentPath).to.equal(sent);
    });

  it('records Referer and User-Agent where they are requested, of refused requests too', () => {
    const text = get('Referer: http://a/?b\r\nUser-Agent: one\r\nUSER-AGENT: two\r\n', '/%00');
    const { record } = decided(text, { recordsAgents: true });
    expect([record.referer, record.userAgent]).to.deep.equal(['http://a/?b', 'one']);
    expect([decided(text).record.referer, decided(text).record.userAgent]).to.deep.equal([undefined, undefined]);
  });

  it('records the user that a step has found, where a later one refuses the request too', () => {
    const knows: Middleware = {
      name: 'knows',
      onRequest(exchange) {
        exchange.user = 'jane';
        return goOn;
      },
    };
    const no: Decision = { kind: 'respond', response: { status: 403, reason: 'no' } };
    expect(decided(get(), { steps: [knows] }).record.user).to.equal('jane');
    expect(decided(get(), { steps: [knows, { name: 'no', onRequest: () => no }] }).record.user).to.equal('jane');
    expect(decided(get()).record.user).to.equal(undefined);
  });

  it('passes readings to the lookup only of paths that have some, and responds 400 where one is refused', () => {
    for (const target of ['/', '/a/b', '/a?x=%2F//;', '/%61', '/{a}', '/a/../b'])
      expect(decided(get('', target)).readings, target).to.equal(undefined);
    for (const target of ['/a%2Fb', '/a//b', '/a;b', '/a\\b'])
      expect(decided(get('', target)).readings, target).to.have.length(1);
    const { decision } = decided(get('', '/a%2Fb'), { ambiguous: true });
    expect(decision).to.have.nested.property('response.reason', 'path-ambiguous');
    expect(decision).to.have.nested.property('response.status', 400);
  });

  it('keeps the spelling of the target in a redirect', () => {
    const { decision } = decided(get('', '/a%2fb//{c}?d'), {
      route: { ...tinyRoute(), redirectToHost: 'new.example' },
    });
    expect(decision).to.have.nested.property('response.headers').that.includes('http://new.example:80/a%2fb//{c}?d');
  });

  it('does not take one host for another that came before it on the connection', () => {
    const cache = cacheFor({});
    const hosts = ['one.example', 'two.example', 'one.example', 'two.example'];
    for (const host of hosts) {
      const { target, decision } = decided(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, {}, cache);
      expect(target?.host).to.equal(host);
      expect((decision as ForwardOrder).head).to.include(`X-Forwarded-Host: ${host}\r\n`);
    }
  });

  const refusals = [
    ['bad-host', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', {}],
    ['bad-host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', {}],
    ['method-not-forwarded', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', {}],
    ['path-nul', get('', '/a%00'), {}],
    ['bad-path', get('', '*'), {}],
    ['loop', get('Swarmgate-Hops: 16\r\n'), {}],
    ['loop', get('swarmgate-hops: 3\r\nSwarmgate-Hops: 17\r\n'), {}],
    ['no-route', get(), { route: undefined }],
    ['body-too-large', get('Content-Length: 5\r\n'), { mostBodyBytes: 4 }],
    ['unsupported-feature', get(), { route: { ...tinyRoute(), blockedBy: 'x' } }],
  ] as const;
  for (const [reason, text, situation] of refusals)
    it(`responds ${reason} to ${JSON.stringify(text.slice(0, 40))}`, () => {
      const { decision } = decided(text, situation as Situation);
      expect(decision).to.nested.include({ kind: 'respond', 'response.reason': reason });
    });

  it('takes a body as large as the limit', () => {
    expect(forwarded(get('Content-Length: 4\r\n'), { mostBodyBytes: 4 }).fields).to.include('Content-Length: 4');
  });

  it('takes HTTP/1.0 without a Host, and no other version', () => {
    expect(decided('GET / HTTP/1.0\r\n\r\n').target?.host).to.equal('');
  });

  it('sends the authority of an absolute-form target as Host', () => {
    const { line, fields } = forwarded(
      'GET http://other.example:81/a HTTP/1.1\r\nX-A: 1\r\nHost: shop.example\r\n\r\n',
    );
    expect(line).to.equal('GET /a HTTP/1.1');
    expect(fields.slice(0, 2)).to.deep.equal(['X-A: 1', 'Host: other.example:81']);
    expect(fields).to.include('X-Forwarded-Host: other.example:81');
  });

  it('sends Forwarded only where the setting is on (RFC 7239)', () => {
    const element = 'Forwarded: for=10.1.2.3;host="Shop.Example:80";proto=http';
    expect(forwarded(get(), { writesForwarded: true }).fields).to.include(element);
    expect(forwarded(get()).fields.join()).to.not.include('Forwarded:');
  });

  it('sends in Via the version of the client', () => {
    expect(forwarded('GET / HTTP/1.0\r\nHost: shop.example\r\n\r\n').fields).to.include('Via: 1.0 me');
    expect(forwarded(get()).fields).to.include('Via: 1.1 me');
  });

  it('records the client behind a trusted hop even of a request that it refuses', () => {
    const { record } = decided(get('X-Forwarded-For: 203.0.113.9\r\n', '/a%00?token=x'), { trusted: true });
    expect(record).to.include({ clientAddress: '203.0.113.9', path: '/a%00', host: 'shop.example' });
    expect(decided(get('X-Forwarded-For: 203.0.113.9\r\n')).record.clientAddress).to.equal(peer);
  });

  it('lets a step respond, wait and change the request, which never changes its framing', async () => {
    const step = (onRequest: NonNullable<Middleware['onRequest']>): Situation => ({
      steps: [{ name: 's', onRequest }],
    });
    const response = { status: 403, reason: 'no' };
    const denied = decided(
      get(),
      step(() => ({ kind: 'respond', response })),
    ).decision;
    expect(denied).to.deep.equal({ kind: 'respond', response });
    const late = decided(
      get(),
      step(async () => goOn),
    ).decision;
    expect(await late).to.include({ kind: 'forward' });
    const changed = forwarded(
      get('Content-Length: 3\r\n'),
      step((exchange) => {
        exchange.path = '/b';
        exchange.request.set('Content-Length', '0');
        exchange.request.set('Transfer-Encoding', 'chunked');
        exchange.request.set('X-A', '1');
        return goOn;
      }),
    );
    expect(changed.line).to.equal('GET /b?q=1 HTTP/1.1');
    expect(changed.fields).to.include.members(['Content-Length: 3', 'X-A: 1']);
    expect(changed.fields.filter((field) => /^(content-length|transfer-encoding)/i.test(field))).to.have.length(1);
  });

  it('responds 500 where a step has put a line break into the head', () => {
    const steps: Middleware[] = [
      {
        name: 's',
        onRequest: (exchange) => {
          exchange.request.set('X-A', 'a\r\nX-B: 1');
          return goOn;
        },
      },
    ];
    expect(decided(get(), { steps }).decision).to.nested.include({ 'response.reason': 'internal-error' });
  });

  it('offers the endpoint what the client offers to change to', () => {
    const offer = 'Connection: Upgrade, X-Hop\r\nUpgrade: h2c, tcp\r\nX-Hop: 1\r\n';
    expect(forwarded(get(offer)).fields.slice(-2)).to.deep.equal(['Connection: Upgrade', 'Upgrade: tcp']);
    expect(forwarded(get(offer)).fields.join()).to.not.include('X-Hop');
    expect(forwarded(get('Upgrade: tcp\r\n')).fields.join()).to.not.include('Upgrade');
    expect(forwarded(get('Connection: Upgrade\r\nUpgrade: h2c\r\n')).fields.join()).to.not.include('Upgrade');
  });

  const names = [
    ...['Accept', 'X-A', 'x-b', 'Cookie', 'Connection', 'Keep-Alive', 'TE', 'Trailer', 'Upgrade', 'Expect', 'X_Y'],
    ...['Proxy-Connection', 'Proxy-Authorization', 'Proxy-Authenticate', 'X-Forwarded-For', 'X-Forwarded-Proto'],
    ...['X-Forwarded-Host', 'X-Forwarded-Port', 'Forwarded', 'Via', 'X-Request-Id', 'X_Forwarded_For', 'X_Real_IP'],
    ...['Swarmgate-Hops', 'X.Forwarded.For', 'X.Y'],
  ];
  const values = [
    'v',
    '',
    'keep-alive',
    'close',
    'x-a',
    'upgrade, x-b',
    'via, a',
    '100-continue',
    'https',
    'caf\xe9',
    '7',
  ];
  const requests = fc.record({
    fields: fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values)), { maxLength: 8 }),
    framing: fc.constantFrom('', 'Content-Length: 0\r\n', 'Content-Length: 7\r\n', 'Transfer-Encoding: chunked\r\n'),
    target: fc.constantFrom('/a?b', '/x/../a', 'http://other.example/a', '*'),
    http11: fc.boolean(),
    trusted: fc.boolean(),
    secure: fc.boolean(),
    writesForwarded: fc.boolean(),
    writesVia: fc.boolean(),
  });

  it('sends the same head with and without steps: the short cut for plain heads is the header policy', () => {
    const idle: Middleware = { name: 'idle', onRequest: () => goOn };
    let plain = 0;
    fc.assert(
      fc.property(requests, ({ fields, framing, target, http11, trusted, secure, writesForwarded, writesVia }) => {
        const sent = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
        const method = target === '*' ? 'OPTIONS' : 'POST';
        const text = `${method} ${target} HTTP/1.${http11 ? 1 : 0}\r\nHost: a.example:80\r\n${sent}${framing}\r\n`;
        const bytes = Buffer.from(text, 'latin1');
        if (new RequestHead().parse(bytes, 0, bytes.length) !== 'complete') return;
        const situation = { trusted, secure, writesForwarded, writesVia };
        const short = decided(text, situation).decision;
        if (short instanceof Promise || short.kind !== 'forward') return;
        if (short.exchange === undefined) plain++;
        expect(forwarded(text, situation)).to.deep.equal(forwarded(text, { ...situation, steps: [idle] }));
      }),
      { numRuns: 3_000, seed: 20_261_128 },
    );
    expect(plain, 'heads that took the short cut').to.be.greaterThan(150);
  });
});
