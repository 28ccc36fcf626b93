import { expect } from 'chai';
import { postResponseIn } from './post-response.ts';

const none = { retryAfter: undefined, date: undefined };
const read: readonly (readonly [text: string, ended: boolean, status: number, body: string])[] = [
  ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}', false, 200, '{}'],
  ['HTTP/1.1 200 OK\r\ncontent-length:2 \r\n\r\n{}more', false, 200, '{}'],
  ['HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', false, 200, ''],
  ['HTTP/1.0 200 OK\r\n\r\n{}', true, 200, '{}'],
  ['HTTP/1.1 204 No Content\r\n\r\n', false, 204, ''],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;a=b\r\n}\r\n0\r\n\r\n', false, 200, '{}'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\u00c3\u00a9', false, 200, 'é'],
  ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n', false, 429, ''],
];
const incomplete: readonly (readonly [text: string, ended: boolean])[] = [
  ['', true],
  ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n', true],
  ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}', true],
  ['HTTP/1.1 200 OK\r\n\r\n{}', false],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{', true],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n', true],
  ['HTTP/1.1 100 Continue\r\n\r\n', true],
];
const wrong = [
  'SSH-2.0-x\r\n\r\n',
  'HTTP/2 200\r\n\r\n',
  'HTTP/1.1 2000\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n',
  'x'.repeat(70_000),
];

describe('a collector’s response', () => {
  for (const [text, ended, status, body] of read)
    it(`is read from ${JSON.stringify(text)}`, () =>
      expect(postResponseIn(text, ended)).to.deep.equal({ status, body, retryAfter: none }));

  for (const [text, ended] of incomplete)
    it(`is not complete: ${JSON.stringify(text)}${ended ? ', then the end' : ''}`, () =>
      expect(postResponseIn(text, ended)).to.equal(undefined));

  for (const text of wrong)
    it(`is none: ${JSON.stringify(text.slice(0, 70))}`, () => expect(() => postResponseIn(text, false)).to.throw());

  it('says when to send again', () => {
    const text = 'HTTP/1.1 503 No\r\nRetry-After: 7\r\nDate: today\r\nContent-Length: 0\r\n\r\n';
    expect(postResponseIn(text, false)?.retryAfter).to.deep.equal({ retryAfter: '7', date: 'today' });
  });

  it('is read up to 64 KB', () => {
    const head = 'HTTP/1.1 200 OK\r\n';
    for (const framing of ['', 'Content-Length: 999999\r\n', 'Transfer-Encoding: chunked\r\n'])
      expect(postResponseIn(`${head}${framing}\r\n${'x'.repeat(70_000)}`, false)?.status).to.equal(200);
  });
});
