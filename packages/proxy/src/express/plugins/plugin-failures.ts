import type { Problem, ServiceKey } from '@swarmgate/registry/vocabulary';
import { messageOf } from '@swarmgate/runtime';
import type { BlockReport } from './block-watch.ts';

/** A failure is reported so long as a problem, in milliseconds. */
const reportedMs = 15 * 60_000;
const mostMessageCharacters = 300;

/** Failures of plug-ins while requests pass, as problems of the services that they cost requests. */
export class PluginFailures {
  readonly #byService = new Map<ServiceKey, Map<string, { readonly problem: Problem; untilMs: number }>>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The first message stays as long as failures go on: each may name its own request. */
  add(key: ServiceKey, plugin: string, error: unknown): void {
    const ofService = this.#byService.get(key) ?? new Map();
    this.#byService.set(key, ofService);
    const untilMs = this.#now() + reportedMs;
    const known = ofService.get(plugin);
    if (known !== undefined && known.untilMs > this.#now()) known.untilMs = untilMs;
    else ofService.set(plugin, { problem: problemOf(plugin, error), untilMs });
  }

  /** It kept the event loop of a process that serves requests. */
  addBlocked(key: ServiceKey, report: BlockReport): void {
    const ofService = this.#byService.get(key) ?? new Map();
    this.#byService.set(key, ofService);
    const problem = blockedProblem(report);
    ofService.set(`${report.plugin} blocked`, { problem, untilMs: this.#now() + reportedMs });
  }

  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    const found = new Map<ServiceKey, readonly Problem[]>();
    for (const [key, failures] of this.#byService) {
      for (const [plugin, { untilMs }] of failures) if (untilMs <= this.#now()) failures.delete(plugin);
      if (failures.size === 0) this.#byService.delete(key);
      else
        found.set(
          key,
          [...failures.values()].map(({ problem }) => problem),
        );
    }
    return found;
  }
}

function problemOf(plugin: string, error: unknown): Problem {
  return {
    severity: 'warning',
    reason: 'plugin-failed',
    message: `the plug-in ${plugin} failed in the last minutes and cost requests: ${messageOf(error).slice(0, mostMessageCharacters)}`,
    label: 'plugins',
    suggestion: 'The log has the stack of each failure; correct the plug-in, or remove it from the label.',
  };
}

function blockedProblem({ plugin, blockedMs }: BlockReport): Problem {
  return {
    severity: 'error',
    reason: 'plugin-blocked',
    message: `the plug-in ${plugin} blocked a process in the last minutes: it served no request for ${blockedMs} ms or more`,
    label: 'plugins',
    suggestion:
      'The log shows where it ran; leave long computations to a thread, or remove the plug-in from the label.',
  };
}
