import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A directory that outlives the checkout: engines' data, downloaded parts. `SWARMGATE_CACHE`, else `~/.cache/swarmgate`. */
export function cacheDirectory(...below: readonly string[]): string {
  const directory = join(process.env.SWARMGATE_CACHE ?? join(homedir(), '.cache', 'swarmgate'), ...below);
  mkdirSync(directory, { recursive: true });
  return directory;
}
