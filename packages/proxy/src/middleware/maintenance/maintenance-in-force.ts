import type {
  MaintenanceDocument,
  MaintenancePage,
  ServiceDefinition,
  ServiceKey,
} from '@swarmgate/registry/vocabulary';
import { type AddressList, addressList } from '../../http/address-list.ts';
import type { ServedService } from '../../model/served-service.ts';

/** Maintenance of one service: what an operator set, which ends by its time, else what its labels set. */
export interface ServiceDown {
  readonly operator: TimedPage | undefined;
  readonly label: TimedPage | undefined;
}

export interface TimedPage extends MaintenancePage {
  readonly isExcepted: AddressList;
  /** Ms since the epoch. Infinity: until an operator ends it. */
  readonly untilMs: number;
}

/** `undefined`: the service takes requests. */
export function downOf(
  definition: ServiceDefinition,
  { maintenance }: Pick<MaintenanceDocument, 'maintenance'> = {},
): ServiceDown | undefined {
  const isLabelled = definition.maintenance === true;
  if (!isLabelled && maintenance === undefined) return undefined;
  const untilMs = maintenance?.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(maintenance.until);
  return {
    operator: maintenance && timed(maintenance, untilMs),
    label: isLabelled ? timed(pageOfLabels(definition), Number.POSITIVE_INFINITY) : undefined,
  };
}

/** The response that a client gets at that time; `undefined`: its requests pass. `nowMs` since the epoch. Pure. */
export function pageFor(down: ServiceDown, clientAddress: string, nowMs: number): TimedPage | undefined {
  const { operator, label } = down;
  const inForce = operator !== undefined && nowMs < operator.untilMs ? operator : label;
  return inForce === undefined || inForce.isExcepted(clientAddress) ? undefined : inForce;
}

/** Services in maintenance, by key. Empty most of the time, and then it costs requests one comparison. */
export class MaintenanceInForce {
  readonly #down = new Map<ServiceKey, ServiceDown>();

  apply(changes: ReadonlyMap<ServiceKey, ServedService | undefined>): void {
    for (const [key, served] of changes) {
      const down = served === undefined ? undefined : downOf(served.definition, served.maintenance);
      if (down === undefined) this.#down.delete(key);
      else this.#down.set(key, down);
    }
  }

  of(key: ServiceKey): ServiceDown | undefined {
    return this.#down.size === 0 ? undefined : this.#down.get(key);
  }
}

function pageOfLabels(definition: ServiceDefinition): MaintenancePage {
  const { maintenanceMessage: message, maintenancePage: page, maintenanceExcept: except, retryAfterMs } = definition;
  return {
    ...(message === undefined ? {} : { message }),
    ...(page === undefined ? {} : { page }),
    ...(except === undefined ? {} : { except }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function timed(page: MaintenancePage, untilMs: number): TimedPage {
  return { ...page, untilMs, isExcepted: addressList(page.except ?? []) };
}
