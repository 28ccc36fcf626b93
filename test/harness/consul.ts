// Real Consul agents for the tests: one of them, or a cluster of three servers and a client agent on loopback addresses.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheDirectory } from './cache.ts';
import { freePorts } from './free-ports.ts';
import { until } from './until.ts';

const run = promisify(execFile);
const getConsul = fileURLToPath(new URL('../../scripts/setup/get-consul.sh', import.meta.url));
let binary: Promise<string> | undefined;

/** Path of the program: `CONSUL_BIN`, on the PATH, in the cache, else fetched there by `scripts/setup/get-consul.sh`. */
export function consulBinary(): Promise<string> {
  if (process.env.CONSUL_BIN) return Promise.resolve(process.env.CONSUL_BIN);
  binary ??= run('bash', [getConsul, join(cacheDirectory(), 'consul')]).then(({ stdout }) => stdout.trim());
  return binary;
}

export interface ConsulOptions {
  /** Default-deny ACLs with a management token. Default false. */
  readonly acl?: boolean;
  /** More of the agent's configuration, as its JSON file takes it. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** A program with its arguments that becomes Consul, such as `nice`: the process keeps its number. */
  readonly through?: readonly string[];
}

/** One agent with its own data, on ports and a directory that stay the same when it is started again. */
export interface RunningConsul {
  /** `host:port` for `CONSUL_HTTP_ADDR`. */
  readonly address: string;
  readonly url: string;
  /** Present with `acl`. */
  readonly managementToken: string | undefined;
  readonly pid: number | undefined;
  /** As an operator stops it. Its data stay. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: connections stay open and, once `pause` has resolved, nothing responds. */
  pause(): Promise<void>;
  resume(): void;
  /** Starts it again, on the same address with the same data, and waits until it responds. */
  start(): Promise<void>;
  /** Deletes its data, which only a stopped one allows. */
  wipe(): Promise<void>;
  /** Makes a token that may do what `rules` say (HCL); returns its secret. Needs `acl`. */
  createToken(rules: string): Promise<string>;
  /** Takes a token of `createToken` away. */
  revokeToken(secret: string): Promise<void>;
  /** Kills it if it lives, and removes everything it left. */
  remove(): Promise<void>;
}

export async function startConsul(options: ConsulOptions = {}): Promise<RunningConsul> {
  const [http, server, serfLan, serfWan] = await freePorts(4);
  const agent = await prepareAgent(
    {
      server: true,
      bootstrap_expect: 1,
      bind_addr: '127.0.0.1',
      client_addr: '127.0.0.1',
      ports: { http, server, serf_lan: serfLan, serf_wan: serfWan, dns: -1, grpc: -1 },
    },
    `127.0.0.1:${http}`,
    options,
  );
  await agent.start();
  return agent;
}

export interface ConsulCluster {
  readonly servers: readonly RunningConsul[];
  /** The agent that programs connect to. */
  readonly client: RunningConsul;
  /** The server that leads now. */
  leader(): Promise<RunningConsul>;
  remove(): Promise<void>;
}

/** Three servers and a client agent, each with its own loopback address and Consul's own ports. */
export async function startConsulCluster(options: ConsulOptions = {}): Promise<ConsulCluster> {
  // A network of our own out of 127/8, so that several clusters can live on one machine.
  const network = `127.${randomInt(10, 250)}.${randomInt(1, 250)}`;
  const servers = [11, 12, 13].map((host) => `${network}.${host}`);
  // Elections within seconds instead of ten of them.
  const common = { retry_join: servers, retry_interval: '1s', performance: { raft_multiplier: 1 } };
  const prepare = (host: string, role: Readonly<Record<string, unknown>>) => {
    const ports = { http: 8500, dns: -1, grpc: -1 };
    return prepareAgent({ ...common, ...role, bind_addr: host, client_addr: host, ports }, `${host}:8500`, options);
  };
  const running = await Promise.all(
    servers.map((host) => prepare(host, { server: true, bootstrap_expect: servers.length })),
  );
  const client = await prepare(`${network}.20`, { server: false });
  const all = [...running, client];
  const remove = async () => {
    await Promise.all(all.map((agent) => agent.remove()));
  };
  try {
    await Promise.all(all.map((agent) => agent.start()));
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    servers: running,
    client,
    remove,
    leader: () =>
      until('the cluster has a leader', async () => {
        const response = await fetch(`${client.url}/v1/status/leader`, { signal: AbortSignal.timeout(2_000) });
        const host = String(await response.json()).split(':')[0];
        return running.find((agent) => agent.address.split(':')[0] === host);
      }),
  };
}

async function prepareAgent(
  role: Readonly<Record<string, unknown>>,
  address: string,
  options: ConsulOptions,
): Promise<RunningConsul> {
  const program = await consulBinary();
  const directory = await mkdtemp(join(tmpdir(), 'swarmgate-consul-'));
  const managementToken = options.acl ? randomUUID() : undefined;
  const dialect = await dialectOf(program, managementToken);
  const config = {
    node_name: `node-${address.replaceAll(/[.:]/g, '-')}`,
    data_dir: join(directory, 'data'),
    log_level: 'warn',
    ui: true,
    disable_update_check: true,
    disable_host_node_id: true,
    disable_keyring_file: true,
    // Tests open and close many connections in a short time.
    limits: { http_max_conns_per_client: 2_000 },
    performance: { raft_multiplier: 1 },
    ...(managementToken === undefined
      ? {}
      : { acl: { enabled: true, default_policy: 'deny', tokens: dialect.tokens } }),
    ...role,
    ...options.config,
    ports: { ...(role.ports as object), ...dialect.ports, ...(options.config?.ports as object | undefined) },
  };
  await mkdir(join(directory, 'data'), { recursive: true });
  await writeFile(join(directory, 'agent.json'), JSON.stringify(config, undefined, 2));
  return new Agent([...(options.through ?? []), program], directory, address, managementToken);
}

class Agent implements RunningConsul {
  readonly address: string;
  readonly url: string;
  readonly managementToken: string | undefined;
  readonly #command: readonly string[];
  readonly #directory: string;
  #process: ChildProcess | undefined;

  constructor(command: readonly string[], directory: string, address: string, managementToken: string | undefined) {
    this.#command = command;
    this.#directory = directory;
    this.address = address;
    this.url = `http://${address}`;
    this.managementToken = managementToken;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async start(): Promise<void> {
    if (this.#process !== undefined) throw new Error(`consul at ${this.address} runs already`);
    const log = await open(join(this.#directory, 'log'), 'a');
    const [program = '', ...args] = this.#command;
    const child = spawn(program, [...args, 'agent', '-config-file', join(this.#directory, 'agent.json')], {
      stdio: ['ignore', log.fd, log.fd],
    });
    await log.close();
    this.#process = child;
    // A test run that ends early leaves nothing behind.
    const end = () => child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => {
      process.off('exit', end);
      if (this.#process === child) this.#process = undefined;
    });
    await until(`consul at ${this.address} responds (log: ${join(this.#directory, 'log')})`, () => this.#responses(), {
      withinMs: 60_000,
    });
  }

  stop(): Promise<void> {
    return this.#end('SIGINT');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async pause(): Promise<void> {
    const pid = this.#process?.pid;
    if (pid === undefined) return;
    this.#process?.kill('SIGSTOP');
    // One thread takes the signal; until a busy machine has let it run, the others go on responding.
    await until(`consul at ${this.address} stands still`, () => isStopped(pid));
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async wipe(): Promise<void> {
    if (this.#process !== undefined) throw new Error(`consul at ${this.address} still runs`);
    await rm(join(this.#directory, 'data'), { recursive: true, force: true });
    await mkdir(join(this.#directory, 'data'));
  }

  async createToken(rules: string): Promise<string> {
    const name = `test-${randomUUID()}`;
    await this.#manage('PUT', '/v1/acl/policy', { Name: name, Rules: rules });
    const token = await this.#manage('PUT', '/v1/acl/token', { Policies: [{ Name: name }] });
    return String(token.SecretID);
  }

  async revokeToken(secret: string): Promise<void> {
    const response = await fetch(`${this.url}/v1/acl/token/self`, { headers: { 'x-consul-token': secret } });
    const { AccessorID } = (await response.json()) as { readonly AccessorID: string };
    await this.#manage('DELETE', `/v1/acl/token/${AccessorID}`);
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await exited;
  }

  /** Ready means that it reads consistently: then a leader is elected and its log is replayed. */
  async #responses(): Promise<boolean> {
    const response = await fetch(`${this.url}/v1/kv/harness-query?consistent`, {
      headers: this.managementToken === undefined ? {} : { 'x-consul-token': this.managementToken },
      signal: AbortSignal.timeout(2_000),
    });
    await response.body?.cancel();
    return response.status === 404;
  }

  async #manage(method: string, path: string, body?: object): Promise<Readonly<Record<string, unknown>>> {
    if (this.managementToken === undefined) throw new Error('tokens need a consul that was started with acl');
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { 'x-consul-token': this.managementToken },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`consul: ${method} ${path}: ${response.status} ${text}`);
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : {};
  }
}

/** What differs between versions of Consul, so that `CONSUL_BIN` may name another one than the tests fetch. */
async function dialectOf(program: string, secret: string | undefined): Promise<Dialect> {
  const { stdout } = await run(program, ['version']);
  const [, major = '1', minor = '0'] = /v(\d+)\.(\d+)/.exec(stdout) ?? [];
  const atLeast = (required: number) => Number(major) > 1 || Number(minor) >= required;
  const name = atLeast(11) ? 'initial_management' : 'master';
  return {
    // Servers open a second gRPC port by default, which several agents on one machine would share.
    ports: atLeast(14) ? { grpc_tls: -1 } : {},
    tokens: secret === undefined ? {} : { [name]: secret, agent: secret },
  };
}

interface Dialect {
  readonly ports: Readonly<Record<string, number>>;
  readonly tokens: Readonly<Record<string, string>>;
}

/** Whether every thread of a process has stopped. Where there is no /proc a stop is taken for immediate. */
async function isStopped(pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  const threads = await readdir(tasks).catch(() => []);
  const stats = await Promise.all(threads.map((thread) => readFile(join(tasks, thread, 'stat'), 'utf8')));
  // The state stands behind the name, which may hold anything but ends with the last bracket.
  return stats.every((stat) => stat.slice(stat.lastIndexOf(')') + 2).startsWith('T'));
}
