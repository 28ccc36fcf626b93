import type { OpenChallengeResponses } from '@swarmgate/acme/challenge-responses';
import type { Problem, ServiceKey } from '@swarmgate/registry';
import type { TaskFault } from '@swarmgate/runtime';
import type { Middleware } from '../../middleware/middleware.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Route } from '../../model/route.ts';
import type { ServicesChange } from '../../model/served-service.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import type { EntrypointView } from '../../server/entrypoint-view.ts';
import type { CertificateStore } from '../../server/tls/certificate-store.ts';
import type { LiveBatch, Watch } from '../live/live-tail.ts';
import type { ServiceNumbers } from '../numbers/service-numbers.ts';
import type { PluginsView } from '../plugins/plugins-view.ts';
import type { MetricWithValues } from './metrics-text.ts';

/**
 * What serves requests, as the control side sees it: one process or several workers behind the same few calls.
 * Made by `prepareInProcessServer`, with its ports taken; the composition root feeds it every `ServicesChange` and opens it
 * with the first.
 */
export interface Server {
  /**
   * Lets clients in; resolves when every entrypoint is open. Called once.
   * @throws EntrypointError naming the port that cannot be opened; WorkerError when a worker cannot begin to serve
   */
  open(): Promise<void>;
  /** Puts one change in force without touching requests in flight. Resolves when every worker serves it. */
  apply(change: ServicesChange): Promise<void>;
  /** The live table of this process: the source of `routes`, `explain` and `problems`. */
  table(): RouteTable;
  /** Every endpoint of a route with what is known of it, for `routes` and `explain`. */
  endpointsOf(route: Route): readonly EndpointView[];
  /** The steps a route's requests pass, in order, for `explain`. */
  middlewareOf?(route: Route): readonly Middleware[];
  /** Problems that only serving shows: no usable address, an entrypoint that is not open. */
  problems(): ReadonlyMap<ServiceKey, readonly Problem[]>;
  entrypoints(): readonly EntrypointView[];
  /** `undefined` without `PLUGINS_DIR`. */
  plugins?(): PluginsView | undefined;
  /** The certificates it serves; `SharedCertificates` adds those that all replicas share. */
  certificates?(): CertificateStore;
  /** Puts responses to the challenges of CAs in force; resolves when every worker has them, and all certificates before. */
  serveChallenges?(responses: OpenChallengeResponses): Promise<void>;
  /** Control tasks of workers that failed and have not recovered. Absent where this process serves by itself. */
  workerTaskFaults?(): readonly TaskFault[];
  workers(): readonly WorkerView[];
  /**
   * Replaces the workers one by one without dropping a request; resolves with how many. Absent where this process serves
   * by itself. @throws WorkerError when a new one cannot begin to serve; the old ones serve on.
   */
  restartWorkers?(): Promise<number>;
  /** The sum of the workers' metrics. Absent where this process serves by itself. */
  workerMetrics?(): Promise<readonly MetricWithValues[]>;
  /** What passed through, by service and endpoint, with all that was counted until the call. */
  numbers?(): Promise<ServiceNumbers>;
  /** Requests and relayed connections that have not finished, by endpoint id; none for the others. */
  outstanding?(): ReadonlyMap<string, number>;
  /** Passes on requests that match, as they end, from every process that serves. Returns the way to end it. */
  watchRequests?(watch: Watch, onBatch: (batch: LiveBatch) => void): () => void;
  /** The present traffic, for the other replicas. */
  traffic?(): Traffic;
  /** Calls the listener with each endpoint that requests here showed to fail. Returns the way to stop it. */
  onEjected?(listener: (endpointId: string) => void): () => void;
  /** Another replica ejected this endpoint: the next failure here ejects it too. Never ejects by itself. */
  peerEjected?(endpointId: string): void;
  /** Not accepting any more; resolves when nothing is in flight, or at the deadline. */
  drain(deadlineMs: number): Promise<void>;
  stop(): Promise<void>;
}

export interface Traffic {
  /** Exchanges that ended, since the start. */
  readonly requests: number;
  readonly inFlight: number;
}

export interface EndpointView {
  readonly endpoint: Endpoint;
  readonly health: 'healthy' | 'ejected' | 'unknown';
  readonly outstanding: number;
}

export interface WorkerView {
  readonly pid: number;
  readonly state: 'starting' | 'serving' | 'draining';
  readonly revision: string;
}
