import { expect } from 'chai';
import {
  frame,
  headers,
  openServer,
  plainGet,
  rstStream,
  type ServerRig,
  settings,
  windowUpdate,
} from '../../../test/http2-wire.ts';
import { Frame, Setting } from './frames.ts';
import type { SessionOptions } from './session-options.ts';
import type { Http2Stream } from './stream.ts';

const kilobyte = Buffer.alloc(1_024, 'k');

/** A rig with requests on the streams 1, 3, … whose response heads are sent. */
function responding(
  streams: number,
  window: number,
  options: Partial<SessionOptions> = {},
): { rig: ServerRig; streams: readonly Http2Stream[] } {
  const rig = openServer(options, [[Setting.initialWindowSize, window]]);
  for (let each = 0; each < streams; each++) rig.feed(headers(1 + each * 2, plainGet));
  for (const stream of rig.recorder.streams) stream.sendHead(200, [], false);
  rig.bytes();
  rig.events();
  return { rig, streams: rig.recorder.streams };
}

function only(streams: readonly Http2Stream[]): Http2Stream {
  return streams[0] as Http2Stream;
}

describe('HTTP/2 flow control of what is sent (RFC 9113, sections 5.2 and 6.9)', () => {
  it('sends what the window allows, queues the rest, and tells when it was sent', () => {
    const { rig, streams } = responding(1, 10);
    const stream = only(streams);
    expect(stream.sendData(Buffer.from('0123456789abcdef'), 0, 16, false)).to.equal(false);
    expect(stream.queuedBytes).to.equal(6);
    expect(rig.sent()).to.deep.equal(['data 1 0123456789']);
    expect(rig.feed(windowUpdate(1, 4)).sent()).to.deep.equal(['data 1 abcd']);
    expect(rig.events()).to.deep.equal([]);
    expect(rig.feed(windowUpdate(1, 4)).sent()).to.deep.equal(['data 1 ef']);
    expect(rig.events()).to.deep.equal(['window 1']);
    expect(stream.sendData(Buffer.from('xy'), 0, 2, true)).to.equal(true);
    expect([rig.sent(), rig.session.openStreams]).to.deep.equal([['data 1 end xy'], 0]);
  });

  it('ends the stream behind what was queued, without a word about the window', () => {
    const { rig, streams } = responding(1, 2);
    expect(only(streams).sendData(Buffer.from('abcd'), 0, 4, true)).to.equal(false);
    expect(rig.feed(windowUpdate(1, 9)).sent()).to.deep.equal(['data 1 ab', 'data 1 end cd']);
    expect([rig.events(), rig.session.openStreams]).to.deep.equal([[], 0]);
  });

  it('sends trailers behind what was queued', () => {
    const { rig, streams } = responding(1, 2);
    only(streams).sendData(Buffer.from('abcd'), 0, 4, false);
    expect(only(streams).sendTrailers(['a', '\n'])).to.equal(false);
    expect(only(streams).sendTrailers(['a', 'b'])).to.equal(true);
    expect(rig.sent()).to.deep.equal(['data 1 ab']);
    expect(rig.feed(windowUpdate(1, 9)).sent()).to.deep.equal(['data 1 cd', 'headers 1 end']);
    expect(rig.session.openStreams).to.equal(0);
  });

  it('sends an empty DATA frame with END_STREAM without a window', () => {
    const { rig, streams } = responding(1, 0);
    expect(only(streams).sendData(Buffer.alloc(0), 0, 0, true)).to.equal(true);
    expect(rig.sent()).to.deep.equal(['data 1 end ']);
  });

  it('sends no empty DATA frame without END_STREAM', () => {
    const { rig, streams } = responding(1, 10);
    expect(only(streams).sendData(Buffer.alloc(0), 0, 0, false)).to.equal(true);
    expect(rig.sent()).to.deep.equal([]);
  });

  it('6.9.1 shares the window of the connection, a frame of each stream in turn', () => {
    const { rig, streams } = responding(3, 200_000);
    const large = Buffer.alloc(65_535);
    expect(only(streams).sendData(large, 0, 65_535, false)).to.equal(true);
    for (const stream of streams.slice(1)) expect(stream.sendData(large, 0, 40_000, false)).to.equal(false);
    rig.bytes();
    rig.feed(windowUpdate(0, 70_000));
    const order = rig.frames().map(({ stream, payload }) => [stream, payload.length]);
    expect(order).to.deep.equal([
      [3, 16_384],
      [5, 16_384],
      [3, 16_384],
      [5, 16_384],
      [3, 4_464],
    ]);
    expect(rig.feed(windowUpdate(0, 100_000)).frames().length).to.equal(2);
    // It goes on with the stream whose turn it was.
    expect(rig.events()).to.deep.equal(['window 5', 'window 3']);
  });

  it('6.9.1 queues what the connection has no window for, however small', () => {
    const { rig, streams } = responding(2, 100_000);
    only(streams).sendData(Buffer.alloc(65_534), 0, 65_534, false);
    rig.bytes();
    expect(streams[1]?.sendData(Buffer.from('ab'), 0, 2, false)).to.equal(false);
    expect(rig.sent()).to.deep.equal(['data 3 a']);
  });

  it('6.9.2 takes a window below zero, and waits until it is above again', () => {
    const { rig, streams } = responding(1, 100);
    only(streams).sendData(kilobyte, 0, 60, false);
    rig.feed(settings([[Setting.initialWindowSize, 10]]));
    expect(only(streams).sendWindow).to.equal(-50);
    expect(only(streams).sendData(kilobyte, 0, 5, false)).to.equal(false);
    rig.bytes();
    expect(rig.feed(windowUpdate(1, 50)).sent()).to.deep.equal([]);
    expect(rig.feed(windowUpdate(1, 5)).sent()).to.deep.equal(['data 1 kkkkk']);
    expect(rig.events()).to.deep.equal(['window 1']);
  });

  it('6.9 sends an empty last piece that had to wait, where the window has gone below zero meanwhile', () => {
    const { rig, streams } = responding(1, 100);
    only(streams).sendData(kilobyte, 0, 60, false);
    rig.session.pauseData();
    expect(only(streams).sendData(kilobyte, 0, 0, true)).to.equal(false);
    rig.feed(settings([[Setting.initialWindowSize, 10]]));
    rig.bytes();
    rig.session.resumeData();
    expect([rig.sent(), rig.session.openStreams]).to.deep.equal([['data 1 end '], 0]);
  });

  it('6.9.2 sends what a larger initial window allows', () => {
    const { rig, streams } = responding(1, 0);
    only(streams).sendData(Buffer.from('abc'), 0, 3, true);
    expect(rig.feed(settings([[Setting.initialWindowSize, 2]])).sent()).to.deep.equal(['settings ack', 'data 1 ab']);
  });

  it('4.2 cuts bodies into frames of 16,384 bytes', () => {
    const { rig, streams } = responding(1, 65_535);
    expect(only(streams).sendData(Buffer.alloc(40_000, 'b'), 0, 40_000, true)).to.equal(true);
    expect(rig.sent()).to.deep.equal(['data 1 16384 bytes', 'data 1 16384 bytes', 'data 1 end 7232 bytes']);
  });

  /** One after the other, or all at once. */
  function taken(mostChunks?: number): readonly Uint8Array[] {
    const { rig, streams } = responding(4, 65_535);
    rig.feed(windowUpdate(0, 1_000_000));
    for (const [at, stream] of streams.entries()) stream.sendData(Buffer.alloc(60_000, `${at}`), 0, 60_000, true);
    const chunks: Uint8Array[] = [];
    for (let batch = rig.session.takeOutput(mostChunks); batch; batch = rig.session.takeOutput(mostChunks)) {
      expect(batch.chunks.length).to.be.at.most(mostChunks ?? 100);
      chunks.push(...batch.chunks);
    }
    expect(rig.session.pendingOutputBytes).to.equal(0);
    return chunks;
  }

  it('gives large output in chunks of up to 128 KB, one by one where that is requested', () => {
    const chunks = taken(1);
    expect(Buffer.concat(chunks).equals(Buffer.concat(taken()))).to.equal(true);
    expect(chunks).to.have.length(2);
    for (const chunk of chunks) expect(chunk.length).to.be.at.most(131_072);
  });

  it('returns that the caller has to wait where much output is not written yet, and notifies it when it was', () => {
    const { rig, streams } = responding(2, 65_535, { maxOutputBytes: 1_000 });
    expect(only(streams).sendData(kilobyte, 0, 900, false)).to.equal(true);
    expect(only(streams).sendData(kilobyte, 0, 900, false)).to.equal(false);
    expect(only(streams).queuedBytes).to.equal(0);
    expect(streams[1]?.sendData(kilobyte, 0, 900, true)).to.equal(false);
    expect(streams[1]?.queuedBytes).to.equal(900);
    rig.session.resumeData();
    expect(rig.events(), 'nothing was written').to.deep.equal([]);
    expect(rig.sent()).to.have.length(2);
    rig.session.resumeData();
    expect(rig.events()).to.deep.equal(['window 1']);
    expect([rig.sent().length, rig.session.openStreams]).to.deep.equal([1, 1]);
  });

  it('gives room in a full output to one stream after the other, a frame of each', () => {
    const { rig, streams } = responding(4, 200_000, { maxOutputBytes: 32_000 });
    rig.feed(windowUpdate(0, 1_000_000));
    for (const stream of streams.slice(0, 3)) stream.sendData(Buffer.alloc(65_535), 0, 65_535, true);
    streams[3]?.sendData(kilobyte, 0, 1_024, true);
    const rounds: (readonly number[])[] = [];
    while (rig.session.pendingOutputBytes > 0) {
      expect(rig.session.pendingOutputBytes).to.be.below(32_000 + 16_393);
      rounds.push(rig.frames().map(({ stream }) => stream));
      rig.session.resumeData();
    }
    expect(rounds).to.deep.equal([
      [1, 1],
      [1, 3],
      [5, 7, 1],
      [3, 5],
      [3, 5],
      [3, 5],
    ]);
    expect(rig.session.openStreams).to.equal(0);
  });

  it('takes up to four times as much at once for a client that is fast', () => {
    const { rig, streams } = responding(8, 200_000, { maxOutputBytes: 20_000, isSlow: () => false });
    rig.feed(windowUpdate(0, 1_000_000));
    const given = streams.map((stream) => stream.sendData(Buffer.alloc(16_000), 0, 16_000, true));
    expect(given).to.deep.equal([true, true, true, true, true, false, false, false]);
    expect(rig.session.pendingOutputBytes).to.equal(5 * 16_009);
    rig.bytes();
    rig.session.resumeData();
    expect(rig.frames().map(({ stream }) => stream)).to.deep.equal([11, 13]);
  });

  /** What the first of two streams waits for, and with how many: bytes given, of both windows. */
  const waiting: Readonly<Record<string, { readonly windows: readonly [number, number]; readonly rivals: number }>> = {
    'nothing, as it gave all and may go on': { windows: [5_000, 70_000], rivals: 0 },
    'room in the output': { windows: [50_000, 70_000], rivals: 2 },
    "the connection's window": { windows: [150_000, 0], rivals: 2 },
    'its own window, with what it sent in front of its client': { windows: [9_000, 70_000], rivals: 2 },
  };
  for (const [what, { windows, rivals }] of Object.entries(waiting))
    it(`tells how many streams wait for what they share, where one waits for ${what}`, () => {
      const [own, connection] = windows;
      const { rig, streams } = responding(2, own, { maxOutputBytes: 40_000 });
      if (connection > 0) rig.feed(windowUpdate(0, connection));
      else streams[1]?.sendData(Buffer.alloc(65_535), 0, 65_535, false);
      const given = rivals === 0 ? 5_000 : 60_000;
      for (const stream of streams) stream.sendData(Buffer.alloc(given), 0, given, false);
      expect(only(streams).rivals).to.equal(rivals);
    });

  it('shares nothing with the others where it waits for its own window, once its client must have got what it was sent', () => {
    const { rig, streams } = responding(2, 9_000);
    const [, other] = streams;
    for (const stream of streams) stream.sendData(Buffer.alloc(60_000), 0, 60_000, false);
    rig.feed(windowUpdate(0, 20_000_000), windowUpdate(3, 30_000_000));
    const write = (bytes: number) => {
      other?.sendData(Buffer.alloc(bytes), 0, bytes, false);
      const batch = rig.session.takeOutput();
      if (batch !== undefined) rig.session.outputWritten(batch);
    };
    // As much as two systems may have in their buffers.
    for (let writtenBytes = 0; writtenBytes < 8_388_608; writtenBytes += 1_000_000) {
      expect(only(streams).rivals).to.be.above(0);
      write(1_000_000);
    }
    expect([only(streams).awaitsWindow, only(streams).rivals]).to.deep.equal([true, 0]);
    // Then the connection's window is closed, and its own opens.
    write(15_000_000);
    rig.feed(windowUpdate(1, 100_000));
    expect([only(streams).awaitsWindow, only(streams).rivals]).to.deep.equal([true, 2]);
    rig.feed(windowUpdate(0, 20_000_000));
    expect([only(streams).awaitsWindow, only(streams).rivals]).to.deep.equal([false, 0]);
  });

  it('lets a window open while much output waits, without filling it further', () => {
    const { rig, streams } = responding(2, 2_000, { maxOutputBytes: 1_000 });
    expect(streams[1]?.sendData(Buffer.alloc(3_000), 0, 3_000, false)).to.equal(false);
    const before = rig.session.pendingOutputBytes;
    rig.feed(windowUpdate(3, 5_000), windowUpdate(0, 5_000));
    expect(rig.session.pendingOutputBytes).to.equal(before);
    rig.bytes();
    rig.session.resumeData();
    expect([rig.session.pendingOutputBytes, streams[1]?.queuedBytes]).to.deep.equal([1_009, 0]);
  });

  it('drops a stream that was reset while it waited for output to be written', () => {
    const { rig, streams } = responding(1, 65_535, { maxOutputBytes: 100 });
    expect(only(streams).sendData(kilobyte, 0, 900, false)).to.equal(false);
    rig.feed(rstStream(1, 8));
    rig.bytes();
    rig.events();
    rig.session.resumeData();
    expect(rig.events()).to.deep.equal([]);
  });

  it('copies bodies, also those that wait for window, so that their buffer can be used again at once', () => {
    const { rig, streams } = responding(1, 8);
    const body = Buffer.from('hello');
    for (let at = 0; at < 3; at++) {
      body.write('hello');
      only(streams).sendData(body, 0, 5, at === 2);
      body.fill('x');
    }
    expect(rig.sent()).to.deep.equal(['data 1 hello', 'data 1 hel']);
    expect(rig.feed(windowUpdate(1, 100)).sent()).to.deep.equal(['data 1 lo', 'data 1 end hello']);
  });

  it('queues bodies while the writer is full, and sends other frames', () => {
    const { rig, streams } = responding(2, 65_535);
    rig.session.pauseData();
    expect(only(streams).sendData(kilobyte, 0, 3, false)).to.equal(false);
    expect(streams[1]?.sendHead(200, [], true)).to.equal(false);
    rig.feed(frame(Frame.ping, 0, 0, Buffer.alloc(8)), windowUpdate(0, 9), windowUpdate(1, 9));
    expect(rig.sent()).to.deep.equal(['ping ack \0\0\0\0\0\0\0\0']);
    rig.session.resumeData();
    expect([rig.sent(), rig.events()]).to.deep.equal([['data 1 kkk'], ['window 1']]);
  });

  it('drops what a reset stream had queued', () => {
    const { rig, streams } = responding(1, 0);
    only(streams).sendData(kilobyte, 0, 1_024, true);
    rig.feed(rstStream(1, 8), windowUpdate(1, 5_000), windowUpdate(0, 5_000));
    expect([rig.sent(), only(streams).queuedBytes]).to.deep.equal([[], 0]);
  });

  it('keeps the order of what is sent within onWindow', () => {
    const { rig, streams } = responding(1, 1);
    rig.recorder.onWindow = (stream) => {
      stream.sendData(Buffer.from('d'), 0, 1, true);
    };
    only(streams).sendData(Buffer.from('abc'), 0, 3, false);
    rig.feed(windowUpdate(1, 5));
    expect(rig.sent()).to.deep.equal(['data 1 a', 'data 1 bc', 'data 1 end d']);
  });
});
