import { expect } from 'chai';
import {
  block,
  data,
  frame,
  headers,
  openServer,
  plainGet,
  plainPost,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
} from '../../../test/http2-wire.ts';
import { ErrorCode, Flag, Frame, Setting } from './frames.ts';
import type { SessionOptions } from './session-options.ts';

const open = Flag.endHeaders;

/** What a connection error looks like: GOAWAY with its code and cause, and the same as an event. */
interface ConnectionCase {
  readonly name: string;
  readonly bytes: readonly Buffer[];
  readonly errorCode: number;
  readonly cause: string;
}

const { protocolError, flowControlError, streamClosed, frameSizeError, compressionError } = ErrorCode;
const getOne = headers(1, plainGet);
const postOne = headers(1, plainPost, open);
const half = block(plainGet);

const connectionCases: readonly ConnectionCase[] = [
  c(
    '4.1 a frame over 16,384 bytes',
    [frame(Frame.data, 0, 1, Buffer.alloc(16_385))],
    frameSizeError,
    'frame-too-large',
  ),
  c(
    '4.2 an unknown type over 16,384 bytes',
    [frame(0xbb, 0, 0, Buffer.alloc(16_385))],
    frameSizeError,
    'frame-too-large',
  ),
  c('4.3 a block that does not decode', [headers(1, Buffer.from([0x80]))], compressionError, 'bad-field-block'),
  c(
    '4.3 a trailer block that does not decode',
    [postOne, headers(1, Buffer.from([0xbe]))],
    compressionError,
    'bad-field-block',
  ),
  c('5.1 idle: DATA', [data(1, 'x')], protocolError, 'idle-stream'),
  c('5.1 idle: RST_STREAM', [rstStream(1, 0)], protocolError, 'idle-stream'),
  c('5.1 idle: WINDOW_UPDATE', [windowUpdate(1, 1)], protocolError, 'idle-stream'),
  c('5.1 idle: RST_STREAM on a stream of the server', [rstStream(2, 0)], protocolError, 'idle-stream'),
  c('5.1.1 HEADERS on an even stream', [headers(2, plainGet)], protocolError, 'bad-stream-identifier'),
  c(
    '5.1.1 HEADERS on a stream that was left out',
    [headers(5, plainGet), headers(3, plainGet)],
    protocolError,
    'bad-stream-identifier',
  ),
  c('5.1.1 DATA on a stream that was left out', [headers(5, plainGet), data(3, 'x')], streamClosed, 'closed-stream'),
  c(
    '5.5 an unknown frame within a field block',
    [headers(1, half, 0), frame(0xbb, 0, 1)],
    protocolError,
    'continuation-expected',
  ),
  c('6.1 DATA on stream 0', [data(0, 'x')], protocolError, 'wrong-stream-identifier'),
  c(
    '6.1 padding as long as the payload',
    [postOne, frame(Frame.data, Flag.padded, 1, [4, 1, 2, 3])],
    protocolError,
    'bad-padding',
  ),
  c('6.1 padded DATA without a length', [postOne, frame(Frame.data, Flag.padded, 1)], frameSizeError, 'frame-size'),
  c('6.2 HEADERS on stream 0', [headers(0, plainGet)], protocolError, 'wrong-stream-identifier'),
  c(
    '6.2 padding longer than the block',
    [frame(Frame.headers, open | Flag.padded, 1, [9, 0x82])],
    protocolError,
    'bad-padding',
  ),
  c('6.2 padded HEADERS without a length', [frame(Frame.headers, open | Flag.padded, 1)], frameSizeError, 'frame-size'),
  c(
    '6.2 priority that is cut off',
    [frame(Frame.headers, open | Flag.priority, 1, [0, 0])],
    frameSizeError,
    'frame-size',
  ),
  c(
    '6.2 HEADERS within a field block',
    [headers(1, half, 0), headers(1, plainGet)],
    protocolError,
    'continuation-expected',
  ),
  c(
    '6.2 HEADERS of another stream within a field block',
    [headers(1, half, 0), headers(3, plainGet)],
    protocolError,
    'continuation-expected',
  ),
  c('6.2 DATA within a field block', [headers(1, half, 0), data(1, 'x')], protocolError, 'continuation-expected'),
  c(
    '6.3 PRIORITY on stream 0',
    [frame(Frame.priority, 0, 0, Buffer.alloc(5))],
    protocolError,
    'wrong-stream-identifier',
  ),
  c(
    '6.3 PRIORITY of 4 bytes on an idle stream',
    [frame(Frame.priority, 0, 1, Buffer.alloc(4))],
    frameSizeError,
    'frame-size',
  ),
  c('6.4 RST_STREAM on stream 0', [rstStream(0, 0)], protocolError, 'wrong-stream-identifier'),
  c('6.4 RST_STREAM of 3 bytes', [getOne, frame(Frame.rstStream, 0, 1, [0, 0, 0])], frameSizeError, 'frame-size'),
  c('6.5 SETTINGS on a stream', [frame(Frame.settings, 0, 1)], protocolError, 'wrong-stream-identifier'),
  c('6.5 SETTINGS of 7 bytes', [frame(Frame.settings, 0, 0, Buffer.alloc(7))], frameSizeError, 'frame-size'),
  c(
    '6.5 an acknowledgement with a payload',
    [frame(Frame.settings, Flag.ack, 0, Buffer.alloc(6))],
    frameSizeError,
    'frame-size',
  ),
  c('6.5.2 ENABLE_PUSH of 2', [settings([[Setting.enablePush, 2]])], protocolError, 'bad-setting'),
  c(
    '6.5.2 INITIAL_WINDOW_SIZE over 2^31-1',
    [settings([[Setting.initialWindowSize, 2 ** 31]])],
    flowControlError,
    'bad-initial-window',
  ),
  c('6.5.2 MAX_FRAME_SIZE below 16,384', [settings([[Setting.maxFrameSize, 16_383]])], protocolError, 'bad-setting'),
  c('6.5.2 MAX_FRAME_SIZE over 2^24-1', [settings([[Setting.maxFrameSize, 2 ** 24]])], protocolError, 'bad-setting'),
  c('6.5.3 an acknowledgement of nothing', [settingsAck], protocolError, 'settings-ack-unexpected'),
  c('6.6 PUSH_PROMISE from a client', [frame(Frame.pushPromise, open, 1, Buffer.alloc(8))], protocolError, 'push'),
  c('6.7 PING on a stream', [frame(Frame.ping, 0, 1, Buffer.alloc(8))], protocolError, 'wrong-stream-identifier'),
  c('6.7 PING of 7 bytes', [frame(Frame.ping, 0, 0, Buffer.alloc(7))], frameSizeError, 'frame-size'),
  c('6.8 GOAWAY on a stream', [frame(Frame.goaway, 0, 1, Buffer.alloc(8))], protocolError, 'wrong-stream-identifier'),
  c('6.8 GOAWAY of 7 bytes', [frame(Frame.goaway, 0, 0, Buffer.alloc(7))], frameSizeError, 'frame-size'),
  c('6.9 WINDOW_UPDATE of 3 bytes', [frame(Frame.windowUpdate, 0, 0, [0, 0, 1])], frameSizeError, 'frame-size'),
  c('6.9 an increment of 0 for the connection', [windowUpdate(0, 0)], protocolError, 'window-increment-zero'),
  c('6.9.1 a connection window over 2^31-1', [windowUpdate(0, 2 ** 31 - 1)], flowControlError, 'window-overflow'),
  c(
    '6.9.2 a stream window over 2^31-1 by SETTINGS',
    [getOne, windowUpdate(1, 2 ** 31 - 65_536), settings([[Setting.initialWindowSize, 65_536]])],
    flowControlError,
    'bad-initial-window',
  ),
  c(
    '6.10 CONTINUATION without HEADERS',
    [frame(Frame.continuation, open, 1, half)],
    protocolError,
    'continuation-unexpected',
  ),
  c(
    '6.10 CONTINUATION on stream 0',
    [headers(1, half, 0), frame(Frame.continuation, open, 0, half)],
    protocolError,
    'continuation-expected',
  ),
  c(
    '6.10 CONTINUATION of another stream',
    [headers(1, half, 0), frame(Frame.continuation, open, 3, half)],
    protocolError,
    'continuation-expected',
  ),
  c(
    '6.10 CONTINUATION behind END_HEADERS',
    [getOne, frame(Frame.continuation, open, 1, half)],
    protocolError,
    'continuation-unexpected',
  ),
  c(
    '8441-3 ENABLE_CONNECT_PROTOCOL of 2',
    [settings([[Setting.enableConnectProtocol, 2]])],
    protocolError,
    'bad-setting',
  ),
  c(
    '8441-3 ENABLE_CONNECT_PROTOCOL taken back',
    [settings([[Setting.enableConnectProtocol, 1]]), settings([[Setting.enableConnectProtocol, 0]])],
    protocolError,
    'bad-setting',
  ),
];

function c(name: string, bytes: readonly Buffer[], errorCode: number, cause: string): ConnectionCase {
  return { name, bytes, errorCode, cause };
}

describe('HTTP/2 connection errors (RFC 9113)', () => {
  for (const { name, bytes, errorCode, cause } of connectionCases) {
    it(`${name}: GOAWAY, and the end of all streams`, () => {
      const rig = openServer().feed(...bytes);
      const goaway = rig.sent().at(-1) ?? '';
      expect(goaway.split(' ').slice(2)).to.deep.equal([String(errorCode), cause]);
      expect(rig.events().at(-1)).to.equal(`fault ${errorCode} ${cause}`);
      expect([rig.session.closed, rig.session.openStreams]).to.deep.equal([true, 0]);
      expect(rig.feed(headers(9, plainGet), frame(Frame.ping, 0, 0, Buffer.alloc(8))).sent()).to.deep.equal([]);
    });

    it(`${name}: the same, a byte at a time`, () => {
      const rig = openServer();
      for (const byte of Buffer.concat(bytes)) rig.feed(Buffer.from([byte]));
      expect(rig.recorder.faults).to.deep.equal([{ scope: 'connection', errorCode, cause }]);
    });
  }

  it('6.8 names the last stream that was processed in GOAWAY', () => {
    const rig = openServer().feed(getOne, headers(3, plainGet), windowUpdate(0, 0));
    expect(rig.sent()).to.deep.equal(['goaway 3 1 window-increment-zero']);
    expect(rig.events().slice(2, 4)).to.deep.equal([
      'reset 1 1 connection window-increment-zero',
      'reset 3 1 connection window-increment-zero',
    ]);
  });

  it('5.1 closed: HEADERS or DATA after both sides have ended', () => {
    for (const late of [headers(1, plainGet), data(1, 'x')]) {
      const rig = openServer().feed(getOne);
      rig.recorder.streams[0]?.sendHead(204, [], true);
      expect(rig.feed(late).sent().at(-1)).to.equal('goaway 1 5 closed-stream');
    }
  });

  it('5.1 closed: WINDOW_UPDATE, RST_STREAM and PRIORITY are ignored', () => {
    const rig = openServer().feed(getOne);
    rig.recorder.streams[0]?.sendHead(204, [], true);
    rig.bytes();
    rig.feed(windowUpdate(1, 9), rstStream(1, 8), frame(Frame.priority, 0, 1, Buffer.alloc(5)));
    expect([rig.sent(), rig.session.closed]).to.deep.equal([[], false]);
  });
});

interface StreamCase {
  readonly name: string;
  readonly bytes: readonly Buffer[];
  readonly errorCode: number;
  readonly cause: string;
  readonly options?: Partial<SessionOptions>;
}

const streamCases: readonly StreamCase[] = [
  c('5.1 half-closed: DATA', [getOne, data(1, 'x')], streamClosed, 'half-closed-stream'),
  c('5.1 half-closed: HEADERS', [getOne, headers(1, [['a', 'b']])], streamClosed, 'half-closed-stream'),
  c('6.3 PRIORITY of 4 bytes', [getOne, frame(Frame.priority, 0, 1, Buffer.alloc(4))], frameSizeError, 'priority-size'),
  c('6.9 an increment of 0', [getOne, windowUpdate(1, 0)], protocolError, 'window-increment-zero'),
  c('6.9.1 a window over 2^31-1', [getOne, windowUpdate(1, 2 ** 31 - 1)], flowControlError, 'window-overflow'),
  c(
    '8.1 trailers without END_STREAM',
    [postOne, headers(1, [['a', 'b']], open)],
    protocolError,
    'trailers-without-end',
  ),
  c('8.1 a pseudo-header field in trailers', [postOne, headers(1, [[':path', '/']])], protocolError, 'malformed'),
  c('8.1 upper case in trailers', [postOne, headers(1, [['A', 'b']])], protocolError, 'malformed'),
  c(
    '8.2.2 a connection-specific field in trailers',
    [postOne, headers(1, [['connection', 'x']])],
    protocolError,
    'malformed',
  ),
];

const sized: readonly (readonly [string, string])[] = [...plainPost, ['content-length', '4']];

describe('HTTP/2 stream errors (RFC 9113)', () => {
  const cases: readonly StreamCase[] = [
    ...streamCases,
    c(
      '8.1.1 a body longer than content-length',
      [headers(1, sized, open), data(1, 'abcde')],
      protocolError,
      'content-length-mismatch',
    ),
    c(
      '8.1.1 a body shorter than content-length',
      [headers(1, sized, open), data(1, 'abc', true)],
      protocolError,
      'content-length-mismatch',
    ),
    c(
      '8.1.1 a body shorter than content-length, with trailers',
      [headers(1, sized, open), data(1, 'abc'), headers(1, [['a', 'b']])],
      protocolError,
      'content-length-mismatch',
    ),
    {
      ...c(
        '10.5.1 trailers over the limit',
        [postOne, headers(1, [['a', 'x'.repeat(600)]])],
        protocolError,
        'head-too-large',
      ),
      options: { maxHeadBytes: 512 },
    },
  ];
  for (const { name, bytes, errorCode, cause, options } of cases) {
    it(`${name}: RST_STREAM, and the other streams go on`, () => {
      const rig = openServer(options).feed(...bytes);
      expect(rig.sent()).to.deep.equal([`rstStream 1 ${errorCode}`]);
      expect(rig.events().at(-1)).to.equal(`reset 1 ${errorCode} local ${cause}`);
      expect(rig.feed(headers(3, plainGet)).events()).to.deep.equal(['request 3 GET / end']);
    });
  }

  it('5.1 ignores what arrives on a stream after this side reset it', () => {
    const rig = openServer().feed(postOne);
    rig.recorder.streams[0]?.reset(ErrorCode.cancel);
    rig.events();
    rig.feed(data(1, 'late'), headers(1, [['a', 'b']]), windowUpdate(1, 1), rstStream(1, 8));
    expect([rig.events(), rig.sent()]).to.deep.equal([[], ['rstStream 1 8']]);
  });

  it('5.4.2 does not respond to RST_STREAM with RST_STREAM', () => {
    const rig = openServer().feed(postOne, rstStream(1, ErrorCode.cancel));
    expect(rig.events()).to.deep.equal(['request 1 POST /', 'reset 1 8 peer reset']);
    expect(rig.sent()).to.deep.equal([]);
  });
});
