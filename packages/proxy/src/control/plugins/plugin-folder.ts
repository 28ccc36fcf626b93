import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '@swarmgate/runtime';

/** Files beyond this number are not looked at. */
const mostFiles = 2_000;
const lookEveryMs = 2_000;

/** `PLUGINS_DIR` as its files were when it was opened: modules that were imported are not read again. */
export class PluginFolder {
  readonly #directory: string;
  readonly #everyMs: number;
  readonly #changes: SettledChanges;

  private constructor(directory: string, known: string, everyMs: number) {
    this.#directory = directory;
    this.#changes = new SettledChanges(known);
    this.#everyMs = everyMs;
  }

  /** Opened before its files are imported, so that no change between the two is missed. @param everyMs Default 2,000 */
  static async open(directory: string, everyMs = lookEveryMs): Promise<PluginFolder> {
    return new PluginFolder(directory, await fingerprintOf(directory), everyMs);
  }

  /**
   * Calls back when files have changed, come or gone and two looks in a row found the same, so that none is half written.
   * Waits for the callback before it looks again. Resolves when the signal aborts.
   */
  async follow(onChange: () => Promise<void> | void, signal: AbortSignal): Promise<void> {
    while (await pause(this.#everyMs, signal))
      if (this.#changes.look(await fingerprintOf(this.#directory))) await onChange();
  }
}

/** Finds that something is another than it was, and the same in two looks in a row. */
export class SettledChanges {
  #known: string;
  #before: string;

  constructor(first: string) {
    this.#known = first;
    this.#before = first;
  }

  /** @returns `true` once for each change */
  look(now: string): boolean {
    const isSettled = now === this.#before;
    this.#before = now;
    if (!isSettled || now === this.#known) return false;
    this.#known = now;
    return true;
  }
}

/** Names, sizes and times of all files; of installed packages only npm's list of them. */
async function fingerprintOf(directory: string): Promise<string> {
  const lines: string[] = [];
  const folders = [directory];
  for (let folder = folders.pop(); folder !== undefined && lines.length < mostFiles; folder = folders.pop()) {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.name === 'node_modules') lines.push(await lineOf(join(path, '.package-lock.json')));
      else if (entry.isDirectory()) folders.push(path);
      else lines.push(await lineOf(path));
    }
  }
  return lines.sort().join('\n');
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    // It is being replaced: the next look finds what is there then.
    return [];
  }
}

async function lineOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return `${path} ${size} ${mtimeMs} ${ino}`;
  } catch {
    return `${path} -`;
  }
}
