import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import {
  isSupported,
  type Problem,
  type SecretsKey,
  type ServiceDefinition,
  type ServiceKey,
} from '@swarmgate/registry';
import { type Logger, messageOf, pause, type Settings } from '@swarmgate/runtime';
import type { Registry as Metrics } from 'prom-client';
import { Balancer } from '../forwarding/balancer.ts';
import type { DataPlane } from '../forwarding/data-plane.ts';
import type { ForwardTimeouts } from '../forwarding/forwarder.ts';
import { makeViaName } from '../forwarding/header-policy.ts';
import { NameResolution } from '../forwarding/name-resolution.ts';
import { hasDockerDns, ownSubnets } from '../forwarding/own-networks.ts';
import { Upstreams } from '../forwarding/upstreams.ts';
import { createMiddleware } from '../middleware/compile-middleware.ts';
import { createRouteTable } from '../routing/create-route-table.ts';
import type { Route } from '../routing/route.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { EndpointView, EntrypointView, ServingPlane, WorkerView } from '../serving-plane.ts';
import type { ServicesChange } from '../watch/served-service.ts';
import { AccessLog } from './access-log.ts';
import { trustedProxies } from './client-connection.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { Entrypoints } from './entrypoints.ts';
import { ExchangeMetrics } from './exchange-metrics.ts';
import { createLanes } from './raw-lane/lanes.ts';
import { Relays } from './relay/relays.ts';
import { requestIds } from './request-id.ts';
import { CertificateFiles } from './tls/certificate-files.ts';
import { CertificateStore } from './tls/certificate-store.ts';
import { makeSelfSigned } from './tls/self-signed.ts';
import { ServiceCertificates } from './tls/service-certificates.ts';

export interface ServingOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of `SECRETS_KEY`: opens `serviceCert`. Default none. */
  readonly secretsKeys?: readonly SecretsKey[];
  /** For tests: other ports than the settings can say (0: any free one), and where they listen. */
  readonly entrypoints?: readonly { readonly port: number; readonly secure: boolean }[];
  readonly host?: string;
}

// How often own networks and certificate files are looked at.
const lookAgainMs = 5_000;

/**
 * Serves requests in this process: table, upstreams, lane and ports. The entrypoints are open when it resolves.
 * @throws EntrypointError naming the port that cannot be opened; RangeError for a wrong `TRUSTED_PROXIES`.
 */
export async function startServingPlane(options: ServingOptions): Promise<ServingPlane> {
  const { settings, logger } = options;
  const ended = new AbortController();
  const trusted = trustedProxies(settings.trustedProxies);
  const clientAuthorities = settings.caFile === undefined ? undefined : await readFile(settings.caFile, 'utf8');
  const authorities = clientAuthorities === undefined ? {} : { clientAuthorities };

  const table = new LiveTable(emptyTable(settings));
  const names = new NameResolution({ signal: ended.signal });
  const networks = new OwnNetworks();
  const upstreams = new Upstreams({
    swarmName: settings.swarmName,
    subnets: () => networks.subnets,
    dockerNames: hasDockerDns(),
    names,
  });
  const balancer = new Balancer({
    onEjected: (endpoint, health) => logger.warn({ endpoint: endpoint.id, health: health.kind }, 'an endpoint is out'),
  });
  const observe = observer(options);
  const middleware = createMiddleware({ settings, env: options.env, logger });
  const plane: DataPlane = {
    lookup: (target) => table.current.lookup(target),
    middlewareOf: middleware.middlewareOf,
    pick: (route, wanted) => balancer.pick(route, upstreams.of(route), wanted),
    finished: (endpoint, outcome) => balancer.finished(endpoint, outcome),
    observe,
  };
  const timeouts: ForwardTimeouts = {
    connectMs: settings.timeoutConnectMs,
    serverMs: settings.timeoutServerMs,
    clientMs: settings.timeoutClientMs,
    tunnelMs: settings.timeoutTunnelMs,
  };
  const lanes = createLanes({
    plane,
    first: settings.lane,
    exchange: {
      timeouts,
      trusted,
      viaName: makeViaName(),
      newRequestId: requestIds(),
      transformFor: middleware.compressionFor,
    },
    express: { headMs: settings.timeoutHttpRequestMs, keepAliveMs: settings.timeoutHttpKeepAliveMs },
    queueMs: settings.timeoutQueueMs,
    logger,
  });
  const { lane } = lanes;

  const certificates = new CertificateStore(settings.defaultCert);
  const files = new CertificateFiles({
    certificates,
    directory: join(settings.dataDir, 'certs'),
    logger,
    ...authorities,
  });
  await files.read();
  const serviceCertificates = new ServiceCertificates({
    certificates,
    keys: options.secretsKeys ?? [],
    ...authorities,
  });
  const ports = options.entrypoints ?? [...settings.defaultPorts, ...settings.bindPorts];
  if (ports.some((port) => port.secure)) certificates.replace('self-signed', [await makeSelfSigned()]);
  const limits = new ConnectionLimits({
    most: settings.maxConnections,
    mostPerAddress: settings.maxConnectionsPerAddress,
    exempt: trusted,
  });
  const admit = (socket: Socket) => limits.admit(socket);
  const host = options.host === undefined ? {} : { host: options.host };
  const entrypoints = await Entrypoints.open({
    settings: ports,
    lane,
    secure: { certificates, handshakeMs: settings.timeoutHttpRequestMs, ...authorities },
    logger,
    admit,
    ...host,
  });
  const relays = new Relays({
    upstreams,
    balancer,
    logger,
    admit,
    connectMs: settings.timeoutConnectMs,
    tunnelMs: settings.timeoutTunnelMs,
    helloMs: settings.timeoutHttpRequestMs,
    taken: new Set(entrypoints.views().map(({ port }) => port)),
    ...host,
  });
  const stopWaiting = certificates.onChange(() => {
    entrypoints.openWaiting().catch((error) => logger.error({ err: messageOf(error) }, 'an entrypoint stays closed'));
  });
  gauges(options.metrics, { limits, relays, certificates });
  const background = Promise.all([
    names.run(),
    networks.follow(lookAgainMs, ended.signal),
    files.follow(lookAgainMs, ended.signal),
  ]);

  let revision = '';
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    ended.abort();
    stopWaiting();
    await entrypoints.close();
    await Promise.all([lane.drain(0), relays.drain(0)]);
    lanes.stop();
    await middleware.stop();
    await background;
  };
  return {
    async apply(change: ServicesChange) {
      upstreams.apply(change.changes);
      serviceCertificates.apply(change.changes);
      table.current = table.current.with(definitionsOf(change));
      await relays.apply(table.current, change.changes.keys());
      revision = change.revision;
    },
    table: () => table.current,
    endpointsOf: (route: Route) =>
      upstreams.view(route).endpoints.map((endpoint): EndpointView => {
        const { kind } = balancer.healthOf(endpoint.id);
        const health = kind === 'healthy' ? 'healthy' : kind === 'returning' ? 'unknown' : 'ejected';
        return { endpoint, health, outstanding: balancer.outstandingOf(endpoint.id) };
      }),
    middlewareOf: middleware.middlewareOf,
    problems: () =>
      mergeProblems(relays.problems(), serviceCertificates.problems(), servingProblems(table.current, upstreams)),
    certificates: () => certificates,
    entrypoints: (): readonly EntrypointView[] => [...entrypoints.views(), ...relays.views()],
    workers: (): readonly WorkerView[] => [
      { pid: process.pid, state: ended.signal.aborted ? 'draining' : 'serving', revision },
    ],
    async drain(deadlineMs: number) {
      await entrypoints.close();
      await Promise.all([lane.drain(deadlineMs), relays.drain(deadlineMs)]);
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** The table in force: one reference that moves. */
class LiveTable {
  current: RouteTable;

  constructor(first: RouteTable) {
    this.current = first;
  }
}

/** Our own networks, looked at again now and then: an overlay network can be attached to a running container. */
class OwnNetworks {
  subnets: readonly string[] = ownSubnets();

  async follow(everyMs: number, signal: AbortSignal): Promise<void> {
    while (await pause(everyMs, signal)) {
      const found = ownSubnets();
      if (found.join() !== this.subnets.join()) this.subnets = found;
    }
  }
}

function emptyTable(settings: Settings): RouteTable {
  return createRouteTable({
    order: settings.order,
    ...(settings.serviceDomainAlgo === undefined ? {} : { serviceDomainAlgo: settings.serviceDomainAlgo }),
    instanceName: settings.instanceName,
    filterInstanceName: settings.filterProxyInstanceName,
    // `USERS` and `HTTPS_ONLY` are middleware of every route; they block nothing.
    isSupported,
  });
}

function definitionsOf(change: ServicesChange): ReadonlyMap<ServiceKey, ServiceDefinition | undefined> {
  const definitions = new Map<ServiceKey, ServiceDefinition | undefined>();
  for (const [key, served] of change.changes) definitions.set(key, served?.definition);
  return definitions;
}

function servingProblems(table: RouteTable, upstreams: Upstreams): ReadonlyMap<ServiceKey, readonly Problem[]> {
  const found = new Map<ServiceKey, Problem[]>();
  for (const route of table.routes()) {
    if (route.redirectToHost !== undefined) continue;
    const { problem } = upstreams.view(route);
    if (problem === undefined) continue;
    const known = found.get(route.key) ?? [];
    if (!known.some((each) => each.message === problem.message)) known.push(problem);
    found.set(route.key, known);
  }
  return found;
}

function mergeProblems(
  ...sources: readonly ReadonlyMap<ServiceKey, readonly Problem[]>[]
): ReadonlyMap<ServiceKey, readonly Problem[]> {
  const all = new Map<ServiceKey, readonly Problem[]>();
  for (const source of sources)
    for (const [key, problems] of source) all.set(key, [...(all.get(key) ?? []), ...problems]);
  return all;
}

function gauges(
  metrics: Metrics,
  of: { readonly limits: ConnectionLimits; readonly relays: Relays; readonly certificates: CertificateStore },
): void {
  const { limits, relays, certificates } = of;
  const gauge = ExchangeMetrics.gauge;
  gauge(metrics, 'swarmgate_client_connections', 'Client connections that are open', () => limits.open);
  gauge(metrics, 'swarmgate_refused_connections', 'Client connections over a limit', () => limits.refused);
  gauge(metrics, 'swarmgate_relayed_connections', 'Connections that tcp and sni services relay', () => relays.open);
  gauge(metrics, 'swarmgate_certificate_expiry_seconds', 'When the first certificate ends, since the epoch', () =>
    Math.min(...certificates.all().map(({ expiresMs }) => expiresMs / 1_000)),
  );
}

function observer({ settings, metrics }: ServingOptions): DataPlane['observe'] {
  const counted = new ExchangeMetrics(metrics);
  if (settings.accessLog === 'off') return (report) => counted.observe(report);
  const log = new AccessLog({ format: settings.accessLog, write: process.stdout });
  ExchangeMetrics.gauge(
    metrics,
    'swarmgate_access_log_dropped',
    'Access log lines dropped because the reader was slow',
    () => log.dropped,
  );
  return (report) => {
    counted.observe(report);
    log.add(report);
  };
}
