import type { OpenChallengeResponses } from '@swarmgate/acme/challenge-responses';
import type { Problem, ServiceKey } from '@swarmgate/registry';
import type { Settings, TaskFault } from '@swarmgate/runtime';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { EndpointInUse } from '../../endpoints/balancing/balancer.ts';
import type { NameState } from '../../endpoints/name-resolution.ts';
import type { NumbersDelta } from '../../exchange/numbers/exchange-recorder.ts';
import type { PluginView } from '../../express/plugins/route-plugins.ts';
import type { CountedLimit } from '../../middleware/limits/limiters.ts';
import type { ServedService } from '../../model/served-service.ts';
import type { EntrypointView } from '../../server/entrypoint-view.ts';
import type { EntrypointToOpen } from '../../server/entrypoints.ts';
import type { CertificateSource } from '../../server/tls/certificate-store.ts';
import type { LiveBatch, Watch } from '../live/live-tail.ts';
import type { Traffic } from '../serving/server.ts';

/**
 * Messages between control process and workers. The channel keeps their order, which the protocol relies on:
 * certificates reach a worker before the services that need them, and all services before `open`.
 */

/** Services that changed, at one revision; a large change comes in several. */
export interface ServicesMessage {
  readonly kind: 'services';
  /** Counts the changes of one worker. Acknowledged where `last`. */
  readonly number: number;
  readonly last: boolean;
  readonly revision: string;
  readonly changes: ReadonlyMap<ServiceKey, ServedService | undefined>;
}

export interface StartMessage {
  readonly kind: 'start';
  /** Without what only the control process needs: tokens and keys of the registry. */
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly entrypoints: readonly EntrypointToOpen[];
  readonly host: string | undefined;
  /** PEM of `CA_FILE`. */
  readonly clientAuthorities: string | undefined;
  readonly logLevel: string;
  readonly workers: number;
  /** See `ServingDependencies`. */
  readonly blockReportFd: number | undefined;
  /** Where the connections of all workers are counted. `undefined`: this worker keeps what it accepts. */
  readonly connections: ConnectionsPlace | undefined;
  /** Ports that the control process opens: no endpoint of a worker may be one of them. */
  readonly ownPorts: readonly number[];
}

/** See `ConnectionCounts`. */
export interface ConnectionsPlace {
  readonly fd: number;
  readonly places: number;
  /** Of this worker. */
  readonly own: number;
}

/** One source's certificates with their private keys: they travel by this channel only. */
export interface CertificatesMessage {
  readonly kind: 'certificates';
  readonly source: CertificateSource;
  readonly certificates: readonly { readonly name: string; readonly cert: string; readonly key: string }[];
}

/** All responses to the challenges of CAs. The CA validates only when they are acknowledged. */
export interface ChallengesMessage {
  readonly kind: 'challenges';
  readonly number: number;
  readonly responses: OpenChallengeResponses;
}

/** An endpoint that one worker ejected is ejected in all. Times are spans: clocks of processes differ. */
export interface EjectedMessage {
  readonly kind: 'ejected';
  readonly endpointId: string;
  readonly forMs: number;
  readonly ejections: number;
}

/** What an active check found, for all workers. */
export interface CheckedMessage {
  readonly kind: 'checked';
  readonly endpointId: string;
  readonly passed: boolean;
}

export type ControlMessage =
  | StartMessage
  | CertificatesMessage
  | ChallengesMessage
  | { readonly kind: 'ticket-keys'; readonly keys: Uint8Array }
  | ServicesMessage
  /** Everything was sent: the ports may open. */
  | { readonly kind: 'open' }
  | EjectedMessage
  | CheckedMessage
  /** Another replica ejected it: see `Server.peerEjected`. */
  | { readonly kind: 'peer-ejected'; readonly endpointId: string }
  | { readonly kind: 'tokens'; readonly call: number; readonly tokens: Tokens }
  | { readonly kind: 'slots'; readonly call: number; readonly slots: number | undefined }
  | { readonly kind: 'permit'; readonly call: number; readonly permit: boolean }
  | { readonly kind: 'collect'; readonly call: number }
  /** The response is `numbers-reported`, after all numbers that were counted before. */
  | { readonly kind: 'report-numbers'; readonly call: number }
  /** Live requests: see `LiveTail`. */
  | ({ readonly kind: 'watch'; readonly id: number } & Watch)
  | { readonly kind: 'unwatch'; readonly id: number }
  /** All that are suspended: their requests get 503. */
  | { readonly kind: 'suspend-plugins'; readonly names: readonly string[] }
  | { readonly kind: 'apart'; readonly service: string; readonly isApart: boolean }
  /** The series of these services end: see `SummedMetrics.forget`. */
  | { readonly kind: 'forget'; readonly services: readonly string[] }
  /** The response is `takes-connections`. */
  | { readonly kind: 'offer-connections' }
  /** Comes with the handle of a connection that was accepted on this port. */
  | { readonly kind: 'connection'; readonly port: number }
  | { readonly kind: 'drain'; readonly deadlineMs: number };

export type WorkerMessage =
  /** Listens to messages now. */
  | { readonly kind: 'up' }
  | { readonly kind: 'serving'; readonly report: WorkerReport }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** An error passed every guard: it serves until another worker does in its place. */
  | { readonly kind: 'unusable'; readonly message: string }
  | { readonly kind: 'applied'; readonly number: number; readonly report: WorkerReport | undefined }
  | { readonly kind: 'challenges-served'; readonly number: number }
  /** Comes with the handle of a connection that is more than this worker's share. */
  | { readonly kind: 'hand-over'; readonly port: number }
  | { readonly kind: 'takes-connections' }
  | { readonly kind: 'report'; readonly report: WorkerReport }
  | EjectedMessage
  | { readonly kind: 'take-tokens'; readonly call: number; readonly limit: CountedLimit; readonly key: string }
  | ({ readonly kind: 'take-slots'; readonly call: number } & SlotRequest)
  | { readonly kind: 'give-slots'; readonly count: number; readonly address: string | undefined }
  | { readonly kind: 'acquire'; readonly call: number; readonly key: string; readonly most: number }
  /** Of a permit, by the call that acquired it. */
  | { readonly kind: 'release'; readonly call: number }
  | { readonly kind: 'metrics'; readonly call: number; readonly metrics: WorkerMetrics }
  | { readonly kind: 'numbers'; readonly delta: NumbersDelta }
  | { readonly kind: 'live-requests'; readonly id: number; readonly batch: LiveBatch }
  /** Whether `/metrics` shows this service apart. */
  | { readonly kind: 'query-apart'; readonly service: string }
  | { readonly kind: 'numbers-reported'; readonly call: number }
  /** Nothing is in flight any more. */
  | { readonly kind: 'drained'; readonly metrics: WorkerMetrics };

/** The state of a worker that the control process shows. */
export interface WorkerReport {
  readonly entrypoints: readonly EntrypointView[];
  readonly relayProblems: ReadonlyMap<ServiceKey, readonly Problem[]>;
  readonly pluginProblems: ReadonlyMap<ServiceKey, readonly Problem[]>;
  /** What the worker is about to run out of. */
  readonly resourceProblems: ReadonlyMap<ServiceKey, readonly Problem[]>;
  /** Endpoints that do not speak their label's protocol, as the worker's requests showed. */
  readonly protocolProblems: ReadonlyMap<ServiceKey, readonly Problem[]>;
  /** `undefined` without `PLUGINS_DIR`. */
  readonly plugins: readonly PluginView[] | undefined;
  readonly names: ReadonlyMap<string, NameState>;
  readonly endpoints: readonly EndpointInUse[];
  readonly traffic: Traffic;
  /** Control tasks of the worker that failed and have not recovered. */
  readonly taskFaults: readonly TaskFault[];
}

export type WorkerMetrics = readonly Omit<MetricObjectWithValues<MetricValue<string>>, 'collect'>[];

/** Requests that a worker may let pass by itself, until the window ends; or none until then. */
export type Tokens =
  | { readonly ok: true; readonly count: number; readonly forMs: number }
  | { readonly ok: false; readonly retryAfterMs: number };

export interface SlotRequest {
  readonly count: number;
  /** Set where the connections of an address are limited too: this one counts against it. */
  readonly address: string | undefined;
}
