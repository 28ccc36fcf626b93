import { Budget } from './budget.ts';
import type { Sender } from './sender.ts';
import type { SessionOptions } from './session-options.ts';

/**
 * Limits of work that a peer causes without a purpose (RFC 9113, section 10.5). A budget is created with its first charge,
 * so a well-behaved connection has none.
 */
export class PeerBudgets {
  readonly #options: SessionOptions;
  readonly #sender: Sender;
  #wasted: Budget | undefined = undefined;
  #control: Budget | undefined = undefined;
  #refundedFrames = 0;
  #replies = 0;

  constructor(options: SessionOptions, sender: Sender) {
    this.#options = options;
    this.#sender = sender;
  }

  /** Charges a stream whose work was wasted. Returns `false` if there were too many. */
  wasted(): boolean {
    this.#wasted ??= new Budget(this.#options.wastedStreams, this.#options.now);
    return this.#wasted.charge(1);
  }

  /** A stream that was served. */
  completed(): void {
    this.#wasted?.refund(1);
  }

  /** Charges a control frame. Returns `false` if there were too many. */
  control(): boolean {
    this.#control ??= new Budget(this.#options.controlFrames, this.#options.now);
    const { dataFrames } = this.#sender;
    // A receiver of bodies sends WINDOW_UPDATE for its stream and for the connection.
    this.#control.refund(2 * (dataFrames - this.#refundedFrames));
    this.#refundedFrames = dataFrames;
    return this.#control.charge(1);
  }

  /** A new stream, or body bytes that came. */
  earned(): void {
    this.#control?.refund(2);
  }

  /** A frame that responds to one of the peer. Returns `false` where too many wait to be written. */
  reply(): boolean {
    return ++this.#replies <= this.#options.maxUnreadReplies;
  }

  repliesTaken(): void {
    this.#replies = 0;
  }
}
