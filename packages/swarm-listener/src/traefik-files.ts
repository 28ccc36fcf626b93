import { readdirSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { type DynamicText, dynamicFileBounds } from '@swarmgate/labels/traefik';
import { messageOf } from '@swarmgate/runtime';
import { readRegularFileSync } from '@swarmgate/runtime/regular-file';

/** More than a folder written by hand has. */
const mostOfFolder = { files: 200, entries: 2_000, depth: 5 };

/**
 * The files that `TRAEFIK_FILE` names: itself, or those of a folder and of its folders that end in `.yml`, `.yaml` or `.toml`, as Traefik
 * reads `providers.file.directory`, in the order of their names. Links to files count, and links to folders do not.
 * @throws Error where the folder has more than its bounds
 */
export function traefikFilesAt(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  // Docker makes a folder where the file that is to be mounted is missing.
  if (isOfProvider(path)) throw new Error('it is a folder, and its name is that of a file');
  const found: string[] = [];
  let entries = 0;
  const look = (folder: string, depth: number): void => {
    if (depth > mostOfFolder.depth) throw new Error(`${folder} is nested more than ${mostOfFolder.depth} deep`);
    const inside = readdirSync(folder, { withFileTypes: true });
    for (const entry of inside.sort((one, other) => (one.name < other.name ? -1 : 1))) {
      const { name } = entry;
      entries += 1;
      if (entries > mostOfFolder.entries) throw new Error(`it has more than ${mostOfFolder.entries} entries`);
      // Versions of a mounted volume: what counts is linked beside them.
      if (name.startsWith('..')) continue;
      const whole = join(folder, name);
      if (entry.isDirectory()) look(whole, depth + 1);
      else if (isOfProvider(name)) found.push(whole);
      if (found.length > mostOfFolder.files) throw new Error(`it has more than ${mostOfFolder.files} files`);
    }
  };
  look(path, 0);
  // What was to be mounted there may restrict.
  if (found.length === 0) throw new Error('the folder holds no file that ends in .yml, .yaml or .toml');
  return found;
}

function isOfProvider(name: string): boolean {
  return /\.(ya?ml|toml)$/i.test(name);
}

/** Changes with each of them. @throws Error as `traefikFilesAt` */
export function stampOfTraefikFiles(path: string): string {
  return traefikFilesAt(path)
    .map((file) => {
      const { ino, size, mtimeMs, ctimeMs } = statSync(file);
      return `${file} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    })
    .join('\n');
}

/** @throws Error as `traefikFilesAt`, and one that names the file where one cannot be read or all are too large together */
export function readTraefikFiles(path: string): readonly DynamicText[] {
  let left = dynamicFileBounds.bytes;
  return traefikFilesAt(path).map((file) => {
    const name = file === path ? basename(path) : relative(path, file);
    const text = textOf(file, name, left);
    left -= Buffer.byteLength(text);
    return { name, text };
  });
}

function textOf(file: string, name: string, left: number): string {
  try {
    return readRegularFileSync(file, { mostBytes: left });
  } catch (error) {
    const before = left < dynamicFileBounds.bytes ? `, of the ${dynamicFileBounds.bytes} of all files together` : '';
    throw new Error(`${name}: ${messageOf(error)}${before}`, { cause: error });
  }
}
