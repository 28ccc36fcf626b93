// The parts of the REST's bodies that the console reads. docs/openapi.yaml describes all of them.

export interface Session {
  readonly login: boolean;
  readonly endsAt: string | null;
  readonly mayRead: boolean;
  readonly mayChange: boolean;
  readonly objection: string | null;
}

export interface Replica {
  readonly replica: string;
  /** Sequences of two registries say nothing about each other. */
  readonly registryId: string;
  readonly sequence: number;
  readonly routes: number;
  readonly rejected: number;
  readonly version: string;
  readonly since: string;
  readonly draining?: true;
  readonly live?: { readonly requestsPerSecond: number; readonly inFlight: number };
}

export interface Status {
  readonly version: string;
  readonly replica: string;
  readonly instance: string;
  readonly since: string;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly registry: {
    readonly kind: string;
    readonly description: string;
    readonly reachable: boolean;
    readonly registryId: string;
    readonly state: { readonly kind: string; readonly held?: number };
  };
  readonly revision: string;
  readonly sequence: number;
  /** How old the registry's last response is, in milliseconds. */
  readonly ageMs: number | null;
  readonly services: number;
  readonly routes: number;
  readonly rejected: number;
  readonly problems: number;
  readonly entrypoints: readonly { readonly port: number; readonly secure: boolean }[];
  readonly tokenInPlain: { readonly from: string; readonly at: string } | null;
  readonly replicas: readonly Replica[];
}

export type Health = 'healthy' | 'ejected' | 'unknown';

export interface Endpoint {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly state: 'active' | 'draining';
  readonly health: Health;
  readonly outstanding: number;
}

export interface Route {
  readonly id: string;
  readonly service: string;
  readonly owner: string;
  readonly index: number;
  readonly origin: string;
  readonly addressesFresh: boolean;
  readonly conditions: Readonly<Record<string, unknown>>;
  readonly upstream: { readonly port: number; readonly secure: boolean; readonly protocol?: string };
  readonly blockedBy?: string;
  readonly redirectToHost?: string;
  readonly maintenance?: boolean;
  readonly endpoints: readonly Endpoint[];
}

/** A route as `GET /v1/events` has it: without the requests in flight. */
export interface StateRoute extends Omit<Route, 'endpoints'> {
  readonly endpoints: readonly Omit<Endpoint, 'outstanding'>[];
}

/** The last minute of a service. */
export type RowNumbers = Pick<Window, 'requestsPerSecond' | 'errorsPercent' | 'p50Ms' | 'p99Ms'>;

/** Items of the state by name; `null`: it is gone. */
type Items<T> = Readonly<Record<string, T | null>>;

/** `event: changes` of `GET /v1/events` */
export interface StateChanges {
  readonly status?: Items<Status>;
  readonly keys?: Items<readonly KeyProblem[]>;
  readonly totals?: Items<RowNumbers>;
  readonly services?: Items<readonly StateRoute[]>;
  readonly problems?: Items<readonly Problem[]>;
  readonly numbers?: Items<RowNumbers>;
  readonly maintenance?: Items<MaintainedService>;
  readonly ordering?: Items<Pick<Certificates, 'ordering' | 'waiting'>>;
  readonly certificates?: Items<Certificate>;
  readonly documents?: Items<Omit<ServiceNumbers, 'service' | 'numbers' | 'endpointNumbers'>>;
  readonly details?: Items<Pick<ServiceNumbers, 'numbers' | 'endpointNumbers'>>;
}

export interface Window {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly status: Readonly<Record<string, number>>;
  readonly errorsPercent: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly retries: number;
  readonly reasons: Readonly<Record<string, number>>;
}

export interface Numbers {
  readonly inFlight: number;
  readonly lastMinute: Window;
  readonly last15Minutes: Window;
  readonly sinceStart: Window;
}

export interface EndpointNumbers {
  readonly id: string;
  readonly host: string | null;
  readonly port: number | null;
  readonly state: 'active' | 'draining' | 'gone';
  readonly health: Health;
  readonly numbers: Numbers;
}

export type Definition = Readonly<Record<string, unknown>> & {
  readonly source?: { readonly kind?: string; readonly by?: string };
  readonly updatedAt?: string;
};

export interface ServiceNumbers {
  /** `<owner>/<service>` */
  readonly service: string;
  readonly definition?: Definition;
  readonly numbers: Numbers | null;
  readonly maintenance?: Maintenance | null;
  readonly drains?: readonly Drain[];
  readonly endpointNumbers?: readonly EndpointNumbers[];
}

export interface Services {
  readonly revision: string;
  readonly replicas: readonly { readonly replica: string; readonly ageMs: number }[];
  readonly total: Numbers;
  readonly unmatched: Numbers;
  readonly services: readonly ServiceNumbers[];
}

/** What takes a whole service down. */
export interface Maintenance {
  readonly from: 'operator' | 'label';
  readonly by?: string;
  readonly since?: string;
  readonly until?: string;
  readonly message?: string;
  readonly page?: string;
}

export interface Drain {
  readonly endpoint: string;
  readonly by?: string;
  readonly since: string;
}

export interface MaintainedService {
  readonly owner: string;
  readonly service: string;
  readonly published: boolean;
  readonly maintenance: Maintenance | null;
  readonly drains: readonly Drain[];
  readonly ended: readonly {
    readonly endpoint?: string;
    readonly by: string;
    readonly since: string;
    readonly endedAt: string;
    readonly endedBy: string;
  }[];
}

export interface Certificate {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly expiresAt: string;
  readonly from: string;
  readonly issuer?: string;
  readonly renewAt?: string;
}

export interface Certificates {
  readonly ordering: boolean;
  readonly certificates: readonly Certificate[];
  /** Names that are to have one and do not, or whose renewal failed. */
  readonly waiting: readonly {
    readonly name: string;
    readonly state: string;
    readonly failures: number;
    readonly nextAttempt?: string;
    readonly detail?: string;
  }[];
}

export interface Problem {
  readonly owner: string;
  readonly service: string;
  readonly severity: 'error' | 'warning';
  readonly reason: string;
  readonly message: string;
  readonly label?: string;
  readonly value?: string;
  readonly suggestion?: string;
  readonly since?: string;
}

export interface KeyProblem {
  readonly key: string;
  readonly reason: string;
  readonly message: string;
  readonly suggestion: string;
}

export interface Explanation {
  readonly request: { readonly method: string; readonly host: string; readonly path: string; readonly port: number };
  readonly winner: Route | null;
  readonly byDefault: boolean;
  readonly middleware: readonly string[];
  readonly answer: { readonly status: number; readonly reason: string } | null;
  readonly candidates: readonly {
    readonly id: string;
    readonly service: string;
    readonly owner: string;
    readonly condition: string;
    readonly message: string;
  }[];
  readonly omitted: number;
}

export interface HistoryEntry {
  readonly number: number;
  readonly definition: Definition;
  readonly changed: readonly string[];
  readonly replacedAt: string;
  readonly replacedBy: string;
}

export interface History {
  readonly service: string;
  readonly owners: readonly {
    readonly owner: string;
    readonly current: Definition | null;
    readonly entries: readonly HistoryEntry[];
  }[];
}

export interface LiveRequest {
  readonly at: string;
  readonly client: string;
  readonly protocol: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  readonly reason: string | null;
  readonly service: string | null;
  readonly endpoint: string | null;
  readonly durationMs: number;
}

export interface ChangeResponse {
  readonly Status: 'OK' | 'NOK';
  readonly Message?: string;
  readonly problems?: readonly Problem[];
  readonly warnings?: readonly string[];
  readonly serving?: readonly string[];
  readonly waitingFor?: readonly string[];
}
