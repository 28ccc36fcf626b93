import { expect } from 'chai';
import { frame } from '../../../test/http2-wire.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { Frame } from './frames.ts';

describe('the frames of a connection', () => {
  const ignore = () => undefined;
  const sink: FrameSink = {
    onFrame: ignore,
    onDataFrame: ignore,
    onDataPiece: ignore,
    onDataFrameEnd: ignore,
    onFault: ignore,
  };

  for (const [what, type, length, counted] of [
    ['a PING', Frame.ping, 8, 1],
    ['SETTINGS', Frame.settings, 600, 1],
    ['DATA', Frame.data, 1_000, 1],
    ['a short head', Frame.headers, 40, 8],
    ['a long head', Frame.headers, 6_400, 108],
    ['the rest of a head', Frame.continuation, 640, 18],
  ] as const)
    it(`count as what they cost: ${what}`, () => {
      const reader = new FrameReader(sink);
      const bytes = frame(type, 0, 1, Buffer.alloc(length));
      reader.read(bytes, 0, 20);
      reader.read(bytes, 20, bytes.length);
      expect(reader.framesRead).to.equal(counted);
    });
});
