import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../harness/free-ports.ts';
import { type BenchCase, beforeDirectory, type SubjectName, smallBody } from './cases.ts';
import {
  backendConfiguration,
  caddyConfiguration,
  type HaproxyOptions,
  haproxyConfiguration,
  nginxConfiguration,
} from './configurations.ts';
import { type Running, ready, start } from './process-tree.ts';
import { validate } from './validate.ts';

export interface Subject {
  readonly name: SubjectName;
  readonly port: number;
  readonly secure: boolean;
  readonly running: Running;
}

export interface Bench {
  readonly subjects: readonly Subject[];
  /** Programs that are not installed, and so not compared. */
  readonly missing: readonly string[];
  stop(): Promise<void>;
}

export interface Cores {
  readonly proxies: number | undefined;
  readonly load: number | undefined;
  /** Workers run on the core of the proxies too. Default: on all, unless they are measured beside one process. */
  readonly pinsWorkers?: boolean;
  /**
   * The service behind the proxies runs as soon as it has something to do, by a real-time priority. It shares its core with the
   * load, and a request would else wait there for some milliseconds until the load gives way, whatever the proxy. Default `false`.
   */
  readonly backendFirst?: boolean;
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

export function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What starts a program that runs before all others of its core; nothing where that is not allowed. */
export function beforeOthers(): readonly string[] {
  const command = ['chrt', '--fifo', '1'];
  try {
    execFileSync('chrt', [...command.slice(1), 'true'], { stdio: 'ignore' });
    return command;
  } catch {
    return [];
  }
}

/** Starts the backend and every proxy that is there: all are up at once, so that the machine's moods fall on all alike. */
export async function startBench(
  directory: string,
  required: Iterable<SubjectName>,
  cores: Cores,
  processesOf: (name: SubjectName) => number = () => 1,
): Promise<Bench> {
  const names = [...new Set(required)].flatMap((name) => Array.from({ length: processesOf(name) }, () => name));
  const ports = await freePorts(names.length + 2);
  const backendPort = ports.pop() as number;
  const http2Port = ports.pop() as number;
  const started: Running[] = [];
  const subjects: Subject[] = [];
  const missing = new Set<string>();
  const first = cores.backendFirst === true ? beforeOthers() : [];
  const command = [...first, 'nginx', '-c', backendConfiguration(directory, backendPort, http2Port)];
  const backend = start('backend', command, { core: cores.load, directory });
  started.push(backend);
  // Another process may have taken a port meanwhile: that is no proxy's fault, and is found out here.
  const plain = { name: 'its own response', connections: 1, path: '/small', headers: [], subjects: [] };
  for (const [own, streams] of [
    [backendPort, {}],
    [http2Port, { streams: 1 }],
  ] as const) {
    const of: BenchCase = { ...plain, ...streams, bodyBytes: smallBody.length };
    await ready('backend', backend, () => validate({ name: 'the service', port: own, secure: false }, of));
  }
  const pem = selfSigned(directory);

  for (const name of names) {
    const port = ports.pop() as number;
    const recipe = recipeOf(name, { directory, port, backendPort, http2Port, pem });
    if (!isInstalled(recipe.command[0] as string)) {
      missing.add(name);
      continue;
    }
    const file = `${name.toLowerCase().replaceAll(/[^a-z]+/g, '-')}-${port}`;
    // Workers are for several cores: two on one would be measured taking turns.
    const isFree = cores.pinsWorkers !== true && /workers?$/.test(name);
    const core = isFree ? undefined : cores.proxies;
    const running = start(file, recipe.command, { core, directory, env: recipe.env ?? {} });
    started.push(running);
    subjects.push({ name, port, secure: /TLS$|:tls$/.test(name), running });
  }
  return {
    subjects,
    missing: [...missing],
    async stop() {
      await Promise.all(started.map((running) => running.stop()));
    },
  };
}

interface MatchKey {
  readonly directory: string;
  readonly port: number;
  readonly backendPort: number;
  readonly http2Port: number;
  readonly pem: string;
}

function recipeOf(
  name: SubjectName,
  { directory, port, backendPort, http2Port, pem }: MatchKey,
): { readonly command: readonly string[]; readonly env?: Record<string, string> } {
  const haproxy = (file: string, more: Partial<HaproxyOptions> = {}) => ({
    command: ['haproxy', '-db', '-f', haproxyConfiguration(directory, { name: file, port, backendPort, ...more })],
  });
  const swarmgate = (env: Record<string, string> = {}, transport = 'plain', checkout = here('../../..')) => {
    const dataDir = join(directory, `data-${port}`);
    mkdirSync(join(dataDir, 'certs'), { recursive: true });
    if (transport === 'ssl') writeFileSync(join(dataDir, 'certs', 'bench.pem'), readFileSync(pem));
    const script = join(checkout, 'test/bench/forwarding/swarmgate-subject.ts');
    return {
      command: [process.execPath, script, String(port), transport, String(backendPort)],
      env: { DATA_DIR: dataDir, ...env },
    };
  };
  switch (name) {
    case 'Swarmgate':
      return swarmgate();
    case 'Swarmgate, before':
      return swarmgate({}, 'plain', beforeDirectory);
    case 'Swarmgate, before, TLS':
      return swarmgate({}, 'ssl', beforeDirectory);
    case 'Swarmgate, Express router':
      return swarmgate({ HTTP_ROUTER: 'express' });
    case 'Swarmgate, access log':
      return swarmgate({ ACCESS_LOG: 'json' });
    case 'Swarmgate, uncounted':
      return swarmgate({ BENCH_UNCOUNTED: 'true' });
    case 'Swarmgate, middlewares':
      return swarmgate({ BENCH_MIDDLEWARES: 'true' });
    case 'Swarmgate, traces at 1 %':
      return swarmgate({
        // The backend takes everything.
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${backendPort}`,
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.01',
      });
    case 'Swarmgate, plug-ins of others':
      return swarmgate({ PLUGINS_DIR: here('plugins'), BENCH_PLUGIN: 'of another service' });
    case 'Swarmgate, a plug-in':
      return swarmgate({ PLUGINS_DIR: here('plugins'), BENCH_PLUGIN: 'of all services' });
    case 'Swarmgate, one worker':
      return swarmgate({ WORKERS: '1' });
    case 'Swarmgate, two workers':
      return swarmgate({ WORKERS: '2' });
    case 'Swarmgate, TLS':
      return swarmgate({}, 'ssl');
    case 'Swarmgate, h2c out':
      return swarmgate({ BENCH_H2C_PORT: String(http2Port) });
    case 'HAProxy':
      return haproxy('haproxy');
    case 'HAProxy, access log':
      return haproxy('haproxy-log', { accessLog: true });
    case 'HAProxy, TLS':
      return haproxy('haproxy-tls', { pem });
    case 'HAProxy, HTTP/2':
      return haproxy('haproxy-http2', { http2: true });
    case 'HAProxy, HTTP/2 over TLS':
      return haproxy('haproxy-http2-tls', { http2: true, pem });
    case 'HAProxy, HTTP/2, h2c out':
      return haproxy('haproxy-h2c-out', { http2: true, http2Out: true, backendPort: http2Port });
    case 'nginx, HTTP/2':
      return { command: ['nginx', '-c', nginxConfiguration(directory, port, backendPort, 'http2')] };
    case 'nginx, TLS':
      return { command: ['nginx', '-c', nginxConfiguration(directory, port, backendPort, 'ssl', pem)] };
    case 'nginx':
      return { command: ['nginx', '-c', nginxConfiguration(directory, port, backendPort)] };
    case 'Caddy':
      return {
        command: ['caddy', 'run', '--config', caddyConfiguration(directory, port, backendPort)],
        env: { GOMAXPROCS: '1', HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory },
      };
    case 'bare node:net':
      return { command: [process.execPath, here('bare-net.ts'), String(port), 'plain', String(backendPort)] };
    case 'bare node:tls':
      return { command: [process.execPath, here('bare-net.ts'), String(port), 'ssl', String(backendPort), pem] };
    default:
      return {
        command: [process.execPath, here('express-subject.ts'), String(port), String(backendPort)],
        env: { NODE_ENV: 'production' },
      };
  }
}

/** Key and certificate in one file, as HAProxy and Swarmgate both take it. */
export function selfSigned(directory: string): string {
  const key = join(directory, 'key.pem');
  const certificate = join(directory, 'certificate.pem');
  const subject = ['-subj', '/CN=bench.example', '-addext', 'subjectAltName=DNS:*.bench.example,IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
  const both = join(directory, 'bench.pem');
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 });
  return both;
}
