import { expect } from 'chai';
import { isNormalPath } from '../routing/normal-path.ts';
import { HeadText } from './head-text.ts';
import { RequestHead } from './request-head.ts';

const parsed = (text: string, head = new RequestHead()) => {
  const bytes = Buffer.from(text, 'latin1');
  return { outcome: head.parse(bytes, 0, bytes.length), head, bytes };
};

const accepted = (text: string) => {
  const { outcome, head, bytes } = parsed(text);
  expect(outcome).to.equal('complete');
  return { head, text: new HeadText(bytes.toString('latin1'), 0, head.fields) };
};

const causeOf = (text: string) => {
  const { outcome } = parsed(text);
  return typeof outcome === 'string' ? outcome : outcome.cause;
};

describe('a request head', () => {
  it('is found in its bytes without copying them', () => {
    const { head, text } = accepted('PUT /a/b?c HTTP/1.1\r\nHost: x\r\nX-Y:  z \t\r\nEmpty:\r\n\r\nbody');
    expect(text.slice(head.start, head.methodEnd)).to.equal('PUT');
    expect(text.slice(head.targetStart, head.targetEnd)).to.equal('/a/b?c');
    expect(text.slice(head.targetStart, head.pathEnd)).to.equal('/a/b');
    expect(text.flat()).to.deep.equal(['Host', 'x', 'X-Y', 'z', 'Empty', '']);
    expect(text.slice(head.end, head.end + 4)).to.equal('body');
    expect(text.header('x-y')).to.equal('z');
    expect(text.header('x-z')).to.equal(undefined);
  });

  it('is incomplete up to its last byte', () => {
    const whole = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    for (let length = 0; length < whole.length; length++)
      expect(parsed(whole.slice(0, length)).outcome, JSON.stringify(whole.slice(0, length))).to.equal('incomplete');
    expect(parsed(whole).outcome).to.equal('complete');
  });

  it('may begin anywhere in the bytes', () => {
    const head = new RequestHead();
    const bytes = Buffer.from('xxxGET / HTTP/1.1\r\nHost: a\r\n\r\nrest');
    expect(head.parse(bytes, 3, bytes.length)).to.equal('complete');
    expect(bytes.toString('latin1', head.end)).to.equal('rest');
  });

  const causes = [
    ['GET / HTTP/1.1\r\n\r\n', 'host-missing'],
    ['GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n', 'host-duplicate'],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n', 'content-length-duplicate'],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1,1\r\n\r\n', 'bad-content-length'],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9007199254740993\r\n\r\n', 'bad-content-length'],
    ['GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n', 'bad-transfer-encoding'],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 'framing-conflict'],
    ['GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 'transfer-encoding-in-http-1.0'],
    ['GET / HTTP/1.1\nHost: a\r\n\r\n', 'bad-line-ending'],
    ['GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n', 'bad-line-ending'],
    ['GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n', 'bad-line-ending'],
    ['GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n', 'obs-fold'],
    ['GET / HTTP/1.1\r\nHost : a\r\n\r\n', 'bad-field-name'],
    ['GET / HTTP/1.1\r\nHost: a\0\r\n\r\n', 'bad-field-value'],
    ['GET /# HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['GET / HTTP/2.0\r\nHost: a\r\n\r\n', 'other-major-version'],
    ['GET / HTTP/0.9\r\nHost: a\r\n\r\n', 'other-major-version'],
    ['GET / HTTP/11\r\nHost: a\r\n\r\n', 'bad-version'],
    ['GET / HTTP/1.12\r\nHost: a\r\n\r\n', 'bad-version'],
    ['GET / HTTP/1.x\r\nHost: a\r\n\r\n', 'bad-version'],
    ['GET / HTTP/x.1\r\nHost: a\r\n\r\n', 'bad-version'],
    ['G(T / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-method'],
    ['GET / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n', 'expectation-failed'],
    [`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(100)}\r\n`, 'too-many-fields'],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(32_768)}`, 'head-too-large'],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(32_768)}\r\n\r\n`, 'head-too-large'],
  ] as const;
  for (const [text, cause] of causes)
    it(`is refused as ${cause}: ${JSON.stringify(text.slice(0, 60))}`, () => expect(causeOf(text)).to.equal(cause));

  const connections = [
    ['HTTP/1.1', '', true],
    ['HTTP/1.1', 'Connection: close\r\n', false],
    ['HTTP/1.1', 'Connection: Keep-Alive, CLOSE\r\n', false],
    ['HTTP/1.1', 'Connection: x\r\nConnection: close\r\n', false],
    ['HTTP/1.0', '', false],
    ['HTTP/1.0', 'Connection: keep-alive\r\n', true],
    ['HTTP/1.0', 'Connection: keep-alive, close\r\n', false],
  ] as const;
  for (const [version, lines, persistent] of connections)
    it(`${persistent ? 'keeps' : 'ends'} its connection: ${version} ${JSON.stringify(lines)}`, () => {
      expect(accepted(`GET / ${version}\r\nHost: a\r\n${lines}\r\n`).head.persistent).to.equal(persistent);
    });

  it('never calls a path plain that routing would normalise', () => {
    for (let byte = 0x21; byte < 0x7f; byte++) {
      for (const path of [
        `/${String.fromCharCode(byte)}`,
        `/a${String.fromCharCode(byte)}b/.c`,
        `//${String.fromCharCode(byte)}`,
      ]) {
        const { outcome, head, bytes } = parsed(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
        if (outcome !== 'complete' || !head.plainPath) continue;
        expect(isNormalPath(bytes.toString('latin1', head.targetStart, head.pathEnd)), path).to.equal(true);
      }
    }
    expect(accepted('GET /a-b_c.d~e/f,g=1 HTTP/1.1\r\nHost: a\r\n\r\n').head.plainPath).to.equal(true);
  });

  it('keeps nothing of the head before it', () => {
    const head = new RequestHead();
    parsed('POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nUpgrade: x\r\nConnection: y\r\n\r\n', head);
    parsed('GET / HTTP/1.1\r\nHost: a\r\n\r\n', head);
    expect(head.contentLength).to.equal(-1);
    expect(head.upgrade).to.equal(false);
    expect(head.connection.named).to.deep.equal([]);
    expect(head.hasBody).to.equal(false);
  });
});
