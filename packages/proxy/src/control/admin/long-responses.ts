import type { Response } from 'express';
import { WorkSlices } from './work-slices.ts';

/** Long responses that are made at the same time; each holds at most one piece in memory. */
const mostAtOnce = 4;
/** Calls that wait for their turn. */
const mostWaiting = 64;
const longestWaitMs = 10_000;
/** Of a client that reads nothing. */
const longestSilenceMs = 10_000;
const pieceBytes = 64 * 1024;

/** Responses whose size follows the number of services: made in slices and written in pieces as the client reads them. */
export class LongResponses {
  readonly #slices = new WorkSlices();
  readonly #waiting = new Set<() => void>();
  #underWay = 0;

  /**
   * Calls `make` when it is this call's turn, with a signal that is aborted when the client is gone. 503 where too many
   * wait already, or when the turn does not come in time.
   */
  async respond(response: Response, make: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const gone = new AbortController();
    const leave = () => gone.abort(new Error('the client is gone'));
    response.once('close', leave);
    try {
      if (!(await this.#enter(gone.signal))) {
        if (!gone.signal.aborted) refuseAsBusy(response);
        return;
      }
      try {
        await make(gone.signal);
      } finally {
        this.#leave();
      }
    } catch (error) {
      if (!gone.signal.aborted) throw error;
      response.destroy();
    } finally {
      response.removeListener('close', leave);
    }
  }

  /** `false`: too many wait, or the turn did not come in time, or the client went. */
  #enter(signal: AbortSignal): Promise<boolean> {
    if (this.#underWay < mostAtOnce) {
      this.#underWay += 1;
      return Promise.resolve(true);
    }
    if (this.#waiting.size >= mostWaiting) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (isTurn: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        this.#waiting.delete(take);
        resolve(isTurn);
      };
      const take = () => settle(true);
      const giveUp = () => settle(false);
      const timer = setTimeout(giveUp, longestWaitMs);
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(take);
    });
  }

  /** The place goes to the call that has waited for the longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#underWay -= 1;
    else next();
  }

  /** The result of steps that are short each. Without a signal they are all taken, whatever caller goes. */
  inSlices<T>(steps: Generator<unknown, T>, signal?: AbortSignal): Promise<T> {
    return this.#slices.run(steps, signal);
  }

  /** `{…head, [name]: [items]}`; `viewed` gives one item a step. */
  async sendList(
    response: Response,
    head: object,
    name: string,
    viewed: Iterable<object>,
    signal: AbortSignal,
  ): Promise<void> {
    response.type('application/json');
    const opening = JSON.stringify({ ...head, [name]: [] }).slice(0, -2);
    await this.sendPieces(response, jsonItems(opening, viewed), signal);
  }

  /** Text that is made in pieces, one a step. */
  async sendPieces(response: Response, pieces: Iterable<string>, signal: AbortSignal): Promise<void> {
    await this.#slices.run(writing(response, pieces, signal), signal);
    response.end();
  }
}

function* jsonItems(opening: string, viewed: Iterable<object>): Generator<string> {
  yield opening;
  let separator = '';
  for (const item of viewed) {
    yield separator + JSON.stringify(item);
    separator = ',';
  }
  yield ']}';
}

function* writing(response: Response, pieces: Iterable<string>, signal: AbortSignal): Generator<unknown, void> {
  let piece = '';
  for (const text of pieces) {
    piece += text;
    if (piece.length < pieceBytes) {
      yield;
      continue;
    }
    const goesOn = response.write(piece);
    piece = '';
    yield goesOn ? undefined : drained(response, signal);
  }
  if (piece !== '') response.write(piece);
}

function refuseAsBusy(response: Response): void {
  response.setHeader('Retry-After', '1');
  response.setHeader('X-Swarmgate-Reason', 'busy');
  response.status(503).json({ Status: 'NOK', Message: 'too many long responses are under way: try again' });
}

/** @throws where the client goes, or reads nothing for too long */
function drained(response: Response, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown) => {
      clearTimeout(timer);
      response.removeListener('drain', drain);
      signal.removeEventListener('abort', abort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const drain = () => settle();
    const abort = () => settle(signal.reason);
    const timer = setTimeout(() => response.destroy(), longestSilenceMs);
    response.once('drain', drain);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
