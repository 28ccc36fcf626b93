import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import type { CertificatesResponse } from '@swarmgate/proxy';
import type { AcmeLab } from '../../harness/acme-lab.ts';
import { freePort, freePorts } from '../../harness/free-ports.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

/** One proxy with its workers in processes of their own, and the address at which a CA meets it. */
export interface AcmeProxy {
  readonly name: string;
  readonly process: SwarmgateProcess;
  /** Where a CA finds it: `127.0.0.<n>`. */
  readonly address: string;
  readonly plainPort: number;
  readonly securePort: number;
  readonly adminUrl: string;
  ready(): Promise<void>;
  certificates(): Promise<CertificatesResponse>;
  get(path: string): Promise<string>;
  post(
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: { readonly Message?: string } }>;
  /** The serial that a full handshake shows; `undefined` where it is no certificate of the CA that names the host. */
  serial(host: string): Promise<string | undefined>;
  leads(): boolean;
  remove(): Promise<void>;
}

export interface AcmeProxyOptions {
  /** 1, 2, …: the CA meets it at that address of loopback. */
  readonly number: number;
  /** Where the CA validates. */
  readonly httpPort: number;
  readonly tlsPort: number;
  readonly consul: string | undefined;
  readonly instance: string;
  readonly secretsKey: string | undefined;
  readonly workers?: number;
  readonly env: Readonly<Record<string, string>>;
}

export function randomSecretsKey(): string {
  return randomBytes(32).toString('base64');
}

export async function startAcmeProxy(options: AcmeProxyOptions): Promise<AcmeProxy> {
  const { number, consul, instance, secretsKey, workers = 2 } = options;
  const name = `proxy-${number}`;
  const address = `127.0.0.${number}`;
  const [plainPort = 0, securePort = 0, adminPort = 0] = await freePorts(3);
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const process = startSwarmgate(['proxy'], {
    env: {
      HOSTNAME: name,
      LOG_LEVEL: 'debug',
      DEFAULT_PORTS: `${plainPort},${securePort}:ssl`,
      ADMIN_PORT: String(adminPort),
      WORKERS: String(workers),
      PROXY_INSTANCE_NAME: instance,
      DRAIN_TIMEOUT_MS: '2000',
      ...(consul === undefined ? {} : { CONSUL_HTTP_ADDR: consul }),
      ...(secretsKey === undefined ? {} : { SECRETS_KEY: secretsKey }),
      ...options.env,
    },
  });
  const relays = [await relay(address, options.httpPort, plainPort), await relay(address, options.tlsPort, securePort)];
  const fetchText = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${adminUrl}${path}`, { ...init, signal: AbortSignal.timeout(30_000) });
    return { status: response.status, text: await response.text() };
  };
  return {
    name,
    process,
    address,
    plainPort,
    securePort,
    adminUrl,
    ready: async () => {
      await until(`${name} is ready: ${process.log()}`, async () => (await fetchText('/readyz')).status === 200, {
        withinMs: 60_000,
      });
    },
    certificates: async () => JSON.parse((await fetchText('/v1/certificates')).text) as CertificatesResponse,
    get: async (path) => (await fetchText(path)).text,
    post: async (path, body) => {
      const { status, text } = await fetchText(path, {
        method: 'POST',
        ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
      return { status, body: JSON.parse(text) as { readonly Message?: string } };
    },
    serial: async (host) => {
      const { issuer, serialNumber, subjectaltname = '' } = await shownCertificate(securePort, host);
      const names = subjectaltname.split(', ');
      const isNamed = names.includes(`DNS:${host}`) || names.includes(`DNS:*${host.slice(host.indexOf('.'))}`);
      return isNamed && JSON.stringify(issuer).includes('Pebble') ? serialNumber : undefined;
    },
    leads: () => {
      const lines = process
        .log()
        .split('\n')
        .filter((line) => line.includes('acme/lock'));
      return lines.findLast((line) => /"(?:leading|not leading any more)"/.test(line))?.includes('"leading"') ?? false;
    },
    remove: async () => {
      for (const each of relays) each.close();
      await process.remove();
    },
  };
}

export async function shownCertificate(port: number, host: string, alpn?: string): Promise<DetailedPeerCertificate> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: host,
    rejectUnauthorized: false,
    ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
    return socket.getPeerCertificate(true);
  } finally {
    socket.destroy();
  }
}

/** `GET` with a Host of one's own. */
export function getFrom(
  port: number,
  host: string,
  path: string,
): Promise<{ status: number; body: string; location: string | undefined }> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, headers: { host }, agent: false }, async (response) => {
      const body = (await response.setEncoding('utf8').toArray()).join('');
      resolve({ status: response.statusCode ?? 0, body, location: response.headers.location });
    });
    sent.once('error', reject);
    sent.end();
  });
}

interface Relay {
  close(): void;
}

/** What a load balancer is to a CA: an address of its own in front of one proxy. */
async function relay(host: string, port: number, target: number): Promise<Relay> {
  const open = new Set<Socket>();
  const server: Server = createServer((from) => {
    const to = connectTcp(target, '127.0.0.1');
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    close: () => {
      server.close();
      for (const each of open) each.destroy();
    },
  };
}

export { freePort };

/** Three proxies on the lab's Consul, each at an address of its own, whose CA is the lab's; resolves when all are ready. */
export async function startAcmeProxies(
  lab: AcmeLab,
  {
    env,
    ...options
  }: Pick<AcmeProxyOptions, 'instance' | 'secretsKey'> & { readonly env?: Readonly<Record<string, string>> },
): Promise<AcmeProxy[]> {
  const { httpPort, tlsPort, consul, ca, pebble } = lab;
  const ofCa = { ACME_DIRECTORY: ca.directoryUrl, ACME_CA_FILE: pebble.caFile, LOG_LEVEL: 'info' };
  const proxies: AcmeProxy[] = [];
  try {
    for (const number of [1, 2, 3]) {
      const place = { number, httpPort, tlsPort, consul: consul.address };
      proxies.push(await startAcmeProxy({ ...place, ...options, env: { ...ofCa, ...env } }));
    }
    for (const each of proxies) await each.ready();
  } catch (error) {
    for (const each of proxies) await each.remove();
    throw error;
  }
  return proxies;
}
