import { expect } from 'chai';
import {
  block,
  data,
  frame,
  headers,
  openClient,
  openServer,
  plainGet,
  plainPost,
  rstStream,
  type ServerRig,
  settings,
  windowUpdate,
} from '../../../test/http2-wire.ts';
import { Flag, Frame, Setting } from './frames.ts';
import type { SessionOptions } from './session-options.ts';

const open = Flag.endHeaders;
const tooMany = 'fault 11 too-many-wasted-streams';

/** A clock that a test moves. */
function clock(): { ms: number; readonly now: () => number } {
  const state = { ms: 0, now: () => state.ms };
  return state;
}

/** Feeds `one` until the connection is closed. Returns how many were taken, or `most`. */
function flood(rig: ServerRig, most: number, one: (at: number) => Buffer): number {
  for (let at = 0; at < most; at++) {
    rig.feed(one(at));
    if (rig.session.closed) return at;
    rig.bytes();
  }
  return most;
}

describe('HTTP/2 abuse: wasted streams (RFC 9113, section 10.5)', () => {
  const resetOne = (at: number) => Buffer.concat([headers(at * 2 + 1, plainGet), rstStream(at * 2 + 1, 8)]);

  it('ends a connection that opens and resets streams (rapid reset)', () => {
    const rig = openServer({ now: clock().now });
    expect(flood(rig, 10_000, resetOne)).to.equal(200);
    expect(rig.events().at(-1)).to.equal(tooMany);
    expect(rig.sent().at(-1)).to.equal('goaway 401 11 too-many-wasted-streams');
  });

  it('lets a client cancel at a rate', () => {
    const time = clock();
    const rig = openServer({ now: time.now });
    const taken = flood(rig, 2_000, (at) => {
      time.ms += 25;
      return resetOne(at);
    });
    expect(taken).to.equal(2_000);
  });

  it('lets a client cancel as many streams as it lets complete', () => {
    const rig = openServer({ now: clock().now });
    const taken = flood(rig, 2_000, (at) => {
      rig.recorder.respond = (stream) => {
        if (stream.id % 4 === 1) stream.sendHead(204, [], true);
      };
      return at % 2 === 0 ? headers(at * 2 + 1, plainGet) : resetOne(at);
    });
    expect(taken).to.equal(2_000);
  });

  it('does not count a stream that got its response, or began to (a gRPC client that ends a watch)', () => {
    const rig = openServer({ now: clock().now });
    rig.recorder.respond = (stream) => {
      stream.sendHead(200, [], false);
      stream.sendData(Buffer.from('x'), 0, 1, false);
    };
    // The connection's window lasts.
    expect(flood(rig, 2_000, resetOne)).to.equal(2_000);
  });

  it('does not count a stream whose response is complete, though the request is not', () => {
    const rig = openServer({ now: clock().now });
    rig.recorder.respond = (stream) => stream.sendHead(413, [], true);
    const taken = flood(rig, 2_000, (at) =>
      Buffer.concat([headers(at * 2 + 1, plainPost, open), rstStream(at * 2 + 1, 8)]),
    );
    expect(taken).to.equal(2_000);
  });

  it('counts a stream that was reset while its window held the response back', () => {
    const rig = openServer({ now: clock().now }, [[Setting.initialWindowSize, 1]]);
    rig.recorder.respond = (stream) => {
      stream.sendHead(200, [], false);
      stream.sendData(Buffer.from('xy'), 0, 2, true);
    };
    expect(flood(rig, 2_000, resetOne)).to.equal(200);
  });

  it('counts a stream that waited for room in the output only where nothing of it had come in', () => {
    const rig = openServer({ now: clock().now, maxOutputBytes: 100_000 }, [[Setting.initialWindowSize, 200_000]]);
    rig.feed(windowUpdate(0, 10_000_000));
    rig.recorder.respond = (stream) => {
      stream.sendHead(200, [], false);
      stream.sendData(Buffer.alloc(60_000), 0, 60_000, true);
    };
    // Nothing is taken: two find room, the second for a part.
    let opened = 0;
    while (!rig.session.closed) rig.feed(resetOne(opened++));
    expect(opened).to.equal(2 + 200 + 1);
  });

  const provocations: readonly (readonly [string, (id: number) => Buffer])[] = [
    ['a window increment of 0', (id) => Buffer.concat([headers(id, plainGet), windowUpdate(id, 0)])],
    ['a window that overflows', (id) => Buffer.concat([headers(id, plainGet), windowUpdate(id, 2 ** 31 - 1)])],
    ['DATA behind the end', (id) => Buffer.concat([headers(id, plainGet), data(id, 'x')])],
    ['HEADERS behind the end', (id) => Buffer.concat([headers(id, plainGet), headers(id, [['a', 'b']])])],
    [
      'a PRIORITY frame of 4 bytes',
      (id) => Buffer.concat([headers(id, plainGet), frame(Frame.priority, 0, id, Buffer.alloc(4))]),
    ],
    [
      'a body that is too long',
      (id) => Buffer.concat([headers(id, [...plainPost, ['content-length', '1']], open), data(id, 'xy')]),
    ],
    ['malformed requests', (id) => headers(id, [...plainGet, ['te', 'x']])],
    ['streams above the limit', (id) => headers(id, plainPost, open)],
  ];
  for (const [name, one] of provocations) {
    it(`ends a connection that has streams reset by ${name} (made-you-reset)`, () => {
      const rig = openServer({ now: clock().now });
      expect(flood(rig, 1_000, (at) => one(at * 2 + 1))).to.be.within(200, 300);
      expect(rig.events().at(-1)).to.equal(tooMany);
    });
  }

  it('does not count streams above the limit before the client knows the limit', () => {
    const rig = openServer({ now: clock().now, maxConcurrentStreams: 1 });
    expect(rig.session.settingsAcknowledged).to.equal(true);
    const early = openServer({ now: clock().now, maxConcurrentStreams: 1 });
    Object.defineProperty(early.session, 'settingsAcknowledged', { value: false });
    expect(flood(early, 1_000, (at) => headers(at * 2 + 1, plainPost, open))).to.equal(1_000);
  });
});

describe('HTTP/2 abuse: frames without worth (RFC 9113, section 10.5)', () => {
  const empty = data(1, '');
  const padded = frame(Frame.data, Flag.padded, 1, [0]);
  const floods: readonly (readonly [string, Buffer])[] = [
    ['PING', frame(Frame.ping, 0, 0, Buffer.alloc(8))],
    ['PING responds', frame(Frame.ping, Flag.ack, 0, Buffer.alloc(8))],
    ['SETTINGS', settings([[Setting.initialWindowSize, 1]])],
    ['empty SETTINGS', settings([])],
    ['PRIORITY', frame(Frame.priority, 0, 3, Buffer.alloc(5))],
    ['WINDOW_UPDATE of the connection', windowUpdate(0, 1)],
    ['WINDOW_UPDATE of a stream', windowUpdate(1, 1)],
    ['WINDOW_UPDATE of a closed stream', windowUpdate(3, 1)],
    ['RST_STREAM of a closed stream', rstStream(3, 8)],
    ['empty DATA', empty],
    ['DATA of padding alone', padded],
    ['unknown frames', frame(0xbb, 0, 0)],
    ['GOAWAY', frame(Frame.goaway, 0, 0, Buffer.alloc(8))],
  ];
  for (const [name, one] of floods) {
    it(`ends a connection that floods with ${name}`, () => {
      const rig = openServer({ now: clock().now });
      rig.feed(headers(1, plainPost, open), headers(3, plainGet));
      rig.recorder.streams[1]?.sendHead(204, [], true);
      rig.bytes();
      expect(flood(rig, 5_000, () => one)).to.be.within(990, 1_010);
      expect(rig.events().at(-1)).to.equal('fault 11 too-many-control-frames');
    });
  }

  it('lets a client send them at a rate', () => {
    const time = clock();
    const rig = openServer({ now: time.now });
    const taken = flood(rig, 5_000, () => {
      time.ms += 2;
      return frame(Frame.ping, 0, 0, Buffer.alloc(8));
    });
    expect(taken).to.equal(5_000);
  });

  it('lets a client give window for what it receives, a stream’s and the connection’s a frame', () => {
    const rig = openServer({ now: clock().now });
    rig.feed(headers(1, plainGet));
    const stream = rig.recorder.streams[0];
    stream?.sendHead(200, [], false);
    const taken = flood(rig, 5_000, () => {
      stream?.sendData(Buffer.from('x'), 0, 1, false);
      return Buffer.concat([windowUpdate(1, 1), windowUpdate(0, 1)]);
    });
    expect(taken).to.equal(5_000);
  });

  it('lets a client send a PING with each piece of a body (as gRPC measures its bandwidth)', () => {
    const rig = openServer({ now: clock().now }).feed(headers(1, plainPost, open));
    const taken = flood(rig, 5_000, () => Buffer.concat([data(1, 'x'), frame(Frame.ping, 0, 0, Buffer.alloc(8))]));
    expect(taken).to.equal(5_000);
  });

  it('ends a connection to an endpoint that floods with interim heads', () => {
    const rig = openClient({ now: clock().now });
    rig.get();
    let taken = 0;
    while (!rig.session.closed && taken < 5_000) {
      rig.feed(headers(1, [[':status', '103']], open));
      taken++;
    }
    expect(taken).to.be.within(990, 1_010);
  });

  it('ends a connection that requests responses and does not read them', () => {
    const rig = openServer({ controlFrames: { burst: 100_000, perSecond: 0 } });
    for (let each = 0; each < 3_000; each++) rig.feed(frame(Frame.ping, 0, 0, Buffer.alloc(8)));
    expect(rig.events()).to.deep.equal(['fault 11 too-many-unread-replies']);
    expect(rig.bytes().length).to.be.lessThan(40_000);
  });
});

describe('HTTP/2 abuse: resets that are not read', () => {
  it('ends the connection, and reports each stream once', () => {
    const rig = openServer({ maxUnreadReplies: 1 });
    for (const id of [1, 3, 5]) rig.feed(headers(id, plainPost, open));
    rig.feed(windowUpdate(1, 0), windowUpdate(3, 0));
    rig.recorder.streams[2]?.reset(8);
    expect(rig.events().slice(3)).to.deep.equal([
      'reset 1 1 local window-increment-zero',
      'reset 3 11 connection too-many-unread-replies',
      'reset 5 11 connection too-many-unread-replies',
      'fault 11 too-many-unread-replies',
    ]);
  });
});

describe('HTTP/2 abuse: heads (RFC 9113, section 10.5.1)', () => {
  it('ends a connection that never ends a field block (CONTINUATION flood)', () => {
    const rig = openServer().feed(headers(1, block(plainGet), 0));
    expect(flood(rig, 1_000, () => frame(Frame.continuation, 0, 1, Buffer.alloc(1_000)))).to.equal(16);
    expect(rig.events()).to.deep.equal(['fault 11 too-many-continuations']);
  });

  it('ends a connection whose field blocks are empty CONTINUATION frames', () => {
    const rig = openServer().feed(headers(1, block(plainGet), 0));
    expect(flood(rig, 1_000, () => frame(Frame.continuation, 0, 1))).to.equal(16);
  });

  it('ends a connection whose field block exceeds twice the limit of a head', () => {
    const options: Partial<SessionOptions> = { maxHeadBytes: 10_000 };
    const rig = openServer(options).feed(headers(1, Buffer.alloc(16_000, 0x82), 0));
    rig.feed(frame(Frame.continuation, open, 1, Buffer.alloc(4_001, 0x82)));
    expect(rig.events()).to.deep.equal(['fault 11 field-block-too-large']);
  });

  const bombed = (fields: number) => {
    const rig = openServer();
    const insert = Buffer.concat([
      Buffer.from([0x40, 1]),
      Buffer.from('x'),
      Buffer.from([0x7f, 0x81, 0x1e]),
      Buffer.alloc(3_968, 'y'),
    ]);
    rig.feed(headers(1, Buffer.concat([block(plainGet), insert])));
    rig.feed(headers(3, Buffer.concat([block(plainGet), Buffer.alloc(fields, 0xbe)])));
    return rig;
  };

  it('refuses a block that decodes to more than the limit, and keeps the connection', () => {
    // 130 fields of 4 KB are just below 16 times the limit.
    const rig = bombed(130);
    expect(rig.events()).to.deep.equal(['request 1 GET / end', 'refused 3 head-too-large']);
    expect(rig.feed(headers(5, plainGet)).events()).to.deep.equal(['request 5 GET / end']);
  });

  for (const fields of [132, 16_000])
    it(`ends a connection whose block decodes to ${fields} times 4 KB (HPACK bomb)`, () => {
      const reset = 'reset 1 11 connection field-block-too-large';
      expect(bombed(fields).events()).to.deep.equal(['request 1 GET / end', reset, 'fault 11 field-block-too-large']);
    });
});
