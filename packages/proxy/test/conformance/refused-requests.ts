/**
 * Requests that two servers could read in two ways, or that are no HTTP/1.x. Each is refused and the connection closed:
 * nothing behind it can be trusted to be a request.
 */
export interface RefusedRequest {
  readonly name: string;
  readonly rfc: string;
  readonly bytes: string;
  readonly status: number;
  /** `X-Swarmgate-Reason`. */
  readonly reason?: string;
}

const get = 'GET / HTTP/1.1\r\nHost: a.example\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a.example\r\n';
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';

export const refusedRequests: readonly RefusedRequest[] = [
  // Framing.
  {
    name: 'Content-Length beside Transfer-Encoding',
    rfc: '9112, 6.1',
    bytes: `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    status: 400,
    reason: 'ambiguous-framing',
  },
  {
    name: 'Transfer-Encoding before Content-Length',
    rfc: '9112, 6.1',
    bytes: `${post}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG`,
    status: 400,
    reason: 'ambiguous-framing',
  },
  {
    name: 'two different Content-Length',
    rfc: '9112, 6.3',
    bytes: `${post}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
    status: 400,
    reason: 'ambiguous-framing',
  },
  {
    name: 'two equal Content-Length',
    rfc: '9112, 6.3',
    bytes: `${post}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`,
    status: 400,
    reason: 'ambiguous-framing',
  },
  ...['+4', '-1', '0x4', '4,4', '4 4', '4a', '', '1e1', '99999999999999999999'].map((value) => ({
    name: `Content-Length of ${JSON.stringify(value)}`,
    rfc: '9110, 8.6',
    bytes: `${post}Content-Length: ${value}\r\n\r\nabcd`,
    status: 400,
  })),
  ...[
    'gzip, chunked',
    'chunked, gzip',
    'identity',
    'xchunked',
    'chunked chunked',
    'chunked;q=1',
    '"chunked"',
    'chunked,',
  ].map((value) => ({
    name: `Transfer-Encoding of ${JSON.stringify(value)}`,
    rfc: '9112, 6.1',
    bytes: `${post}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`,
    status: 400,
  })),
  {
    name: 'an empty Transfer-Encoding',
    rfc: '9112, 6.1',
    bytes: `${post}Transfer-Encoding:\r\n\r\n`,
    status: 400,
  },
  {
    name: 'two Transfer-Encoding',
    rfc: '9112, 6.1',
    bytes: `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
    reason: 'ambiguous-framing',
  },
  {
    name: 'two Transfer-Encoding, the second unknown',
    rfc: '9112, 6.1',
    bytes: `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    rfc: '9112, 6.1',
    bytes: 'POST / HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 400,
    reason: 'ambiguous-framing',
  },
  // Line endings.
  {
    name: 'a bare LF behind the request line',
    rfc: '9112, 2.2',
    bytes: 'GET / HTTP/1.1\nHost: a.example\r\n\r\n',
    status: 400,
  },
  {
    name: 'a bare LF behind a field',
    rfc: '9112, 2.2',
    bytes: `GET / HTTP/1.1\r\nHost: a.example\nX: y\r\n\r\n`,
    status: 400,
    reason: 'bad-request',
  },
  { name: 'a bare LF at the end of the head', rfc: '9112, 2.2', bytes: `${get}\n`, status: 400 },
  { name: 'a bare CR inside a value', rfc: '9112, 2.2', bytes: `${get}X: a\rb\r\n\r\n`, status: 400 },
  {
    name: 'a bare CR behind the request line',
    rfc: '9112, 2.2',
    bytes: 'GET / HTTP/1.1\rHost: a\r\n\r\n',
    status: 400,
  },
  { name: 'CR CR LF behind a field', rfc: '9112, 2.2', bytes: `${get}X: a\r\r\n\r\n`, status: 400 },
  // Fields.
  { name: 'a space before the colon', rfc: '9112, 5.1', bytes: `${get}X : y\r\n\r\n`, status: 400 },
  {
    name: 'a space before the colon of Content-Length',
    rfc: '9112, 5.1',
    bytes: `${post}Content-Length : 4\r\n\r\nabcd`,
    status: 400,
  },
  { name: 'a tab before the colon', rfc: '9112, 5.1', bytes: `${get}X\t: y\r\n\r\n`, status: 400 },
  { name: 'a folded value', rfc: '9112, 5.2', bytes: `${get}X: a\r\n b\r\n\r\n`, status: 400 },
  { name: 'a folded value by tab', rfc: '9112, 5.2', bytes: `${get}X: a\r\n\tb\r\n\r\n`, status: 400 },
  {
    name: 'whitespace before the first field',
    rfc: '9112, 2.2',
    bytes: 'GET / HTTP/1.1\r\n Host: a.example\r\n\r\n',
    status: 400,
  },
  {
    name: 'a folded Transfer-Encoding',
    rfc: '9112, 5.2',
    bytes: `${post}X: y\r\n Transfer-Encoding: chunked\r\n\r\n`,
    status: 400,
  },
  { name: 'a NUL in a value', rfc: '9110, 5.5', bytes: `${get}X: a\0b\r\n\r\n`, status: 400 },
  { name: 'a control character in a value', rfc: '9110, 5.5', bytes: `${get}X: a\x01b\r\n\r\n`, status: 400 },
  { name: 'DEL in a value', rfc: '9110, 5.5', bytes: `${get}X: a\x7fb\r\n\r\n`, status: 400 },
  { name: 'an empty field name', rfc: '9110, 5.1', bytes: `${get}: y\r\n\r\n`, status: 400 },
  { name: 'a field without colon', rfc: '9112, 5', bytes: `${get}nonsense\r\n\r\n`, status: 400 },
  { name: 'a parenthesis in a field name', rfc: '9110, 5.6.2', bytes: `${get}X(y): z\r\n\r\n`, status: 400 },
  { name: 'a NUL in a field name', rfc: '9110, 5.6.2', bytes: `${get}X\0: z\r\n\r\n`, status: 400 },
  { name: 'a byte beyond ASCII in a field name', rfc: '9110, 5.6.2', bytes: `${get}X\xe9: z\r\n\r\n`, status: 400 },
  // Host.
  {
    name: 'no Host',
    rfc: '9112, 3.2',
    bytes: 'GET / HTTP/1.1\r\n\r\n',
    status: 400,
    reason: 'bad-host',
  },
  {
    name: 'two Host',
    rfc: '9112, 3.2',
    bytes: `${get}Host: b.example\r\n\r\n`,
    status: 400,
    reason: 'bad-host',
  },
  {
    name: 'two equal Host',
    rfc: '9112, 3.2',
    bytes: `${get}Host: a.example\r\n\r\n`,
    status: 400,
    reason: 'bad-host',
  },
  ...['a b', 'u@a.example', 'a.example:x', 'a.example/x', '', 'a,b', '[::1', 'a.example:99999'].map((value) => ({
    name: `a Host of ${JSON.stringify(value)}`,
    rfc: '9112, 3.2',
    bytes: `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`,
    status: 400,
    reason: 'bad-host',
  })),
  // Request line.
  { name: 'no target', rfc: '9112, 3', bytes: 'GET HTTP/1.1\r\nHost: a\r\n\r\n', status: 400 },
  {
    name: 'two spaces before the target',
    rfc: '9112, 3',
    bytes: 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
  },
  {
    name: 'two spaces behind the target',
    rfc: '9112, 3',
    bytes: 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
  },
  { name: 'a tab instead of a space', rfc: '9112, 3', bytes: 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', status: 400 },
  { name: 'a space inside the target', rfc: '9112, 3.2', bytes: 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', status: 400 },
  {
    name: 'a fragment in the target',
    rfc: '9112, 3.2',
    bytes: 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
  },
  {
    name: 'a fragment in the query',
    rfc: '9112, 3.2',
    bytes: 'GET /a?b#c HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
  },
  { name: 'a NUL in the target', rfc: '3986, 2', bytes: 'GET /a\0 HTTP/1.1\r\nHost: a\r\n\r\n', status: 400 },
  {
    name: 'a byte beyond ASCII in the path',
    rfc: '3986, 2',
    bytes: 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
  },
  {
    name: 'a target that is no path',
    rfc: '9112, 3.2',
    bytes: 'GET a/b HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
  },
  {
    name: 'an encoded NUL',
    rfc: '3986, 2.1',
    bytes: 'GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
  },
  {
    name: 'a dot segment with a parameter',
    rfc: '3986, 3.3',
    bytes: 'GET /a/..;/b HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
  },
  {
    name: 'half an escape',
    rfc: '3986, 2.1',
    bytes: 'GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
  },
  { name: 'HTTP/2.0', rfc: '9110, 15.6.6', bytes: 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', status: 505 },
  { name: 'HTTP/0.9 by its number', rfc: '9110, 15.6.6', bytes: 'GET / HTTP/0.9\r\nHost: a\r\n\r\n', status: 505 },
  { name: 'a version with two digits', rfc: '9112, 2.3', bytes: 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', status: 400 },
  { name: 'HTTP/0.9', rfc: '9112, 2.3', bytes: 'GET /\r\n\r\n', status: 400 },
  { name: 'a version in lower case', rfc: '9112, 2.3', bytes: 'GET / http/1.1\r\nHost: a\r\n\r\n', status: 400 },
  {
    name: 'a version with a leading zero',
    rfc: '9112, 2.3',
    bytes: 'GET / HTTP/1.01\r\nHost: a\r\n\r\n',
    status: 400,
  },
  { name: 'a method with a bad character', rfc: '9110, 9.1', bytes: 'G@T / HTTP/1.1\r\nHost: a\r\n\r\n', status: 400 },
  {
    name: 'a TLS hello on a plain port',
    rfc: '9112, 3',
    bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
    status: 400,
  },
  // Limits and expectations.
  {
    name: 'a head of 40 KB',
    rfc: '6585, 5',
    bytes: `${get}X: ${'x'.repeat(40_000)}\r\n\r\n`,
    status: 431,
    reason: 'head-too-large',
  },
  {
    name: 'a target of 40 KB',
    rfc: '6585, 5',
    bytes: `GET /${'x'.repeat(40_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    status: 431,
    reason: 'head-too-large',
  },
  {
    name: '300 fields',
    rfc: '6585, 5',
    bytes: `${get}${'X: y\r\n'.repeat(300)}\r\n${smuggled}`,
    status: 431,
    reason: 'head-too-large',
  },
  {
    name: 'a body announced behind 2,500 fields',
    rfc: '9112, 6.3',
    bytes: `${post}${'a:\r\n'.repeat(2_500)}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    status: 431,
    reason: 'head-too-large',
  },
  {
    name: 'an expectation other than 100-continue',
    rfc: '9110, 10.1.1',
    bytes: `${post}Expect: 200-ok\r\nContent-Length: 0\r\n\r\n`,
    status: 417,
  },
  // Bodies.
  ...['g', '-1', ' 4', '0x4', '', '4 ', 'ffffffffffffffff0'].map((size) => ({
    name: `a chunk size of ${JSON.stringify(size)}`,
    rfc: '9112, 7.1',
    bytes: `${post}Transfer-Encoding: chunked\r\n\r\n${size}\r\nabcd\r\n0\r\n\r\n`,
    status: 400,
  })),
  {
    name: 'a chunk size line that ends in LF',
    rfc: '9112, 7.1',
    bytes: `${post}Transfer-Encoding: chunked\r\n\r\n4\nabcd\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    name: 'a chunk that is longer than its size',
    rfc: '9112, 7.1',
    bytes: `${post}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    name: 'a bare LF behind chunk data',
    rfc: '9112, 7.1',
    bytes: `${post}Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\n0\r\n\r\n`,
    status: 400,
  },
];
