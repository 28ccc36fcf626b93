import type { ControlMessage, WorkerMessage } from './messages.ts';

/** A worker's end of the channel to its control process. */
export class ControlLink {
  readonly #waiting = new Map<number, (answer: ControlMessage | undefined) => void>();
  #calls = 0;

  /** Receives all messages but responses to calls. Call it once, before any message is expected. */
  listen(onMessage: (message: ControlMessage) => void): void {
    process.on('message', (sent) => {
      // Only the parent process writes to this channel.
      const message = sent as ControlMessage;
      if (message.kind === 'tokens' || message.kind === 'slots') this.#answered(message.call, message);
      else onMessage(message);
    });
  }

  send(message: WorkerMessage): Promise<void> {
    return new Promise((resolve) => {
      if (process.send === undefined || !process.connected) resolve();
      // A channel that is closed ends this process anyway.
      else process.send(message, undefined, undefined, () => resolve());
    });
  }

  /** `undefined`: no answer within `waitMs`. */
  call(make: (call: number) => WorkerMessage, waitMs: number): Promise<ControlMessage | undefined> {
    this.#calls += 1;
    const call = this.#calls;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answered(call, undefined), waitMs);
      this.#waiting.set(call, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      void this.send(make(call));
    });
  }

  #answered(call: number, answer: ControlMessage | undefined): void {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    waiting?.(answer);
  }
}
