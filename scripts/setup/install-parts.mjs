// Installs the real parts that the tests run on (Docker Engine, Consul, Redis, a browser, network tools), each only where
// it is missing, and prints what and why. Debian packages, so it installs only as root on a machine with apt; elsewhere it
// names what is missing and which suites cannot run. Plain built-ins of Node 20: see ../install.mjs.
// By hand: `node scripts/setup/install-parts.mjs [suite …]`, suites: integration, e2e, faults, bench.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const testSuites = ['integration', 'e2e', 'faults'];

/**
 * `commands`: all of them on the PATH means that the part is there. `satisfied`: another way of being there.
 * `packages`: what Debian calls it. `install`: for what Debian's own suite does not carry.
 */
export const parts = [
  {
    name: 'Docker Engine',
    why: 'a real Swarm',
    suites: testSuites,
    commands: ['dockerd', 'docker'],
    // A developer's engine (Docker Desktop, a system service) is used as it is.
    satisfied: async () => onPath('docker') && (await engineResponds()),
    packages: ['docker.io', 'iptables'],
  },
  {
    name: 'Docker client',
    why: '`docker stack config`, which `swarmgate check` is compared with',
    suites: ['integration'],
    // An older client on the PATH does not count: the command came with Docker 25.
    commands: [],
    satisfied: async () =>
      spawnSync('docker', ['stack', 'config', '--help']).status === 0 ||
      existsSync(join(cachedDockerClient(), 'usr', 'bin', 'docker')),
    packages: ['debian-archive-keyring', 'dpkg'],
    install: () => run('bash', [join(here, 'get-docker-client.sh'), cachedDockerClient()]),
  },
  {
    name: 'Consul',
    why: 'the registry that proxies and listeners share',
    suites: [...testSuites, 'bench'],
    commands: ['consul'],
    satisfied: async () => existsSync(process.env.CONSUL_BIN || cachedConsul()),
    packages: ['debian-archive-keyring', 'dpkg'],
    install: () => run('bash', [join(here, 'get-consul.sh'), dirname(dirname(dirname(cachedConsul())))]),
  },
  {
    name: 'Pebble',
    why: 'a CA that speaks ACME, and a DNS server for its names',
    suites: ['integration', 'faults'],
    // Older suites carry one without renewal information, so the one on the PATH does not count.
    commands: [],
    satisfied: async () => existsSync(join(cachedPebble(), 'usr', 'bin', 'pebble-challtestsrv')),
    packages: ['debian-archive-keyring', 'dpkg'],
    install: () => run('bash', [join(here, 'get-pebble.sh'), cachedPebble()]),
  },
  {
    name: 'BIND',
    why: 'a DNS server that takes signed updates (RFC 2136)',
    suites: ['integration'],
    commands: ['named'],
    packages: ['bind9'],
  },
  {
    name: 'grpcio',
    why: 'a gRPC client and server that share nothing with Node',
    suites: ['integration'],
    commands: [],
    satisfied: async () => spawnSync('/usr/bin/python3', ['-c', 'import grpc']).status === 0,
    packages: ['python3-grpcio'],
  },
  {
    name: 'hyper-h2',
    why: 'frames of HTTP/2 that share nothing with Node',
    suites: ['integration'],
    commands: [],
    satisfied: async () => spawnSync('/usr/bin/python3', ['-c', 'import h2']).status === 0,
    packages: ['python3-h2'],
  },
  {
    name: 'nghttp and h2load',
    why: 'clients of HTTP/2, and what the benchmark loads it with',
    suites: ['integration', 'bench'],
    commands: ['nghttp', 'h2load'],
    packages: ['nghttp2-client'],
  },
  {
    name: 'nghttpd',
    why: 'a service that speaks HTTP/2',
    suites: ['integration'],
    commands: ['nghttpd'],
    packages: ['nghttp2-server'],
  },
  {
    name: 'curl',
    why: 'a client with protocols and networks of its own',
    suites: ['integration', 'faults'],
    commands: ['curl'],
    packages: ['curl'],
  },
  {
    name: 'OpenSSL',
    why: 'makes certificates and opens handshakes',
    suites: ['integration', 'faults', 'bench'],
    commands: ['openssl'],
    packages: ['openssl'],
  },
  {
    name: 'Redis',
    why: 'the optional cluster bus',
    suites: testSuites,
    commands: ['redis-server'],
    packages: ['redis-server'],
  },
  {
    name: 'libfaketime',
    why: 'a clock that jumps for one process',
    suites: ['integration'],
    commands: ['faketime'],
    packages: ['faketime'],
  },
  {
    name: 'promtool',
    why: 'judges the names of metrics and the alert rules as Prometheus does',
    suites: ['integration'],
    commands: ['promtool'],
    packages: ['prometheus'],
  },
  {
    name: 'Chromium',
    why: 'opens the console, Consul’s UI and pages over HTTP/2 as a person would',
    suites: ['integration', 'e2e'],
    commands: ['chromium'],
    packages: ['chromium'],
  },
  {
    name: 'networks and packet filters (ip, iptables)',
    why: 'several Swarm nodes on one machine',
    suites: testSuites,
    commands: ['ip', 'iptables'],
    packages: ['iproute2', 'iptables'],
  },
  {
    name: 'namespaces, limits and cores of a process (nsenter, unshare, prlimit, taskset, chrt)',
    why: 'nodes and faults of one machine, and processes that do not share a core',
    suites: [...testSuites, 'bench'],
    commands: ['nsenter', 'unshare', 'prlimit', 'taskset', 'chrt'],
    packages: ['util-linux'],
  },
  {
    name: 'file systems (mount, umount, losetup, fsfreeze, mkfs.ext4, e2fsck)',
    why: 'a disk that fills, freezes and breaks',
    suites: testSuites,
    commands: ['mount', 'umount', 'losetup', 'fsfreeze', 'mkfs.ext4', 'e2fsck'],
    packages: ['mount', 'util-linux', 'e2fsprogs'],
  },
  {
    name: 'HAProxy',
    why: 'stands before the engine’s socket in the stack, and is what the benchmark compares with',
    suites: [...testSuites, 'bench'],
    commands: ['haproxy'],
    packages: ['haproxy'],
  },
  ...[
    ['nginx', 'nginx-light', 'nginx'],
    ['Caddy', 'caddy'],
    ['wrk', 'wrk'],
  ].map(([name, debian, command = debian]) => ({
    name,
    why: 'what the benchmark compares with',
    suites: ['bench'],
    commands: [command],
    packages: [debian],
  })),
];

/** Where `get-consul.sh` unpacks Consul, outside the checkout so that a fresh clone finds it again. */
export function cachedConsul() {
  const cache = process.env.SWARMGATE_CACHE ?? join(homedir(), '.cache', 'swarmgate');
  return join(cache, 'consul', 'usr', 'bin', 'consul');
}

/** Where `get-docker-client.sh` unpacks the client. */
function cachedDockerClient() {
  return join(process.env.SWARMGATE_CACHE ?? join(homedir(), '.cache', 'swarmgate'), 'docker-client');
}

/** Where `get-pebble.sh` unpacks Pebble. */
function cachedPebble() {
  return join(process.env.SWARMGATE_CACHE ?? join(homedir(), '.cache', 'swarmgate'), 'pebble');
}

/**
 * Responds to what is still missing afterwards: `{ missing: [{ name, suites }] }`. Never throws.
 * @param {readonly string[]} suites
 */
export async function installParts(suites = testSuites) {
  const required = parts.filter((part) => part.suites.some((suite) => suites.includes(suite)));
  const absent = [];
  for (const part of required) if (!(await isThere(part))) absent.push(part);
  if (absent.length === 0) return { missing: [] };

  const refusal = whyNotInstall();
  if (refusal === undefined) {
    for (const part of absent) console.log(`Installing ${part.name}: ${part.why}.`);
    installPackages([...new Set(absent.flatMap((part) => part.packages))]);
    for (const part of absent) if (part.install !== undefined && !(await isThere(part))) part.install();
  } else {
    console.log(`Nothing is installed here: ${refusal}.`);
  }

  const missing = [];
  for (const part of absent) {
    if (await isThere(part)) continue;
    console.error(
      `Missing: ${part.name} (${part.why}); Debian: ${part.packages.join(' ')}. Left out: ${part.suites.join(', ')}.`,
    );
    missing.push({ name: part.name, suites: part.suites });
  }
  return { missing };
}

async function isThere(part) {
  return (part.commands.length > 0 && part.commands.every(onPath)) || ((await part.satisfied?.()) ?? false);
}

function onPath(command) {
  // Debian keeps daemons in sbin, which is not on every PATH.
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function engineResponds() {
  const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
  const target = host.startsWith('unix://')
    ? { socketPath: host.slice('unix://'.length) }
    : { host: new URL(host).hostname, port: new URL(host).port };
  return new Promise((resolve) => {
    const ping = request({ ...target, path: '/_ping', timeout: 3000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.end();
  });
}

function whyNotInstall() {
  if (process.platform !== 'linux' || !onPath('apt-get')) return 'this is not Debian (no apt-get)';
  if (process.getuid?.() !== 0) return 'only root may install Debian packages';
  return undefined;
}

function installPackages(names) {
  // Maintainer scripts would start servers on their default ports; this file is Debian's way to prevent that.
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const apt = ['-qq', '-o', 'Acquire::Retries=3'];
    if (!run('apt-get', [...apt, 'update'])) return;
    const install = [...apt, '-y', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold', 'install'];
    // One package that a suite does not carry must not keep the others out.
    if (!run('apt-get', [...install, ...names])) for (const name of names) run('apt-get', [...install, name]);
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
}

function run(command, args) {
  const done = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
  });
  if (done.status === 0) return true;
  const said = `${done.stdout ?? ''}${done.stderr ?? ''}`.trim().split('\n').slice(-15).join('\n');
  console.error(`${command} ${args.join(' ')} failed (${done.error?.message ?? `exit ${done.status}`})\n${said}`);
  return false;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const requested = process.argv.slice(2);
  const { missing } = await installParts(requested.length > 0 ? requested : testSuites);
  process.exit(missing.length === 0 ? 0 : 1);
}
