import type { Socket } from 'node:net';
import type { Problem, ServiceKey } from '@swarmgate/registry';
import { descriptorLimit, type Logger, type Settings, stopOnce } from '@swarmgate/runtime';
import type { Registry as Metrics } from 'prom-client';
import { Balancer, type EndpointInUse } from '../../endpoints/balancing/balancer.ts';
import { ClosedRegistry } from '../../endpoints/closed-registry.ts';
import { HealthChecks } from '../../endpoints/health-checks.ts';
import { NameResolution, type NameState } from '../../endpoints/name-resolution.ts';
import { OpenConnections } from '../../endpoints/open-connections.ts';
import { hasDockerDns } from '../../endpoints/own-networks.ts';
import { ownPorts } from '../../endpoints/own-ports.ts';
import { Upstreams } from '../../endpoints/upstreams.ts';
import { trustedProxies } from '../../exchange/client-connection.ts';
import type { ExchangeContext } from '../../exchange/exchange-context.ts';
import type { PluginView } from '../../express/plugins/route-plugins.ts';
import { createMiddleware } from '../../middleware/compile-middleware.ts';
import { withMaintenance } from '../../middleware/maintenance/maintenance.ts';
import { MaintenanceInForce } from '../../middleware/maintenance/maintenance-in-force.ts';
import type { Endpoint, EndpointOutcome, PickOptions } from '../../model/endpoint.ts';
import type { Route } from '../../model/route.ts';
import type { ServicesChange } from '../../model/served-service.ts';
import { forgetPrepared } from '../../routing/expressions.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import { AdmissionWithinDescriptors, descriptorBudget } from '../../server/descriptor-budget.ts';
import type { EntrypointView } from '../../server/entrypoint-view.ts';
import { Entrypoints, type EntrypointToOpen } from '../../server/entrypoints.ts';
import { Relays } from '../../server/relay/relays.ts';
import { SharedPorts } from '../../server/relay/shared-ports.ts';
import { checkEndpoint } from '../../transport/check-endpoint.ts';
import { LiveTail } from '../live/live-tail.ts';
import { NumbersReporter } from '../numbers/numbers-reporter.ts';
import { reportEveryMs } from '../numbers/service-numbers.ts';
import { endOpenConnections } from './end-open-connections.ts';
import { EndpointProblems } from './endpoint-problems.ts';
import { InOrder } from './in-order.ts';
import { ProtocolProblems } from './protocol-problems.ts';
import { descriptors, ResourceProblems } from './resource-problems.ts';
import { loadRoutePlugins, routeHandlers } from './route-handlers.ts';
import type { EndpointView, Server, Traffic } from './server.ts';
import { measureServing } from './server-metrics.ts';
import { httpServer, proxiedConnections } from './server-parts.ts';
import type { ServingDependencies } from './serving-dependencies.ts';
import {
  definitionsOf,
  emptyTable,
  explainedSteps,
  LiveTable,
  mergeProblems,
  OwnNetworks,
  servedEndpoints,
} from './serving-table.ts';
import { tableAfter } from './table-after.ts';

export interface RequestServerOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ports that replace those of the settings (0: any free one), or sockets that are bound already, and their address. */
  readonly entrypoints?: readonly EntrypointToOpen[];
  readonly host?: string;
  /** For tests: the restricting features of another version. Default: those of this one. */
  readonly features?: ReadonlySet<string>;
}

/** What serves requests in a process: in a proxy of one process, and in each worker. */
export interface RequestServer
  extends Pick<Server, 'open' | 'table' | 'endpointsOf' | 'middlewareOf' | 'entrypoints' | 'drain' | 'stop'> {
  /** Serves a connection that another process accepted on this port. */
  adopt(socket: Socket, port: number): void;
  /** Puts one change in force without touching requests in flight. */
  apply(change: Pick<ServicesChange, 'revision' | 'changes'>): Promise<void>;
  revision(): string;
  relayProblems(): ReadonlyMap<ServiceKey, readonly Problem[]>;
  /** Of services whose plug-ins cannot be run here, or have failed. */
  pluginProblems(): ReadonlyMap<ServiceKey, readonly Problem[]>;
  /** `undefined` without `PLUGINS_DIR`. */
  loadedPlugins(): readonly PluginView[] | undefined;
  /** Routes without a usable address; none in a worker, whose control process finds the same. */
  unreachableRoutes(): ReadonlyMap<ServiceKey, readonly Problem[]>;
  /** Of services whose endpoints do not speak their label's protocol. */
  protocolProblems(): ReadonlyMap<ServiceKey, readonly Problem[]>;
  /** What this process is about to run out of. */
  resourceProblems(): ReadonlyMap<ServiceKey, readonly Problem[]>;
  resolvedNames(): ReadonlyMap<string, NameState>;
  /** Endpoints that are ejected, returning, or in use. */
  endpointsInUse(): readonly EndpointInUse[];
  traffic(): Traffic;
  /** In a worker: the control process starts and ends watches. */
  readonly liveTail: Pick<LiveTail, 'watch' | 'unwatch'>;
  /** Reports all counts up to the call by `onNumbers`. */
  reportNumbers(): Promise<void>;
  /** In a worker: drops the series of services that are gone. */
  forget(services: ReadonlySet<string>): void;
  peerEjected(endpointId: string): void;
  /** What an active check found, made by the process that checks for all workers. */
  checked(endpointId: string, passed: boolean): void;
  /** Another worker ejected it. */
  eject(endpointId: string, ejection: { readonly forMs: number; readonly ejections: number }): void;
}

// How often own networks are looked at.
const lookAgainMs = 5_000;
const lookForProblemsMs = 1_000;
// How long an upgraded or relayed connection may outlive the begin of maintenance, or the end of a drain's time.
const endOpenWithinMs = 1_000;

/**
 * Puts together what serves requests in this process: table, upstreams, HTTP server and ports, each made of parts that exist
 * already. The ports are taken when it resolves; `open` lets clients in.
 * @throws EntrypointError naming the port that cannot be opened; RangeError for a wrong `TRUSTED_PROXIES`
 */
export async function prepareRequestServer(
  options: RequestServerOptions,
  dependencies: ServingDependencies,
): Promise<RequestServer> {
  const { settings, logger } = options;
  const { alone, tasks, certificates, challenges, share } = dependencies;
  const descriptorsAllowed = descriptorLimit();
  const budget = descriptorBudget(descriptorsAllowed);
  const admission = new AdmissionWithinDescriptors(dependencies.admission, budget.clients, share);
  const ended = new AbortController();
  const { signal } = ended;
  const trusted = trustedProxies(settings.trustedProxies);

  const table = new LiveTable(emptyTable(settings, options.features));
  // A worker does not open the control process's ports itself, and its services must not lead there either.
  const controlPorts = [settings.adminPort, settings.consulUiPort].filter((port) => port !== 'off');
  const forgetControlPorts = controlPorts.map((port) => ownPorts.add(port));
  const registry = settings.consulAddress === undefined ? undefined : new ClosedRegistry(settings.consulAddress);
  const names = new NameResolution({ signal });
  const networks = new OwnNetworks();
  const upstreams = new Upstreams({
    swarmName: settings.swarmName,
    subnets: () => networks.subnets,
    dockerNames: hasDockerDns(),
    names,
  });
  const liveTail = new LiveTail({
    onBatch: dependencies.onLiveRequests,
    withQuery: settings.liveRequestsQuery,
    owner: tasks.owner('live-requests'),
  });
  const measured = measureServing({
    ...options,
    isApart: (service) => dependencies.apart.isApart(service),
    live: liveTail,
    tasks,
  });
  const reporter = new NumbersReporter(measured.recorder, dependencies.onNumbers);
  const balancer = new Balancer({
    onEjected: (endpoint, health) => {
      logger.warn({ endpoint: endpoint.id, health: health.kind }, 'endpoint ejected');
      measured.ejected(health.kind);
      dependencies.onEjected(endpoint, health);
    },
  });
  const checks = alone
    ? new HealthChecks({ upstreamOf: (route) => upstreams.of(route), balancer, signal, check: checkEndpoint })
    : undefined;
  const unreachable = alone
    ? new EndpointProblems({
        table: () => table.current,
        upstreams,
        addressesAsOf: () => `${names.changes} ${networks.subnets}`,
      })
    : undefined;
  const plugins = await loadRoutePlugins(settings, logger, options.metrics, dependencies);
  const protocols = new ProtocolProblems();
  const endpoints = {
    pick: (route: Route, required: PickOptions) => balancer.pick(route, upstreams.of(route), required),
    finished: (endpoint: Endpoint, outcome: EndpointOutcome) => {
      if (outcome === 'responded') protocols.responded(endpoint);
      balancer.finished(endpoint, outcome);
    },
  };
  const refuse = (socket: Socket) => {
    const reason = admission.share < 1 ? 'limit' : 'descriptors';
    logger.warn({ reason, peer: socket.remoteAddress }, 'a connection was refused');
    return false;
  };
  const admitLate = async (socket: Socket, admitted: Promise<boolean>) => (await admitted) || refuse(socket);
  const admit = (socket: Socket) => {
    const admitted = admission.admit(socket);
    return admitted instanceof Promise ? admitLate(socket, admitted) : admitted || refuse(socket);
  };
  const proxied = proxiedConnections(settings, trusted, logger, measured);
  const host = options.host === undefined ? {} : { host: options.host };
  const maintenance = new MaintenanceInForce();
  const connections = new OpenConnections();
  const { semaphores } = dependencies;
  const relays = new Relays({
    semaphores,
    maintenance,
    connections,
    upstreams,
    balancer,
    logger,
    admit,
    proxied,
    connectMs: settings.timeoutConnectMs,
    tunnelMs: settings.timeoutTunnelMs,
    helloMs: settings.timeoutHttpRequestMs,
    onEnd: measured.relayEnded,
    ...host,
  });
  const byServerName = new SharedPorts({
    relays,
    table: () => table.current,
    challenges,
    helloMs: settings.timeoutHttpRequestMs,
    logger,
    onRefused: measured.refused,
  });
  const middleware = createMiddleware({
    settings,
    env: options.env,
    logger,
    limiters: dependencies.limiters,
    semaphores,
    endpoints,
  });
  const middlewareOf = withMaintenance(middleware.middlewareOf, ({ key }) => maintenance.of(key));
  const context: ExchangeContext = {
    challenges,
    lookup: (target, readings) =>
      readings === undefined ? table.current.lookup(target) : table.current.lookupUnambiguous(target, readings),
    middlewareOf,
    tunnels: connections,
    ...endpoints,
    isRelayed: (name, port) => byServerName.isRelayed(name, port),
    wrongProtocol: (route, endpoint, spoken) => protocols.found(route, endpoint, spoken),
    observe: measured.observe,
    ...(await routeHandlers(settings, plugins)),
    tracer: measured.tracing?.tracer,
  };
  const http = await httpServer(settings, context, trusted, logger, measured, budget);

  const resources = new ResourceProblems([
    descriptors(descriptorsAllowed, () => (http.pool.isShort ? 1 : admission.share)),
  ]);
  const inOrder = new InOrder();
  const swap = (change: Pick<ServicesChange, 'revision' | 'changes'>, prepared?: RouteTable) => {
    upstreams.apply(change.changes);
    maintenance.apply(change.changes);
    table.replace(prepared ?? table.current.with(definitionsOf(change)), change.revision);
    checks?.apply(table.current, change.changes.keys());
    unreachable?.apply(change.changes);
    protocols.apply(change.changes.keys());
    plugins?.routes.apply(table.current, change.changes.keys());
  };
  const touched = new Set<ServiceKey>();
  for await (const change of dependencies.before) {
    swap(change);
    for (const key of change.changes.keys()) touched.add(key);
  }

  const { clientAuthorities, ticketKeys } = dependencies;
  const entrypoints = Entrypoints.bind({
    settings: options.entrypoints ?? [...settings.defaultPorts, ...settings.bindPorts],
    server: http,
    secure: {
      certificates,
      challenges,
      handshakeMs: settings.timeoutHttpRequestMs,
      http2: settings.http2 !== false,
      onRefused: measured.refused,
      ...(clientAuthorities === undefined ? {} : { clientAuthorities }),
      ...(ticketKeys === undefined ? {} : { ticketKeys }),
    },
    logger,
    ...(share === undefined ? {} : { keeps: (socket: Socket, port: number) => share.keeps(socket, port) }),
    admit,
    proxied,
    byServerName,
    ...host,
  });
  relays.beside(entrypoints.views());
  await relays.apply(table.current, touched);
  const stopWaiting = certificates.onChange(() => {
    entrypoints.openWaiting().catch((error) => logger.error({ err: error }, 'an entrypoint stays closed'));
  });
  measured.watch({ limits: admission, relays, certificates, balancer, http });

  const served = () => servedEndpoints(table.current, (route) => upstreams.view(route).endpoints);
  const forget = (isServed: (service: string) => boolean) => {
    measured.forget(isServed);
    dependencies.apart.forget(isServed);
  };
  // A worker drops them when its control process requests it.
  const onForget = alone ? forget : () => {};
  const background = Promise.all([
    tasks.run('name-resolution', signal, () => names.run()),
    tasks.run('registry-address', signal, async () => registry?.follow(signal)),
    tasks.run('own-networks', signal, () => networks.follow(lookAgainMs, signal)),
    tasks.run('process-numbers', signal, () => reporter.follow(reportEveryMs, signal)),
    tasks.run('proxy-numbers', signal, () => dependencies.numbers.follow(served, onForget, signal)),
    tasks.run('health-checks', signal, async () => checks?.run()),
    tasks.run('open-connections', signal, () =>
      endOpenConnections({ connections, maintenance, upstreams, logger }, endOpenWithinMs, signal),
    ),
    tasks.run('unusable-addresses', signal, async () => unreachable?.follow(lookForProblemsMs, signal)),
  ]);

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
    await plugins?.stop();
    await background;
  };
  return {
    open: () => entrypoints.open(),
    adopt: (socket, port) => entrypoints.adopt(socket, port),
    async apply(change) {
      const definitions = definitionsOf(change);
      const prepare = tableAfter(() => table.current, definitions);
      await inOrder.run(prepare, (prepared) => {
        swap(change, prepared);
        if (prepared === undefined) return;
        // The steps of these routes would be compiled by their first request.
        for (const key of definitions.keys())
          for (const route of prepared.routesOf(key)) middleware.middlewareOf(route);
        forgetPrepared();
      });
      await relays.apply(table.current, change.changes.keys());
    },
    revision: () => table.revision,
    table: () => table.current,
    endpointsOf: (route: Route) =>
      upstreams.view(route).endpoints.map((endpoint): EndpointView => {
        const { kind } = balancer.healthOf(endpoint.id);
        const health = kind === 'healthy' ? 'healthy' : kind === 'returning' ? 'unknown' : 'ejected';
        return { endpoint, health, outstanding: balancer.outstandingOf(endpoint.id) };
      }),
    middlewareOf: explainedSteps(middlewareOf),
    pluginProblems: () => mergeProblems(...(plugins?.problems() ?? [])),
    loadedPlugins: () => plugins?.routes.views(),
    relayProblems: () => relays.problems(),
    unreachableRoutes: () => unreachable?.problems() ?? new Map(),
    resourceProblems: () => resources.problems(),
    protocolProblems: () => protocols.problems(),
    resolvedNames: () => names.known(),
    endpointsInUse: () => balancer.inUse(),
    liveTail,
    reportNumbers: () => reporter.report(),
    forget: (services) => forget((service) => !services.has(service)),
    checked: (id, passed) => balancer.applyCheck(id, passed),
    eject: (id, ejection) => balancer.applyEjection(id, ejection),
    entrypoints: (): readonly EntrypointView[] => [...entrypoints.views(), ...relays.views()],
    traffic: () => ({ requests: measured.requests(), inFlight: balancer.inFlight }),
    peerEjected: (id) => balancer.peerEjected(id),
    async drain(deadlineMs: number) {
      await entrypoints.close();
      await Promise.all([http.drain(deadlineMs), relays.drain(deadlineMs)]);
      // Spans of the last requests: a worker ends after this.
      await measured.tracing?.stop();
    },
    stop: stopOnce(stop),
  };
}
