import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';

const repository = 'swarmgate-test/node';

/**
 * Makes a small image out of this machine's node binary, the libraries it is linked with and the demo server, by
 * `docker import`: no image registry is needed. Returns its name; the tag is a digest of what is inside, so a present
 * image is used as it is.
 */
export async function importNodeImage(docker: Docker): Promise<string> {
  const demoServer = fileURLToPath(new URL('./demo-server.mjs', import.meta.url));
  const digest = createHash('sha256').update(process.version).update(readFileSync(demoServer)).digest('hex');
  const name = `${repository}:${digest.slice(0, 12)}`;
  if (await exists(docker, name)) return name;

  const tree = mkdtempSync(join(tmpdir(), 'swarmgate-image-'));
  try {
    const add = (from: string, to: string) => {
      mkdirSync(dirname(join(tree, to)), { recursive: true });
      copyFileSync(realpathSync(from), join(tree, to));
    };
    add(process.execPath, '/node');
    chmodSync(join(tree, 'node'), 0o755);
    add(demoServer, '/demo/server.mjs');
    for (const library of librariesOf(process.execPath)) add(library, library);
    mkdirSync(join(tree, 'tmp'), { mode: 0o1777 });
    mkdirSync(join(tree, 'etc'));
    await importTree(docker, tree, digest.slice(0, 12));
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
  return name;
}

async function exists(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}

function librariesOf(binary: string): string[] {
  const listing = execFileSync('ldd', [binary], { encoding: 'utf8' });
  return [...listing.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path as string);
}

async function importTree(docker: Docker, tree: string, tag: string): Promise<void> {
  const tar = spawn('tar', ['-C', tree, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const response = await docker.importImage(tar.stdout, {
    repo: repository,
    tag,
    changes: ['CMD ["/node", "/demo/server.mjs"]', 'EXPOSE 8080', 'ENV PATH=/'],
  });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(response, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}
