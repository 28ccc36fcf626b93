/**
 * The real stack on a real Swarm: docker/stack.yml and its options, as they are in the repository, with images built here.
 *
 *   const stack = await deployStack();
 *   const id = await stack.createService('shop', { labels: { 'com.df.notify': 'true', … } });
 *   await untilResponds({ url: `${stack.httpUrl}/shop` }, 200);
 *   await stack.consul.get('services/swarm/shop');       // below the stack's own prefix
 *   await stack.remove();                                // with everything that was created through it
 *
 * Ports, network, secret and prefix of the keys are its own, so several stacks fit on one engine.
 */
import { execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { importBinaryImage, programPath } from './binary-image.ts';
import { consulBinary } from './consul.ts';
import { createService, ensureDocker, importNodeImage, type ServiceOptions, uniqueName } from './docker.ts';
import { freePorts } from './free-ports.ts';
import { type Response, send, type TestRequest, untilResponds } from './http.ts';
import { type StackConsul, stackConsul } from './stack-consul.ts';
import { describeTasks } from './task-states.ts';
import { until } from './until.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

// With its options, so that they are deployed by the tests too.
const files = ['docker/stack.yml', 'docker/stack.consul-ui.yml', 'docker/stack.redis.yml', 'docker/stack.agent.yml'];

const filesWithEntry = ['docker/stack.yml', 'docker/stack.entry.yml', 'docker/stack.entry.consul-ui.yml'];

export interface DeployedStack {
  readonly name: string;
  readonly docker: Docker;
  /** Name of the overlay network that services join. */
  readonly network: string;
  /** Image of the demo server, for services of one's own. */
  readonly demoImage: string;
  /** The proxy's entrypoint and its REST, on this machine. */
  readonly httpUrl: string;
  /** The entrypoint with TLS; open once there is a certificate. */
  readonly httpsPort: number;
  readonly adminUrl: string;
  readonly token: string;
  readonly consul: StackConsul;
  /** Consul's UI behind the proxy, by TLS with a self-signed certificate; the token is the password. */
  readonly consulUiUrl: string;
  /** A dnsrr service `<stack>_<name>` on the stack's network, of the demo image; returns its id. */
  createService(name: string, options: Partial<Omit<ServiceOptions, 'name'>>): Promise<string>;
  /** A call of the proxy's REST, with the token. */
  admin(path: string, options?: Omit<Partial<TestRequest>, 'url'>): Promise<Response>;
  /** The service's full name in Swarm. */
  fullName(name: string): string;
  /** Id of one of the stack's services: `proxy`, `listener`, `consul`. */
  serviceId(name: string): Promise<string>;
  /** Ids of the running containers of one service. */
  containers(name: string): Promise<readonly string[]>;
  scale(name: string, replicas: number): Promise<void>;
  /** New tasks for one service, and waits until they run. */
  restart(name: string): Promise<void>;
  /** Of the containers that run now. */
  logs(name: string): Promise<string>;
  /** Runs JavaScript inside the first container of a service (of one of our images); returns what it writes. */
  runInside(name: string, script: string): Promise<string>;
  /** One more proxy of the same image on the same registry, on ports of its own, with settings of its own. */
  addProxy(settings?: Readonly<Record<string, string>>): Promise<SecondProxy>;
  /** docker/stack.example.yml beside it. */
  deployExample(): Promise<void>;
  removeExample(): Promise<void>;
  remove(): Promise<void>;
}

export interface SecondProxy {
  readonly httpUrl: string;
  readonly adminUrl: string;
  remove(): Promise<void>;
}

export interface StackOptions {
  /** Prefix of the keys, where a person should see them. Default: the stack's own name. */
  readonly instance?: string;
  /** With docker/stack.entry.yml, which holds the ports of the proxies, in place of the other options. */
  readonly entry?: true;
}

export async function deployStack(options: StackOptions = {}): Promise<DeployedStack> {
  const engine = await ensureDocker();
  const { docker } = engine;
  const name = uniqueName('sge2e');
  const instance = options.instance ?? name;
  // Not `local`: images that were built to run stay as they are.
  const tag = process.env.SWARMGATE_TAG ?? 'e2e';
  await run(process.execPath, [join(root, 'docker', 'build-images.mjs')], {
    cwd: root,
    env: { ...process.env, SWARMGATE_IMAGES: 'swarmgate', SWARMGATE_TAG: tag },
  });
  const demoImage = await importNodeImage(docker);
  const images = {
    CONSUL_IMAGE: await importBinaryImage(docker, await consulBinary(), true),
    HAPROXY_IMAGE: await importBinaryImage(docker, programPath('haproxy'), false),
    REDIS_IMAGE: await importBinaryImage(docker, programPath('redis-server'), false),
    SAMPLE_IMAGE: demoImage,
  };
  // Only now: another suite could take one of them while the images are built, and the engine would refuse the task for ever.
  const [http, https, admin, ui, consulPort] = (await freePorts(5)) as [number, number, number, number, number];
  const env = {
    ...process.env,
    ...images,
    SWARMGATE_IMAGES: 'swarmgate',
    SWARMGATE_TAG: tag,
    SWARMGATE_NETWORK: name,
    PROXY_INSTANCE_NAME: instance,
    SECRETS_PREFIX: name,
    LABELS: 'df,traefik',
    ...portsOf(options.entry === true, http, https, admin),
    CONSUL_UI_PUBLISHED_PORT: String(ui),
    TUNNEL_NAME: `${name}-consul-ui`,
  };
  const cli = (...args: readonly string[]) => run('docker', [...args], { env, cwd: root, maxBuffer: 64 * 1024 * 1024 });
  // An engine that was started a moment ago responds before its Swarm has a leader.
  await until('the Swarm takes orders', () => docker.listNodes().then(() => true));
  const { stdout: secrets } = await run(join(root, 'docker', 'create-secrets.sh'), [], { env });
  const token = shownSecret(secrets, 'admin_token');
  const consulToken = shownSecret(secrets, 'consul_management_token');

  const remove = async () => {
    await cli('rm', '--force', `${name}-consul-ui`).catch(() => undefined);
    const services = await docker.listServices({ filters: { name: [name] } });
    await Promise.all(services.map((service) => docker.getService(service.ID).remove()));
    await until('the containers of the stack are gone', async () => (await containersOf(docker, name)).length === 0, {
      withinMs: 60_000,
    });
    await cli('stack', 'rm', name);
    await cli('stack', 'rm', `${name}-example`).catch(() => undefined);
    const ours = await docker.listSecrets({ filters: { name: [`${name}_`] } });
    await Promise.all(ours.map((secret) => docker.getSecret(secret.ID).remove()));
    for (const volume of ['consul-data', 'proxy-data']) {
      await until(`volume ${volume} is gone`, () =>
        cli('volume', 'rm', '--force', `${name}_${volume}`).then(() => true),
      );
    }
    await engine.stopIfStartedHere();
  };

  try {
    await cli(
      'stack',
      'deploy',
      '--resolve-image',
      'never',
      ...(options.entry === true ? filesWithEntry : files).flatMap((file) => ['-c', file]),
      name,
    );
  } catch (error) {
    await remove();
    throw error;
  }

  const serviceId = async (service: string) => {
    const found = await docker.listServices({ filters: { name: [`${name}_${service}`] } });
    const id = found.find((each) => each.Spec?.Name === `${name}_${service}`)?.ID;
    if (id === undefined) throw new Error(`there is no service ${name}_${service}`);
    return id;
  };
  const containers = async (service: string) => await containersOf(docker, `${name}_${service}`);
  const tunnel = spawn(join(root, 'docker', 'consul-ui.sh'), [String(consulPort)], { env, stdio: 'ignore' });
  tunnel.unref();
  const adminUrl = `http://127.0.0.1:${admin}`;
  try {
    await untilResponds({ url: `${adminUrl}/readyz` }, 200, { withinMs: 240_000 });
  } catch (error) {
    const seen = await describeTasks(docker, name).catch(String);
    await remove();
    throw new Error(`${(error as Error).message}\n${seen}`, { cause: error });
  }

  return {
    name,
    docker,
    network: name,
    demoImage,
    httpUrl: `http://127.0.0.1:${http}`,
    httpsPort: https,
    adminUrl,
    token,
    consulUiUrl: `https://127.0.0.1:${ui}`,
    consul: stackConsul(`http://127.0.0.1:${consulPort}`, instance, consulToken),
    createService: (service, options) =>
      createService(docker, { image: demoImage, networks: [name], ...options, name: `${name}_${service}` }),
    admin: (path, options = {}) =>
      send({
        ...options,
        url: `${adminUrl}${path}`,
        headers: { authorization: `Bearer ${token}`, ...options.headers },
      }),
    fullName: (service) => `${name}_${service}`,
    serviceId,
    containers,
    scale: async (service, replicas) => {
      await cli('service', 'scale', '--detach=true', `${name}_${service}=${replicas}`);
      await until(
        `${service} has ${replicas} containers`,
        async () => (await containers(service)).length === replicas,
        { withinMs: 60_000 },
      );
    },
    restart: async (service) => {
      const before = new Set(await containers(service));
      await cli('service', 'update', '--force', '--detach=true', `${name}_${service}`);
      await until(
        `${service} has new containers`,
        async () => {
          const now = await containers(service);
          return now.length >= before.size && now.every((id) => !before.has(id));
        },
        { withinMs: 90_000 },
      );
    },
    logs: async (service) => {
      // Of the containers themselves: `docker service logs` is silent about a task until its health check has passed.
      const all = await Promise.all((await containers(service)).map((container) => cli('logs', container)));
      return all.map(({ stdout, stderr }) => stdout + stderr).join('');
    },
    runInside: async (service, script) => {
      const [container] = await containers(service);
      if (container === undefined) throw new Error(`${service} has no container`);
      const { stdout } = await cli('exec', container, 'node', '--input-type=module', '--eval', script);
      return stdout.trim();
    },
    addProxy: async (settings = {}) => {
      const [ownHttp, ownAdmin] = (await freePorts(2)) as [number, number];
      const service = `${name}_second`;
      await cli(
        ...['service', 'create', '--detach=true', '--name', service, '--network', name, '--endpoint-mode', 'dnsrr'],
        ...['--publish', `mode=host,target=80,published=${ownHttp}`],
        ...['--publish', `mode=host,target=8080,published=${ownAdmin}`],
        ...['--env', 'CONSUL_HTTP_ADDR=consul:8500', '--env', `PROXY_INSTANCE_NAME=${instance}`, '--init'],
        ...Object.entries(settings).flatMap(([setting, value]) => ['--env', `${setting}=${value}`]),
        ...['--secret', `source=${name}_admin_token,target=dfp_admin_token`],
        ...['--secret', `source=${name}_consul_proxy_token,target=dfp_consul_http_token`],
        ...['--no-resolve-image', `swarmgate/proxy:${tag}`],
      );
      return {
        httpUrl: `http://127.0.0.1:${ownHttp}`,
        adminUrl: `http://127.0.0.1:${ownAdmin}`,
        remove: async () => {
          await cli('service', 'rm', service);
        },
      };
    },
    deployExample: async () => {
      const file = 'docker/stack.example.yml';
      await cli('stack', 'deploy', '--resolve-image', 'never', '-c', file, `${name}-example`);
    },
    removeExample: async () => {
      await cli('stack', 'rm', `${name}-example`);
    },
    remove,
  };
}

/** Of the proxies, or of the entry before them. */
function portsOf(hasEntry: boolean, http: number, https: number, admin: number): Readonly<Record<string, string>> {
  const [HTTP_PORT, HTTPS_PORT, ADMIN_PORT] = [http, https, admin].map(String) as [string, string, string];
  if (!hasEntry) return { HTTP_PORT, HTTPS_PORT, ADMIN_PORT };
  return {
    ...{ HTTP_PORT: '0', HTTPS_PORT: '0', ADMIN_PORT: '0' },
    ...{ ENTRY_HTTP_PORT: HTTP_PORT, ENTRY_HTTPS_PORT: HTTPS_PORT, ENTRY_ADMIN_PORT: ADMIN_PORT },
    ENTRY_SUBNET: `10.255.${randomInt(1, 255)}.0/24`,
  };
}

/** What docker/create-secrets.sh shows of a secret that it made. */
function shownSecret(shown: string, name: string): string {
  const value = new RegExp(`_${name} created: (\\S+)`).exec(shown)?.[1];
  if (value === undefined) throw new Error(`docker/create-secrets.sh showed no ${name}:\n${shown}`);
  return value;
}

async function containersOf(docker: Docker, servicePrefix: string): Promise<readonly string[]> {
  const all = await docker.listContainers({
    filters: { label: ['com.docker.swarm.service.name'], status: ['running'] },
  });
  return all
    .filter((each) => {
      const service = each.Labels['com.docker.swarm.service.name'] ?? '';
      return service === servicePrefix || service.startsWith(`${servicePrefix}_`);
    })
    .map((each) => each.Id);
}
