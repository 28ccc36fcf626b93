import { expect } from 'chai';
import {
  block,
  data,
  headers,
  openServer,
  plainGet,
  plainPost,
  type ServerRig,
  windowUpdate,
} from '../../../test/http2-wire.ts';
import { Field } from '../field-section.ts';
import { Flag, Setting } from './frames.ts';
import { encodeHuffman } from './hpack/huffman.ts';
import { fieldValue, flatFields, hasKind, type RequestHead } from './message-head.ts';
import type { SessionOptions } from './session-options.ts';

type Fields = readonly (readonly [string, string])[];

const [method, scheme, path, authority] = plainGet as unknown as readonly [
  [string, string],
  [string, string],
  [string, string],
  [string, string],
];

function withField(name: string, value: string): Fields {
  return [...plainGet, [name, value]];
}

function withPath(value: string): Fields {
  return [method, scheme, [':path', value], authority];
}

function withAuthority(value: string): Fields {
  return [method, scheme, path, [':authority', value]];
}

interface RefusedCase {
  readonly name: string;
  readonly fields: Fields;
  readonly cause: string;
  readonly options?: Partial<SessionOptions>;
}

function r(name: string, fields: Fields, cause: string, options: Partial<SessionOptions> = {}): RefusedCase {
  return { name, fields, cause, options };
}

const everyControl = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code)).filter((one) => one !== '\t');

const malformed: readonly RefusedCase[] = [
  r('8.2 an empty name', withField('', 'x'), 'bad-field-name'),
  r('8.2 upper case in a name', withField('X-Y', 'x'), 'bad-field-name'),
  ...['a b', ' a', 'a ', 'a:b', 'a\r', 'a\n', 'a\0', 'a\x7f', 'a\xff', 'a(b', 'a"b', 'a/b', 'a@b'].map((name) =>
    r(`8.2.1 the name ${JSON.stringify(name)}`, withField(name, 'x'), 'bad-field-name'),
  ),
  ...[...everyControl, '\x7f'].map((one) =>
    r(`8.2.1 ${JSON.stringify(one)} in a value`, withField('x', `a${one}b`), 'bad-field-value'),
  ),
  r('8.2.1 a line break that would make another field', withField('x', 'a\r\nhost: b'), 'bad-field-value'),
  r('8.2.1 a blank before a value', withField('x', ' a'), 'bad-field-value'),
  r('8.2.1 a tab behind a value', withField('x', 'a\t'), 'bad-field-value'),
  r('8.2.1 a value of one blank', withField('x', ' '), 'bad-field-value'),
  r('8.2.2 connection', withField('connection', 'close'), 'connection-specific-field'),
  r('8.2.2 proxy-connection', withField('proxy-connection', 'keep-alive'), 'connection-specific-field'),
  r('8.2.2 keep-alive', withField('keep-alive', 'timeout=5'), 'connection-specific-field'),
  r('8.2.2 upgrade', withField('upgrade', 'h2c'), 'connection-specific-field'),
  r('8.2.2 transfer-encoding', withField('transfer-encoding', 'chunked'), 'bad-transfer-encoding'),
  r('8.2.2 te: gzip', withField('te', 'gzip'), 'bad-te'),
  r('8.2.2 te: trailers, deflate', withField('te', 'trailers, deflate'), 'bad-te'),
  r('8.3 an unknown pseudo-header field', [...plainGet, [':x', 'y']], 'bad-pseudo-field'),
  r('8.3 an empty pseudo-header name', [...plainGet, [':', 'y']], 'bad-pseudo-field'),
  r('8.3 a pseudo-header field in upper case', [...plainGet, [':Path', '/']], 'bad-pseudo-field'),
  r('8.3 :status in a request', [...plainGet, [':status', '200']], 'bad-pseudo-field'),
  r(
    '8.3 a pseudo-header field behind a regular one',
    [method, scheme, path, ['x', 'y'], authority],
    'bad-pseudo-field',
  ),
  r(
    '8.3 a pseudo-header field behind Host',
    [method, scheme, path, ['host', 'shop.example'], authority],
    'bad-pseudo-field',
  ),
  r(
    '8.3 a pseudo-header field behind a cookie',
    [method, scheme, path, ['cookie', 'a=b'], authority],
    'bad-pseudo-field',
  ),
  ...plainGet.map((one) => r(`8.3 ${one[0]} twice`, [...plainGet, one], 'bad-pseudo-field')),
  r('8.3.1 no :method', [scheme, path, authority], 'bad-pseudo-field'),
  r('8.3.1 no :scheme', [method, path, authority], 'bad-pseudo-field'),
  r('8.3.1 no :path', [method, scheme, authority], 'bad-pseudo-field'),
  r('8.3.1 neither :authority nor Host', [method, scheme, path], 'host-missing'),
  r('8.3.1 an empty :authority', withAuthority(''), 'host-invalid'),
  r('8.3.1 user information in :authority', withAuthority('user@shop.example'), 'host-invalid'),
  r('8.3.1 a path in :authority', withAuthority('shop.example/admin'), 'host-invalid'),
  r('8.3.1 a blank in :authority', withAuthority('shop.example evil'), 'host-invalid'),
  r('8.3.1 a line break in :authority', withAuthority('shop.example\r\nx: y'), 'host-invalid'),
  r('8.3.1 Host that names another host', withField('host', 'other.example'), 'host-invalid'),
  r('8.3.1 Host that names another port', withField('host', 'shop.example:81'), 'host-invalid'),
  r('8.3.1 Host twice', [...withField('host', 'shop.example'), ['host', 'shop.example']], 'host-duplicate'),
  r('8.3.1 an empty :path', withPath(''), 'bad-target'),
  r('8.3.1 a :path without a slash', withPath('a'), 'bad-target'),
  r('8.3.1 a :path in absolute form', withPath('http://other.example/'), 'bad-target'),
  r('8.3.1 * for GET', withPath('*'), 'bad-target'),
  r('8.3.1 a blank in :path', withPath('/a b'), 'bad-target'),
  r('8.3.1 a version in :path', withPath('/ HTTP/1.1\r\nhost: other'), 'bad-target'),
  r('8.3.1 a fragment in :path', withPath('/a#b'), 'bad-target'),
  r('8.3.1 obs-text in :path', withPath('/\xff'), 'bad-target'),
  r('8.3.1 a blank in :method', [[':method', 'GET /x HTTP/1.1'], scheme, path, authority], 'bad-method'),
  r('8.3.1 an empty :method', [[':method', ''], scheme, path, authority], 'bad-method'),
  r('8.3.1 an empty :scheme', [method, [':scheme', ''], path, authority], 'bad-scheme'),
  r('8.3.1 a :scheme that is none', [method, [':scheme', 'ht tp'], path, authority], 'bad-scheme'),
  r('8.5 CONNECT with :path', [[':method', 'CONNECT'], path, authority], 'bad-pseudo-field'),
  r('8.5 CONNECT with :scheme', [[':method', 'CONNECT'], scheme, authority], 'bad-pseudo-field'),
  r('8.5 CONNECT without :authority', [[':method', 'CONNECT']], 'bad-pseudo-field'),
  r('8.1.1 content-length that is no number', withField('content-length', '1x'), 'bad-content-length'),
  r('8.1.1 content-length with a sign', withField('content-length', '+1'), 'bad-content-length'),
  r('8.1.1 a list of lengths', withField('content-length', '4, 4'), 'bad-content-length'),
  r('8.1.1 an empty content-length', withField('content-length', ''), 'bad-content-length'),
  r(
    '8.1.1 content-length twice, equal',
    [...withField('content-length', '0'), ['content-length', '0']],
    'content-length-duplicate',
  ),
  r('8.1.1 content-length without a body', withField('content-length', '4'), 'content-length-mismatch'),
  r(
    '8441-4 :protocol where it was not announced',
    [[':method', 'CONNECT'], scheme, path, authority, [':protocol', 'websocket']],
    'bad-pseudo-field',
  ),
  r('8441-4 :protocol with GET', [...plainGet, [':protocol', 'websocket']], 'bad-pseudo-field', {
    enableConnectProtocol: true,
  }),
  r(
    '8441-4 :protocol without :path',
    [[':method', 'CONNECT'], scheme, authority, [':protocol', 'websocket']],
    'bad-pseudo-field',
    { enableConnectProtocol: true },
  ),
];

describe('HTTP/2 malformed requests (RFC 9113, section 8)', () => {
  for (const { name, fields, cause, options } of malformed) {
    it(`refuses ${name}`, () => {
      const rig = openServer(options).feed(headers(1, fields));
      expect(rig.events()).to.deep.equal([`refused 1 ${cause}`]);
      expect(rig.sent()).to.deep.equal(['rstStream 1 1']);
      expect(rig.feed(headers(3, plainGet)).events()).to.deep.equal(['request 3 GET / end']);
    });
  }

  it('judges a field of the dynamic table as on its first use', () => {
    const indexed = Buffer.concat([Buffer.from([0x40, 1]), Buffer.from('x'), Buffer.from([2]), Buffer.from('a\n')]);
    const rig = openServer().feed(headers(1, Buffer.concat([block(plainGet), indexed])));
    rig.feed(headers(3, Buffer.concat([block(plainGet), Buffer.from([0xbe])])));
    expect(rig.events()).to.deep.equal(['refused 1 bad-field-value', 'refused 3 bad-field-value']);
  });

  it('judges a Huffman-coded value by what it decodes to', () => {
    const coded = Buffer.concat([block(plainGet), Buffer.from([0, 1]), Buffer.from('x'), huffman('a\nb')]);
    expect(openServer().feed(headers(1, coded)).events()).to.deep.equal(['refused 1 bad-field-value']);
  });

  it('lets the handler respond, and resets the malformed stream behind the response', () => {
    const rig = openServer();
    rig.recorder.respondRefused = (stream) => {
      stream.sendHead(400, ['content-length', '3'], false);
      stream.sendData(Buffer.from('bad'), 0, 3, true);
    };
    rig.feed(headers(1, withPath('x')), headers(3, [...plainPost, ['te', 'x']], Flag.endHeaders));
    expect(rig.sent()).to.deep.equal([
      'headers 1',
      'data 1 end bad',
      'rstStream 1 1',
      'headers 3',
      'data 3 end bad',
      'rstStream 3 1',
    ]);
    expect([rig.session.openStreams, rig.recorder.resets]).to.deep.equal([0, []]);
  });

  const tooLarge: readonly (readonly [string, Fields, string, Partial<SessionOptions>])[] = [
    ['10.5.1 a head over the limit', withField('x', 'y'.repeat(1_000)), 'head-too-large', { maxHeadBytes: 1_000 }],
    ['10.5.1 too many fields', [...plainGet, ['a', ''], ['b', ''], ['c', '']], 'too-many-fields', { maxFields: 2 }],
    ['RFC 9110, 10.1.1 an unknown expectation', withField('expect', 'x'), 'expectation-failed', {}],
  ];
  for (const [name, fields, cause, options] of tooLarge) {
    it(`refuses ${name}, which is no error of the protocol`, () => {
      const rig = openServer(options);
      rig.recorder.respondRefused = (stream) => stream.sendHead(431, [], true);
      rig.feed(headers(1, fields), headers(3, fields, Flag.endHeaders));
      expect(rig.events()).to.deep.equal([`refused 1 ${cause}`, `refused 3 ${cause}`]);
      expect(rig.sent()).to.deep.equal(['headers 1 end', 'headers 3 end', 'rstStream 3 0']);
      expect(rig.session.closed).to.equal(false);
    });
  }

  it('gives the access record what it could read of a refused request', () => {
    const rig = openServer().feed(headers(1, withField('te', 'x')));
    expect(rig.recorder.refused[0]).to.include({ method: 'GET', authority: 'shop.example', path: '/' });
  });
});

function huffman(text: string): Buffer {
  const bytes = Buffer.alloc(64);
  const length = encodeHuffman(text, bytes, 1);
  bytes[0] = 0x80 | (length - 1);
  return bytes.subarray(0, length);
}

describe('HTTP/2 requests (RFC 9113, section 8)', () => {
  function head(fields: Fields, options: Partial<SessionOptions> = {}): RequestHead {
    const rig: ServerRig = openServer(options).feed(headers(1, fields));
    const first = rig.recorder.heads[0];
    if (first === undefined) throw new Error(rig.events().join());
    return first;
  }

  it('gives the head as it came', () => {
    const first = head([
      [':path', '/a%2Fb?c=d&e'],
      [':method', 'M-SEARCH'],
      [':authority', 'Shop.Example:8080'],
      [':scheme', 'https'],
      ['x-a', 'b\tc'],
      ['x_under', '\xe4'],
      ['empty', ''],
      ['te', 'trailers'],
    ]);
    expect(first).to.include({
      method: 'M-SEARCH',
      scheme: 'https',
      authority: 'Shop.Example:8080',
      path: '/a%2Fb?c=d&e',
      protocol: '',
      contentLength: -1,
      expectContinue: false,
    });
    expect(flatFields(first.fields)).to.deep.equal(['x-a', 'b\tc', 'x_under', '\xe4', 'empty', '', 'te', 'trailers']);
    expect(fieldValue(first.fields, 'x-a')).to.equal('b\tc');
    expect(fieldValue(first.fields, 'x-b')).to.equal(undefined);
    expect([hasKind(first.fields, Field.folding), hasKind(first.fields, Field.via)]).to.deep.equal([true, false]);
    expect(first.fields[0]?.line).to.equal('x-a: b\tc\r\n');
  });

  it('8.2.3 joins cookies at the place of the first', () => {
    const first = head([...plainGet, ['cookie', 'a=b'], ['x', 'y'], ['cookie', 'c=d'], ['cookie', 'e=f']]);
    expect(flatFields(first.fields)).to.deep.equal(['cookie', 'a=b; c=d; e=f', 'x', 'y']);
  });

  it('8.3.1 takes Host where :authority is missing, and drops it where it is equal', () => {
    const byHost = head([method, scheme, path, ['host', 'a.example']]);
    expect([byHost.authority, byHost.fields]).to.deep.equal(['a.example', []]);
    const both = head([...plainGet, ['host', 'SHOP.example']]);
    expect([both.authority, both.fields]).to.deep.equal(['shop.example', []]);
  });

  it('8.3.1 takes * for OPTIONS', () => {
    expect(head([[':method', 'OPTIONS'], scheme, [':path', '*'], authority]).path).to.equal('*');
  });

  it('8.5 takes CONNECT with an authority alone', () => {
    const first = head([
      [':method', 'CONNECT'],
      [':authority', 'a:443'],
    ]);
    expect(first).to.include({ method: 'CONNECT', authority: 'a:443', scheme: '', path: '' });
  });

  it('8441-4 takes an extended CONNECT where it was announced', () => {
    const fields: Fields = [[':method', 'CONNECT'], scheme, path, authority, [':protocol', 'websocket']];
    expect(head(fields, { enableConnectProtocol: true }).protocol).to.equal('websocket');
  });

  it('8.1 gives a body, and trailers behind it', () => {
    const fields: Fields = [...plainPost, ['content-length', '4'], ['expect', '100-continue']];
    const rig = openServer().feed(
      headers(1, fields, Flag.endHeaders),
      data(1, 'wi'),
      data(1, 'ki'),
      headers(1, [['x', 'y']]),
    );
    expect(rig.events()).to.deep.equal(['request 1 POST /', 'data 1 2', 'data 1 2', 'trailers 1', 'end 1']);
    expect(rig.recorder.heads[0]).to.include({ contentLength: 4, expectContinue: true });
    expect(rig.recorder.trailers).to.deep.equal([['x', 'y']]);
  });

  it('8.1 sends interim heads, a head, a body and trailers', () => {
    const rig = openServer().feed(headers(1, plainGet));
    const stream = rig.recorder.streams[0];
    if (stream === undefined) throw new Error('no stream');
    expect(stream.sendInterim(103, ['Link', '</a.css>; rel=preload'])).to.equal(true);
    expect(stream.sendHead(200, ['Content-Type', 'text/plain'], false)).to.equal(true);
    expect(stream.sendHead(200, [], false)).to.equal(false);
    expect(stream.sendData(Buffer.from('xhellox'), 1, 6, false)).to.equal(true);
    expect(stream.sendTrailers(['grpc-status', '0'])).to.equal(true);
    const frames = rig.frames();
    expect(frames.filter(({ type }) => type === 1).map((each) => rig.decode(each))).to.deep.equal([
      [':status', '103', 'link', '</a.css>; rel=preload'],
      [':status', '200', 'content-type', 'text/plain'],
      ['grpc-status', '0'],
    ]);
    expect(rig.session.openStreams).to.equal(0);
  });

  it('8.1 resets the stream with NO_ERROR where the response is complete before the request', () => {
    const rig = openServer().feed(headers(1, plainPost, Flag.endHeaders), data(1, 'abc'));
    const stream = rig.recorder.streams[0];
    stream?.sendHead(413, [], false);
    stream?.sendData(Buffer.from('large'), 0, 5, true);
    expect([rig.sent(), rig.session.openStreams]).to.deep.equal([
      ['headers 1', 'data 1 end large', 'rstStream 1 0'],
      0,
    ]);
    rig.events();
    rig.feed(data(1, 'def'), headers(1, [['x', 'y']]));
    expect([rig.events(), rig.session.closed]).to.deep.equal([[], false]);
  });

  it('8.1 resets it only after a response that waits for window', () => {
    const rig = openServer({}, [[Setting.initialWindowSize, 3]]).feed(headers(1, plainPost, Flag.endHeaders));
    rig.recorder.streams[0]?.sendHead(200, [], false);
    rig.recorder.streams[0]?.sendData(Buffer.from('abcd'), 0, 4, false);
    rig.recorder.streams[0]?.sendTrailers(['x', 'y']);
    expect(rig.sent()).to.deep.equal(['headers 1', 'data 1 abc']);
    expect(rig.feed(windowUpdate(1, 9)).sent()).to.deep.equal(['data 1 d', 'headers 1 end', 'rstStream 1 0']);
  });

  it('8.5 ends the sides of a tunnel each by itself', () => {
    const rig = openServer().feed(
      headers(
        1,
        [
          [':method', 'CONNECT'],
          [':authority', 'a:443'],
        ],
        Flag.endHeaders,
      ),
    );
    rig.recorder.streams[0]?.sendHead(200, [], false);
    rig.recorder.streams[0]?.sendData(Buffer.from('bye'), 0, 3, true);
    rig.feed(data(1, 'more', true));
    expect(rig.events()).to.deep.equal(['request 1 CONNECT ', 'data 1 4', 'end 1']);
    expect([rig.sent(), rig.session.openStreams]).to.deep.equal([['headers 1', 'data 1 end bye'], 0]);
  });

  it('does not send a head with a line break, and can still send another', () => {
    const rig = openServer().feed(headers(1, plainGet));
    const stream = rig.recorder.streams[0];
    expect(stream?.sendHead(200, ['x', 'a\r\nb'], true)).to.equal(false);
    expect(stream?.sendHead(502, [], true)).to.equal(true);
    expect(rig.sent()).to.deep.equal(['headers 1 end']);
  });

  it('6.10 sends a head over 16,384 bytes with CONTINUATION', () => {
    const rig = openServer().feed(headers(1, plainGet));
    rig.recorder.streams[0]?.sendHead(200, ['x', 'y'.repeat(40_000)], true);
    const frames = rig.frames();
    expect(frames.map(({ type, flags }) => [type, flags])).to.deep.equal([
      [1, Flag.endStream],
      [9, 0],
      [9, Flag.endHeaders],
    ]);
    const whole = { type: 1, flags: 0, stream: 1, payload: Buffer.concat(frames.map(({ payload }) => payload)) };
    expect(rig.decode(whole)[3]?.length).to.equal(40_000);
  });

  it('ignores what is sent on a stream that is closed', () => {
    const rig = openServer().feed(headers(1, plainPost, Flag.endHeaders));
    const stream = rig.recorder.streams[0];
    stream?.reset(8);
    expect(stream?.sendHead(200, [], false)).to.equal(true);
    expect(stream?.sendData(Buffer.from('x'), 0, 1, true)).to.equal(true);
    expect(stream?.sendTrailers([])).to.equal(true);
    stream?.consumed(5);
    stream?.reset(8);
    expect(rig.sent()).to.deep.equal(['rstStream 1 8']);
  });
});
