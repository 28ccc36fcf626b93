import { readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import type { EndpointsDocument } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { Registry as Metrics } from 'prom-client';
import { startInProcessServer } from '../../src/control/serving/in-process-server.ts';
import { Setting } from '../../src/http/http2/frames.ts';
import type { ServedService } from '../../src/model/served-service.ts';
import { readCertificate } from '../../src/server/tls/certificate.ts';
import { freePorts } from '../free-ports.ts';
import { testCertificate } from '../test-certificate.ts';
import { until } from '../until.ts';
import { servedAt } from '../worker-rig.ts';
import type { ByteClient } from './byte-client.ts';
import { type ByteAttempt, type ByteEndpoint, startByteEndpoint } from './byte-endpoints.ts';
import { Http1ByteClient } from './http1-byte-client.ts';
import { Http2ByteClient } from './http2-byte-client.ts';
import { afterTurns, type BytePlan, oneOf, pathOf, planOf, type Random, randomOf } from './plan.ts';
import { acceptTunnel, type TunnelOutcome, tunnelBySocket } from './tunnel-end.ts';
import { TunnelPeer } from './tunnel-peer.ts';

export const fronts = ['HTTP/1.1', 'HTTP/1.1 over TLS', 'h2c', 'h2', 'tcp relay'] as const;
export type Front = (typeof fronts)[number];

/** Services: each leads to one endpoint; its name with `-pair` to two; with `-late-` and a front, through a slow relay. */
export const endpointKinds = {
  http1: { protocol: 'http1', isSecure: false },
  https1: { protocol: 'http1', isSecure: true },
  h2c: { protocol: 'h2', isSecure: false },
  h2: { protocol: 'h2', isSecure: true },
} as const;
export type EndpointKind = keyof typeof endpointKinds;

export interface PlaceCounts {
  /** The proxy's, but those of idle connections to endpoints. */
  readonly sockets: number;
  readonly clientConnections: number;
  readonly inFlight: number;
  readonly upstreamInUse: number;
  readonly queued: number;
}

/** A whole server in this process, with endpoints of each kind, whose bodies tell where they belong. */
export interface ByteRig {
  /** Opens a connection. */
  client(front: Front): Promise<ByteClient>;
  /** A tunnel, on a connection of its own. */
  tunnel(front: Front, kind: EndpointKind, plan: BytePlan): Promise<TunnelOutcome>;
  /** What the endpoint's side of a tunnel has got. */
  tunnelled(id: number): TunnelOutcome | undefined;
  attemptsOf(id: number): readonly ByteAttempt[];
  /** What the proxy did wrong on connections to endpoints. */
  readonly endpointFaults: readonly string[];
  counts(): Promise<PlaceCounts>;
  stop(): Promise<void>;
}

export async function startByteRig(env: Readonly<Record<string, string>>, random: Random): Promise<ByteRig> {
  const { pem } = await testCertificate(['own.example']);
  const attempts = new Map<number, ByteAttempt[]>();
  const endpointFaults: string[] = [];
  const refused = new Map<number, number>();
  const tunnelled = new Map<number, TunnelOutcome>();
  /** Endpoints, and relays before them, whose sockets are in this process too. */
  const others: Pick<ByteEndpoint, 'sockets' | 'stop'>[] = [];
  const changes = new Map<`${string}/${string}`, ServedService>();
  const [plain = 0, secure = 0, relayed = 0] = await freePorts(3);

  const onFault = (text: string) => endpointFaults.push(text);
  const start = async (kind: EndpointKind, serve?: (socket: Socket) => void): Promise<ByteEndpoint> => {
    const { protocol, isSecure } = endpointKinds[kind];
    const endpoint = await startByteEndpoint({
      protocol,
      random,
      ...(isSecure ? { pem } : {}),
      onAttempt: (attempt) => attempts.set(attempt.id, [...(attempts.get(attempt.id) ?? []), attempt]),
      onFault,
      ...(serve === undefined ? {} : { serve }),
      refuses: ({ id, refusals }) => {
        const count = refused.get(id) ?? 0;
        refused.set(id, count + 1);
        return count < refusals;
      },
    });
    others.push(endpoint);
    return endpoint;
  };
  const onTunnelEnd = (plan: BytePlan, end: TunnelOutcome) => tunnelled.set(plan.id, end);
  const serveTunnels = (kind: EndpointKind) => (socket: Socket) => {
    if (endpointKinds[kind].protocol === 'http1') acceptTunnel(socket, planOf, onTunnelEnd);
    else
      new TunnelPeer(socket, 'endpoint', { ...windows(), settings: [[Setting.enableConnectProtocol, 1]] }, onTunnelEnd);
  };
  /** The server of node:http2 stalls at times where a window of a client goes below zero. */
  const windows = (isSteady = false) => {
    const own = randomOf(Math.floor(random() * 2 ** 32));
    const windowBytes = isSteady ? 65_535 : oneOf(own, [0, 1, 100, 4_096, 65_535, 1 << 20]);
    return { windowBytes, changesWindow: !isSteady && own() < 0.5, random: own };
  };
  const serve = (name: string, kind: EndpointKind, ports: readonly number[]) => {
    const { protocol, isSecure } = endpointKinds[kind];
    const published = ports.map((port) => ({ host: '127.0.0.1', port, targetPort: 80 }));
    const endpoints: EndpointsDocument = {
      version: 1,
      service: name,
      owner: 'manual',
      dnsName: name,
      tasks: [],
      published,
    };
    const spoken = protocol === 'h2' ? (isSecure ? 'h2' : 'h2c') : undefined;
    const destination = {
      servicePath: [`/${name}/`],
      port: 80,
      ...(isSecure ? { sslVerifyNone: true } : {}),
      ...(spoken === undefined ? {} : { protocol: spoken }),
    };
    changes.set(`manual/${name}`, servedAt(`manual/${name}`, destination as { readonly port: number }, { endpoints }));
  };
  for (const kind of Object.keys(endpointKinds) as EndpointKind[]) {
    const [one, other] = [await start(kind), await start(kind)];
    serve(kind, kind, [one.port]);
    serve(`tunnel-${kind}`, kind, [(await start(kind, serveTunnels(kind))).port]);
    serve(`${kind}-pair`, kind, [one.port, other.port]);
    for (const at of fronts.keys()) {
      const relay = await startLateRelay(one.port);
      others.push(relay);
      serve(`${kind}-late-${at}`, kind, [relay.port]);
    }
    if (kind === 'http1')
      changes.set('manual/relayed', servedAt('manual/relayed', { reqMode: 'tcp', srcPort: relayed, port: one.port }));
  }
  const metrics = new Metrics();
  const server = await startInProcessServer({
    settings: readSettings('standalone', { env: { DATA_DIR: '/nowhere', ...env }, secretsDir: '/nowhere' }),
    logger: silentLogger,
    metrics,
    env: {},
    entrypoints: [
      { port: plain, secure: false },
      { port: secure, secure: true },
    ],
    host: '127.0.0.1',
  });
  await server.apply({ revision: 'r:1', sequence: 1, registryId: 'r', changes, rejected: new Map() });
  const certificate = readCertificate('own', pem, undefined);
  if (!certificate.ok) throw new Error(certificate.reason);
  server.certificates().replace('file', [certificate.certificate]);
  await until(() => server.entrypoints().every(({ state }) => state === 'open'), 'all ports to be open');

  const ports: Record<Front, number> = {
    'HTTP/1.1': plain,
    h2c: plain,
    'HTTP/1.1 over TLS': secure,
    h2: secure,
    'tcp relay': relayed,
  };
  return {
    endpointFaults,
    attemptsOf: (id) => attempts.get(id) ?? [],
    async client(front) {
      const isHttp2 = front === 'h2c' || front === 'h2';
      const socket = await opened(ports[front], ports[front] === secure ? (isHttp2 ? 'h2' : 'http/1.1') : undefined);
      if (!isHttp2) return new Http1ByteClient(socket);
      return new Http2ByteClient(socket, windows(env.HTTP2 === 'node'));
    },
    async tunnel(front, kind, plan) {
      const isHttp2 = front === 'h2c' || front === 'h2';
      const socket = await opened(ports[front], ports[front] === secure ? (isHttp2 ? 'h2' : 'http/1.1') : undefined);
      if (!isHttp2) return tunnelBySocket(socket, pathOf(`tunnel-${kind}`, plan), plan);
      const peer = new TunnelPeer(socket, 'client', windows(env.HTTP2 === 'node'));
      const end = await peer.tunnel(`tunnel-${kind}`, plan);
      return peer.faults.length === 0 ? end : { ...end, fault: peer.faults.join(', ') };
    },
    tunnelled: (id) => tunnelled.get(id),
    async counts() {
      const text = await metrics.metrics();
      const gauge = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
      const idle = gauge('swarmgate_upstream_idle_connections');
      return {
        sockets: openSockets() - idle - others.reduce((sum, { sockets }) => sum + sockets.size, 0),
        clientConnections: gauge('swarmgate_client_connections'),
        inFlight: gauge('swarmgate_in_flight'),
        upstreamInUse: gauge('swarmgate_upstream_connections') - idle,
        queued: gauge('swarmgate_upstream_queued'),
      };
    },
    async stop() {
      await server.stop();
      for (const other of others.reverse()) await other.stop();
    },
  };
}

function openSockets(): number {
  const links = readdirSync('/proc/self/fd').map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      // That of the folder itself is closed by now.
      return '';
    }
  });
  return links.filter((link) => link.startsWith('socket:')).length;
}

function opened(port: number, protocol: string | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const to = { port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true };
    const secured = { ...to, rejectUnauthorized: false, servername: 'own.example' };
    const socket =
      protocol === undefined
        ? connect(to, () => resolve(socket))
        : connectSecure({ ...secured, ALPNProtocols: [protocol] }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Leads connections on some turns after they were accepted: a handshake, or SETTINGS, comes late. */
async function startLateRelay(to: number): Promise<ByteEndpoint> {
  const sockets = new Set<Socket>();
  const follow = (socket: Socket, other: () => Socket | undefined) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      other()?.destroy();
    });
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    let onward: Socket | undefined;
    follow(socket, () => onward);
    void afterTurns(20).then(() => {
      const target = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
      onward = target;
      follow(target, () => socket);
      socket.pipe(target);
      target.pipe(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { readonly port: number }).port,
    sockets,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
