import {
  checkMaintenance,
  type MaintenanceDocument,
  RegistryError,
  type ReplicaPresence,
  type ServiceChange,
  type ServiceKey,
  serviceKey,
} from '@swarmgate/registry';
import type { Route } from '../../model/route.ts';
import type { Server } from '../serving/server.ts';
import type { ServicesFollower } from '../watch/follow-services.ts';
import { ownerOf, serviceOf } from '../watch/served-services.ts';
import { type ChangeOutcome, describeBarrier, outcomeOfError } from './change-outcome.ts';
import type { Changes } from './changes.ts';
import {
  addressOf,
  type PlanningContext,
  withEnded,
  withEndpointDrained,
  withServiceDown,
} from './maintenance-plan.ts';
import type { EndpointAddress, GivenMaintenance } from './maintenance-request.ts';

export interface MaintenanceChangesOptions {
  readonly follower: ServicesFollower;
  readonly server: Pick<Server, 'table' | 'endpointsOf'>;
  readonly changes: Pick<Changes, 'publish'>;
  readonly presence: Pick<ReplicaPresence, 'list'>;
  /** Ms since the epoch. Default: the clock. */
  readonly now?: () => number;
}

/** Services by name, of one owner or of every owner that publishes it. */
export interface NamedService {
  readonly service: string;
  readonly owner: string | undefined;
}

type Documents = ReadonlyMap<ServiceKey, MaintenanceDocument>;
/** What is to be written, or why nothing is. */
type Step =
  | { readonly kind: 'write'; readonly documents: Documents; readonly warnings: readonly string[] }
  | Extract<ChangeOutcome, { readonly kind: 'refused' | 'done' }>;

const mostAttempts = 6;
const replicasTimeoutMs = 1_000;
const mostShownEndpoints = 20;

/** Maintenance of services and drains of endpoints: kept in the registry, acknowledged when every live replica serves it. */
export class MaintenanceChanges {
  readonly #options: MaintenanceChangesOptions;
  readonly #now: () => number;

  constructor(options: MaintenanceChangesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  set(named: NamedService, given: GivenMaintenance, by: string): Promise<ChangeOutcome> {
    const { endpoint } = given;
    return this.#attempt(by, () => {
      const keys = this.#published(named);
      if (keys.length === 0) return this.#unpublished(named);
      return endpoint === undefined ? this.#down(keys, given, by) : this.#drained(keys, endpoint, given.until, by);
    });
  }

  end(named: NamedService, endpoint: EndpointAddress | undefined, by: string): Promise<ChangeOutcome> {
    return this.#attempt(by, () => {
      const { maintenance, services } = this.#options.follower.served;
      const isMeant = this.#meant(named);
      const known = [...new Set([...maintenance.keys(), ...services.keys()])].filter(isMeant);
      if (known.length === 0) return this.#unpublished(named);
      const documents = new Map<ServiceKey, MaintenanceDocument>();
      for (const key of known) {
        const ended = withEnded(this.#planning(key, by), endpoint);
        if (ended !== undefined) documents.set(key, ended);
      }
      const labelled = known.filter((key) => services.get(key)?.definition.maintenance === true);
      const warnings = endpoint === undefined ? labelled.map(byLabel) : [];
      if (documents.size > 0) return { kind: 'write', documents, warnings };
      const what =
        endpoint === undefined ? `${named.service} is not in maintenance` : `${addressOf(endpoint)} is not drained`;
      return { kind: 'done', message: [`nothing done: ${what}`, ...warnings].join('; '), warnings };
    });
  }

  #down(keys: readonly ServiceKey[], { page, until }: GivenMaintenance, by: string): Step {
    const given = until === undefined ? page : { ...page, until };
    const documents = new Map(keys.map((key) => [key, withServiceDown(this.#planning(key, by), given)]));
    return { kind: 'write', documents, warnings: [] };
  }

  #drained(keys: readonly ServiceKey[], address: EndpointAddress, until: string | undefined, by: string): Step {
    const found = keys.map((key) => ({ key, endpoints: this.#endpointsOf(key) }));
    const isMeant = ({ host, port }: EndpointAddress) =>
      host === address.host && (address.port === undefined || address.port === port);
    const having = found.filter(({ endpoints }) => endpoints.some(isMeant));
    if (having.length === 0) {
      const all = found.flatMap(({ endpoints }) => endpoints.map(addressOf));
      const shown = all.slice(0, mostShownEndpoints).join(', ');
      const has = all.length === 0 ? 'it has none' : `it has ${shown}${all.length > mostShownEndpoints ? ', …' : ''}`;
      return { kind: 'refused', status: 404, message: `${addressOf(address)} is no endpoint of the service: ${has}` };
    }
    const documents = new Map(
      having.map(({ key }) => [key, withEndpointDrained(this.#planning(key, by), address, until)]),
    );
    const without = having.filter(
      ({ endpoints }) => !endpoints.some((each) => each.state === 'active' && !isMeant(each)),
    );
    const warnings = without.map(
      ({ key }) => `${key} has no other endpoint that takes requests: they get 503 no-endpoint`,
    );
    return { kind: 'write', documents, warnings };
  }

  /** Decides again after another writer's change of the same document, and gives up after a few times. */
  async #attempt(by: string, step: () => Step): Promise<ChangeOutcome> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const decided = step();
        if (decided.kind !== 'write') return decided;
        const refused = unusable(decided.documents);
        if (refused !== undefined) return refused;
        const barrier = await this.#options.changes.publish(this.#changesOf(decided.documents), by);
        const late = await this.#withoutMaintenance();
        const warnings = [...decided.warnings, ...late.map(older)];
        return { kind: 'done', message: [describeBarrier(barrier), ...warnings].join('; '), warnings, barrier };
      } catch (error) {
        const isConflict = error instanceof RegistryError && error.code === 'registry-conflict';
        if (!isConflict || attempt === mostAttempts) return outcomeOfError(error);
        try {
          await this.#options.follower.readAgain();
        } catch (failure) {
          return outcomeOfError(failure);
        }
      }
    }
  }

  #changesOf(documents: Documents): readonly ServiceChange[] {
    const { served } = this.#options.follower;
    return [...documents].map(([key, document]) => ({
      owner: ownerOf(key),
      service: serviceOf(key),
      maintenance: { document, index: served.maintenanceIndex(key) },
    }));
  }

  #planning(key: ServiceKey, by: string): PlanningContext {
    const { served } = this.#options.follower;
    return {
      owner: ownerOf(key),
      service: serviceOf(key),
      before: served.maintenance.get(key),
      endpoints: served.services.get(key)?.endpoints,
      by,
      nowMs: this.#now(),
    };
  }

  #meant({ service, owner }: NamedService): (key: ServiceKey) => boolean {
    return (key) => serviceOf(key) === service && (owner === undefined || ownerOf(key) === owner);
  }

  /** Those of the registry: services of a proxy's own environment have no document that other replicas could follow. */
  #published(named: NamedService): readonly ServiceKey[] {
    const isMeant = this.#meant(named);
    return [...this.#options.follower.served.services.values()]
      .filter(({ key, origin }) => origin !== 'env' && isMeant(key))
      .map(({ key }) => key);
  }

  #unpublished({ service, owner }: NamedService): Step {
    const isOfEnvironment =
      (owner ?? 'env') === 'env' && this.#options.follower.served.services.has(serviceKey({ owner: 'env', service }));
    const whose = owner === undefined ? '' : ` of owner ${owner}`;
    if (!isOfEnvironment)
      return { kind: 'refused', status: 404, message: `no service ${service}${whose} is published` };
    const message = `${service} stands in the environment of a proxy, so set it there: DFP_SERVICE_MAINTENANCE=true`;
    return { kind: 'refused', status: 409, message };
  }

  #endpointsOf(key: ServiceKey): readonly (Required<EndpointAddress> & { readonly state: string })[] {
    const { server } = this.#options;
    const routes: readonly Route[] = server.table().routesOf(key);
    return routes.flatMap((route) => server.endpointsOf(route).map(({ endpoint }) => endpoint));
  }

  /** Live replicas of versions that know no maintenance: they still serve the service. */
  async #withoutMaintenance(): Promise<readonly string[]> {
    try {
      const replicas = await this.#options.presence.list(AbortSignal.timeout(replicasTimeoutMs));
      return replicas.filter(({ features = [] }) => !features.includes('maintenance')).map(({ replica }) => replica);
    } catch {
      // The barrier has reported already that the registry does not respond.
      return [];
    }
  }
}

/** No replica takes such a document, so that writing it would leave the service as it is. */
function unusable(documents: Documents): Extract<ChangeOutcome, { readonly kind: 'refused' }> | undefined {
  for (const [key, document] of documents) {
    const check = checkMaintenance(document, { owner: ownerOf(key), service: serviceOf(key) });
    if (!check.ok) return { kind: 'refused', status: 400, message: check.problems[0]?.message ?? 'it cannot be used' };
  }
  return undefined;
}

function byLabel(key: ServiceKey): string {
  return `the label com.df.maintenance keeps ${key} in maintenance: deploy it without the label`;
}

function older(replica: string): string {
  return `${replica} runs an older version, which has no maintenance and serves on`;
}
