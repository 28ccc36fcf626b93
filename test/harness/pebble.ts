import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheDirectory } from './cache.ts';
import { freePorts } from './free-ports.ts';
import { until } from './until.ts';

const run = promisify(execFile);
const getPebble = fileURLToPath(new URL('../../scripts/setup/get-pebble.sh', import.meta.url));
let programs: Promise<string> | undefined;

function pebblePrograms(): Promise<string> {
  programs ??= run('bash', [getPebble, join(cacheDirectory(), 'pebble')]).then(({ stdout }) => stdout.trim());
  return programs;
}

export interface PebbleOptions {
  /** Where it validates http-01 and tls-alpn-01. */
  readonly httpPort: number;
  readonly tlsPort?: number;
  /** `address:port` of the DNS server that it queries. */
  readonly dnsServer: string;
  /** Lifetime of certificates in seconds, by profile. Default: `default` of 90 days. Of several
   * it takes any where an order names none. */
  readonly profiles?: Readonly<Record<string, number>>;
  /** Key identifiers and keys of external accounts; with them it takes no account without one. */
  readonly externalAccounts?: Readonly<Record<string, string>>;
  /** Retry-After of authorizations and orders in seconds. Default 1. */
  readonly retryAfterSeconds?: number;
  /** Percent of good nonces that it refuses. Default 0. */
  readonly nonceReject?: number;
  /** Percent of valid authorizations that it uses again. Default 0. */
  readonly authorizationReuse?: number;
}

/** An ACME CA of its own on loopback. Accounts, orders and certificates are gone with its process. */
export interface RunningPebble {
  readonly directoryUrl: string;
  /** Authority of its own TLS certificate: `ACME_CA_FILE`. */
  readonly caFile: string;
  /** Files of a certificate for localhost by that authority, and its key, for a proxy in front of it. */
  readonly serverCertificate: { readonly certFile: string; readonly keyFile: string };
  readonly pid: number | undefined;
  /** What it wrote since its start. */
  log(): Promise<string>;
  /** PEM of the root that its certificates chain to. */
  root(): Promise<string>;
  /** Sets what it returns to questions for a certificate's renewal information. */
  setRenewalInfo(certificate: string, response: object): Promise<void>;
  kill(): Promise<void>;
  /** Starts it again on the same port: its state is lost. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

export async function startPebble(options: PebbleOptions): Promise<RunningPebble> {
  const directory = await mkdtemp(join(tmpdir(), 'swarmgate-pebble-'));
  const [port, managementPort] = await freePorts(2);
  const file = (name: string) => join(directory, name);
  await makeAuthority(directory);
  const seconds = options.retryAfterSeconds ?? 1;
  const profiles = options.profiles ?? { default: 7_776_000 };
  const config = {
    pebble: {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${managementPort}`,
      certificate: file('server.pem'),
      privateKey: file('server.key'),
      httpPort: options.httpPort,
      tlsPort: options.tlsPort ?? 1,
      ocspResponderURL: '',
      externalAccountBindingRequired: options.externalAccounts !== undefined,
      externalAccountMACKeys: options.externalAccounts ?? {},
      domainBlocklist: ['blocked.example'],
      retryAfter: { authz: seconds, order: seconds },
      keyAlgorithm: 'ecdsa',
      profiles: Object.fromEntries(
        Object.entries(profiles).map(([name, validityPeriod]) => [name, { description: name, validityPeriod }]),
      ),
    },
  };
  await writeFile(file('config.json'), JSON.stringify(config));
  const caFile = file('ca.pem');
  const agent = new Agent({ ca: await readFile(caFile), keepAlive: false });
  const manage = (path: string, body?: object) => call(agent, `https://localhost:${managementPort}${path}`, body);
  let child: ChildProcess | undefined;

  const start = async () => {
    const log = await open(file('log'), 'a');
    const started = spawn(
      join(await pebblePrograms(), 'pebble'),
      ['-config', file('config.json'), '-dnsserver', options.dnsServer, '-strict=false'],
      {
        stdio: ['ignore', log.fd, log.fd],
        env: {
          PEBBLE_VA_NOSLEEP: '1',
          PEBBLE_WFE_NONCEREJECT: String(options.nonceReject ?? 0),
          PEBBLE_AUTHZREUSE: String(options.authorizationReuse ?? 0),
        },
      },
    );
    await log.close();
    const end = () => started.kill('SIGKILL');
    process.once('exit', end);
    started.once('exit', () => {
      process.off('exit', end);
      if (child === started) child = undefined;
    });
    child = started;
    await until(`pebble responds (log: ${file('log')})`, () => call(agent, `https://localhost:${port}/dir`));
  };
  const kill = async () => {
    const ending = child;
    if (ending === undefined) return;
    const exited = once(ending, 'exit');
    ending.kill('SIGCONT');
    ending.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    directoryUrl: `https://localhost:${port}/dir`,
    caFile,
    serverCertificate: { certFile: file('server.pem'), keyFile: file('server.key') },
    get pid() {
      return child?.pid;
    },
    log: () => readFile(file('log'), 'utf8'),
    root: () => manage('/roots/0'),
    setRenewalInfo: async (certificate, response) => {
      await manage('/set-renewal-info/', { Certificate: certificate, ARIResponse: JSON.stringify(response) });
    },
    kill,
    start,
    remove: async () => {
      await kill();
      agent.destroy();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A DNS server whose every name has the address 127.0.0.1, unless configured otherwise. */
export interface ChallengeDns {
  /** `address:port`. */
  readonly address: string;
  /** Where a name leads; an empty list: nowhere. */
  setAddresses(name: string, addresses: readonly string[]): Promise<void>;
  setTxt(name: string, value: string): Promise<void>;
  clearTxt(name: string): Promise<void>;
  setCaa(name: string, issuer: string): Promise<void>;
  setServfail(name: string): Promise<void>;
  clearServfail(name: string): Promise<void>;
  remove(): Promise<void>;
}

export async function startChallengeDns(): Promise<ChallengeDns> {
  const [dns, management] = await freePorts(2);
  const child = spawn(
    join(await pebblePrograms(), 'pebble-challtestsrv'),
    [
      ...['-dnsserver', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${management}`, '-defaultIPv6', ''],
      ...['-http01', '', '-https01', '', '-tlsalpn01', '', '-doh', ''],
    ],
    { stdio: 'ignore' },
  );
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const exited = once(child, 'exit');
  const post = async (path: string, body: object) => {
    const response = await fetch(`http://127.0.0.1:${management}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  await until('the DNS server responds', () => post('/clear-a', { host: 'nowhere.example.' }).then(() => true));
  return {
    address: `127.0.0.1:${dns}`,
    async setAddresses(name, addresses) {
      await post('/clear-a', { host: `${name}.` });
      if (addresses.length > 0) await post('/add-a', { host: `${name}.`, addresses });
    },
    setTxt: (name, value) => post('/set-txt', { host: `${name}.`, value }),
    clearTxt: (name) => post('/clear-txt', { host: `${name}.` }),
    setCaa: (name, issuer) => post('/add-caa', { host: `${name}.`, policies: [{ tag: 'issue', value: issuer }] }),
    setServfail: (name) => post('/set-servfail', { host: `${name}.` }),
    clearServfail: (name) => post('/clear-servfail', { host: `${name}.` }),
    async remove() {
      process.off('exit', end);
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** `ca.pem`, and `server.pem` with `server.key` for localhost. */
async function makeAuthority(directory: string): Promise<void> {
  const openssl = (...words: readonly string[]) => run('openssl', words, { cwd: directory });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '30',
    '-subj',
    '/CN=pebble tests',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  await openssl(
    ...['req', '-x509', ...key, '-days', '30', '-subj', '/CN=localhost', '-addext', names],
    ...['-addext', 'basicConstraints=critical,CA:FALSE', '-CA', 'ca.pem', '-CAkey', 'ca.key'],
    ...['-keyout', 'server.key', '-out', 'server.pem'],
  );
}

function call(agent: Agent, url: string, body?: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request(url, { method, agent, headers: { 'user-agent': 'swarmgate-tests' } }, async (response) => {
      const text = (await response.setEncoding('utf8').toArray()).join('');
      if (response.statusCode === 200) resolve(text);
      else reject(new Error(`${method} ${url}: ${response.statusCode} ${text}`));
    });
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
