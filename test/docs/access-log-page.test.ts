import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { asJson } from '../../packages/proxy/src/exchange/access-log-line.ts';
import { accessRecord } from '../../packages/proxy/test/access-record.ts';
import { tinyRoute } from '../../packages/proxy/test/test-context.ts';

describe('docs/access-log.md', () => {
  it('has every field of a JSON line, in its order, and no other', () => {
    const page = readFileSync(new URL('../../docs/access-log.md', import.meta.url), 'utf8');
    const documented = [...page.slice(page.indexOf('## `json`')).matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    const trace = { traceId: 't', spanId: 's' };
    const whole = accessRecord({
      route: tinyRoute(),
      endpoint: { id: 't1:80', host: '10.0.0.1', port: 80, secure: false, state: 'active' },
      trace: trace as NonNullable<ReturnType<typeof accessRecord>['trace']>,
      ...{
        user: 'u',
        query: '?q',
        sentPath: '/./',
        grpcStatus: 14,
        reason: 'r',
        cause: 'c',
        upstreamMs: 1,
        authMs: 1,
        referer: 'r',
        userAgent: 'a',
      },
    });
    expect(Object.keys(JSON.parse(asJson(whole, new Date(), true)) as object)).to.deep.equal(documented);
  });
});
