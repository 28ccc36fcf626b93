import type { MaintenanceDocument, ServiceKey } from '@swarmgate/registry';
import { isDrainOver } from '../../endpoints/endpoint-drains.ts';
import type { ServedService } from '../../model/served-service.ts';
import type { ServedServices } from '../watch/served-services.ts';
import { addressOf, isOver } from './maintenance-plan.ts';
import type { DrainView, MaintenanceResponse, MaintenanceView } from './response-bodies.ts';

type MaintainedService = MaintenanceResponse['services'][number];

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

/** Every service in maintenance and every drained endpoint, by owner and service, and what ended. */
export function maintenanceResponse(
  served: Pick<ServedServices, 'maintenance' | 'services' | 'revision'>,
  nowMs: number,
): MaintenanceResponse {
  const labelledKeys = [...served.services.values()]
    .filter(({ definition }) => definition.maintenance === true)
    .map(({ key }) => key);
  const keys = [...new Set<ServiceKey>([...served.maintenance.keys(), ...labelledKeys])].sort();
  return {
    revision: served.revision,
    services: keys.map((key) => {
      const document = served.maintenance.get(key);
      const [owner = '', service = ''] = key.split('/');
      const now = served.services.get(key);
      return {
        owner,
        service,
        published: now !== undefined,
        ...maintenanceOf(document, now, nowMs),
        ended: document?.ended ?? [],
      };
    }),
  };
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
export function countMaintenance(
  served: Pick<ServedServices, 'maintenance' | 'services' | 'revision'>,
  nowMs: number,
): { readonly services: number; readonly endpoints: number } {
  const { services } = maintenanceResponse(served, nowMs);
  return {
    services: services.filter(({ maintenance }) => maintenance !== null).length,
    endpoints: services.reduce((sum, { drains }) => sum + drains.length, 0),
  };
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
