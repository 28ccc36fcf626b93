import { expect } from 'chai';
import {
  block,
  data,
  frame,
  headers,
  openServer,
  parseFrames,
  plainGet,
  plainPost,
  rstStream,
  ServerRig,
  settings,
  settingsAck,
  uint32,
  windowUpdate,
} from '../../../test/http2-wire.ts';
import { clientPreface, Flag, Frame, Setting } from './frames.ts';

const open = Flag.endHeaders;
const getOne = headers(1, plainGet);
const postOne = headers(1, plainPost, open);
const half = block(plainGet);

describe('HTTP/2 connections (RFC 9113)', () => {
  it('3.4 sends SETTINGS first, and the connection window', () => {
    const rig = new ServerRig({ enableConnectProtocol: true });
    const [first, second] = rig.frames();
    expect(first?.payload.toString('hex')).to.equal('000300000064' + '000400040000' + '000600008000' + '000800000001');
    expect(second?.payload).to.deep.equal(uint32(1_048_576 - 65_535));
  });

  it('3.4 acknowledges the peer’s SETTINGS', () => {
    const rig = new ServerRig();
    rig.bytes();
    expect(rig.feed(clientPreface, settings([])).sent()).to.deep.equal(['settings ack']);
    expect(rig.session.prefaceDone).to.equal(true);
  });

  const prefaces: readonly (readonly [string, readonly Buffer[], string])[] = [
    ['another preface', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], 'bad-preface'],
    ['a preface that ends differently', [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\rX')], 'bad-preface'],
    ['HEADERS before SETTINGS', [clientPreface, headers(1, plainGet)], 'settings-not-first'],
    ['DATA before SETTINGS', [clientPreface, data(1, 'x')], 'settings-not-first'],
    ['an acknowledgement before SETTINGS', [clientPreface, settingsAck], 'settings-not-first'],
    ['PING before SETTINGS', [clientPreface, frame(Frame.ping, 0, 0, Buffer.alloc(8))], 'settings-not-first'],
  ];
  for (const [name, bytes, cause] of prefaces) {
    it(`3.4 refuses ${name}`, () => {
      expect(new ServerRig().feed(...bytes).events()).to.deep.equal([`fault 1 ${cause}`]);
    });
  }

  it('4.1 ignores the reserved bit, unknown flags and unknown frames', () => {
    const reserved = headers(1, plainGet);
    reserved[5] = 0x80;
    const flagged = headers(3, plainGet, 0xd2 | Flag.endHeaders | Flag.endStream);
    const rig = openServer().feed(reserved, flagged, frame(0xbb, 0xff, 7, [1, 2, 3]), settings([[0xff, 1]]));
    expect(rig.events()).to.deep.equal(['request 1 GET / end', 'request 3 GET / end']);
    expect(rig.sent()).to.deep.equal(['settings ack']);
  });

  it('6.9 ignores the reserved bit of an increment', () => {
    const rig = openServer().feed(windowUpdate(0, 2 ** 31 + 5));
    expect([rig.session.closed, rig.session.sender.window]).to.deep.equal([false, 65_540]);
  });

  it('4.2 refuses a frame that is too large by its header alone', () => {
    const rig = openServer().feed(frame(Frame.headers, 0, 1, Buffer.alloc(20_000)).subarray(0, 9));
    expect(rig.events()).to.deep.equal(['fault 6 frame-too-large']);
  });

  it('RFC 7541, 4.2: requires the size update of a lower table limit once the setting is acknowledged', () => {
    const rig = new ServerRig({ headerTableBytes: 100 }).feed(clientPreface, settings(), getOne);
    expect(rig.events()).to.deep.equal(['request 1 GET / end']);
    rig.feed(settingsAck, headers(3, Buffer.concat([Buffer.from('3f45', 'hex'), half])), headers(5, plainGet));
    expect(rig.events()).to.deep.equal(['request 3 GET / end', 'request 5 GET / end']);
    const other = new ServerRig({ headerTableBytes: 100 }).feed(clientPreface, settings(), settingsAck, getOne);
    expect(other.events()).to.deep.equal(['fault 9 bad-field-block']);
  });

  const limits: readonly (readonly [string, readonly Buffer[], string])[] = [
    [
      'lowered and raised in one frame',
      [
        settings([
          [Setting.headerTableSize, 0],
          [Setting.headerTableSize, 4_096],
        ]),
      ],
      '203fe11f',
    ],
    [
      'lowered and raised in two',
      [settings([[Setting.headerTableSize, 0]]), settings([[Setting.headerTableSize, 4_096]])],
      '203fe11f',
    ],
    [
      'lowered twice in one frame',
      [
        settings([
          [Setting.headerTableSize, 200],
          [Setting.headerTableSize, 100],
        ]),
      ],
      '3f45',
    ],
    [
      'raised and lowered in one frame',
      [
        settings([
          [Setting.headerTableSize, 65_536],
          [Setting.headerTableSize, 0],
        ]),
      ],
      '20',
    ],
    [
      'lowered to two limits in one frame',
      [
        settings([
          [Setting.headerTableSize, 0],
          [Setting.headerTableSize, 100],
        ]),
      ],
      '203f45',
    ],
    ['raised', [settings([[Setting.headerTableSize, 65_536]])], ''],
  ];
  for (const [name, frames, announced] of limits)
    it(`RFC 7541, 4.2: announces a table limit of the peer that was ${name}`, () => {
      const rig = openServer().feed(...frames, getOne);
      rig.bytes();
      rig.recorder.streams[0]?.sendHead(200, [], true);
      const [head] = parseFrames(rig.bytes());
      // 0x88: the status 200 by its place in the static table.
      expect(head?.payload.toString('hex')).to.equal(`${announced}88`);
    });

  it('5.3 ignores priorities, those of a stream on itself too', () => {
    const self = frame(Frame.priority, 0, 1, Buffer.concat([uint32(1), Buffer.from([16])]));
    const inHead = headers(3, Buffer.concat([uint32(3), Buffer.from([16]), block(plainGet)]), 0x25);
    expect(openServer().feed(self, inHead).events()).to.deep.equal(['request 3 GET / end']);
  });

  it('5.1.2 refuses streams above the limit, and keeps the field tables right', () => {
    const rig = openServer({ maxConcurrentStreams: 1 });
    const indexed = Buffer.concat([block(plainGet), Buffer.from('4001610162', 'hex')]);
    rig.feed(headers(1, plainGet), headers(3, indexed));
    expect([rig.sent(), rig.events()]).to.deep.equal([['rstStream 3 7'], ['request 1 GET / end']]);
    rig.recorder.streams[0]?.sendHead(204, [], true);
    rig.feed(headers(5, Buffer.concat([block(plainGet), Buffer.from('be', 'hex')])));
    expect(rig.recorder.heads[1]?.fields.map((field) => field.line)).to.deep.equal(['a: b\r\n']);
  });

  it('6.1 and 6.2 take padding off', () => {
    const padded = headers(1, Buffer.concat([Buffer.from([3]), block(plainPost), Buffer.alloc(3)]), open | Flag.padded);
    const body = frame(Frame.data, Flag.padded | Flag.endStream, 1, Buffer.from('\x02hello\0\0', 'latin1'));
    const rig = openServer().feed(padded, body);
    expect(rig.events()).to.deep.equal(['request 1 POST /', 'data 1 5', 'end 1']);
    expect(rig.recorder.bodies.get(1)).to.equal('hello');
  });

  it('6.10 assembles a block from any cut', () => {
    const whole = block(plainGet);
    for (let cut = 0; cut <= whole.length; cut++) {
      const rig = openServer().feed(
        headers(1, whole.subarray(0, cut), Flag.endStream),
        frame(Frame.continuation, 0, 1),
        frame(Frame.continuation, open, 1, whole.subarray(cut)),
      );
      expect(rig.events()).to.deep.equal(['request 1 GET / end']);
    }
  });

  it('6.7 responds to PING, and reports the response to its own', () => {
    const rig = openServer().feed(frame(Frame.ping, 0, 0, Buffer.from('12345678')));
    expect(rig.sent()).to.deep.equal(['ping ack 12345678']);
    rig.session.ping(Buffer.from('abcdefgh'));
    expect(rig.sent()).to.deep.equal(['ping abcdefgh']);
    expect(rig.feed(frame(Frame.ping, Flag.ack, 0, Buffer.from('abcdefgh'))).events()).to.deep.equal(['pong abcdefgh']);
  });

  it('6.8 reports GOAWAY and goes on with the open streams', () => {
    const rig = openServer().feed(
      postOne,
      frame(Frame.goaway, 0, 0, Buffer.concat([uint32(0), uint32(2), Buffer.from('bye')])),
    );
    rig.feed(data(1, 'x', true));
    expect(rig.events()).to.deep.equal(['request 1 POST /', 'goaway 0 2 bye', 'data 1 1', 'end 1']);
  });

  it('reads the same from pieces of any size', () => {
    const all = Buffer.concat([
      clientPreface,
      settings(),
      settingsAck,
      postOne,
      data(1, 'hello '),
      data(1, 'world'),
      headers(1, [['a', 'b']]),
      headers(3, plainGet),
    ]);
    for (let size = 1; size <= 40; size++) {
      const rig = new ServerRig();
      for (let at = 0; at < all.length; at += size) rig.feed(all.subarray(at, at + size));
      expect(rig.recorder.bodies.get(1)).to.equal('hello world');
      expect(rig.events().filter((event) => !event.startsWith('data'))).to.deep.equal([
        'request 1 POST /',
        'trailers 1',
        'end 1',
        'request 3 GET / end',
      ]);
      expect(rig.session.midFrame).to.equal(false);
    }
  });

  it('reports that a frame or field block is not complete', () => {
    const rig = openServer();
    for (const bytes of [getOne.subarray(0, 5), getOne.subarray(5, 12)]) {
      expect(rig.feed(bytes).session.midFrame).to.equal(true);
    }
    expect(rig.feed(getOne.subarray(12)).session.midFrame).to.equal(false);
    expect(rig.feed(headers(3, half, 0)).session.midFrame).to.equal(true);
  });

  it('resets all streams and says nothing when the transport is gone', () => {
    const rig = openServer().feed(getOne);
    rig.session.abort();
    expect(rig.events()).to.deep.equal(['request 1 GET / end', 'reset 1 8 connection closed']);
    rig.recorder.streams[0]?.sendHead(200, [], true);
    rig.recorder.streams[0]?.reset(8);
    expect(rig.sent()).to.deep.equal([]);
  });
});

describe('HTTP/2 drain of a server (RFC 9113, section 6.8)', () => {
  const pong = frame(Frame.ping, Flag.ack, 0, Buffer.from('draining'));

  it('takes streams until the client has seen GOAWAY, then ignores new ones and ends with the last', () => {
    const rig = openServer().feed(getOne);
    rig.session.drain();
    expect(rig.sent()).to.deep.equal([`goaway ${2 ** 31 - 1} 0`, 'ping draining']);
    rig.feed(headers(3, plainPost, open), pong);
    expect(rig.sent()).to.deep.equal(['goaway 3 0']);
    rig.feed(headers(5, plainPost, open), data(5, 'x'), windowUpdate(5, 1), rstStream(5, 8), headers(7, plainGet));
    rig.recorder.streams[0]?.sendHead(200, [], true);
    rig.feed(data(3, 'x', true));
    rig.events();
    rig.recorder.streams[1]?.sendHead(200, [], true);
    expect(rig.events()).to.deep.equal(['drained']);
    expect(rig.sent()).to.deep.equal(['headers 1 end', 'headers 3 end']);
  });

  it('ends an idle connection as soon as the client has responded', () => {
    const rig = openServer();
    rig.session.drain();
    expect(rig.events()).to.deep.equal([]);
    expect(rig.feed(pong).events()).to.deep.equal(['drained']);
  });

  it('ends at once where that is requested', () => {
    const rig = openServer();
    rig.session.drain();
    rig.session.drain(true);
    expect(rig.events()).to.deep.equal(['drained']);
    expect(rig.sent().at(-1)).to.equal('goaway 0 0');
  });
});
