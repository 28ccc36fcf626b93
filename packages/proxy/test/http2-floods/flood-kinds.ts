import { Flag, Frame } from '../../src/http/http2/frames.ts';
import {
  block,
  data,
  frame,
  headers,
  plainGet,
  plainPost,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from '../http2-wire.ts';

export interface FloodKind {
  /** Sent once, behind the preface and the settings. */
  readonly opening?: () => Buffer;
  /** Sent again and again as long as the connection takes it; the number of the round counts from 0. */
  readonly round?: (round: number) => Buffer;
  /** Nothing that the server sends is read. */
  readonly deaf?: true;
  /** The preface is sent byte by byte, a byte every 10 ms, and never completed. */
  readonly stalledPreface?: true;
}

const perRound = 50;
const times = (make: (at: number) => Buffer) => Buffer.concat(Array.from({ length: perRound }, (_, at) => make(at)));
const stream = (round: number, at: number) => 1 + 2 * (round * perRound + at);
const openStreams = (path: string) => () => times((at) => headers(stream(0, at), to(path)));
const to = (path: string) => plainGet.map(([name, value]) => [name, name === ':path' ? path : value] as const);

/** No route leads there. */
export const unknownHost = 'nowhere.example';
const toNowhere = (method: string) => [
  [':method', method] as const,
  ...plainGet.slice(1).map(([name, value]) => [name, name === ':authority' ? unknownHost : value] as const),
];

/** Every flood that HTTP/2 is known for; each costs the client next to nothing. */
export const floodKinds = {
  'rapid reset': {
    round: (round) =>
      times((at) => Buffer.concat([headers(stream(round, at), plainGet), rstStream(stream(round, at), 8)])),
  },
  'made-you-reset': {
    round: (round) =>
      times((at) => Buffer.concat([headers(stream(round, at), plainGet), windowUpdate(stream(round, at), 0)])),
  },
  'CONTINUATION without end': {
    opening: () => headers(1, plainGet, Flag.endStream),
    round: () => times((at) => frame(Frame.continuation, 0, 1, block([[`x-${at}`, 'y'.repeat(100)]]))),
  },
  'HPACK bomb': {
    // One large value is put into the table, and then named by one byte, again and again.
    opening: () =>
      headers(
        1,
        Buffer.concat([block(plainGet), Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]), Buffer.alloc(4_000, 'b')]),
      ),
    round: (round) => headers(3 + 2 * round, Buffer.concat([block(plainGet), Buffer.alloc(16_000, 0xbe)])),
  },
  SETTINGS: { round: () => times(() => settings([[4, 65_535]])) },
  PING: { round: () => times(() => frame(Frame.ping, 0, 0, Buffer.alloc(8))) },
  PRIORITY: { round: (round) => times((at) => frame(Frame.priority, 0, stream(round, at), Buffer.alloc(5))) },
  'empty DATA': { opening: () => headers(1, plainPost, Flag.endHeaders), round: () => times(() => data(1, '')) },
  WINDOW_UPDATE: { round: () => times(() => windowUpdate(0, 1)) },
  'a window of zero': {
    opening: () => Buffer.concat([settings([[4, 0]]), openStreams('/large')()]),
  },
  'a hundred streams that are not read': { deaf: true, opening: openStreams('/large') },
  // A head needs no window of the client's.
  'responses without a body that are not read': {
    deaf: true,
    round: (round) => times((at) => headers(stream(round, at), toNowhere('HEAD'))),
  },
  'streams that never end': {
    opening: () => times((at) => headers(stream(0, at), plainPost, Flag.endHeaders)),
    round: () => times((at) => data(stream(0, at), 'x')),
  },
  'a preface that stalls': { stalledPreface: true },
  'requests without a route': { round: (round) => times((at) => headers(stream(round, at), toNowhere('GET'))) },
  'unknown frames': { round: () => times(() => frame(0xbb, 0, 0, uint32(1))) },
} as const satisfies Record<string, FloodKind>;

export type FloodName = keyof typeof floodKinds;
