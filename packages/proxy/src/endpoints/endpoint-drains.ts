import type { EndpointDrain, EndpointsDocument, Problem } from '@swarmgate/registry/vocabulary';
import { hostPort } from '@swarmgate/runtime';
import type { Endpoint } from '../model/endpoint.ts';

interface EndpointGroup {
  readonly endpoints: readonly Endpoint[];
  readonly problem?: Problem;
}

/**
 * The drain that an endpoint is under. One that names a task ends with it: its address may be another task's by then. Where
 * no endpoints document is known, nothing shows that the task is gone. Pure.
 */
export function drainOf(
  { host, port }: Pick<Endpoint, 'host' | 'port'>,
  drains: readonly EndpointDrain[],
  endpoints: Pick<EndpointsDocument, 'tasks'> | undefined,
): EndpointDrain | undefined {
  return drains.find(
    (drain) =>
      drain.host === host && (drain.port === undefined || drain.port === port) && !isDrainOver(drain, endpoints),
  );
}

/** Whether the task that a drain was set for is gone. */
export function isDrainOver(
  { taskId }: Pick<EndpointDrain, 'taskId'>,
  endpoints: Pick<EndpointsDocument, 'tasks'> | undefined,
): boolean {
  if (taskId === undefined || endpoints === undefined) return false;
  return !endpoints.tasks.some((task) => task.taskId === taskId);
}

/** The group with its drained endpoints marked: they get no new requests, and where no other is left none is picked. Pure. */
export function withDrains<Group extends EndpointGroup>(
  upstream: Group,
  drains: readonly EndpointDrain[],
  document: EndpointsDocument | undefined,
): Group {
  const drained = (endpoint: Endpoint) => drainOf(endpoint, drains, document) !== undefined;
  if (!upstream.endpoints.some(drained)) return upstream;
  const endpoints = upstream.endpoints.map(
    (endpoint): Endpoint => (drained(endpoint) ? { ...endpoint, state: 'draining' } : endpoint),
  );
  const isAnyActive = endpoints.some(({ state }) => state === 'active');
  if (isAnyActive) return { ...upstream, endpoints };
  const drain = drains.find((each) => !isDrainOver(each, document));
  return { ...upstream, endpoints, problem: allDrained(endpoints.length, suggestionOf(drain, document?.service)) };
}

function suggestionOf(drain: EndpointDrain | undefined, service = 'SERVICE'): string {
  const { host = 'ADDRESS', port } = drain ?? {};
  const address = port === undefined ? host : hostPort(host, port);
  return `End the drain of one: swarmgate maintenance ${service} off --endpoint ${address}.`;
}

function allDrained(count: number, suggestion: string): Problem {
  return {
    severity: 'warning',
    reason: 'endpoints-drained',
    message:
      count === 1
        ? 'its only endpoint is drained: requests get 503 no-endpoint'
        : `all of its ${count} endpoints are drained or about to stop: requests get 503 no-endpoint`,
    suggestion,
  };
}
