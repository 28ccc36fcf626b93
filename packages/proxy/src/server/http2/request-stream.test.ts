import { expect } from 'chai';
import { DeadlineSweep } from '../../transport/deadline-sweep.ts';
import { RequestStream, type StreamConnection } from './request-stream.ts';
import type { ServedStream } from './served-stream.ts';

const clientMs = 20_000;
const bodyBytesPerSecond = 100;
/** Of one stream in TIMEOUT_CLIENT. */
const least = 2_000;

/** What a look at its deadline finds: what has been sent of it, what has been taken of the connection, with how many it waits. */
interface Look {
  readonly sent: number;
  readonly taken: number;
  readonly rivals: number;
}

/** Whether a stream that had to wait is still open after the looks, of which the first is the one when it began. */
function survives(...looks: readonly Look[]): boolean {
  let nowMs = 0;
  const sweep = new DeadlineSweep(100, () => nowMs);
  const taken = { totalBytes: 0 };
  const connection = {
    cache: {},
    taken,
    context: { mostBodyBytes: 0, sweep, timeouts: { clientMs, bodyBytesPerSecond } },
  } as unknown as StreamConnection;
  const stream = { closed: false, awaitsWindow: true, sentBytes: 0, rivals: 0 };
  const served = Object.assign(stream, {
    context: undefined,
    reset: () => {
      stream.closed = true;
    },
  }) as unknown as ServedStream;
  const head = { method: 'GET', path: '/', authority: 'a.test' };
  const request = new RequestStream(
    connection,
    served,
    head as unknown as ConstructorParameters<typeof RequestStream>[2],
    true,
  );
  const [first, ...others] = looks;
  const show = ({ sent, taken: bytes, rivals }: Look) => {
    stream.sentBytes = sent;
    stream.rivals = rivals;
    taken.totalBytes = bytes;
  };
  if (first !== undefined) show(first);
  request.onBlocked();
  for (const look of others) {
    show(look);
    for (const untilMs = nowMs + clientMs; nowMs < untilMs; sweep.tick()) nowMs += 100;
  }
  sweep.remove(request);
  return !stream.closed;
}

describe('a stream of HTTP/2 whose response waits', () => {
  const cases: Readonly<Record<string, { readonly looks: readonly Look[]; readonly isOpen: boolean }>> = {
    'its window is opened slowly': {
      looks: [0, 1, 2].map((at) => ({ sent: at * least, taken: at * least, rivals: 0 })),
      isOpen: true,
    },
    'its window is opened too slowly': {
      looks: [0, 1].map((at) => ({ sent: at * (least - 1), taken: 0, rivals: 0 })),
      isOpen: false,
    },
    'its window stays closed and its client takes others': {
      looks: [0, 1].map((at) => ({ sent: 0, taken: at * 1_000_000, rivals: 0 })),
      isOpen: false,
    },
    'it waits for its turn among others, and each has its share': {
      looks: [0, 1, 2].map((at) => ({ sent: 0, taken: at * 100 * least, rivals: 100 })),
      isOpen: true,
    },
    'it waits for its turn among others, and they have less than their share': {
      looks: [0, 1].map((at) => ({ sent: 0, taken: at * (100 * least - 1), rivals: 100 })),
      isOpen: false,
    },
    'it had its turn at last, and waits for its window since': {
      looks: [
        { sent: 0, taken: 0, rivals: 100 },
        { sent: 1, taken: 100 * least, rivals: 0 },
      ],
      isOpen: true,
    },
    'it had its turn long ago, and waits for its window since': {
      looks: [
        { sent: 0, taken: 0, rivals: 100 },
        { sent: 1, taken: 100 * least, rivals: 0 },
        { sent: 1, taken: 200 * least, rivals: 0 },
      ],
      isOpen: false,
    },
  };
  for (const [what, { looks, isOpen }] of Object.entries(cases))
    it(`${isOpen ? 'goes on waiting' : 'ends'} where ${what}`, () => expect(survives(...looks)).to.equal(isOpen));
});
