import type { Problem, ServiceKey } from '@swarmgate/registry';
import type { TaskFault } from '@swarmgate/runtime';
import { atOnce, type Steps } from '../steps.ts';
import { ownerOf, serviceOf } from '../watch/served-services.ts';
import { inParameterNames, isWithoutLabels } from './parameter-names.ts';
import type { DatedProblem, KeyProblemView, ProblemView } from './response-bodies.ts';

export type ProblemsByService = ReadonlyMap<ServiceKey, readonly Problem[]>;
export type DatedProblemsByService = ReadonlyMap<ServiceKey, readonly DatedProblem[]>;

/** All problems of each service from every source, without duplicates, sorted by service. */
export function mergeProblems(sources: readonly ProblemsByService[]): ProblemsByService {
  return atOnce(mergeProblemsInSteps(sources));
}

/** As `mergeProblems`. The sources may change between two steps. */
export function* mergeProblemsInSteps(sources: readonly ProblemsByService[]): Steps<ProblemsByService> {
  const merged = new Map<ServiceKey, readonly Problem[]>();
  for (const source of sources) {
    for (const [key, problems] of source) {
      if (problems.length === 0) continue;
      const worded = isWithoutLabels(key) ? problems.map(inParameterNames) : problems;
      const known = merged.get(key) ?? [];
      merged.set(key, known.length + worded.length === 1 ? worded : distinct([...known, ...worded]));
      yield;
    }
  }
  const sorted = new Map<ServiceKey, readonly Problem[]>();
  for (const key of [...merged.keys()].sort()) {
    sorted.set(key, merged.get(key) ?? []);
    yield;
  }
  return sorted;
}

function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [identityOf(problem), problem])).values()];
}

/** Control tasks of this replica that failed and have not recovered, each under a name of its own. */
export function problemsOfTasks(faults: readonly TaskFault[]): ProblemsByService {
  return mergeProblems(
    faults.map(({ task, message }) => {
      const key: ServiceKey = `env/task-${task}`;
      const problem: Problem = {
        severity: 'error',
        reason: 'task-failed',
        message: `the control task ${task} of this replica failed and is restarted: ${message}`,
        suggestion: 'look for the stack in the log of this replica, and report it: this is a fault of the proxy itself',
      };
      return new Map([[key, [problem]]]);
    }),
  );
}

export function* viewProblems(problems: DatedProblemsByService): Generator<ProblemView> {
  for (const [key, ofOne] of problems)
    for (const problem of ofOne) yield { owner: ownerOf(key), service: serviceOf(key), ...problem };
}

export function viewForeignKey(key: string): KeyProblemView {
  return {
    key,
    reason: 'key-foreign',
    message: `${key} is under the prefix of this proxy instance, but Swarmgate does not own it: it is left alone`,
    suggestion: 'move it elsewhere, or give the proxies another PROXY_INSTANCE_NAME',
  };
}

/** Two problems of one service are the same when the owner would read the same. */
export function identityOf(problem: Problem): string {
  return JSON.stringify([problem.reason, problem.label, problem.message, problem.otherService]);
}
