import { createServer as createHttpServer } from 'node:http';
import { connect as connectHttp2, createSecureServer } from 'node:http2';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Destination, ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { Registry as Metrics } from 'prom-client';
import { type InProcessServer, startInProcessServer } from '../src/control/serving/in-process-server.ts';
import type { ServedService } from '../src/model/served-service.ts';
import { readCertificate } from '../src/server/tls/certificate.ts';
import { freePorts } from './free-ports.ts';
import { testCertificate } from './test-certificate.ts';
import { until } from './until.ts';

/** Host that the services of the rig run on. */
const loopback = '127.0.0.1';

export interface SharedPortRig {
  readonly server: InProcessServer;
  readonly metrics: Metrics;
  /** Both end TLS; connections to the second begin with a PROXY header. */
  readonly ports: { readonly direct: number; readonly proxied: number; readonly plain: number };
  /** Responds with `ended` to requests without TLS. */
  readonly httpPort: number;
  /** Ends TLS itself, with a certificate for `passed.example`, and responds with `passed` over HTTP/1.1 and HTTP/2. */
  readonly tlsPort: number;
  /** Takes plain bytes, and sends them back behind `echo:`. */
  readonly echoPort: number;
  /** Bytes that `tlsPort` has received, of all connections. */
  received(): Buffer;
  publish(services: Readonly<Record<string, Published | undefined>>): Promise<void>;
  counter(name: string, labels: Readonly<Record<string, string>>): Promise<number>;
  stop(): Promise<void>;
}

export type Published = Partial<Destination> & { readonly service?: Partial<ServiceDefinition> };

export async function startSharedPortRig(env: Readonly<Record<string, string>> = {}): Promise<SharedPortRig> {
  const own = await testCertificate(['ended.example', '*.ended.example']);
  const passed = await testCertificate(['passed.example', 'acme.example']);
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  let bytes = Buffer.alloc(0);
  const listen = async (server: Server): Promise<number> => {
    servers.push(server);
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
    return (server.address() as AddressInfo).port;
  };
  const httpPort = await listen(createHttpServer((_request, response) => response.end('ended')));
  const secure = createSecureServer(
    { cert: passed.cert, key: passed.key, allowHTTP1: true, ALPNCallback: ({ protocols }) => protocols[0] },
    (_request, response) => response.end('passed'),
  );
  const tlsPort = await listen(
    createServer((socket) => {
      socket.once('data', (first: Buffer) => {
        socket.pause();
        bytes = Buffer.concat([bytes, first]);
        socket.unshift(first);
        secure.emit('connection', socket);
      });
    }),
  );
  const echoPort = await listen(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.write('echo:');
      socket.pipe(socket);
    }),
  );
  const [direct = 0, proxied = 0, plain = 0] = await freePorts(3);
  const metrics = new Metrics();
  const server = await startInProcessServer({
    settings: {
      ...readSettings('standalone', {
        env: {
          DATA_DIR: '/nowhere',
          TRUSTED_PROXIES: loopback,
          PROXY_PROTOCOL_PORTS: String(proxied),
          ...env,
        },
        secretsDir: '/nowhere',
      }),
      ...(env.TIMEOUT_HTTP_REQUEST === undefined
        ? {}
        : { timeoutHttpRequestMs: Number(env.TIMEOUT_HTTP_REQUEST) * 1_000 }),
    },
    logger: silentLogger,
    metrics,
    env: {},
    entrypoints: [
      { port: direct, secure: true },
      { port: proxied, secure: true },
      { port: plain, secure: false },
    ],
    host: loopback,
  });
  const certificate = readCertificate('own', own.pem, undefined);
  if (!certificate.ok) throw new Error(certificate.reason);
  server.certificates().replace('file', [certificate.certificate]);
  await until(() => server.entrypoints().every(({ state }) => state === 'open'), 'all ports to be open');
  let sequence = 0;
  return {
    server,
    metrics,
    ports: { direct, proxied, plain },
    httpPort,
    tlsPort,
    echoPort,
    received: () => bytes,
    async publish(services) {
      sequence += 1;
      const changes = Object.entries(services).map(([name, published]) => {
        const key: ServiceKey = `manual/${name}`;
        return [key, published === undefined ? undefined : served(key, published)] as const;
      });
      const revision = `r:${sequence}`;
      await server.apply({ revision, sequence, registryId: 'r', changes: new Map(changes), rejected: new Map() });
    },
    async counter(name, labels) {
      const found = (await metrics.getMetricsAsJSON()).find((metric) => metric.name === name);
      const values = (found?.values ?? []) as readonly { value: number; labels: Record<string, unknown> }[];
      return values
        .filter((each) => Object.entries(labels).every(([label, value]) => each.labels[label] === value))
        .reduce((sum, { value }) => sum + value, 0);
    },
    async stop() {
      await server.stop();
      for (const socket of sockets) socket.destroy();
      for (const each of servers) each.close();
      secure.close();
    },
  };
}

function served(key: ServiceKey, { service, ...destination }: Published): ServedService {
  const definition: ServiceDefinition = {
    version: 1,
    service: key.slice('manual/'.length),
    owner: 'manual',
    source: { kind: 'rest', by: 'test' },
    updatedAt: '',
    destinations: [{ index: 0, since: 1, outboundHostname: loopback, port: 80, ...destination }],
    ...service,
  };
  return { key, definition, endpoints: undefined, origin: 'registry', addressesFresh: true };
}

export interface ClientOptions {
  readonly servername?: string;
  readonly protocols?: readonly string[];
  /** The address that a PROXY header in front of the connection gives. */
  readonly source?: string;
  /** How the ClientHello goes out. Default: as it is. */
  readonly split?: (hello: Buffer) => readonly Buffer[];
}

/** A TLS connection to a port; resolves when the handshake is over, rejects where it fails. */
export async function dialTls(port: number, options: ClientOptions = {}): Promise<TLSSocket> {
  const { servername = '', protocols, source, split } = options;
  const socket = split === undefined ? connect({ port, host: loopback, noDelay: true }) : await through(port, split);
  if (source !== undefined) socket.write(`PROXY TCP4 ${source} ${loopback} 1000 443\r\n`);
  const secured = connectTls({
    socket,
    servername,
    rejectUnauthorized: false,
    ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
  });
  return new Promise((resolve, reject) => {
    secured.once('secureConnect', () => resolve(secured));
    secured.once('error', reject);
    secured.once('close', () => reject(new Error('closed before the handshake was over')));
    secured.on('error', () => undefined);
  });
}

/** A connection by way of a relay that sends the first bytes in pieces. */
async function through(port: number, split: (hello: Buffer) => readonly Buffer[]): Promise<Socket> {
  const relay = createServer((client) => {
    const target = connect({ port, host: loopback, noDelay: true });
    for (const [each, other] of [
      [client, target],
      [target, client],
    ] as const) {
      each.on('error', () => undefined);
      each.once('close', () => other.destroy());
    }
    client.once('data', (hello: Buffer) => {
      client.pause();
      const send = async () => {
        for (const piece of split(hello)) {
          target.write(piece);
          await new Promise((resolve) => setImmediate(resolve));
        }
        client.pipe(target);
      };
      void send();
    });
    target.pipe(client);
  });
  await new Promise<void>((resolve) => relay.listen(0, loopback, resolve));
  const socket = connect({ port: (relay.address() as AddressInfo).port, host: loopback });
  socket.once('connect', () => relay.close());
  return socket;
}

/** What a GET over HTTP/1.1 gets on a connection that is open, and whether the connection stays open. */
export async function sendOverHttp1(secured: TLSSocket, host: string): Promise<{ status: number; text: string }> {
  secured.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  let text = '';
  await new Promise<void>((resolve) => {
    secured.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      const isChunked = /transfer-encoding: chunked/i.test(text);
      if (end !== -1 && (isChunked ? text.endsWith('0\r\n\r\n') : text.length >= end + 4 + length)) resolve();
    });
    secured.once('close', () => resolve());
  });
  return { status: Number(text.slice(9, 12)), text };
}

/** Statuses of GETs for these hosts over one HTTP/2 connection. */
export async function sendOverHttp2(secured: TLSSocket, hosts: readonly string[]): Promise<readonly number[]> {
  const session = connectHttp2('https://unused', { createConnection: () => secured });
  session.on('error', () => undefined);
  const statuses: number[] = [];
  for (const host of hosts) {
    const stream = session.request({ ':authority': host, ':path': '/' });
    const status = new Promise<number>((resolve, reject) => {
      stream.once('response', (head) => resolve(head[':status'] ?? 0));
      stream.once('error', reject);
    });
    stream.resume();
    statuses.push(await status);
  }
  session.destroy();
  return statuses;
}

/** The same ClientHello in records of so many bytes each. */
export function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}
