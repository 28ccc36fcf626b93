import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { ChunkedReader } from './chunked-reader.ts';
import { HeadText } from './head-text.ts';
import { RequestHead } from './request-head.ts';

/** What node:http makes of bytes: a request, or the code of its parser's error. */
type Decision =
  | { readonly kind: 'request'; readonly request: IncomingMessage; readonly body: () => string }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'nothing' };

/** Feeds bytes to node's own parser (llhttp) by its public door: a server that is handed a connection. */
function llhttp(bytes: Buffer): Promise<Decision> {
  return new Promise((resolve) => {
    const server = createServer({ requireHostHeader: false, insecureHTTPParser: false });
    let body = '';
    let ended = false;
    const connection = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    server.on('clientError', (error: NodeJS.ErrnoException) => resolve({ kind: 'refused', code: error.code ?? '' }));
    const take = (request: IncomingMessage) => {
      request.setEncoding('latin1');
      request.on('data', (piece: string) => {
        body += piece;
      });
      request.on('end', () => {
        ended = true;
      });
      setImmediate(() => setImmediate(() => resolve({ kind: 'request', request, body: () => (ended ? body : '…') })));
    };
    server.on('request', take);
    server.on('upgrade', take);
    server.on('checkContinue', take);
    server.on('checkExpectation', take);
    server.emit('connection', connection);
    connection.push(bytes);
    setImmediate(() => setImmediate(() => setImmediate(() => setImmediate(() => resolve({ kind: 'nothing' })))));
  });
}

const oneOf = (...pieces: readonly string[]) => fc.constantFrom(...pieces);

const method = oneOf('GET', 'GET', 'POST', 'HEAD', 'get', 'G T', '', 'OPTIONS', 'PUT\t');
const target = oneOf('/', '/a?b', '*', 'http://a/b', '/a b', '/a#b', '', '/\x00', '/%zz', '//', 'a', '/\xff', '/\x7f');
const version = oneOf(
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/1.1 ',
  'http/1.1',
  '',
);
const lineEnd = fc.oneof(
  { weight: 12, arbitrary: oneOf('\r\n') },
  { weight: 1, arbitrary: oneOf('\n', '\r', '\r\r\n', '\r\n ', '\n\r') },
);
const field = oneOf(
  'Host: a',
  'Host: a',
  'Host: b',
  'Content-Length: 4',
  'Content-Length: 4',
  'Content-Length: 04',
  'Content-Length: +4',
  'Content-Length:4 ',
  'Content-Length: 4, 4',
  'Content-Length : 4',
  'Content_Length: 9',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding:\tchunked\t',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: chunke',
  'Transfer-Encoding : chunked',
  ' Transfer-Encoding: chunked',
  'Transfer-Encoding: \x0bchunked',
  'Connection: close',
  'Connection: upgrade',
  'Upgrade: websocket',
  'X: y',
  'X:',
  'X',
  ': y',
  'X: \x00',
  'X: \xff',
  'X\xff: y',
  'X: a\x01',
  'Expect: 100-continue',
);
const structured = fc
  .tuple(method, target, version, fc.array(fc.tuple(field, lineEnd), { maxLength: 6 }), lineEnd, lineEnd)
  .map(([verb, where, spoken, fields, first, last]) => {
    const lines = fields.map(([text, end]) => text + end).join('');
    return `${verb} ${where} ${spoken}${first}${lines}${last}`;
  });

const valid = 'POST /path?q=1 HTTP/1.1\r\nHost: example\r\nContent-Length: 4\r\nX-A: b\r\n\r\n';
const mutated = fc
  .array(fc.tuple(fc.nat(valid.length), fc.nat(255), oneOf('insert', 'replace', 'delete')), {
    minLength: 1,
    maxLength: 3,
  })
  .map((changes) => {
    let text = valid;
    for (const [at, byte, how] of changes) {
      const behind = how === 'insert' ? at : at + 1;
      text = text.slice(0, at) + (how === 'delete' ? '' : String.fromCharCode(byte)) + text.slice(behind);
    }
    return text;
  });

describe('the request parser beside llhttp', () => {
  it('accepts nothing that llhttp refuses, and frames what it accepts alike', async function () {
    this.timeout(60_000);
    let agreed = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(structured, mutated), async (text) => {
        const bytes = Buffer.from(text, 'latin1');
        const head = new RequestHead();
        const outcome = head.parse(bytes, 0, bytes.length);
        if (outcome !== 'complete') return;
        const theirs = await llhttp(bytes.subarray(0, head.end));
        const shown = JSON.stringify(text);
        // llhttp knows a list of methods; the RFC says any token.
        if (theirs.kind === 'refused' && theirs.code === 'HPE_INVALID_METHOD') return;
        // Later minor versions are served as HTTP/1.1 (RFC 9110, section 2.5); llhttp knows the two that there are.
        if (theirs.kind === 'refused' && theirs.code === 'HPE_INVALID_VERSION') return;
        // Only origin-form is judged by the parser; the request view splits the other forms.
        if (head.form === 'other') return;
        expect(theirs.kind, shown).to.equal('request');
        if (theirs.kind !== 'request') return;
        const { request } = theirs;
        const ours = new HeadText(bytes.toString('latin1'), 0, head.fields);
        expect(ours.slice(head.start, head.methodEnd)).to.equal(request.method);
        expect(ours.slice(head.targetStart, head.targetEnd)).to.equal(request.url);
        expect(ours.flat(), shown).to.deep.equal(request.rawHeaders);
        expect(head.minorVersion).to.equal(request.httpVersionMinor);
        expect(head.chunked).to.equal(request.headers['transfer-encoding'] !== undefined);
        expect(head.contentLength).to.equal(Number(request.headers['content-length'] ?? -1));
        agreed += 1;
      }),
      fuzzRuns(1_500, 20_261_121),
    );
    expect(agreed, 'heads that both accepted').to.be.greaterThan(20);
  });

  it('reads chunked bodies as llhttp does, or refuses them', async function () {
    this.timeout(60_000);
    const size = oneOf(
      '4',
      '04',
      '4;a=b',
      '4;a="b"',
      '4;a;b=c;d="e f"',
      '4;',
      '4;a=',
      '4;=a',
      '4;a="b',
      '4;a="b"c',
      '4; a',
      '4;a b',
      '4;"a"',
      '4;a="\\""',
      '0x4',
      ' 4',
      '4 ',
      '',
      'g',
      '+4',
      '4,',
      '0004',
      '4;\n',
      'A',
    );
    const end = fc.oneof(
      { weight: 10, arbitrary: oneOf('\r\n') },
      { weight: 1, arbitrary: oneOf('\n', '\r', '', '\r\r\n') },
    );
    const chunk = fc.tuple(size, end, oneOf('wiki', 'wik', 'wikis', '0123456789'), end).map((parts) => parts.join(''));
    const trailers = oneOf('', '', 'X: y\r\n', 'X : y\r\n', ' X: y\r\n', 'X\r\n', 'X: \0\r\n');
    const body = fc
      .tuple(fc.array(chunk, { maxLength: 3 }), oneOf('0', '0', '00', '0;x', '0;x="', ''), end, trailers, end)
      .map(([chunks, last, lastEnd, lines, blank]) => `${chunks.join('')}${last}${lastEnd}${lines}${blank}`);
    let agreed = 0;
    await fc.assert(
      fc.asyncProperty(body, fc.nat(40), async (text, cut) => {
        const bytes = Buffer.from(text, 'latin1');
        const reader = new ChunkedReader();
        let payload = '';
        const take = (from: number, to: number) => {
          payload += bytes.toString('latin1', from, to);
        };
        const middle = Math.min(cut, bytes.length);
        let error = reader.read(bytes, 0, middle, take);
        if (error === undefined && !reader.done) error = reader.read(bytes, middle, bytes.length, take);
        if (error !== undefined || !reader.done) return;
        const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
        const theirs = await llhttp(Buffer.concat([Buffer.from(head), bytes.subarray(0, reader.consumed)]));
        expect(theirs.kind, JSON.stringify(text)).to.equal('request');
        if (theirs.kind === 'request') expect(theirs.body(), JSON.stringify(text)).to.equal(payload);
        agreed += 1;
      }),
      fuzzRuns(1_500, 20_261_121),
    );
    expect(agreed, 'bodies that both accepted').to.be.greaterThan(20);
  });
});
