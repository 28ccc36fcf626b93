import { expect } from 'chai';
import { asCombined } from '../../src/exchange/access-log-line.ts';
import type { Middleware } from '../../src/middleware/middleware.ts';
import { everyServer, type SentRequest } from './every-server.ts';

const jane: Middleware = {
  name: 'users',
  onRequest(exchange) {
    exchange.user = 'jane';
    return { kind: 'continue' };
  },
};
const refuses: Middleware = {
  name: 'refuses',
  onRequest: () => ({ kind: 'respond', response: { status: 403, reason: 'no', body: 'no\n' } }),
};

describe('the combined access log', () => {
  const cases: readonly [string, SentRequest, string][] = [
    ['a request', { target: '/a' }, 'GET /a" 200 2 "-" "-"'],
    ['a target as sent', { target: '/x/../a%2Fb?c=%20' }, 'GET /x/../a%2Fb?c=%20" 200 2 "-" "-"'],
    ['an authenticated user', { steps: [jane] }, 'jane GET /" 200 2 "-" "-"'],
    [
      'Referer and User-Agent',
      { fields: ['Referer: https://a.example/"b"', 'User-Agent: curl/8\xe9'] },
      String.raw`GET /" 200 2 "https://a.example/\x22b\x22" "curl/8\xe9"`,
    ],
    ['a response of the proxy itself', { steps: [refuses] }, 'GET /" 403 3 "-" "-"'],
    ['a target that is refused', { target: '/%00', fields: ['User-Agent: x'] }, 'GET /%00" 400 30 "-" "x"'],
    [
      'a client that its hop names',
      { trustedHop: true, fields: ['X-Forwarded-For: 203.0.113.9:80'] },
      '203.0.113.9 GET /" 200 2 "-" "-"',
    ],
  ];
  for (const { name, exchange } of everyServer)
    for (const [what, request, expected] of cases)
      it(`has ${what} over ${name}`, async () => {
        const { record } = await exchange(request);
        const line = asCombined(record, new Date('2026-01-02T03:04:05Z'), true);
        const version = name.startsWith('HTTP/2') ? 'HTTP/2.0' : 'HTTP/1.1';
        const [, client, user, rest] = /^(\S+) - (\S+) \[02\/Jan\/2026:03:04:05 \+0000\] "(.*)$/.exec(line) ?? [];
        const shown = [client === '127.0.0.1' ? '' : client, user === '-' ? '' : user].filter((each) => each !== '');
        expect([...shown, rest?.replace(` ${version}"`, '"')].join(' ')).to.equal(expected);
      });
});
