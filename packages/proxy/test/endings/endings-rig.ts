import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { type Destination, hashPassword, type ServiceDefinition, type ServiceKey } from '@swarmgate/registry';
import { type Logger, readSettings, silentLogger } from '@swarmgate/runtime';
import { Registry as Metrics } from 'prom-client';
import { startInProcessServer } from '../../src/control/serving/in-process-server.ts';
import type { Server as ProxyServer } from '../../src/control/serving/server.ts';
import { readCertificate } from '../../src/server/tls/certificate.ts';
import { reset } from '../../src/transport/reset.ts';
import { freePorts } from '../free-ports.ts';
import { testCertificate } from '../test-certificate.ts';
import { until } from '../until.ts';
import { descriptors, openConnections } from './open-connections.ts';

export interface EndingPorts {
  readonly plain: number;
  readonly secure: number;
  /** Every connection begins with a PROXY header. */
  readonly proxied: number;
  /** As `proxied`, with TLS behind the header. */
  readonly proxiedSecure: number;
  /** Relays by tcp to an endpoint that responds. */
  readonly relay: number;
  /** Relays by tcp to an endpoint that refuses connections. */
  readonly deadRelay: number;
  /** Relays by server name; nothing but `relayed.example` is served. */
  readonly named: number;
  /** Ends TLS, passes it through for `relayed.example`, and relays plain bytes for `plain.example`. */
  readonly shared: number;
}

export interface Counts {
  readonly descriptors: number;
  readonly clientConnections: number;
  readonly inFlight: number;
  readonly relayed: number;
  readonly upstreamInUse: number;
  readonly queued: number;
}

/** A whole server in this process, whose endpoints end their connections in every way that there is. */
export interface EndingsRig {
  readonly ports: EndingPorts;
  /** Connections of clients that the server still holds, by the clients' ports. */
  open(): ReadonlySet<number>;
  /** Idle connections to endpoints are not counted among the descriptors. */
  counts(): Promise<Counts>;
  stop(): Promise<void>;
}

/** Short, so that the endings that only a timeout brings come soon, and long enough for a thousand clients at once. */
const shortMs = 1_500;

export async function startEndingsRig(
  env: Readonly<Record<string, string>>,
  logger: Logger = silentLogger,
): Promise<EndingsRig> {
  const { pem } = await testCertificate(['own.example']);
  const [endpoint, secureEndpoint, http2Endpoint] = await Promise.all([
    startEndpoint(createServer({ allowHalfOpen: true, noDelay: true }, serve)),
    startEndpoint(createSecureServer({ cert: pem, key: pem, allowHalfOpen: true, noDelay: true }, serve)),
    startHttp2Endpoint(),
  ]);
  const [
    plain = 0,
    secure = 0,
    proxied = 0,
    proxiedSecure = 0,
    relay = 0,
    deadRelay = 0,
    named = 0,
    dead = 0,
    shared = 0,
  ] = await freePorts(9);
  const ports: EndingPorts = { plain, secure, proxied, proxiedSecure, relay, deadRelay, named, shared };
  const metrics = new Metrics();
  const read = readSettings('standalone', {
    env: {
      DATA_DIR: '/nowhere',
      MAX_BODY_BYTES: '1000',
      TRUSTED_PROXIES: '127.0.0.1',
      PROXY_PROTOCOL_PORTS: `${proxied},${proxiedSecure}`,
      ...env,
    },
    secretsDir: '/nowhere',
  });
  const server = await startInProcessServer({
    settings: {
      ...read,
      timeoutHttpRequestMs: shortMs,
      timeoutHttpKeepAliveMs: shortMs,
      timeoutClientMs: shortMs,
      timeoutServerMs: shortMs,
      timeoutTunnelMs: shortMs,
    },
    logger,
    metrics,
    env: {},
    entrypoints: [
      { port: plain, secure: false },
      { port: secure, secure: true },
      { port: proxied, secure: false },
      { port: proxiedSecure, secure: true },
      { port: shared, secure: true },
    ],
    host: '127.0.0.1',
  });
  await publish(server, [
    service('web', { servicePath: ['/e/'], port: endpoint.port }),
    service('secure', { servicePath: ['/s/'], port: secureEndpoint.port, sslVerifyNone: true }),
    service('http2', { servicePath: ['/h2/'], port: http2Endpoint.port, protocol: 'h2c' }),
    service('pages', {
      servicePath: ['/pages/'],
      port: endpoint.port,
      middlewares: [
        {
          kind: 'errors',
          status: [{ from: 200, to: 200 }],
          address: `http://127.0.0.1:${endpoint.port}`,
          query: '/e/ok',
        },
      ],
    }),
    service('zip', { servicePath: ['/zip/'], port: endpoint.port }, { compressionAlgo: ['gzip'] }),
    // Which route its requests take is known after a hash that a thread makes.
    service(
      'members',
      { servicePath: ['/members/'], port: endpoint.port },
      { users: [{ username: 'jane', passwordHash: await hashPassword('secret') }] },
    ),
    service('dead', { servicePath: ['/dead/'], port: dead }),
    service('closed', { servicePath: ['/closed/'], port: endpoint.port, deniedMethods: ['GET'] }),
    service('tcp', { reqMode: 'tcp', srcPort: relay, port: endpoint.port, servicePath: ['/'] }),
    service('tcp-dead', { reqMode: 'tcp', srcPort: deadRelay, port: dead, servicePath: ['/'] }),
    service('sni-shared', {
      reqMode: 'sni',
      srcPort: shared,
      port: secureEndpoint.port,
      serviceDomain: ['relayed.example'],
    }),
    service('tls-shared', { reqMode: 'tls', srcPort: shared, port: endpoint.port, serviceDomain: ['plain.example'] }),
    service('sni', { reqMode: 'sni', srcPort: named, port: endpoint.port, serviceDomain: ['relayed.example'] }),
  ]);
  const certificate = readCertificate('own', pem, undefined);
  if (!certificate.ok) throw new Error(certificate.reason);
  server.certificates?.().replace('file', [certificate.certificate]);
  await until(() => server.entrypoints().every(({ state }) => state === 'open'), 'all ports to be open');

  const own = new Set(Object.values(ports));
  return {
    ports,
    open: () => new Set(openConnections(own).map(({ remotePort }) => remotePort)),
    counts: async () => {
      const text = await metrics.metrics();
      const gauge = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
      const idle = gauge('swarmgate_upstream_idle_connections');
      return {
        // Both ends of an idle connection to an endpoint are in this process.
        descriptors: descriptors() - 2 * idle,
        clientConnections: gauge('swarmgate_client_connections'),
        inFlight: gauge('swarmgate_in_flight'),
        relayed: gauge('swarmgate_relayed_connections'),
        upstreamInUse: gauge('swarmgate_upstream_connections') - idle,
        queued: gauge('swarmgate_upstream_queued'),
      };
    },
    stop: async () => {
      await server.stop();
      await Promise.all([endpoint, secureEndpoint, http2Endpoint].map((each) => each.stop()));
    },
  };
}

function service(
  name: string,
  destination: Partial<Destination>,
  more: Partial<ServiceDefinition> = {},
): ServiceDefinition {
  return {
    version: 1,
    service: name,
    owner: 'manual',
    source: { kind: 'rest', by: 'test' },
    updatedAt: '',
    destinations: [{ index: 0, since: 0, outboundHostname: '127.0.0.1', port: 80, ...destination }],
    ...more,
  };
}

async function publish(server: ProxyServer, definitions: readonly ServiceDefinition[]): Promise<void> {
  const changes = definitions.map((definition) => {
    const key: ServiceKey = `manual/${definition.service}`;
    return [key, { key, definition, endpoints: undefined, origin: 'registry', addressesFresh: true }] as const;
  });
  await server.apply({
    revision: 'r:1',
    sequence: 1,
    registryId: 'r',
    changes: new Map(changes),
    rejected: new Map(),
  });
}

interface RunningEndpoint {
  readonly port: number;
  stop(): Promise<void>;
}

async function startEndpoint(server: Server): Promise<RunningEndpoint> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** HTTP/2 in plain text; a connection serves one request, which gets 200: so each opens one. */
function startHttp2Endpoint(): Promise<RunningEndpoint> {
  const server = createHttp2Server((request, response) => {
    response.end('ok');
    request.stream.session?.close();
  });
  server.on('session', (session: ServerHttp2Session) => session.on('error', () => undefined));
  return startEndpoint(server);
}

/** Does on the wire what the last segment of the path says, as soon as it has the head. */
function serve(socket: Socket): void {
  socket.on('error', () => undefined);
  let head = '';
  let over = false;
  socket.on('data', (bytes) => {
    if (over) return;
    head += bytes.toString('latin1');
    for (let end = head.indexOf('\r\n\r\n'); end !== -1 && !over; end = head.indexOf('\r\n\r\n')) {
      const way = /^\S+ \/\w+\/(\w+)/.exec(head)?.[1] ?? 'close';
      head = head.slice(end + 4);
      over = !keepsAlive.has(way);
      ways[way]?.(socket);
    }
  });
  // What only a peer that reads to the end sees: a half-open proxy must not depend on it.
  socket.on('end', () => socket.end());
}

const paused = new Set<Socket>();
const keepsAlive = new Set(['ok', 'large', 'text']);
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

const ways: Readonly<Record<string, (socket: Socket) => void>> = {
  ok: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  large: (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`),
  text: (socket) =>
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`),
  close: (socket) => socket.destroy(),
  reset: (socket) => reset(socket),
  garble: (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n'),
  silent: () => undefined,
  partial: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.'),
  cut: (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.');
    setImmediate(() => reset(socket));
  },
  stalled: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.'),
  untilclose: (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'),
  refuses: (socket) => socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
  refusesandcloses: (socket) => socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nno'),
  upgrade: (socket) => socket.write(`${switching}hello`),
  /** Reads nothing until another request for `resume` comes. */
  upgradeslow: (socket) => {
    socket.write(`${switching}hello`);
    socket.pause();
    paused.add(socket);
  },
  resume: (socket) => {
    for (const each of paused) each.resume();
    paused.clear();
    socket.end('HTTP/1.1 204 No Content\r\n\r\n');
  },
  upgradeclose: (socket) => socket.end(`${switching}bye`),
  upgradereset: (socket) => {
    socket.write(switching);
    setImmediate(() => reset(socket));
  },
};
