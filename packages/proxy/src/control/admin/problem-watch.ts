import type { KeyLayout, ServiceKey } from '@swarmgate/registry';
import { type Logger, pause, type Running, type Settings, type Tasks } from '@swarmgate/runtime';
import type { Server } from '../serving/server.ts';
import { atOnce, type Steps } from '../steps.ts';
import type { ServicesFollower } from '../watch/follow-services.ts';
import {
  type DatedProblemsByService,
  mergeProblems,
  mergeProblemsInSteps,
  type ProblemsByService,
  problemsOfTasks,
  viewForeignKey,
  viewProblems,
} from './collect-problems.ts';
import { EntryPortProblems } from './entry-port-problems.ts';
import { reportDocuments } from './plan-report.ts';
import { ProblemLog } from './problem-log.ts';
import type { ProblemReporter } from './problem-reporter.ts';
import { ProblemTimes } from './problem-times.ts';
import { UserProblems } from './user-problems.ts';

export interface ProblemWatchOptions {
  readonly settings: Pick<Settings, 'defaultPorts' | 'bindPorts' | 'users' | 'usersPassEncrypted'>;
  readonly follower: ServicesFollower;
  readonly server: Server;
  /** Of this process's own environment: logged here, and not written to the registry. */
  readonly ownProblems: ProblemsByService;
  /** Of names that certificates are ordered for. */
  readonly ofCertificates: () => ProblemsByService;
  readonly reporter: ProblemReporter;
  readonly tasks: Tasks;
  readonly layout: KeyLayout;
  readonly logger: Logger;
  /** Changes within this time are looked at together, in milliseconds. Default 200. */
  readonly settleMs?: number;
  /** Least time between two looks: each goes through the whole table. Default 1000. */
  readonly betweenLooksMs?: number;
  /** Problems appear without a change too: an address goes, a port closes. Default 5000. */
  readonly lookEveryMs?: number;
}

/** Collects problems from all sources and passes them to the log and the registry. */
export class ProblemWatch implements Running {
  readonly #options: ProblemWatchOptions;
  readonly #log: ProblemLog;
  readonly #times = new ProblemTimes();
  readonly #entryPorts: EntryPortProblems;
  readonly #users: UserProblems;
  readonly #ending = new AbortController();
  readonly #watching: Promise<void>;
  #changed = Promise.withResolvers<void>();

  constructor(options: ProblemWatchOptions) {
    this.#options = options;
    this.#log = new ProblemLog(options.logger);
    const { defaultPorts, bindPorts } = options.settings;
    this.#entryPorts = new EntryPortProblems([...defaultPorts, ...bindPorts]);
    this.#users = new UserProblems(options);
    this.#watching = options.tasks.run('problem-watch', this.#ending.signal, () => this.#watch());
  }

  /** Everything that is wrong now. */
  problems(): DatedProblemsByService {
    return atOnce(this.problemsInSteps());
  }

  /** As `problems`, for calls that others can repeat. */
  *problemsInSteps(): Steps<DatedProblemsByService> {
    return yield* this.#times.dated(yield* this.#merged());
  }

  #merged(): Steps<ProblemsByService> {
    const { follower, server, ownProblems, ofCertificates, tasks } = this.#options;
    const { labelProblems, rejected, warnings } = follower.served;
    return mergeProblemsInSteps([
      labelProblems,
      rejected,
      warnings,
      server.table().problems(),
      server.problems(),
      this.#entryPorts.problems(server.table()),
      this.#users.problems(),
      ofCertificates(),
      ownProblems,
      follower.problems(),
      problemsOfTasks([...tasks.faults(), ...(server.workerTaskFaults?.() ?? [])]),
    ]);
  }

  /** The table has changed by these services, or something else may have. */
  look(changed: Iterable<ServiceKey> = []): void {
    const table = this.#options.server.table();
    const keys = [...changed];
    this.#entryPorts.apply(table, keys);
    for (const key of keys) this.#users.apply(key, table.routesOf(key)[0]?.definition);
    this.#changed.resolve();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    this.look();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#ending;
    const { settleMs = 200, betweenLooksMs = 1_000, lookEveryMs = 5_000 } = this.#options;
    while (!signal.aborted) {
      const timer = setTimeout(() => this.look(), lookEveryMs).unref();
      await this.#changed.promise;
      clearTimeout(timer);
      this.#changed = Promise.withResolvers();
      if (!(await pause(settleMs, signal))) return;
      await this.#users.look();
      this.#passOn();
      await pause(betweenLooksMs - settleMs, signal);
    }
  }

  #passOn(): void {
    const { follower, server, ofCertificates, reporter, layout } = this.#options;
    const keys = follower.served.foreignKeys.map(viewForeignKey);
    const problems = this.problems();
    this.#times.keepOnly(problems);
    this.#log.note([...viewProblems(problems)], keys);
    // Only what every replica finds alike: which addresses it can reach differs by replica.
    const { rejected, warnings } = follower.served;
    const common = mergeProblems([rejected, warnings, server.table().problems(), ofCertificates()]);
    const ofRegistry = new Map([...common].filter(([key]) => !key.startsWith('env/')));
    reporter.report(reportDocuments(ofRegistry, keys, layout));
  }
}
