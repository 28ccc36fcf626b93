import { expect } from 'chai';
import { accessRecord } from '../../../test/access-record.ts';
import { tinyRoute } from '../../../test/test-context.ts';
import type { AccessRecord } from '../access-record.ts';
import { spansOf } from './otlp-spans.ts';
import { SpanTemplates } from './span-templates.ts';

const endpoint = { id: 't1', host: '10.0.0.7', port: 8080, secure: false, state: 'active' } as const;
const trace = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  parentId: '',
  spanId: '1111111111111111',
  attemptId: '2222222222222222',
  sampled: true,
  traceState: '',
};
const other = { ...trace, traceId: '5bf92f3577b34da6a3ce929d0e0e4736', attemptId: '3333333333333333' };
const route = tinyRoute('shop');
const failedAttempt = { endpoint, failure: 'connect-timeout', afterMs: 0, durationMs: 4 } as const;
const usual: Partial<AccessRecord> = { route, endpoint, durationMs: 30, upstreamMs: 20, attemptAfterMs: 5 };

describe('spans from templates', () => {
  const cases: readonly (readonly [string, Partial<AccessRecord>, Partial<typeof trace>?])[] = [
    ['the usual one', {}],
    ['another path, host and client', { path: '/a/b', host: 'b.example', clientAddress: '2001:db8::1' }],
    ['a path that JSON escapes', { path: '/a"\\\u0001' }],
    ['a path like a mark', { path: '/\u00014.' }],
    ['a digit of a time in a path', { path: '/4000000000000000000' }],
    ['other times', { durationMs: 1.25, upstreamMs: 1, attemptAfterMs: 0.1 }],
    ['another method', { method: 'POST' }],
    ['a method of its own', { method: 'BREW' }],
    ['another status', { status: 304 }],
    ['HTTP/2 over TLS', { protocol: 'HTTP/2', secure: true, entryPort: 443 }],
    ['an endpoint of IPv6 by TLS', { endpoint: { ...endpoint, id: 't2', host: 'fd00::7', secure: true } }],
    ['a retried one', { retries: 1, failedAttempts: [failedAttempt] }],
    ['a caller', {}, { parentId: '00f067aa0ba902b7' }],
    ['a caller with a state', {}, { parentId: '00f067aa0ba902b7', traceState: 'a=1' }],
    ['another route', { route: tinyRoute('other', { servicePath: ['/other'] }) }],
    ['a route of two paths', { route: tinyRoute('two', { servicePath: ['/a', '/b'] }), path: '/b/c' }],
    ['no route', { route: undefined, endpoint: undefined, upstreamMs: undefined, status: 503, reason: 'no-route' }],
    ['a refusal of the endpoint', { status: 404 }],
    ['a response of the proxy', { status: 502, reason: 'endpoint-unreachable', upstreamMs: undefined }],
  ];
  const options = { publishedPorts: new Map([[443, 8443]]) };

  for (const [what, given, more] of cases)
    it(`are as without them: ${what}`, () => {
      const templates = new SpanTemplates(options);
      const record = accessRecord({ ...usual, ...given });
      for (const [each, endedAtMs] of [
        [trace, 1_760_000_000_123.456],
        [other, 1_760_000_000_999],
      ] as const) {
        const exchange = { record, trace: { ...each, ...more }, endedAtMs };
        expect(templates.spansOf(exchange)).to.equal(spansOf(exchange, options));
      }
    });

  it('are as without them, one after the other by the same templates', () => {
    const templates = new SpanTemplates(options);
    for (let round = 0; round < 2; round += 1)
      for (const [, given, more] of cases) {
        const exchange = {
          record: accessRecord({ ...usual, ...given }),
          trace: { ...trace, ...more },
          endedAtMs: 1_760_000_000_123,
        };
        expect(templates.spansOf(exchange)).to.equal(spansOf(exchange, options));
      }
  });
});
