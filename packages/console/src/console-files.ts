import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A file that a browser loads. */
export interface ConsoleFile {
  /** For Content-Type. */
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
  /** Its name changes with its content: it may be kept for good. */
  readonly isHashed: boolean;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const builtDirectory = new URL('../built/', import.meta.url);

/** The console's files by path: `/`, `/icon.svg`, `/assets/…`. Empty where it was not built (`npm run build`). */
export function consoleFiles(directory: URL = builtDirectory): ReadonlyMap<string, ConsoleFile> {
  const found = new Map<string, ConsoleFile>();
  for (const name of namesIn(directory)) {
    const type = types[extname(name)];
    if (type === undefined || name.startsWith('.')) continue;
    const bytes = readFileSync(new URL(name, directory));
    const isHashed = /-[0-9A-Z]{8}\.\w+$/.test(name);
    const path = name === 'index.html' ? '/' : isHashed ? `/assets/${name}` : `/${name}`;
    found.set(path, { type, bytes, gzipped: gzipSync(bytes, { level: 9 }), isHashed });
  }
  return found;
}

function namesIn(directory: URL): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
