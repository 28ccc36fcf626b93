import type { ImportedCertificate, OrderedCertificate, WaitingName } from '@swarmgate/acme';
import type {
  EndedMaintenance,
  EndpointDrain,
  EndpointsDocument,
  HistoryEntry,
  MaintenancePage,
  Problem,
  ReplicaStatus,
  ServiceDefinition,
  ServiceKey,
} from '@swarmgate/registry';
import type { AccessRecord } from '../../exchange/access-record.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { FollowState, ServedService } from '../../model/served-service.ts';
import type { PathReading } from '../../routing/path-readings.ts';
import type { ReadingConflict } from '../../routing/reading-conflicts.ts';
import type { FailedCondition } from '../../routing/route-table.ts';
import type { EntrypointView } from '../../server/entrypoint-view.ts';
import type { LiveTraffic } from '../bus/cluster-bus.ts';
import type { ShownNumbers } from '../numbers/merged-numbers.ts';
import type { PluginsView } from '../plugins/plugins-view.ts';
import type { WorkerView } from '../serving/server.ts';
import type { Http2Explanation, UpstreamProtocol } from './explain-http2.ts';

/** The bodies of the admin REST, as `docs/openapi.yaml` describes them and the `swarmgate` command reads them. */

/** `GET /v1/status` */
export interface StatusResponse {
  readonly version: string;
  readonly replica: string;
  readonly instance: string;
  /** When this replica started, ISO 8601. */
  readonly since: string;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly registry: {
    readonly kind: 'consul' | 'embedded';
    readonly description: string;
    readonly reachable: boolean;
    readonly registryId: string;
    readonly state: FollowState;
  };
  readonly revision: string;
  readonly sequence: number;
  /** Time since the registry last responded (before that: since the snapshot on disk was made); null: never. */
  readonly ageMs: number | null;
  readonly services: number;
  readonly routes: number;
  readonly rejected: number;
  readonly held: number;
  readonly problems: number;
  /** Services in maintenance and drained endpoints. */
  readonly maintenance: { readonly services: number; readonly endpoints: number };
  readonly entrypoints: readonly ShownEntrypoint[];
  /** The admin port speaks TLS: `ADMIN_TLS` is set. */
  readonly adminTls: boolean;
  /** The last call that brought `ADMIN_TOKEN` or a login over plain HTTP from another machine; null: none did. */
  readonly tokenInPlain: { readonly from: string; readonly at: string } | null;
  readonly workers: readonly WorkerView[];
  /** Null without `PLUGINS_DIR`. */
  readonly plugins: PluginsView | null;
  /** Every live replica; only this one while the registry is away. */
  readonly replicas: readonly ReplicaView[];
}

/** `protocols`: what clients may choose at an entrypoint; empty where connections are relayed. */
export type ShownEntrypoint = EntrypointView & { readonly protocols: readonly AccessRecord['protocol'][] };

/** `live`: what passes through it just now. Of others it is known over `REDIS_URL` only. */
export interface ReplicaView extends ReplicaStatus {
  readonly live?: LiveTraffic;
}

/** `GET /v1/session`: what the calling page may do. */
export interface SessionResponse {
  /** `POST` with `ADMIN_TOKEN` begins a session; false where no token is set. */
  readonly login: boolean;
  /** When the session of this page ends; null: it has none. */
  readonly endsAt: string | null;
  readonly mayRead: boolean;
  /** Change, and read what shows clients, paths or whole definitions. */
  readonly mayChange: boolean;
  /** Why it may not change; null where it may. */
  readonly objection: string | null;
}

export interface RouteView {
  readonly id: string;
  readonly service: string;
  readonly owner: string;
  readonly index: number;
  readonly origin: ServedService['origin'];
  readonly addressesFresh: boolean;
  /** What a request must be like, under the labels' names; absent conditions always hold. */
  readonly conditions: Readonly<Record<string, unknown>>;
  readonly upstream: { readonly port: number; readonly secure: boolean; readonly protocol: UpstreamProtocol };
  readonly blockedBy?: string;
  readonly redirectToHost?: string;
  /** Its service is in maintenance: requests get 503. */
  readonly maintenance?: true;
  readonly endpoints: readonly (Endpoint & {
    readonly health: 'healthy' | 'ejected' | 'unknown';
    readonly outstanding: number;
  })[];
}

/** `GET /v1/routes`, in matching order */
export interface RoutesResponse {
  readonly revision: string;
  readonly order: 'strict' | 'legacy';
  readonly routes: readonly RouteView[];
}

export interface DatedProblem extends Problem {
  /** ISO 8601, UTC: when this replica found it. */
  readonly since: string;
}

export interface ProblemView extends DatedProblem {
  readonly owner: string;
  readonly service: string;
}

/** A key under the prefix that Swarmgate does not own. It is never changed. */
export interface KeyProblemView {
  readonly key: string;
  readonly reason: 'key-foreign';
  readonly message: string;
  readonly suggestion: string;
}

/** `GET /v1/problems` */
export interface ProblemsResponse {
  readonly revision: string;
  readonly problems: readonly ProblemView[];
  readonly keys: readonly KeyProblemView[];
}

/** `GET /v1/explain` */
export interface ExplainResponse {
  readonly request: {
    readonly method: string;
    readonly host: string;
    readonly path: string;
    readonly port: number;
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly winner: RouteView | null;
  /** The winner is the default backend, which nothing has to match. */
  readonly byDefault: boolean;
  /** Steps the request would pass, in order. */
  readonly middleware: readonly string[];
  /** The response of the proxy itself; `null` where an endpoint responds. */
  readonly answer: { readonly status: number; readonly reason: string } | null;
  /** Of a client of HTTP/2, where that was requested. */
  readonly http2?: Http2Explanation;
  /** Other paths that servers may understand by this one; empty for nearly all paths. */
  readonly readings: readonly (PathReading & {
    /** Ids of what the reading reaches. */
    readonly routes: readonly string[];
    /** Why the request gets 400 because of this reading; `null`: it is not. */
    readonly conflict: ReadingConflict | null;
  })[];
  readonly candidates: readonly {
    readonly id: string;
    readonly service: string;
    readonly owner: string;
    readonly condition: FailedCondition['condition'];
    readonly message: string;
  }[];
  /** Candidates beyond `limit`: those with least in common with the request. */
  readonly omitted: number;
}

/** `changed`: names of the labels by which the next definition differs; empty where there is none. */
export interface HistoryEntryView extends HistoryEntry {
  readonly changed: readonly string[];
}

/** `GET /v1/history` */
export interface HistoryResponse {
  readonly service: string;
  /** For each owner that publishes the name: what stands now and what stood before, newest first. */
  readonly owners: readonly {
    readonly owner: string;
    readonly current: ServiceDefinition | null;
    readonly entries: readonly HistoryEntryView[];
  }[];
}

/** `GET /v1/services`: what is served, as documents, and what passed through; `swarmgate diff` compares with the documents. */
export interface ServicesResponse {
  readonly revision: string;
  /** Whose requests the numbers count, this replica first. Only this one, unless all were requested. */
  readonly replicas: readonly CoveredReplica[];
  /** Of all services together, and of requests that no route matched. */
  readonly total: ShownNumbers;
  readonly unmatched: ShownNumbers;
  /** The busiest first where `limit` is given. */
  readonly services: readonly {
    /** `<owner>/<service>` */
    readonly service: ServiceKey;
    /** These four are absent where only numbers were requested. */
    readonly definition?: ServiceDefinition;
    readonly endpoints?: EndpointsDocument | null;
    readonly origin?: ServedService['origin'];
    readonly addressesFresh?: boolean;
    /** Null: the service takes requests. */
    readonly maintenance?: MaintenanceView | null;
    readonly drains?: readonly DrainView[];
    /** Null: no request since the start. */
    readonly numbers: ShownNumbers | null;
    /** Of this replica, where one service was requested. */
    readonly endpointNumbers?: readonly EndpointNumbers[];
  }[];
}

export interface CoveredReplica {
  readonly replica: string;
  /** How old its numbers are. */
  readonly ageMs: number;
  /** How many services it reported: its busiest, or all. */
  readonly services: 'all' | number;
}

export interface EndpointNumbers {
  /** Empty: responses of the proxy itself, and endpoints that are gone for long. */
  readonly id: string;
  /** Null where it is not an endpoint of the service at present. */
  readonly host: string | null;
  readonly port: number | null;
  readonly state: 'active' | 'draining' | 'gone';
  readonly health: 'healthy' | 'ejected' | 'unknown';
  readonly numbers: ShownNumbers;
}

/** A route in `GET /v1/events`: without the requests in flight. */
export interface StateRoute extends Omit<RouteView, 'endpoints'> {
  readonly endpoints: readonly Omit<RouteView['endpoints'][number], 'outstanding'>[];
}

/** The last minute of a service in `GET /v1/events`, to three digits. */
export interface StateNumbers {
  readonly requestsPerSecond: number;
  readonly errorsPercent: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** Maintenance of a service that is in force. */
export interface MaintenanceView extends MaintenancePage {
  /** A label ends with a deployment, and has no author. */
  readonly from: 'operator' | 'label';
  readonly by?: string;
  /** ISO 8601. */
  readonly since?: string;
  /** ISO 8601; absent: until it is ended. */
  readonly until?: string;
}

export interface DrainView extends Omit<EndpointDrain, 'host' | 'port' | 'by'> {
  /** Absent for a caller who may not see addresses. */
  readonly by?: string;
  /** `host:port`, or the host alone for all of its ports. */
  readonly endpoint: string;
}

/** `GET /v1/maintenance` */
export interface MaintenanceResponse {
  readonly revision: string;
  readonly services: readonly {
    readonly owner: string;
    readonly service: string;
    /** `false`: nothing publishes the service at present; its maintenance waits for it. */
    readonly published: boolean;
    readonly maintenance: MaintenanceView | null;
    readonly drains: readonly DrainView[];
    /** The newest first. */
    readonly ended: readonly EndedMaintenance[];
  }[];
}

/** `GET /v1/certificates` */
export interface CertificatesResponse {
  /** `ACME_DIRECTORY` is set: certificates are ordered. */
  readonly ordering: boolean;
  readonly certificates: readonly ShownCertificate[];
  /** Names that are to have one and do not, or whose renewal failed. */
  readonly waiting: readonly WaitingName[];
}

export interface CertificateView {
  readonly name: string;
  readonly hosts: readonly string[];
  /** ISO 8601. */
  readonly expiresAt: string;
  readonly from: 'file' | 'secret' | 'service' | 'registry' | 'acme' | 'self-signed';
}

/** A certificate of any source; what follows `from` is known of those that were ordered. */
export interface ShownCertificate extends CertificateView, Partial<Omit<OrderedCertificate, 'id' | 'names'>> {}

/** `POST /v1/certificates/import`; what became of each certificate, in the order of the request. */
export interface ImportResponse {
  /** `NOK`: every one of them was refused. */
  readonly Status: 'OK' | 'NOK';
  readonly Message: string;
  readonly certificates: readonly ImportedCertificate[];
}

/** Response to everything that changes something; Docker Flow's two fields, then ours. */
export interface ChangeResponse {
  readonly Status: 'OK' | 'NOK';
  readonly Message: string;
  readonly sequence?: number;
  readonly serving?: readonly string[];
  readonly waitingFor?: readonly string[];
  readonly problems?: readonly Problem[];
  /** What works otherwise than the caller may expect; `Message` holds it too. */
  readonly warnings?: readonly string[];
}
