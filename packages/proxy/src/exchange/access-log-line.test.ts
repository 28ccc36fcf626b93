import { expect } from 'chai';
import { accessRecord } from '../../test/access-record.ts';
import { asCombined, asCommon, asJson } from './access-log-line.ts';
import type { AccessRecord } from './access-record.ts';

const at = new Date('2026-01-02T03:04:05Z');
const date = '[02/Jan/2026:03:04:05 +0000]';

describe('NCSA lines of the access log', () => {
  const cases: readonly [string, Partial<AccessRecord>, string][] = [
    ['a plain request', { sentPath: '/a' }, `127.0.0.1 - - ${date} "GET /a HTTP/1.1" 200 5`],
    ['a query', { sentPath: '/a', query: '?b=c d' }, `127.0.0.1 - - ${date} "GET /a?b=c d HTTP/1.1" 200 5`],
    [
      'a target that is not in normal form: as sent',
      { path: '/b', sentPath: '/a/..//b%2Fc' },
      `127.0.0.1 - - ${date} "GET /a/..//b%2Fc HTTP/1.1" 200 5`,
    ],
    [
      'absolute form',
      { path: '/a', sentPath: 'http://x/a', query: '?b' },
      `127.0.0.1 - - ${date} "GET http://x/a?b HTTP/1.1" 200 5`,
    ],
    ['HTTP/2', { protocol: 'HTTP/2' }, `127.0.0.1 - - ${date} "GET / HTTP/2.0" 200 5`],
    ['HTTP/1.0', { protocol: 'HTTP/1.0' }, `127.0.0.1 - - ${date} "GET / HTTP/1.0" 200 5`],
    ['no body', { status: 304, sentBodyBytes: 0 }, `127.0.0.1 - - ${date} "GET / HTTP/1.1" 304 -`],
    ['a request line that cannot be read', { method: '', sentPath: '' }, `127.0.0.1 - - ${date} "-" 200 5`],
    ['a user', { user: 'jane' }, `127.0.0.1 - jane ${date} "GET / HTTP/1.1" 200 5`],
    ['a user without a name', { user: '' }, `127.0.0.1 - "" ${date} "GET / HTTP/1.1" 200 5`],
    [
      'a user that would be other columns',
      { user: 'a b\n"c"\\' },
      String.raw`127.0.0.1 - a\x20b\x0a\x22c\x22\x5c ${date} "GET / HTTP/1.1" 200 5`,
    ],
    [
      'a user beyond ASCII',
      { user: 'jörg€' },
      String.raw`127.0.0.1 - j\xf6rg\xe2\x82\xac ${date} "GET / HTTP/1.1" 200 5`,
    ],
    ['IPv6', { clientAddress: '2001:db8::1' }, `2001:db8::1 - - ${date} "GET / HTTP/1.1" 200 5`],
    ['a client that its hop does not name', { clientAddress: 'unknown' }, `unknown - - ${date} "GET / HTTP/1.1" 200 5`],
    [
      'what would end the quotes, the line or a terminal',
      { sentPath: '/"\\\n\x1b[2J\x7f\x9b\xe4' },
      String.raw`127.0.0.1 - - ${date} "GET /\x22\x5c\x0a\x1b[2J\x7f\x9b\xe4 HTTP/1.1" 200 5`,
    ],
  ];
  for (const [what, given, line] of cases)
    it(`common: ${what}`, () => {
      expect(asCommon(accessRecord(given), at, true)).to.equal(line);
      expect(asCombined(accessRecord(given), at, true)).to.equal(`${line} "-" "-"`);
    });

  it('combined: Referer and User-Agent', () => {
    const record = accessRecord({ referer: 'https://a/?b#c', userAgent: 'x "y"\t\x1b' });
    expect(asCombined(record, at, true)).to.match(/ 5 "https:\/\/a\/\?b#c" "x \\x22y\\x22\\x09\\x1b"$/);
  });

  it('have no query where it is not to be written, that of the page included', () => {
    const record = accessRecord({ query: '?token=s', referer: 'https://a/b?token=s', userAgent: 'x' });
    expect(asCombined(record, at, false)).to.match(/"GET \/ HTTP\/1\.1" 200 5 "https:\/\/a\/b" "x"$/);
    expect(asJson(record, at, false)).to.not.include('token');
    expect(JSON.parse(asJson(record, at, true))).to.include({ query: '?token=s', referer: 'https://a/b?token=s' });
  });
});

describe('JSON lines of the access log', () => {
  it('leave out what has no value', () => {
    const line = JSON.parse(asJson(accessRecord(), at, true)) as object;
    expect(Object.keys(line)).to.deep.equal([
      ...['level', 'time', 'client', 'method', 'host', 'path', 'protocol', 'status', 'durationMs', 'retries'],
      ...['sentBytes', 'sentBodyBytes', 'receivedBytes'],
    ]);
  });

  it('have the path as sent where it is not the normal form', () => {
    const line = asJson(accessRecord({ path: '/b', sentPath: '/a/../b' }), at, true);
    expect(JSON.parse(line)).to.include({ path: '/b', sentPath: '/a/../b' });
  });

  it('escape every control character, line separator and direction mark in every value', () => {
    const bad = 'a\n\r\x1b\x7f\x85\x9b\u2028\u2029\u202e"\\';
    const everywhere = accessRecord({
      ...{ clientAddress: bad, user: bad, method: bad, host: bad, path: bad, sentPath: `${bad}.` },
      ...{ query: bad, reason: bad, cause: bad, referer: bad, userAgent: bad },
    });
    const line = asJson(everywhere, at, true);
    expect(line).to.match(/^[\x20-\x7e]*$/);
    expect(JSON.parse(line)).to.include({ user: bad, sentPath: `${bad}.`, userAgent: bad });
    expect(asCombined(everywhere, at, true)).to.match(/^[\x20-\x7e]*$/);
  });
});
