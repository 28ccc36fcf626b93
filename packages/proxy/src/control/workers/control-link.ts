import type { Socket } from 'node:net';
import { type FaultOwner, guard, guardPromise, messageOf, SwarmgateError } from '@swarmgate/runtime';
import { HandOverProgress } from './hand-over-progress.ts';
import { sendable, unreadHandle } from './handed-socket.ts';
import { LateResponses } from './late-responses.ts';
import type { ControlMessage, WorkerMessage } from './messages.ts';

/** How often a worker looks whether its control process is gone, in milliseconds. */
const lookAtChannelMs = 500;

/** A worker's end of the channel to its control process. */
export class ControlLink {
  readonly #owner: FaultOwner;
  readonly #waiting = new Map<number, (response: ControlMessage | undefined) => void>();
  /** Of calls that take something, which has to be given back. */
  readonly #late = new LateResponses<ControlMessage>();
  readonly #handOvers = new HandOverProgress();
  #calls = 0;

  /** @param owner gets what goes wrong with a message in either direction */
  constructor(owner: FaultOwner) {
    this.#owner = owner;
  }

  /** Receives all messages but responses to calls. Call it once, before any message is expected. */
  listen(onMessage: (message: ControlMessage, handle: unknown) => void): void {
    // node:cluster ends a worker by `disconnect`, which Node emits only once every handle in the channel has been taken: never,
    // where the control process ended before. Such a worker would keep the ports, and serve routes that nothing updates.
    setInterval(
      guard(this.#owner, () => {
        if (!process.connected) process.exit(0);
      }),
      lookAtChannelMs,
    ).unref();
    process.on(
      'message',
      guard(this.#owner, (sent: unknown, handle: unknown) => {
        // Only the parent process writes to this channel.
        const message = sent as ControlMessage;
        if (message.kind === 'tokens' || message.kind === 'slots' || message.kind === 'permit')
          this.#responded(message.call, message);
        else onMessage(message, handle);
      }),
    );
  }

  /** Resolves when the message has left. Rejects where it cannot be sent by its kind. */
  send(message: WorkerMessage): Promise<void> {
    return new Promise((resolve) => {
      if (process.send === undefined || !process.connected) resolve();
      // A channel that is closed ends this process anyway.
      else process.send(message, undefined, undefined, () => resolve());
    });
  }

  /** Sends without waiting. */
  post(message: WorkerMessage): void {
    guardPromise(this.#owner, this.send(message));
  }

  /** Hands a connection over of which nothing has been read. `false`: it stays. */
  handOver(socket: Socket, port: number): boolean {
    if (process.send === undefined || !process.connected || this.#handOvers.isStuck) return false;
    const handle = unreadHandle(socket);
    if (handle === undefined) return false;
    const message: WorkerMessage = { kind: 'hand-over', port };
    this.#handOvers.began();
    // The descriptor stays open on the way; this one's is closed only once the message has left.
    process.send(
      message,
      sendable(handle),
      undefined,
      guard(this.#owner, () => {
        this.#handOvers.left();
        socket.destroy();
      }),
    );
    return true;
  }

  /** Reports why this worker cannot serve. */
  failed(error: unknown): Promise<void> {
    const code = error instanceof SwarmgateError ? error.code : 'worker-failed';
    return this.send({ kind: 'failed', code, message: messageOf(error) });
  }

  /**
   * `undefined`: no response within `waitMs`.
   * @param onLate gets a response that comes after that; while many of those are due, no call is made. Default: it is dropped
   */
  call(
    make: (call: number) => WorkerMessage,
    waitMs: number,
    onLate?: (response: ControlMessage) => void,
  ): Promise<ControlMessage | undefined> {
    if (onLate !== undefined && this.#late.isFull) return Promise.resolve(undefined);
    this.#calls += 1;
    const call = this.#calls;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        if (onLate !== undefined) this.#late.expect(call, onLate);
        this.#responded(call, undefined);
      }, waitMs);
      this.#waiting.set(call, (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      this.post(make(call));
    });
  }

  #responded(call: number, response: ControlMessage | undefined): void {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    if (waiting !== undefined) waiting(response);
    else if (response !== undefined) this.#late.take(call, response);
  }
}
