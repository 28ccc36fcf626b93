// npm run images: builds swarmgate/proxy and swarmgate/listener from docker/Dockerfile. Plain built-ins of Node 20.
//   SWARMGATE_TAG     (local)      tag of both images
//   SWARMGATE_IMAGES  (swarmgate)  what comes before /proxy and /listener: `registry.example.com/team/swarmgate`
//   BASE_IMAGE                     another base than the Dockerfile's
// The first two are the names that docker/stack.yml takes.
// Where the base can neither be found nor pulled, one is made of this machine's own parts: see base-image.mjs.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importBaseImage, localBaseName } from './base-image.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const dockerfile = join(here, 'Dockerfile');
// A machine without a way to the registry should fail soon instead of hanging until TCP gives up.
const pullTimeoutMs = 120_000;

const bundled = spawnSync(process.execPath, [join(root, 'packages', 'console', 'build.mjs')], { encoding: 'utf8' });
if (bundled.status !== 0) fail('building the console failed', bundled);
const base = await chooseBase();
const name = process.env.SWARMGATE_IMAGES ?? 'swarmgate';
const tag = process.env.SWARMGATE_TAG ?? 'local';
const { version } = JSON.parse(readFileSync(join(root, 'packages', 'cli', 'package.json'), 'utf8'));
const isBuildKitThere = docker(['buildx', 'version']).status === 0;
for (const target of ['listener', 'proxy']) {
  const image = `${name}/${target}:${tag}`;
  const startedAt = Date.now();
  const former = imageId(image);
  const built = docker(
    [
      'build',
      ...['--file', dockerfile, '--target', target, '--tag', image],
      ...['--build-arg', `BASE_IMAGE=${base}`],
      ...npmRegistryArguments(),
      ...['--build-arg', `VERSION=${version}`, '--build-arg', `REVISION=${revision()}`],
      // The base that is made here serves machines behind a gateway, whose way out containers do not share.
      ...(base === localBaseName ? ['--network', 'host'] : []),
      root,
    ],
    // Without the buildx plugin newer clients refuse to build, unless the classic builder is selected.
    isBuildKitThere ? {} : { DOCKER_BUILDKIT: '0' },
  );
  if (built.status !== 0) fail(`building ${image} failed`, built);
  // An untagged image. Docker keeps it while a container uses it.
  if (former !== undefined && former !== imageId(image)) docker(['image', 'rm', former]);
  console.log(`${image} built on ${base} in ${Math.round((Date.now() - startedAt) / 1000)} s`);
}

async function chooseBase() {
  if (docker(['version']).status !== 0) fail('no Docker engine responds', docker(['version']));
  if (process.env.BASE_IMAGE) return process.env.BASE_IMAGE;
  const published = /^ARG BASE_IMAGE=(\S+)$/m.exec(readFileSync(dockerfile, 'utf8'))?.[1];
  if (docker(['image', 'inspect', published]).status === 0) return published;
  if (docker(['image', 'inspect', localBaseName]).status !== 0) {
    console.log(`Pulling ${published} …`);
    const pulled = docker(['pull', '--quiet', published], {}, pullTimeoutMs);
    if (pulled.status === 0) return published;
    console.log(`It cannot be pulled (${lastLine(pulled)}), so the base is made of this machine’s own parts.`);
  }
  // Also where it is there already: it is made again when Node or npm of this machine are others now.
  await importBaseImage();
  return localBaseName;
}

/** The commit, where this is a checkout. */
function revision() {
  const requested = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' });
  return requested.status === 0 ? requested.stdout.trim() : 'unknown';
}

function imageId(image) {
  const inspected = docker(['image', 'inspect', '--format', '{{.Id}}', image]);
  return inspected.status === 0 ? inspected.stdout.trim() : undefined;
}

/** npm inside the build uses the registry that this machine's npm is configured with. */
function npmRegistryArguments() {
  const requested = spawnSync('npm', ['config', 'get', 'registry'], { cwd: root, encoding: 'utf8' });
  const registry = requested.status === 0 ? requested.stdout.trim() : '';
  return registry.startsWith('http') ? ['--build-arg', `NPM_CONFIG_REGISTRY=${registry}`] : [];
}

function docker(args, env = {}, timeout) {
  return spawnSync('docker', args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout,
    maxBuffer: 64 * 1024 * 1024,
  });
}

function lastLine(done) {
  return (done.error?.message ?? `${done.stdout}${done.stderr}`).trim().split('\n').at(-1);
}

function fail(what, done) {
  const said = (done.error?.message ?? `${done.stdout}${done.stderr}`).trim().split('\n').slice(-30).join('\n');
  console.error(`${what}:\n${said}`);
  process.exit(1);
}
