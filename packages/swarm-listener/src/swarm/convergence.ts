import type { SwarmService, SwarmTask } from './swarm-objects.ts';

/** Task states after which a container is gone for good. */
const finalStates = new Set(['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned']);

export function isFinal(task: SwarmTask): boolean {
  return finalStates.has(task.state);
}

/**
 * Whether Swarm has done what this service asks for: no update under way, the wanted number of tasks runs, nothing else
 * still stops. An update that Swarm paused is done too, badly: nothing moves until somebody acts.
 */
export function isConverged(service: SwarmService, tasks: readonly SwarmTask[]): boolean {
  if (service.updateState === 'updating' || service.updateState === 'rollback_started') return false;
  const live = tasks.filter((task) => !isFinal(task));
  const steady = live.every((task) => task.desiredState === 'running' && task.state === 'running');
  if (!steady) return false;
  return service.mode.kind !== 'replicated' || live.length === service.mode.replicas;
}
