import type {
  EndedMaintenance,
  EndpointDrain,
  EndpointsDocument,
  MaintenanceDocument,
  ServiceMaintenance,
} from '@swarmgate/registry';
import { maintenanceBounds } from '@swarmgate/registry/vocabulary';
import { hostPort } from '@swarmgate/runtime';
import { isDrainOver } from '../../endpoints/endpoint-drains.ts';
import type { EndpointAddress } from './maintenance-request.ts';

/** Decisions about the maintenance document of one service. Pure: a document in, the next document out. */

export interface PlanningContext {
  readonly owner: string;
  readonly service: string;
  readonly before: MaintenanceDocument | undefined;
  readonly endpoints: EndpointsDocument | undefined;
  readonly by: string;
  readonly nowMs: number;
}

export function withServiceDown(
  context: PlanningContext,
  maintenance: Omit<ServiceMaintenance, 'by' | 'since'>,
): MaintenanceDocument {
  const { maintenance: former, ...rest } = swept(context);
  const set = { ...maintenance, by: context.by, since: isoOf(context) };
  return finished({ ...rest, maintenance: set }, former === undefined ? [] : [endedOf(context, former)]);
}

export function withEndpointDrained(
  context: PlanningContext,
  { host, port }: EndpointAddress,
  tunnelsUntil: string | undefined,
): MaintenanceDocument {
  const { drains = [], ...rest } = swept(context);
  const task = context.endpoints?.tasks.find(({ addresses }) =>
    addresses.some((address) => address.split('/', 1)[0] === host),
  );
  const drain: EndpointDrain = {
    host,
    ...(port === undefined ? {} : { port }),
    ...(task === undefined ? {} : { taskId: task.taskId }),
    by: context.by,
    since: isoOf(context),
    ...(tunnelsUntil === undefined ? {} : { tunnelsUntil }),
  };
  const others = drains.filter((each) => each.host !== host || each.port !== port);
  return finished({ ...rest, drains: [...others, drain] }, []);
}

/** Ends the maintenance of the service, or the drains of one address. `undefined`: there is nothing to end. */
export function withEnded(
  context: PlanningContext,
  endpoint: EndpointAddress | undefined,
): MaintenanceDocument | undefined {
  const before = swept(context);
  if (endpoint === undefined) {
    const { maintenance, ...rest } = before;
    return maintenance === undefined ? undefined : finished(rest, [endedOf(context, maintenance)]);
  }
  const { drains = [], ...rest } = before;
  const isMeant = ({ host, port }: EndpointDrain) =>
    host === endpoint.host && (endpoint.port === undefined || port === undefined || port === endpoint.port);
  const ending = drains.filter(isMeant);
  if (ending.length === 0) return undefined;
  const left = drains.filter((each) => !isMeant(each));
  return finished(
    left.length === 0 ? rest : { ...rest, drains: left },
    ending.map((drain) => endedOf(context, drain, addressOf(drain))),
  );
}

export function addressOf({ host, port }: EndpointAddress): string {
  return port === undefined ? host : hostPort(host, port);
}

export function isOver({ until }: Pick<ServiceMaintenance, 'until'>, nowMs: number): boolean {
  return until !== undefined && Date.parse(until) <= nowMs;
}

/** Without what has ended by itself. */
function swept(context: PlanningContext): MaintenanceDocument {
  const { owner, service, before, nowMs, endpoints } = context;
  const { maintenance, drains = [], ended = [] } = before ?? {};
  const isTimeUp = maintenance !== undefined && isOver(maintenance, nowMs);
  const left = drains.filter((drain) => !isDrainOver(drain, endpoints));
  const byItself = [
    ...(isTimeUp && maintenance.until !== undefined
      ? [{ ...endedOf(context, maintenance), endedAt: maintenance.until, endedBy: 'its time' }]
      : []),
    ...drains
      .filter((drain) => !left.includes(drain))
      .map((drain) => ({ ...endedOf(context, drain, addressOf(drain)), endedBy: 'the end of its task' })),
  ];
  const past = [...byItself, ...ended];
  return {
    version: 1,
    service,
    owner,
    ...(maintenance === undefined || isTimeUp ? {} : { maintenance }),
    ...(left.length === 0 ? {} : { drains: left }),
    ...(past.length === 0 ? {} : { ended: past }),
  };
}

function finished(document: MaintenanceDocument, newlyEnded: readonly EndedMaintenance[]): MaintenanceDocument {
  const { ended = [], ...rest } = document;
  const past = [...newlyEnded, ...ended].slice(0, maintenanceBounds.ended);
  return past.length === 0 ? rest : { ...rest, ended: past };
}

function endedOf(
  context: PlanningContext,
  { by, since }: Pick<EndpointDrain, 'by' | 'since'>,
  endpoint?: string,
): EndedMaintenance {
  const end = { by, since, endedAt: isoOf(context), endedBy: context.by };
  return endpoint === undefined ? end : { endpoint, ...end };
}

function isoOf({ nowMs }: PlanningContext): string {
  return new Date(nowMs).toISOString();
}
