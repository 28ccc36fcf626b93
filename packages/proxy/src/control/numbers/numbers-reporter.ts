import { setImmediate as nextTurn } from 'node:timers/promises';
import { pause } from '@swarmgate/runtime';
import type { ExchangeRecorder, NumbersDelta } from '../../exchange/numbers/exchange-recorder.ts';

/** Brings what a serving process counted to where the proxy's numbers are kept: every 10 s, and when they are read. */
export class NumbersReporter {
  readonly #recorder: Pick<ExchangeRecorder, 'take'>;
  readonly #to: (delta: NumbersDelta) => void;
  #reporting: Promise<void> = Promise.resolve();

  constructor(recorder: Pick<ExchangeRecorder, 'take'>, to: (delta: NumbersDelta) => void) {
    this.#recorder = recorder;
    this.#to = to;
  }

  /** Resolves when everything that was counted before the call has been reported. */
  report(): Promise<void> {
    this.#reporting = this.#reporting.catch(() => undefined).then(() => this.#reportNow());
    return this.#reporting;
  }

  async follow(everyMs: number, signal: AbortSignal): Promise<void> {
    while (await pause(everyMs, signal)) await this.report();
  }

  async #reportNow(): Promise<void> {
    for (const delta of this.#recorder.take()) {
      this.#to(delta);
      // A piece takes about a millisecond: requests have their turn in between.
      await nextTurn();
    }
  }
}
