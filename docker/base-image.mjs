// A base image for machines that reach no image registry: the project's own Node, npm, a shell and a few commands with
// the libraries they are linked with, taken from this (glibc) machine by `docker import`. It stands in for the
// Dockerfile's `node:26-bookworm-slim` and has the same user `node` (1000). Plain built-ins of Node 20.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ownNode } from '../scripts/install.mjs';

export const localBaseName = 'swarmgate/base:local';
const digestLabel = 'swarmgate.base.digest';

// What the Dockerfile, npm and a person with `docker exec` call.
const commands = ['sh', 'env', 'mkdir', 'chown', 'chmod', 'ls', 'cat', 'rm', 'cp', 'mv', 'ln', 'id', 'sleep'];
const authorities = '/etc/ssl/certs/ca-certificates.crt';

/** Imports it under `localBaseName`, unless the one that is there was made of the same parts. @throws on a failed import. */
export async function importBaseImage() {
  if (process.platform !== 'linux') throw new Error('a base image can be made of the parts of a Linux machine only');
  if (!existsSync(ownNode)) throw new Error('the project’s own Node is missing: run npm ci first');
  const npm = npmDirectory();
  const digest = createHash('sha256')
    .update(`${statSync(ownNode).size} ${readFileSync(join(npm, 'package.json'), 'utf8')}`)
    .update(readFileSync(new URL(import.meta.url)))
    .digest('hex');
  const present = spawnSync(
    'docker',
    ['image', 'inspect', '--format', `{{index .Config.Labels "${digestLabel}"}}`, localBaseName],
    { encoding: 'utf8' },
  );
  if (present.status === 0 && present.stdout.trim() === digest) return;

  const tree = mkdtempSync(join(tmpdir(), 'swarmgate-base-'));
  try {
    fillTree(tree, npm);
    await importTree(tree, digest);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

function fillTree(tree, npm) {
  const add = (from, to) => {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    copyFileSync(realpathSync(from), join(tree, to));
  };
  const binaries = [[ownNode, '/usr/local/bin/node'], ...commands.map((name) => [pathOf(name), `/usr/bin/${name}`])];
  for (const [from, to] of binaries) {
    add(from, to);
    for (const library of librariesOf(from)) add(library, library);
  }
  // Scripts name a shell by this path.
  mkdirSync(join(tree, 'bin'), { recursive: true });
  symlinkSync('/usr/bin/sh', join(tree, 'bin', 'sh'));

  cpSync(npm, join(tree, 'usr/local/lib/node_modules/npm'), { recursive: true, dereference: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(tree, 'usr/local/bin/npm'));
  mkdirSync(join(tree, 'usr/local/etc'), { recursive: true });
  if (existsSync(authorities)) {
    // A gateway that signs with an authority of its own is trusted through the machine's bundle; npm has its own otherwise.
    add(authorities, authorities);
    writeFileSync(join(tree, 'usr/local/etc/npmrc'), `cafile=${authorities}\n`);
  }

  mkdirSync(join(tree, 'etc'), { recursive: true });
  writeFileSync(
    join(tree, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n',
  );
  writeFileSync(join(tree, 'etc/group'), 'root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n');
  writeFileSync(join(tree, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  mkdirSync(join(tree, 'root'), { mode: 0o700 });
  mkdirSync(join(tree, 'home/node'), { recursive: true });
  mkdirSync(join(tree, 'tmp'));
  // The image's root directory is the temporary one, which is this user's alone.
  chmodSync(tree, 0o755);
  chmodSync(join(tree, 'tmp'), 0o1777);
}

async function importTree(tree, digest) {
  // tar's own options set owner and mode, so that a person who is not root can make the image as well.
  const tar = spawn('tar', ['-C', tree, '--owner=0', '--group=0', '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const load = spawn(
    'docker',
    [
      'import',
      ...['--change', 'ENV PATH=/usr/local/bin:/usr/bin:/bin'],
      ...['--change', `LABEL ${digestLabel}=${digest}`],
      ...['--change', 'CMD ["node"]'],
      ...['-', localBaseName],
    ],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  tar.stdout.pipe(load.stdin);
  const codes = await Promise.all([tar, load].map((child) => new Promise((done) => child.once('close', done))));
  if (codes.some((code) => code !== 0)) throw new Error(`tar | docker import ended with ${codes.join(' and ')}`);
}

function pathOf(command) {
  const found = (process.env.PATH ?? '/usr/bin:/bin')
    .split(':')
    .map((directory) => join(directory, command))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${command} is not on the PATH`);
  return found;
}

/** npm as a package, beside the npm command on the PATH. */
function npmDirectory() {
  return dirname(dirname(realpathSync(pathOf('npm'))));
}

function librariesOf(binary) {
  const listed = spawnSync('ldd', [binary], { encoding: 'utf8' });
  // A statically linked command makes ldd fail, and needs nothing.
  return listed.status === 0 ? [...listed.stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1]) : [];
}
