import type { MaintenanceDocument, ServiceKey } from '@swarmgate/registry';
import { isDrainOver } from '../../endpoints/endpoint-drains.ts';
import type { ServedService } from '../../model/served-service.ts';
import type { Steps } from '../steps.ts';
import type { ServedServices } from '../watch/served-services.ts';
import { addressOf, isOver } from './maintenance-plan.ts';
import type { DrainView, MaintenanceResponse, MaintenanceView } from './response-bodies.ts';

export type MaintainedService = MaintenanceResponse['services'][number];

/** What is in force of one service. Pure. */
export function maintenanceOf(
  document: MaintenanceDocument | undefined,
  served: Pick<ServedService, 'definition' | 'endpoints'> | undefined,
  nowMs: number,
): { readonly maintenance: MaintenanceView | null; readonly drains: readonly DrainView[] } {
  const set = document?.maintenance;
  const drains = (document?.drains ?? []).filter((drain) => !isDrainOver(drain, served?.endpoints));
  return {
    maintenance:
      set !== undefined && !isOver(set, nowMs)
        ? { from: 'operator', ...set }
        : served?.definition.maintenance === true
          ? labelled(served.definition)
          : null,
    drains: drains.map(({ host, port, ...drain }) => ({
      endpoint: addressOf(port === undefined ? { host } : { host, port }),
      ...drain,
    })),
  };
}

export type MaintainedServed = Pick<ServedServices, 'maintenance' | 'services' | 'revision'>;

/** A look at one service is less than a step. */
const servicesInStep = 100;

/** Services in maintenance, with drained endpoints, or where one of these ended. */
export function* maintainedKeys({ maintenance, services }: MaintainedServed): Steps<readonly ServiceKey[]> {
  const keys = new Set<ServiceKey>(maintenance.keys());
  let looked = 0;
  for (const { key, definition } of services.values()) {
    if (definition.maintenance === true) keys.add(key);
    looked += 1;
    if (looked % servicesInStep === 0) yield undefined;
  }
  return [...keys].sort();
}

/** What is in force of these, one after the other, and what ended. */
export function* maintainedServices(
  served: MaintainedServed,
  keys: Iterable<ServiceKey>,
  nowMs: number,
): Generator<MaintainedService> {
  for (const key of keys) {
    const document = served.maintenance.get(key);
    const [owner = '', service = ''] = key.split('/');
    const now = served.services.get(key);
    yield {
      owner,
      service,
      published: now !== undefined,
      ...maintenanceOf(document, now, nowMs),
      ended: document?.ended ?? [],
    };
  }
}

/** For a caller who may not see addresses of clients and operators. */
export function withoutAddresses(each: MaintainedService): MaintainedService {
  return {
    ...each,
    maintenance: each.maintenance && withoutThem(each.maintenance),
    drains: each.drains.map(({ by: _by, ...drain }) => drain),
    ended: [],
  };
}

function withoutThem({ by: _by, except: _except, ...rest }: MaintenanceView): MaintenanceView {
  return rest;
}

/** Of all services, for the status. */
export function* countMaintenance(
  served: MaintainedServed,
  nowMs: number,
): Steps<{ readonly services: number; readonly endpoints: number }> {
  let services = 0;
  let endpoints = 0;
  const keys = yield* maintainedKeys(served);
  for (const { maintenance, drains } of maintainedServices(served, keys, nowMs)) {
    if (maintenance !== null) services += 1;
    endpoints += drains.length;
    yield undefined;
  }
  return { services, endpoints };
}

function labelled(definition: ServedService['definition']): MaintenanceView {
  const { maintenanceMessage: message, maintenancePage: page, maintenanceExcept: except, retryAfterMs } = definition;
  return {
    from: 'label',
    ...(message === undefined ? {} : { message }),
    ...(page === undefined ? {} : { page }),
    ...(except === undefined ? {} : { except }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
