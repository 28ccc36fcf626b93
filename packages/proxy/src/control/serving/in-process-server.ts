import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { Problem, SecretsKey, ServiceKey } from '@swarmgate/registry';
import type { Logger, Settings } from '@swarmgate/runtime';
import type { Registry as Metrics } from 'prom-client';
import { Balancer, type EndpointInUse } from '../../endpoints/balancing/balancer.ts';
import { HealthChecks } from '../../endpoints/health-checks.ts';
import { NameResolution, type NameState } from '../../endpoints/name-resolution.ts';
import { hasDockerDns } from '../../endpoints/own-networks.ts';
import { ownPorts } from '../../endpoints/own-ports.ts';
import { Upstreams } from '../../endpoints/upstreams.ts';
import { type TrustedProxies, trustedProxies } from '../../exchange/client-connection.ts';
import type { ExchangeContext } from '../../exchange/exchange-context.ts';
import { makeViaName } from '../../exchange/header-policy.ts';
import { requestIds } from '../../exchange/request-id.ts';
import { ServicesApart } from '../../exchange/services-apart.ts';
import { createExpressRouter } from '../../express/express-router.ts';
import { defaultHeadLimits } from '../../http/request-head.ts';
import { createMiddleware } from '../../middleware/compile-middleware.ts';
import type { Route } from '../../model/route.ts';
import type { ServicesChange } from '../../model/served-service.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import { type Admission, ConnectionLimits } from '../../server/connection-limits.ts';
import { createHttpServer } from '../../server/create-http-server.ts';
import type { EntrypointView } from '../../server/entrypoint-view.ts';
import { Entrypoints, type EntrypointToOpen } from '../../server/entrypoints.ts';
import { ProxiedConnections } from '../../server/proxy-protocol/proxied-connections.ts';
import { Relays } from '../../server/relay/relays.ts';
import { CertificateStore } from '../../server/tls/certificate-store.ts';
import { LiveChallenges } from '../../server/tls/live-challenges.ts';
import { OwnCertificates } from '../../server/tls/own-certificates.ts';
import { checkEndpoint } from '../../transport/check-endpoint.ts';
import { type LiveBatch, LiveTail } from '../live/live-tail.ts';
import { LiveWatches } from '../live/live-watches.ts';
import { NumbersReporter } from '../numbers/numbers-reporter.ts';
import { reportEveryMs, ServiceNumbers } from '../numbers/service-numbers.ts';
import { EndpointProblems } from './endpoint-problems.ts';
import type { EndpointView, Server, Traffic, WorkerView } from './server.ts';
import { measureServing, type ServingMetrics } from './server-metrics.ts';
import { definitionsOf, emptyTable, mergeProblems, OwnNetworks, servedEndpoints } from './serving-table.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

export interface InProcessServerOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of `SECRETS_KEY`: opens `serviceCert`. Default none. */
  readonly secretsKeys?: readonly SecretsKey[];
  /** Ports that replace those of the settings (0: any free one), or sockets that are bound already, and their address. */
  readonly entrypoints?: readonly EntrypointToOpen[];
  readonly host?: string;
  /** Set in a worker. Default: all of it is this process's own. */
  readonly injected?: WorkerDependencies;
}

/** A server that handles requests in this process. A worker reports what it exposes to the control process. */
export interface InProcessServer extends Server {
  certificates(): CertificateStore;
  relayProblems(): ReadonlyMap<ServiceKey, readonly Problem[]>;
  resolvedNames(): ReadonlyMap<string, NameState>;
  /** Endpoints that are ejected, returning, or in use. */
  endpointsInUse(): readonly EndpointInUse[];
  traffic(): Traffic;
  /** In a worker: the control process starts and ends watches. */
  readonly liveTail: Pick<LiveTail, 'watch' | 'unwatch'>;
  /** In a worker: reports all counts up to the call by `onNumbers`. */
  reportNumbers(): Promise<void>;
  peerEjected(endpointId: string): void;
  /** What an active check found, made by the process that checks for all workers. */
  checked(endpointId: string, passed: boolean): void;
  /** Another worker ejected it. */
  eject(endpointId: string, ejection: { readonly forMs: number; readonly ejections: number }): void;
}

// How often own networks and certificate files are looked at.
const lookAgainMs = 5_000;
const lookForProblemsMs = 1_000;

/** As `prepareInProcessServer`, with its entrypoints open when it resolves. */
export async function startInProcessServer(options: InProcessServerOptions): Promise<InProcessServer> {
  const server = await prepareInProcessServer(options);
  try {
    await server.open();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/**
 * Serves requests in this process: table, upstreams, HTTP server and ports. The ports are taken when it resolves; `open` lets
 * clients in.
 * @throws EntrypointError naming the port that cannot be opened; RangeError for a wrong `TRUSTED_PROXIES`.
 */
export async function prepareInProcessServer(options: InProcessServerOptions): Promise<InProcessServer> {
  const { settings, logger, injected } = options;
  const ended = new AbortController();
  const trusted = trustedProxies(settings.trustedProxies);
  const clientAuthorities = settings.caFile === undefined ? undefined : await readFile(settings.caFile, 'utf8');

  const table = new LiveTable(emptyTable(settings));
  // A worker does not open the control process's ports itself, and its services must not lead there either.
  const controlPorts = [settings.adminPort, settings.consulUiPort].filter((port) => port !== 'off');
  const forgetControlPorts = controlPorts.map((port) => ownPorts.add(port));
  const names = new NameResolution({ signal: ended.signal });
  const networks = new OwnNetworks();
  const upstreams = new Upstreams({
    swarmName: settings.swarmName,
    subnets: () => networks.subnets,
    dockerNames: hasDockerDns(),
    names,
  });
  const ownApart = new ServicesApart(settings.metricsServices);
  const isApart = injected === undefined ? (service: string) => ownApart.admit(service) : injected.apart.isApart;
  const liveTail = new LiveTail({
    onBatch: (id, batch) => (injected?.onLiveRequests ?? takeBatch)(id, batch),
    withQuery: settings.liveRequestsQuery,
  });
  const watches = new LiveWatches(
    (id, watch) => liveTail.watch(id, watch),
    (id) => liveTail.unwatch(id),
  );
  const takeBatch = (id: number, batch: LiveBatch) => watches.take(id, batch);
  const measured = measureServing({ ...options, isApart, live: liveTail });
  const numbers = new ServiceNumbers();
  const reporter = new NumbersReporter(measured.recorder, injected?.onNumbers ?? ((delta) => numbers.add(delta)));
  const ejectionListeners = new Set<(endpointId: string) => void>();
  const balancer = new Balancer({
    onEjected: (endpoint, health) => {
      logger.warn({ endpoint: endpoint.id, health: health.kind }, 'an endpoint is out');
      measured.ejected(health.kind);
      injected?.onEjected(endpoint, health);
      // What an active check found, every replica finds by its own.
      if (health.kind === 'ejected') for (const listener of ejectionListeners) listener(endpoint.id);
    },
  });
  // A worker gets the results instead: endpoints are checked once per proxy, not by each worker.
  const checks =
    injected === undefined
      ? new HealthChecks({
          upstreamOf: (route) => upstreams.of(route),
          balancer,
          signal: ended.signal,
          check: checkEndpoint,
        })
      : undefined;
  const middleware = createMiddleware({
    settings,
    env: options.env,
    logger,
    ...(injected === undefined ? {} : { limiters: injected.limiters }),
  });
  const live = new LiveChallenges();
  const challenges = injected?.challenges ?? live;
  const context: ExchangeContext = {
    challenges,
    lookup: (target, readings) =>
      readings === undefined ? table.current.lookup(target) : table.current.lookupUnambiguous(target, readings),
    middlewareOf: middleware.middlewareOf,
    pick: (route, wanted) => balancer.pick(route, upstreams.of(route), wanted),
    finished: (endpoint, outcome) => balancer.finished(endpoint, outcome),
    observe: measured.observe,
    ...(settings.httpRouter === 'express' ? { handlerOf: createExpressRouter() } : {}),
    tracer: measured.tracing?.tracer,
  };
  const http = createHttpServer({
    context,
    timeouts: {
      connectMs: settings.timeoutConnectMs,
      serverMs: settings.timeoutServerMs,
      clientMs: settings.timeoutClientMs,
      tunnelMs: settings.timeoutTunnelMs,
      headMs: settings.timeoutHttpRequestMs,
      keepAliveMs: settings.timeoutHttpKeepAliveMs,
      bodyBytesPerSecond: settings.bodyBytesPerSecond,
    },
    trusted,
    viaName: makeViaName(),
    newRequestId: requestIds(),
    writesForwarded: settings.writesForwarded,
    mostBodyBytes: settings.mostBodyBytes,
    headLimits: { ...defaultHeadLimits, headBytes: settings.mostHeadBytes },
    encodedSlash: settings.encodedSlash,
    poolLimits: { queueMs: settings.timeoutQueueMs },
    ...(settings.http2 ? { http2: { mostStreams: settings.http2MaxConcurrentStreams } } : {}),
    logger,
    onOpened: measured.opened,
  });

  const ports = options.entrypoints ?? [...settings.defaultPorts, ...settings.bindPorts];
  const own = injected === undefined ? await openCertificates(options, ports, clientAuthorities) : undefined;
  const certificates = injected?.certificates ?? own?.store ?? new CertificateStore();
  const limits: Admission =
    injected?.admission ??
    new ConnectionLimits({
      most: settings.maxConnections,
      mostPerAddress: settings.maxConnectionsPerAddress,
      exempt: trusted,
    });
  const admit = (socket: Socket) => limits.admit(socket);
  const proxied = proxiedConnections(settings, trusted, logger, measured);
  const host = options.host === undefined ? {} : { host: options.host };

  // A worker is not asked: its control process finds the same.
  const unreachable =
    injected === undefined
      ? new EndpointProblems({
          table: () => table.current,
          upstreams,
          addressesAsOf: () => `${names.changes} ${networks.subnets}`,
        })
      : undefined;
  let revision = '';
  const swap = (change: Pick<ServicesChange, 'revision' | 'changes'>) => {
    upstreams.apply(change.changes);
    own?.apply(change.changes);
    table.current = table.current.with(definitionsOf(change));
    checks?.apply(table.current, change.changes.keys());
    unreachable?.apply(change.changes);
    revision = change.revision;
  };
  const touched = new Set<ServiceKey>();
  for await (const change of injected?.before ?? []) {
    swap(change);
    for (const key of change.changes.keys()) touched.add(key);
  }
  const secrets = {
    ...(clientAuthorities === undefined ? {} : { clientAuthorities }),
    ...(injected === undefined ? {} : { ticketKeys: injected.ticketKeys }),
  };
  const entrypoints = Entrypoints.bind({
    settings: ports,
    server: http,
    secure: { certificates, challenges, handshakeMs: settings.timeoutHttpRequestMs, http2: settings.http2, ...secrets },
    logger,
    admit,
    proxied,
    ...host,
  });
  const relays = new Relays({
    upstreams,
    balancer,
    logger,
    admit,
    proxied,
    connectMs: settings.timeoutConnectMs,
    tunnelMs: settings.timeoutTunnelMs,
    helloMs: settings.timeoutHttpRequestMs,
    taken: new Set(entrypoints.views().map(({ port }) => port)),
    ...host,
  });
  await relays.apply(table.current, touched);
  const stopWaiting = certificates.onChange(() => {
    entrypoints.openWaiting().catch((error) => logger.error({ err: error }, 'an entrypoint stays closed'));
  });
  measured.watch({ limits, relays, certificates, balancer, pool: http.pool });
  const background = Promise.all([
    names.run(),
    checks?.run(),
    networks.follow(lookAgainMs, ended.signal),
    unreachable?.follow(lookForProblemsMs, ended.signal),
    own?.follow(lookAgainMs, ended.signal),
    reporter.follow(reportEveryMs, ended.signal),
    numbers.follow(
      () => servedEndpoints(table.current, (route) => upstreams.view(route).endpoints),
      (isServed) => {
        measured.forget(isServed);
        (injected?.apart ?? ownApart).forget(isServed);
      },
      ended.signal,
    ),
  ]);

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    ended.abort();
    for (const forget of forgetControlPorts) forget();
    stopWaiting();
    await entrypoints.close();
    await Promise.all([http.drain(0), relays.drain(0)]);
    http.stop();
    await middleware.stop();
    liveTail.stop();
    await measured.tracing?.stop();
    await background;
  };
  return {
    open: () => entrypoints.open(),
    async apply(change: ServicesChange) {
      swap(change);
      await relays.apply(table.current, change.changes.keys());
    },
    table: () => table.current,
    endpointsOf: (route: Route) =>
      upstreams.view(route).endpoints.map((endpoint): EndpointView => {
        const { kind } = balancer.healthOf(endpoint.id);
        const health = kind === 'healthy' ? 'healthy' : kind === 'returning' ? 'unknown' : 'ejected';
        return { endpoint, health, outstanding: balancer.outstatusOf(endpoint.id) };
      }),
    middlewareOf: middleware.middlewareOf,
    problems: () =>
      mergeProblems(relays.problems(), own?.problems() ?? new Map(), unreachable?.problems() ?? new Map()),
    relayProblems: () => relays.problems(),
    certificates: () => certificates,
    answerChallenges: async (answers) => live.replace(answers),
    resolvedNames: () => names.known(),
    endpointsInUse: () => balancer.inUse(),
    liveTail,
    watchRequests: (watch, onBatch) => watches.add(watch, onBatch),
    reportNumbers: () => reporter.report(),
    async numbers() {
      await reporter.report();
      return numbers;
    },
    outstanding: () => new Map(balancer.inUse().map(({ id, outstanding }) => [id, outstanding])),
    checked: (id, passed) => balancer.applyCheck(id, passed),
    eject: (id, ejection) => balancer.applyEjection(id, ejection),
    entrypoints: (): readonly EntrypointView[] => [...entrypoints.views(), ...relays.views()],
    traffic: () => ({ requests: measured.requests(), inFlight: balancer.inFlight }),
    onEjected(listener) {
      ejectionListeners.add(listener);
      return () => ejectionListeners.delete(listener);
    },
    peerEjected: (id) => balancer.peerEjected(id),
    workers: (): readonly WorkerView[] => [
      { pid: process.pid, state: ended.signal.aborted ? 'draining' : 'serving', revision },
    ],
    async drain(deadlineMs: number) {
      await entrypoints.close();
      await Promise.all([http.drain(deadlineMs), relays.drain(deadlineMs)]);
      // Spans of the last requests: a worker ends after this.
      await measured.tracing?.stop();
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

export function openCertificates(
  { settings, secretsKeys = [], logger }: Pick<InProcessServerOptions, 'settings' | 'secretsKeys' | 'logger'>,
  ports: readonly EntrypointToOpen[],
  clientAuthorities: string | undefined,
): Promise<OwnCertificates> {
  const secure = ports.some((port) => port.secure);
  return OwnCertificates.open({ settings, keys: secretsKeys, secure, clientAuthorities, logger });
}

function proxiedConnections(
  settings: Settings,
  trusted: TrustedProxies,
  logger: Logger,
  measured: Pick<ServingMetrics, 'refused'>,
): ProxiedConnections {
  const ports = new Set(settings.proxyProtocolPorts);
  if (ports.size > 0 && settings.trustedProxies.length === 0)
    logger.warn(
      'PROXY_PROTOCOL_PORTS refuse every connection until TRUSTED_PROXIES lists the proxies that may send headers',
    );
  return new ProxiedConnections({
    isOn: (port) => ports.has(port),
    trusted,
    waitMs: settings.timeoutHttpRequestMs,
    logger,
    onRefused: measured.refused,
  });
}

/** The table in force: one reference that moves. */
class LiveTable {
  current: RouteTable;

  constructor(first: RouteTable) {
    this.current = first;
  }
}
