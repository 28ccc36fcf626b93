import { type ChangeOutcome, describeBarrier } from './change-outcome.ts';

interface Waiting {
  readonly change: () => Promise<ChangeOutcome>;
  /** Its content, to be compared with that of another one. */
  readonly content: string;
  readonly done: PromiseWithResolvers<ChangeOutcome>;
}

/**
 * One change of a service at a time. Those that come while one is under way are decided by the newest of them: it is the
 * only one that is written, and the others are served as replaced by it, as if they had come just before.
 */
export class ChangesInTurn {
  readonly #waiting = new Map<string, Waiting[]>();

  /** @param content equal texts are equal changes, so that one written change responds to all of them */
  async run(service: string, content: string, change: () => Promise<ChangeOutcome>): Promise<ChangeOutcome> {
    const done = Promise.withResolvers<ChangeOutcome>();
    const waiting = this.#waiting.get(service);
    if (waiting === undefined) {
      this.#waiting.set(service, [{ change, content, done }]);
      void this.#takeTurns(service);
    } else waiting.push({ change, content, done });
    return await done.promise;
  }

  async #takeTurns(service: string): Promise<void> {
    for (;;) {
      const turn = this.#waiting.get(service) ?? [];
      if (turn.length === 0) break;
      this.#waiting.set(service, []);
      await decide(service, turn);
    }
    this.#waiting.delete(service);
  }
}

/** Tries the newest one, and the one before it where that is refused; never rejects. */
async function decide(service: string, turn: Waiting[]): Promise<void> {
  for (let newest = turn.pop(); newest !== undefined; newest = turn.pop()) {
    try {
      const outcome = await newest.change();
      newest.done.resolve(outcome);
      if (outcome.kind !== 'done') continue;
      for (const { content, done } of turn.splice(0))
        done.resolve(content === newest.content ? outcome : replacedBy(outcome, service));
    } catch (error) {
      newest.done.reject(error);
    }
  }
}

type Done = Extract<ChangeOutcome, { readonly kind: 'done' }>;

function replacedBy(outcome: Done, service: string): ChangeOutcome {
  const remark = `replaced at once by a later change of ${service}`;
  const { barrier } = outcome;
  return { ...outcome, message: barrier === undefined ? remark : `${describeBarrier(barrier)}; ${remark}` };
}
