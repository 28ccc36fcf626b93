import type { Socket } from 'node:net';
import type { DeadlineSweep } from '../transport/deadline-sweep.ts';
import { leastBytesIn } from './minimum-data-rate.ts';

/** The system's own count of a connection, where a large piece leaves bit by bit; node:net shows only whole pieces. */
interface SystemHandle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
  /** Of TLS: the connection below, which shows what has left in records. */
  readonly _parent?: SystemHandle | null;
}

const none: SystemHandle = {};

/** How long a client may take to close to which every byte has left while draining, or that broke the protocol. */
const shortLingerMs = 2_000;

/**
 * What a client has taken of its connection's output, as far as the system shows it: what has left the process. What the
 * client sends is no sign that it takes anything.
 */
export class TakenOutput {
  readonly #socket: Socket;
  readonly #leastBytesPerSecond: number;
  #before = 0;
  #wasEmpty = true;

  /** @param leastBytesPerSecond that the client has to take of what waits; 0: a byte */
  constructor(socket: Socket, leastBytesPerSecond = 0) {
    this.#socket = socket;
    this.#leastBytesPerSecond = leastBytesPerSecond;
  }

  /** Since the connection began. */
  get totalBytes(): number {
    const { bytesWritten = 0, writeQueueSize = 0 } = this.#system;
    return bytesWritten - writeQueueSize;
  }

  /** The system takes no more: its buffer and the client's are full. */
  get isHeldUp(): boolean {
    return (this.#system.writeQueueSize ?? 0) > 0;
  }

  get #system(): SystemHandle {
    const { _handle: handle } = this.#socket as unknown as { readonly _handle?: SystemHandle | null };
    return handle?._parent ?? handle ?? none;
  }

  /** The client has taken nothing since `watch`, or had nothing left to take. */
  get isSilent(): boolean {
    return this.#socket.writableLength === 0 ? this.#wasEmpty : this.totalBytes <= this.#before;
  }

  /** Some of a piece waits, and since `watch`, in milliseconds, the client has taken what it has to. */
  isSlow(spanMs: number): boolean {
    const leastBytes = leastBytesIn(spanMs, this.#leastBytesPerSecond);
    return this.#socket.writableLength > 0 && this.totalBytes - this.#before >= leastBytes;
  }

  /** @returns the deadline, in the sweep's milliseconds: `short` where every byte has left. */
  watch(sweep: DeadlineSweep, clientMs: number, short: boolean): number {
    this.#before = this.totalBytes;
    this.#wasEmpty = this.#socket.writableLength === 0;
    return sweep.in(short && this.#wasEmpty ? Math.min(shortLingerMs, clientMs) : clientMs);
  }
}
