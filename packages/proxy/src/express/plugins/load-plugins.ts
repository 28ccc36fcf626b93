import { readdir } from 'node:fs/promises';
import { join, parse, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isPluginName } from '@swarmgate/labels';
import { checkRegularFile, messageOf, pause, SwarmgateError } from '@swarmgate/runtime';
import type { Plugin } from './plugin.ts';
import { runAs } from './running-plugin.ts';

export interface LoadedPlugin {
  readonly name: string;
  readonly path: string;
  /** Absent where the file cannot be used. */
  readonly make?: Plugin;
  readonly fault?: string;
}

export interface LoadOptions {
  /** A file's top level may await so long, in milliseconds. Default 10,000. */
  readonly waitMs?: number;
  /** Called before each file is imported. */
  readonly onLoading?: (plugin: string) => void;
}

const loadWaitMs = 10_000;
const extensions = new Set(['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts']);

/**
 * Imports every plug-in of the folder: files with a JavaScript or TypeScript extension at its top, by their names. Names that
 * begin with `.` or `_` and declarations (`.d.ts`) are left to the plug-ins. Never rejects: a file that cannot be used comes with the reason.
 */
export async function loadPlugins(
  directory: string,
  { waitMs = loadWaitMs, onLoading }: LoadOptions = {},
): Promise<ReadonlyMap<string, LoadedPlugin>> {
  const found = new Map<string, LoadedPlugin>();
  for (const path of await pluginFiles(directory)) {
    const { name } = parse(path);
    const other = found.get(name);
    onLoading?.(name);
    if (other === undefined) found.set(name, await load(name, path, waitMs));
    else found.set(name, { name, path, fault: `${parse(other.path).base} and ${parse(path).base} have the same name` });
  }
  return found;
}

/** @throws SwarmgateError `plugins-unreadable` */
async function pluginFiles(directory: string): Promise<readonly string[]> {
  const entries = await readdir(resolve(directory), { withFileTypes: true }).catch((error: unknown) => {
    const mend = 'set PLUGINS_DIR to a folder of plug-ins, or leave it unset';
    throw new SwarmgateError(
      'plugins-unreadable',
      `cannot read PLUGINS_DIR=${directory} (${messageOf(error)}): ${mend}`,
      {
        cause: error,
      },
    );
  });
  return entries
    .filter(
      (entry) => !entry.isDirectory() && extensions.has(parse(entry.name).ext) && isPluginName(parse(entry.name).name),
    )
    .map((entry) => join(resolve(directory), entry.name))
    .sort();
}

async function load(name: string, path: string, waitMs: number): Promise<LoadedPlugin> {
  const over = new AbortController();
  const late = pause(waitMs, over.signal).then((inVain) => {
    if (inVain) throw new Error(`its top level did not end within ${waitMs} ms`);
  });
  try {
    // The loader would wait for a FIFO, and the process with it.
    await checkRegularFile(path);
    const module = await Promise.race([runAs({ plugin: name }, () => import(pathToFileURL(path).href)), late]);
    const make = factoryOf(module);
    return make === undefined ? { name, path, fault: 'its default export is not a function' } : { name, path, make };
  } catch (error) {
    return { name, path, fault: `it cannot be loaded: ${messageOf(error)}` };
  } finally {
    over.abort();
  }
}

/** Compilers that write CommonJS put the default export of a module below `default`. */
function factoryOf(module: unknown): Plugin | undefined {
  const made = propertyOf(module, 'default');
  const inner = typeof made === 'function' ? made : propertyOf(made, 'default');
  return typeof inner === 'function' ? (inner as Plugin) : undefined;
}

function propertyOf(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Readonly<Record<string, unknown>>)[name] : undefined;
}
