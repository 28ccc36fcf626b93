import type { Logger } from '@swarmgate/runtime';
import type { KeyProblemView, ProblemView } from './response-bodies.ts';

/** Writes each problem to the log once when it appears, and once more when it is gone. */
export class ProblemLog {
  readonly #logger: Logger;
  #known = new Map<string, ProblemView | KeyProblemView>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(problems: readonly ProblemView[], keys: readonly KeyProblemView[]): void {
    const now = new Map<string, ProblemView | KeyProblemView>();
    for (const problem of problems)
      now.set(
        JSON.stringify([problem.owner, problem.service, problem.reason, problem.label, problem.message]),
        problem,
      );
    for (const key of keys) now.set(key.key, key);
    for (const [identity, problem] of now) {
      if (this.#known.has(identity)) continue;
      const { message, ...fields } = problem;
      const isError = 'severity' in problem && problem.severity === 'error';
      this.#logger[isError ? 'error' : 'warn']({ problem: fields }, message);
    }
    for (const [identity, { reason, message, ...problem }] of this.#known) {
      if (now.has(identity)) continue;
      const where = 'key' in problem ? { key: problem.key } : { owner: problem.owner, service: problem.service };
      this.#logger.info({ ...where, reason }, `solved: ${message}`);
    }
    this.#known = now;
  }
}
