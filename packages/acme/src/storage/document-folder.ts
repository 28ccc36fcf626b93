import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { type Logger, readRegularFile } from '@swarmgate/runtime';

/** Documents as files of one folder, readable by their owner alone, so that a change writes one file and not all. */
export interface DocumentFolder {
  /** Empty where the folder is missing or cannot be read. */
  read(): Promise<ReadonlyMap<string, string>>;
  /** Never throws: a disk that fails costs the next cold start, not this one. */
  write(changed: ReadonlyMap<string, string>, removed: readonly string[]): Promise<void>;
}

const fileName = /^[A-Za-z0-9_][A-Za-z0-9._-]*\.json$/;

export function documentFolder(path: string, logger: Logger): DocumentFolder {
  let failed = false;
  const fileOf = (key: string) => join(path, `${key}.json`);
  const write = async (key: string, value: string) => {
    const file = fileOf(key);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    // Renamed into place: a crash leaves the old file or the new one, never half of it. Two proxies of one node share
    // the folder while one takes the other's place.
    const temporary = `${file}.${hostname()}.tmp`;
    await writeFile(temporary, value, { mode: 0o600 });
    await rename(temporary, file);
  };
  return {
    async read() {
      const found = new Map<string, string>();
      for (const kind of await namesIn(path)) {
        for (const file of await namesIn(join(path, kind))) {
          if (!fileName.test(file)) continue;
          const text = await readRegularFile(join(path, kind, file)).catch(() => undefined);
          if (text !== undefined) found.set(`${kind}/${file.slice(0, -'.json'.length)}`, text);
        }
      }
      return found;
    },
    async write(changed, removed) {
      const faults: unknown[] = [];
      // One whose name is too long for the disk costs no other its file.
      for (const [key, value] of changed) await write(key, value).catch((error: unknown) => faults.push(error));
      for (const key of removed) await rm(fileOf(key), { force: true }).catch((error: unknown) => faults.push(error));
      if (faults.length > 0 && !failed)
        logger.warn(
          { path, err: faults[0] },
          'a document cannot be written: certificates are not kept for a cold start',
        );
      failed = faults.length > 0;
    },
  };
}

async function namesIn(path: string): Promise<readonly string[]> {
  return readdir(path).catch(() => []);
}
