import {
  announceReplica,
  createSealer,
  keyLayout,
  loadSecretsKeys,
  type Registry,
  type SecretsKey,
} from '@swarmgate/registry';
import {
  createRepeatingLogger,
  hostPort,
  type Logger,
  pause,
  type Running,
  readRegularFile,
  type Settings,
  stopAll,
  stopOnce,
  Tasks,
} from '@swarmgate/runtime';
import { MetricsRegistry as Metrics } from '@swarmgate/runtime/prometheus';
import { createAdminApp } from './control/admin/admin-app.ts';
import { followAdminCertificate } from './control/admin/admin-certificate.ts';
import { openAdminServer } from './control/admin/admin-server.ts';
import { Changes } from './control/admin/changes.ts';
import { LongResponses } from './control/admin/long-responses.ts';
import { createControlMetrics } from './control/admin/metrics.ts';
import { PlainTokens } from './control/admin/plain-tokens.ts';
import { ProblemReporter } from './control/admin/problem-reporter.ts';
import { ProblemWatch } from './control/admin/problem-watch.ts';
import { StateFeeds } from './control/admin/state-feeds.ts';
import { warnAboutToken } from './control/admin/token-warning.ts';
import { Cluster } from './control/bus/cluster.ts';
import { RedisBus } from './control/bus/redis-bus.ts';
import { SequenceHints } from './control/bus/sequence-hints.ts';
import { unservedCertificates } from './control/certificates/unserved-certificates.ts';
import { redisTotals } from './control/numbers/redis-totals.ts';
import { replicaTotals } from './control/numbers/replica-totals.ts';
import { SharedTotals } from './control/numbers/shared-totals.ts';
import { readVersion, replicaName } from './control/replica-identity.ts';
import { prepareInProcessServer } from './control/serving/in-process-server.ts';
import { ReplicaReport } from './control/serving/replica-report.ts';
import type { Server } from './control/serving/server.ts';
import { readEnvironmentServices } from './control/watch/environment-services.ts';
import { ServicesFollower } from './control/watch/follow-services.ts';
import { ReloadRequests } from './control/watch/reload-requests.ts';
import { type ClusterServerOptions, prepareClusterServer, workerCountOf } from './control/workers/cluster-server.ts';
import { ownPorts } from './endpoints/own-ports.ts';
import type { Route } from './model/route.ts';
import type { FollowState } from './model/served-service.ts';
import type { EntrypointView } from './server/entrypoint-view.ts';
import { SharedCertificates } from './server/tls/shared-certificates.ts';

export interface ProxyOptions {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Where `DFP_SERVICE_*` come from, and what `%[env(NAME)]` means. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends following; `stop` is still the owner's to call. */
  readonly signal: AbortSignal;
  /** Unique among live replicas. Default: host name and admin port. */
  readonly replica?: string;
  readonly metrics?: Metrics;
  /** For tests: 0 binds a free port, which `ADMIN_PORT` does not allow. */
  readonly adminPort?: number;
  /** How long the registry may take for its first response before the entrypoints open without it. Default 3,000. */
  readonly firstWordWaitMs?: number;
  readonly prepareServer?: (options: {
    readonly settings: Settings;
    readonly logger: Logger;
    readonly metrics: Metrics;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly tasks: Tasks;
  }) => Promise<Server>;
}

export interface RunningProxy extends Running {
  readonly replica: string;
  readonly admin: { readonly host: string; readonly port: number };
  /** Has its first table and is not draining. */
  ready(): boolean;
  state(): FollowState;
  revision(): string;
  entrypoints(): readonly EntrypointView[];
  routes(): number;
  /** Replaces the workers one by one; resolves with how many there were. */
  restartWorkers(): Promise<number>;
  /** Those that lead to an endpoint from where this proxy runs, in matching order. */
  usableRoutes(): readonly Route[];
}

/** Puts the modules together: follows the registry, serves, serves the admin REST, and drains at its stop. */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const running: Running[] = [];
  try {
    return await assemble(options, running);
  } catch (error) {
    await stopAll(running);
    throw error;
  }
}

async function assemble(options: ProxyOptions, running: Running[]): Promise<RunningProxy> {
  const { settings, registry, env } = options;
  const logger = createRepeatingLogger(options.logger);
  running.push({ stop: async () => logger.stop() });
  const metrics = options.metrics ?? new Metrics();
  const layout = keyLayout(registry.instance);
  const startedAt = new Date();
  const version = readVersion();
  const { secretsKey, dataDir } = settings;
  const secretsKeys = await loadSecretsKeys({ secretsKey, dataDir, registry: registry.store.kind });
  const sealer = createSealer(secretsKeys);
  const own = await readEnvironmentServices(env, settings, startedAt, sealer);
  const phase = new Phase();
  const tasks = new Tasks({ logger });

  const ofServer = { settings, logger, metrics, env, secretsKeys, tasks };
  const server = await (options.prepareServer ?? serverFor(settings))(ofServer);
  running.push(server);
  const certificates = await followCertificates(server, registry, secretsKeys, settings, logger, tasks);
  if (certificates !== undefined) running.push(certificates);

  // The admin port names the replica, and everything behind it needs that name: it opens first and responds last.
  const { adminTls } = settings;
  const certificate = adminTls === undefined ? undefined : await followAdminCertificate(adminTls, logger);
  if (certificate !== undefined) running.push(certificate);
  const adminPort = options.adminPort ?? settings.adminPort;
  const admin = await openAdminServer(settings.adminHost, adminPort, undefined, undefined, certificate);
  const ownAdminPort = ownPorts.add(admin.port);
  running.push(admin, { stop: async () => ownAdminPort() });
  const replica = options.replica ?? replicaName(env, admin.port);

  const hints = new SequenceHints();
  const follower = new ServicesFollower({
    registry,
    env: own.services,
    dataDir,
    logger,
    signal: options.signal,
    headHints: hints,
    tasks,
  });
  const ready = () => follower.hasFirstTable() && phase.open && !phase.draining;
  const bus =
    settings.redisUrl === undefined
      ? undefined
      : new RedisBus({ url: settings.redisUrl, instance: registry.instance, replica, logger, tasks });
  const cluster = new Cluster({
    tasks,
    bus,
    server,
    replica,
    hints,
    metrics,
    registryId: () => follower.served.registryId,
  });
  running.push(cluster);
  const presence = announceReplica({
    store: registry.store,
    layout,
    replica,
    version,
    logger,
    awaitedPosition: () => registry.awaitedPosition(),
    tasks,
  });
  running.push(presence);
  const totals = new SharedTotals({
    replica,
    store: registry.store,
    layout,
    presence,
    carrier:
      settings.redisUrl === undefined
        ? undefined
        : redisTotals({ url: settings.redisUrl, instance: registry.instance, logger }),
    totals: (most) => replicaTotals(server, replica, most),
    logger,
    tasks,
  });
  running.push(totals);
  const report = new ReplicaReport({
    presence,
    server,
    served: () => follower.served,
    isOpen: () => phase.open,
  });
  const reloads = new ReloadRequests({
    store: registry.store,
    layout,
    replica,
    logger,
    tasks,
    onRequest: async ({ id, force, owner }) => {
      if (force) await follower.releaseHeld(owner);
      else await follower.readAgain();
      report.reloaded(id);
    },
  });
  running.push(reloads);
  const reporter = new ProblemReporter({ store: registry.store, layout, replica, logger, tasks });
  running.push(reporter);
  const ordered =
    settings.acmeDirectory === undefined
      ? undefined
      : // Loaded where it is used: it brings ASN.1 and the public suffix list along.
        await (await import('./control/certificates/ordered-certificates.ts')).startOrderedCertificates({
          settings,
          registry,
          replica,
          version,
          secretsKeys,
          server,
          presence,
          metrics,
          clientAuthorities: await clientAuthoritiesOf(settings),
          logger,
          onServed: (mark) => report.certificatesServed(mark),
        });
  if (ordered !== undefined) running.push(ordered);
  const unserved = ordered === undefined ? await unservedCertificates(settings.dataDir) : new Map();
  const problemWatch = new ProblemWatch({
    settings,
    follower,
    server,
    ownProblems: own.problems,
    ofCertificates: () => ordered?.problems() ?? unserved,
    reporter,
    tasks,
    layout,
    logger,
  });
  running.push(problemWatch);
  const long = new LongResponses();
  const controlMetrics = createControlMetrics({
    metrics,
    follower,
    problems: () => problemWatch.problemsInSteps(),
    take: (steps) => long.inSlices(steps),
    routes: () => server.table().size,
    ready,
  });
  const changes = new Changes({
    settings,
    registry,
    presence,
    follower,
    sealer,
    reloads,
    server,
    onReloaded: (id) => report.reloaded(id),
    onPublished: (position) => cluster.reached(position),
  });
  const adminParts = {
    settings,
    registry,
    logger,
    metrics,
    follower,
    server,
    presence,
    changes,
    certificates,
    ordered,
    replica: { name: replica, version, since: startedAt.toISOString() },
    trafficOf: (name: string) => cluster.trafficOf(name),
    totals,
    problems: () => problemWatch.problemsInSteps(),
    long,
    transport: { secure: admin.secure, plainTokens: new PlainTokens(logger) },
    ready,
    draining: () => phase.draining,
  };
  const feeds = new StateFeeds(adminParts, tasks);
  running.push(feeds);
  admin.respondWith(createAdminApp({ ...adminParts, feeds }));
  if (settings.consulUiPort !== 'off') {
    // Loaded where it is used: it brings http-proxy-middleware along.
    const { startConsulUi } = await import('./control/consul-ui/consul-ui.ts');
    const certificates = server.certificates?.();
    running.push(await startConsulUi({ settings, port: settings.consulUiPort, certificates, logger }));
  }
  warnAboutToken(settings, logger);
  logger.info(
    { replica, version, admin: hostPort(admin.host, admin.port), registry: registry.store.description },
    'proxy starts',
  );

  running.push(follower);
  const firstWord = Promise.withResolvers<void>();
  await follower.start({
    onState: ({ kind }) => {
      if (follower.hasFirstTable() || kind === 'away') firstWord.resolve();
    },
    onChange: async (change) => {
      cluster.reached(change);
      const startedMs = performance.now();
      await server.apply(change);
      controlMetrics.swapped(performance.now() - startedMs);
      report.update(change);
      ordered?.changed();
      problemWatch.look(change.changes.keys());
      feeds.look();
    },
  });
  await settledOrLate(firstWord.promise, options);
  await server.open();
  phase.open = true;
  totals.start();
  ordered?.order();
  report.update();

  const stop = async () => {
    phase.draining = true;
    logger.info({ replica, deadlineMs: settings.drainTimeoutMs }, 'draining');
    // Barriers stop waiting for this replica at once, and the others show that it drains; requests in flight have until the deadline.
    presence.drain();
    try {
      await pause(settings.drainDelayMs);
      await server.drain(settings.drainTimeoutMs);
    } finally {
      await presence.stop();
    }
    await stopAll(running);
    logger.info({ replica }, 'proxy stopped');
  };
  return {
    replica,
    admin: { host: admin.host, port: admin.port },
    ready,
    state: () => follower.state(),
    revision: () => follower.served.revision,
    entrypoints: () => server.entrypoints(),
    routes: () => server.table().size,
    restartWorkers: () => server.restartWorkers?.() ?? Promise.resolve(0),
    usableRoutes: () => [...server.table().routes()].filter((route) => server.endpointsOf(route).length > 0),
    stop: stopOnce(stop),
  };
}

/**
 * Delays opening the entrypoints until the first route table is loaded, so that clients never get a false 503 `no-route`.
 * Opens anyway after `firstWordWaitMs`: services of the environment need no registry.
 */
async function settledOrLate(firstWord: Promise<void>, options: ProxyOptions): Promise<void> {
  const { logger, signal, firstWordWaitMs = 3_000 } = options;
  const over = new AbortController();
  const late = pause(firstWordWaitMs, AbortSignal.any([signal, over.signal])).then((inVain) => {
    if (inVain) logger.warn({ waitedMs: firstWordWaitMs }, 'no response from the registry yet: opening without it');
  });
  await Promise.race([firstWord, late]);
  over.abort();
}

/** One process that does everything, or a control process with its workers: as `WORKERS` sets. */
function serverFor(settings: Settings): (options: ClusterServerOptions) => Promise<Server> {
  return workerCountOf(settings) === 0 ? prepareInProcessServer : prepareClusterServer;
}

/** Certificates that all replicas share. `undefined` for a server without TLS of its own. */
async function followCertificates(
  server: Server,
  registry: Registry,
  keys: readonly SecretsKey[],
  settings: Settings,
  logger: Logger,
  tasks: Tasks,
): Promise<SharedCertificates | undefined> {
  const certificates = server.certificates?.();
  if (certificates === undefined) return undefined;
  const clientAuthorities = await clientAuthoritiesOf(settings);
  const authorities = clientAuthorities === undefined ? {} : { clientAuthorities };
  const prefix = `${registry.instance}/certs/`;
  const shared = new SharedCertificates({
    store: registry.store,
    prefix,
    keys,
    certificates,
    logger,
    tasks,
    ...authorities,
  });
  shared.start();
  return shared;
}

async function clientAuthoritiesOf({ caFile }: Settings): Promise<string | undefined> {
  return caFile === undefined ? undefined : readRegularFile(caFile);
}

/** How far the proxy is between its start and its end. */
class Phase {
  /** Clients are let in. */
  open = false;
  draining = false;
}
