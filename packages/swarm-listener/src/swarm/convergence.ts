import type { SwarmService, SwarmTask } from './swarm-objects.ts';

/** Task states from which a task never returns. */
const finalStates = new Set(['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned']);

export function isFinal(task: SwarmTask): boolean {
  return finalStates.has(task.state);
}

/**
 * Whether Swarm has reached the service's desired state: no update in progress, the desired number of tasks runs, no other
 * task is still stopping. A paused update counts as converged: nothing moves until an operator acts.
 */
export function isConverged(service: SwarmService, tasks: readonly SwarmTask[]): boolean {
  if (service.updateState === 'updating' || service.updateState === 'rollback_started') return false;
  const live = tasks.filter((task) => !isFinal(task));
  const steady = live.every((task) => task.desiredState === 'running' && task.state === 'running');
  if (!steady) return false;
  return service.mode.kind !== 'replicated' || live.length === service.mode.replicas;
}
