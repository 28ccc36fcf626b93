import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noChallengeResponses } from '@swarmgate/acme/challenge-responses';
import type { SecretsKey } from '@swarmgate/registry';
import { type Logger, readRegularFile, type Settings, stopOnce, Tasks } from '@swarmgate/runtime';
import { MetricsRegistry as Metrics } from '@swarmgate/runtime/prometheus';
import { ownPorts } from '../../endpoints/own-ports.ts';
import { ServicesApart } from '../../exchange/services-apart.ts';
import { createMiddleware } from '../../middleware/compile-middleware.ts';
import { createLimiters } from '../../middleware/limits/limiters.ts';
import { withMaintenance } from '../../middleware/maintenance/maintenance.ts';
import type { ServicesChange } from '../../model/served-service.ts';
import type { EntrypointToOpen } from '../../server/entrypoints.ts';
import {
  type CertificateSource,
  type CertificateStore,
  certificateSources,
} from '../../server/tls/certificate-store.ts';
import { LiveWatches } from '../live/live-watches.ts';
import { ServiceNumbers } from '../numbers/service-numbers.ts';
import { openCertificates } from '../serving/own-dependencies.ts';
import type { Server, Traffic } from '../serving/server.ts';
import { countEjections } from '../serving/server-metrics.ts';
import { explainedSteps, mergeProblems, servedEndpoints } from '../serving/serving-table.ts';
import { BoundEntrypoints, firstInheritedFd } from './bound-entrypoints.ts';
import { ConnectionSlots } from './connection-slots.ts';
import { ControlView } from './control-view.ts';
import { fleetMetrics } from './fleet-metrics.ts';
import type { CertificatesMessage, ControlMessage, StartMessage } from './messages.ts';
import { PluginControl } from './plugin-control.ts';
import { RotatingTicketKeys } from './rotating-ticket-keys.ts';
import { servicesAtOnce } from './services-feed.ts';
import { SharedChecks } from './shared-checks.ts';
import { shareConnections } from './shared-connections.ts';
import { SharedEjections } from './shared-ejections.ts';
import { SharedSemaphores } from './shared-semaphores.ts';
import { StartMemory } from './start-memory.ts';
import { SummedMetrics } from './summed-metrics.ts';
import { workerFlags } from './worker-flags.ts';
import { type FleetEvents, WorkerFleet } from './worker-fleet.ts';
import { WorkerProcess } from './worker-process.ts';
import { responderToWorkers } from './worker-requests.ts';

export interface ClusterServerOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of `SECRETS_KEY`: opens `serviceCert`, in this process only. Default none. */
  readonly secretsKeys?: readonly SecretsKey[];
  /** For tests: ports that the settings do not allow (0: any free one), and their address. */
  readonly entrypoints?: readonly EntrypointToOpen[];
  readonly host?: string;
  /** How often the files of `PLUGINS_DIR` are looked at, in milliseconds. Default 2,000. */
  readonly pluginLookMs?: number;
  /** For tests: those of another clock. */
  readonly numbers?: ServiceNumbers;
  /** Runs what belongs to no request. Default: tasks whose faults only the log shows. */
  readonly tasks?: Tasks;
}

// How often own networks and certificate files are looked at.
const lookAgainMs = 5_000;
/** Maximum lifetime of a session ticket: keys that are stolen later do not decrypt older recordings. */
const ticketKeysMs = 8 * 3_600_000;

/** The number of workers by `WORKERS`. 0: this process serves by itself. */
export function workerCountOf({ workers }: Pick<Settings, 'workers'>): number {
  return workers === 'cores' ? availableParallelism() : workers;
}

/**
 * Serves requests in worker processes; this one keeps the table, what the proxy has once for all of them, and the ports.
 * The ports are taken when it resolves, and the workers start; `open` gives them the table, with which they accept clients.
 * @throws EntrypointError naming the port that cannot be opened
 */
export async function prepareClusterServer(options: ClusterServerOptions): Promise<Server> {
  const { settings, logger, metrics, env } = options;
  const { tasks = new Tasks({ logger }) } = options;
  const workers = workerCountOf(settings);
  const ended = new AbortController();
  const { signal } = ended;
  const clientAuthorities = settings.caFile === undefined ? undefined : await readRegularFile(settings.caFile);
  const certificates = await openCertificates(options, clientAuthorities);
  const bound = BoundEntrypoints.bind(
    options.entrypoints ?? [...settings.defaultPorts, ...settings.bindPorts],
    options.host,
  );

  const owner = tasks.owner('workers');
  const fleet = new WorkerFleet({ size: workers, logger, owner, drainMs: settings.drainTimeoutMs });
  const view = new ControlView(settings, () => [...fleet.workers].flatMap(({ report }) => report ?? []));
  const limiters = createLimiters({ redisUrl: settings.redisUrl, instance: settings.instanceName, logger });
  const { maxConnections: most, maxConnectionsPerAddress: mostPerAddress } = settings;
  const shared = shareConnections(workers, owner);
  const slots = new ConnectionSlots<WorkerProcess>({ most, mostPerAddress });
  const semaphores = new SharedSemaphores<WorkerProcess>();
  const ejections = new SharedEjections();
  const ejectionListeners = new Set<(endpointId: string) => void>();
  const ticketKeys = new RotatingTicketKeys();
  const summed = new SummedMetrics(fleet, tasks.owner('worker-metrics'));
  const numbers = options.numbers ?? new ServiceNumbers();
  const apart = new ServicesApart(settings.metricsServices);
  const watches = new LiveWatches();
  watches.over({
    watch: (id, watch) => fleet.broadcast({ kind: 'watch', id, ...watch }),
    unwatch: (id) => fleet.broadcast({ kind: 'unwatch', id }),
  });
  // For `explain` alone: no request passes through it.
  const middleware = createMiddleware({ settings, env, logger, limiters });
  const ofControl = new Metrics();
  const countOut = countEjections(ofControl);
  const counted = fleetMetrics(metrics, fleet);
  const plugins = new PluginControl({
    settings,
    fleet,
    routes: () => view.table.routes(),
    reports: () => view.reports(),
    metrics: ofControl,
    logger,
    lookMs: options.pluginLookMs,
  });
  const checks = new SharedChecks({
    swarmName: settings.swarmName,
    subnets: () => view.networks.subnets,
    signal,
    broadcast: (message) => fleet.broadcast(message),
    onOut: ({ id }) => {
      logger.warn({ endpoint: id, health: 'failing-checks' }, 'endpoint ejected');
      countOut('failing-checks');
    },
  });

  const start: StartMessage = {
    kind: 'start',
    settings: withoutSecretsOfControl(settings),
    env,
    entrypoints: bound.inherited(),
    host: options.host,
    clientAuthorities,
    logLevel: levelOf(logger),
    workers,
    ownPorts: ownPorts.all(),
    blockReportFd: settings.pluginsDir === undefined ? undefined : firstInheritedFd + bound.fds.length,
    connections: undefined,
  };
  const countsFd = firstInheritedFd + bound.fds.length + (start.blockReportFd === undefined ? 0 : 1);
  const ticketKeysMessage = (): ControlMessage => ({ kind: 'ticket-keys', keys: ticketKeys.current });
  const onEjected = (endpointId: string) => {
    for (const listener of ejectionListeners) listener(endpointId);
  };
  const challenges = new OpenChallenges();
  const startMemory = new StartMemory(owner);
  let isOpen = false;
  const firstServices = Promise.withResolvers<void>();
  const firstTable = Promise.withResolvers<void>();
  const onMessage = responderToWorkers({
    limiters,
    slots,
    semaphores,
    ejections,
    numbers,
    apart,
    watches,
    workers,
    onEjected,
    fleet,
    placement: shared?.placement,
    owner,
  });
  const events: FleetEvents = {
    launch: () => {
      const own = shared?.placement.free();
      const connections = own === undefined ? undefined : shared?.placeOf(own, countsFd);
      const worker = new WorkerProcess(fork(start, bound.fds, shared?.fd, join(settings.dataDir, 'compile-cache')), {
        start: { ...start, connections },
        firstServices: firstServices.promise,
        firstTable: firstTable.promise,
        first: () => [
          ...certificateSources.map((source) => certificatesOf(certificates.store, source)),
          ticketKeysMessage(),
          { kind: 'challenges', number: 0, responses: challenges.responses },
          plugins.suspendMessage(),
        ],
        revision: () => view.revision,
        services: view.services,
        onMessage,
        onBlocked: (worker, report) => plugins.blocked(worker, report),
        onUnusable: (worker, why) => fleet.replace(worker, why),
        owner,
      });
      if (own !== undefined) shared?.placement.add(worker, own);
      return worker;
    },
    onRetiring: (worker) => shared?.placement.changed(worker),
    onServing: (worker) => {
      shared?.placement.changed(worker);
      for (const known of [...ejections.inForce(), ...checks.failing()]) worker.send(known);
      for (const [id, watch] of watches.all()) worker.send({ kind: 'watch', id, ...watch });
    },
    onEnded: (worker, how) => {
      slots.forget(worker);
      semaphores.forget(worker);
      counted(how);
      summed.keep(worker.metrics);
    },
  };
  const stopBroadcasting = broadcastCertificates(certificates.store, (message) => fleet.broadcast(message));
  ticketKeys.onChange(() => fleet.broadcast(ticketKeysMessage()));
  const served = () => servedEndpoints(view.table, (route) => view.endpointsOf(route).map(({ endpoint }) => endpoint));
  const background = Promise.all([
    view.follow(lookAgainMs, signal, tasks),
    checks.run(tasks),
    tasks.run('certificate-files', signal, () => certificates.follow(lookAgainMs, signal)),
    plugins.follow(tasks, signal),
    tasks.every('ticket-keys', ticketKeysMs, signal, () => ticketKeys.rotate()),
    tasks.run('proxy-numbers', signal, () => numbers.follow(served, () => apart.forget(summed.forget()), signal)),
  ]);

  const stop = async () => {
    ended.abort();
    stopBroadcasting();
    bound.close();
    await fleet.stop();
    shared?.close();
    limiters.stop();
    await middleware.stop();
    await background;
  };
  const starting = fleet.start(events);
  // `open` reports it.
  starting.catch(() => undefined);
  return {
    async open() {
      isOpen = true;
      firstServices.resolve();
      firstTable.resolve();
      await starting;
      startMemory.opened(view.services.size);
    },
    async apply(change: ServicesChange) {
      certificates.apply(change.changes);
      // Workers that start compile their services while this process does.
      const isFirst = !isOpen && change.changes.size > servicesAtOnce;
      const shown = isFirst ? view.applyInTurns(change) : view.apply(change);
      const applied = isFirst ? fleet.apply(change) : undefined;
      if (isFirst) firstServices.resolve();
      await shown;
      summed.apply(change.changes);
      checks.apply(view.table, change.changes);
      await (applied ?? fleet.apply(change));
      startMemory.applied(view.services.size);
    },
    table: () => view.table,
    endpointsOf: (route) => view.endpointsOf(route),
    middlewareOf: explainedSteps(withMaintenance(middleware.middlewareOf, ({ key }) => view.maintenance.of(key))),
    problems: () => mergeProblems(view.problems(), certificates.problems(), plugins.problems()),
    plugins: () => plugins.view(),
    workerTaskFaults: () => view.taskFaults(),
    entrypoints() {
      const reported = view.entrypoints();
      return reported.length === 0 ? bound.views() : reported;
    },
    certificates: () => certificates.store,
    serveChallenges(next) {
      challenges.responses = next;
      return fleet.serveChallenges(next);
    },
    workers: () => fleet.views(),
    traffic: () => trafficOf(fleet),
    async numbers() {
      await Promise.all([...fleet.workers].map((each) => each.reportNumbers()));
      return numbers;
    },
    outstanding: () => view.outstanding(),
    watchRequests: (watch, onBatch) => watches.add(watch, onBatch),
    onEjected(listener) {
      ejectionListeners.add(listener);
      return () => ejectionListeners.delete(listener);
    },
    peerEjected: (endpointId) => fleet.broadcast({ kind: 'peer-ejected', endpointId }),
    async restartWorkers() {
      const replaced = await fleet.restart(settings.drainTimeoutMs);
      plugins.replaced();
      return replaced;
    },
    workerMetrics: async () => summed.collect(await ofControl.getMetricsAsJSON()),
    async drain(deadlineMs: number) {
      bound.close();
      await fleet.drain(deadlineMs);
    },
    stop: stopOnce(stop),
  };
}

/** Responses to the challenges of CAs that are pending, for workers that start. */
class OpenChallenges {
  responses = noChallengeResponses;
}

const workerFile = fileURLToPath(new URL('./worker-main.ts', import.meta.url));

/**
 * All workers accept on the very sockets that this process bound; which one gets a connection is the system's affair.
 * @param compileCache where compiled sources are kept: with them a worker starts twice as fast and takes 30 MB less
 */
function fork(
  { blockReportFd }: StartMessage,
  fds: readonly number[],
  countsFd: number | undefined,
  compileCache: string,
) {
  // Relay ports come and go, so node:cluster shares those: without a schedule of its own it hands out the socket itself.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: workerFile,
    args: [],
    execArgv: [...workerFlags],
    serialization: 'advanced',
    stdio: [
      ...(['ignore', 'inherit', 'inherit', 'ipc'] as const),
      ...fds,
      ...(blockReportFd === undefined ? [] : ['pipe' as const]),
      ...(countsFd === undefined ? [] : [countsFd]),
    ],
  });
  const { NODE_COMPILE_CACHE = compileCache, MALLOC_ARENA_MAX = '1' } = process.env;
  // Glibc keeps a heap for each thread that ever requested memory: with one for all of them a worker takes 10 MB less.
  // The images set a threshold for the control process: a worker, whose buffers have that size, would pay for it with each of them.
  return cluster.fork({ NODE_COMPILE_CACHE, MALLOC_ARENA_MAX, MALLOC_MMAP_THRESHOLD_: undefined });
}

/** By the workers' last reports, about a second old. The count of a replaced worker is dropped. */
function trafficOf({ workers }: WorkerFleet): Traffic {
  let [requests, inFlight] = [0, 0];
  for (const { report } of workers) {
    requests += report?.traffic.requests ?? 0;
    inFlight += report?.traffic.inFlight ?? 0;
  }
  return { requests, inFlight };
}

function certificatesOf(store: CertificateStore, source: CertificateSource): CertificatesMessage {
  const certificates = store.of(source).map(({ name, cert, key }) => ({ name, cert, key }));
  return { kind: 'certificates', source, certificates };
}

/** Reports every source whose certificates changed. */
function broadcastCertificates(store: CertificateStore, broadcast: (message: CertificatesMessage) => void): () => void {
  const reported = new Map(certificateSources.map((source) => [source, store.of(source)]));
  return store.onChange(() => {
    for (const source of certificateSources) {
      const before = reported.get(source) ?? [];
      const present = store.of(source);
      if (before.length === present.length && present.every((each, at) => each === before[at])) continue;
      reported.set(source, present);
      broadcast(certificatesOf(store, source));
    }
  });
}

/** A worker only forwards: it gets no tokens and neither writes to the registry nor authorizes changes. */
function withoutSecretsOfControl(settings: Settings): Settings {
  return {
    ...settings,
    adminToken: undefined,
    metricsToken: undefined,
    consulToken: undefined,
    consulUiToken: undefined,
    secretsKey: undefined,
    redisUrl: undefined,
  };
}

function levelOf(logger: Logger): string {
  return 'level' in logger && typeof logger.level === 'string' ? logger.level : 'info';
}
