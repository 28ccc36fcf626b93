import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type Docker from 'dockerode';

/**
 * Makes an image out of one program of this machine and the libraries it is linked with, by `docker import`: how the
 * tests get the images `consul` and `redis` of the stack where no image registry responds. The program is the
 * entrypoint unless `entrypoint` is empty. Returns the image's name; a present image of the same program is used as it is.
 */
export async function importBinaryImage(docker: Docker, binary: string, entrypoint: boolean): Promise<string> {
  const program = realpathSync(binary);
  const name = binary.split('/').at(-1) as string;
  const { size, mtimeMs } = statSync(program);
  const tag = createHash('sha256').update(`${program} ${size} ${mtimeMs} ${entrypoint}`).digest('hex').slice(0, 12);
  const image = `swarmgate-test/${name}:${tag}`;
  if (await exists(docker, image)) return image;

  const tree = mkdtempSync(join(tmpdir(), 'swarmgate-image-'));
  try {
    const add = (from: string, to: string) => {
      mkdirSync(dirname(join(tree, to)), { recursive: true });
      copyFileSync(realpathSync(from), join(tree, to));
    };
    add(program, `/usr/bin/${name}`);
    chmodSync(join(tree, 'usr/bin', name), 0o755);
    for (const library of librariesOf(program)) add(library, library);
    mkdirSync(join(tree, 'tmp'));
    chmodSync(join(tree, 'tmp'), 0o1777);
    chmodSync(tree, 0o755);
    await importTree(docker, tree, `swarmgate-test/${name}`, tag, entrypoint ? [`ENTRYPOINT ["${name}"]`] : []);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
  return image;
}

/** Finds a program as a shell would, in sbin too. @throws when it is not there. */
export function programPath(name: string): string {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const found = directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
  if (found === undefined)
    throw new Error(`${name} is not on the PATH: node scripts/setup/install-parts.mjs installs it`);
  return found;
}

async function exists(docker: Docker, image: string): Promise<boolean> {
  try {
    await docker.getImage(image).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}

function librariesOf(binary: string): string[] {
  // ldd fails for a statically linked program, which needs none.
  if (spawnSync('ldd', [binary]).status !== 0) return [];
  const listing = execFileSync('ldd', [binary], { encoding: 'utf8' });
  return [...listing.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path as string);
}

async function importTree(
  docker: Docker,
  tree: string,
  repo: string,
  tag: string,
  changes: readonly string[],
): Promise<void> {
  const tar = spawn('tar', ['-C', tree, '--owner=0', '--group=0', '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const response = await docker.importImage(tar.stdout, { repo, tag, changes: ['ENV PATH=/usr/bin', ...changes] });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(response, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}
