import type { Problem, ServiceKey } from '@swarmgate/registry';
import type { Steps } from '../steps.ts';
import { type DatedProblemsByService, identityOf, type ProblemsByService } from './collect-problems.ts';
import type { DatedProblem } from './response-bodies.ts';

/** Since when each problem is there, as this replica found it: another replica, or another start, found it at another time. */
export class ProblemTimes {
  readonly #now: () => Date;
  #since = new Map<string, string>();

  /** @param now Default: the clock. */
  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
  }

  /** One service a step. A problem that is new is there since now. */
  *dated(problems: ProblemsByService): Steps<DatedProblemsByService> {
    const now = this.#now().toISOString();
    const dated = new Map<ServiceKey, readonly DatedProblem[]>();
    for (const [key, ofOne] of problems) {
      dated.set(
        key,
        ofOne.map((problem) => ({ ...problem, since: this.#sinceOf(key, problem, now) })),
      );
      yield;
    }
    return dated;
  }

  /** Forgets the problems that are not among these: where one comes back, it is there since then. */
  keepOnly(problems: ProblemsByService): void {
    const kept = new Map<string, string>();
    for (const [key, ofOne] of problems)
      for (const problem of ofOne) {
        const identity = identityIn(key, problem);
        const since = this.#since.get(identity);
        if (since !== undefined) kept.set(identity, since);
      }
    this.#since = kept;
  }

  #sinceOf(key: ServiceKey, problem: Problem, now: string): string {
    const identity = identityIn(key, problem);
    const known = this.#since.get(identity);
    if (known !== undefined) return known;
    this.#since.set(identity, now);
    return now;
  }
}

function identityIn(key: ServiceKey, problem: Problem): string {
  return `${key} ${identityOf(problem)}`;
}
