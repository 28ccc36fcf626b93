import { expect } from 'chai';
import type { MiddlewareUse } from './kinds.ts';
import { middlewareList } from './middleware-values.ts';
import { showMiddleware } from './show-middleware.ts';

const uses: readonly MiddlewareUse[] = [
  { kind: 'redirectScheme', scheme: 'https', port: 5000, permanent: true },
  { kind: 'redirectRegex', regex: '^https?://www\\.(.*),"x"', replacement: 'https://$1' },
  { kind: 'stripPrefix', prefixes: ['/a', '/b'] },
  { kind: 'replacePathRegex', regex: '^/a\\d{1,2}/(.*)', replacement: '/b/$1' },
  { kind: 'forwardAuth', address: 'http://auth:9091/verify?rd=x', responseHeaders: ['Remote-User'], timeoutMs: 1500 },
  {
    kind: 'basicAuth',
    users: [{ username: 'ann', passwordHash: '$2y$05$xSFW6BbaG1cxQRRM1OUPh./iZ8tcoAzgAS3eYs9IowsD9kLjbhipS' }],
    removeHeader: false,
  },
  { kind: 'headers', request: { 'X-A': 'a, "b"', 'X-B': '' }, stsSeconds: 5, allowOrigins: ['https://a.example'] },
  { kind: 'rateLimit', average: 5, periodMs: 60_000, burst: 9, by: { kind: 'header', name: 'X-Key' } },
  { kind: 'errors', status: [{ from: 500, to: 599 }], address: 'http://pages:80', query: '/{status}.html' },
  { kind: 'compress' },
];

describe('a middleware as a label writes it', () => {
  for (const use of uses)
    it(`is read back: ${use.kind}`, () => {
      const parsed = middlewareList.parse(showMiddleware(use) ?? '', { separator: ',' });
      expect(parsed).to.deep.equal({ ok: true, value: [use] });
    });

  it('is none for what cannot be served', () => {
    expect(showMiddleware({ kind: 'unsupported', name: 'x', why: 'y' })).to.equal(undefined);
  });
});
