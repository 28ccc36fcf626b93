import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** One import statement: from a room (`proxy/routing`) or a package's top (`proxy`), to a room or a package. */
export interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly isTypeOnly: boolean;
}

const packageOf: Readonly<Record<string, string>> = {
  '@swarmgate/runtime': 'runtime',
  '@swarmgate/registry': 'registry',
  '@swarmgate/registry/vocabulary': 'registry',
  '@swarmgate/swarm-listener': 'swarm-listener',
  '@swarmgate/proxy': 'proxy',
  swarmgate: 'cli',
};

/** Every import among the sources of `packages/`, tests left out: they may look where they like. */
export function projectImports(): readonly Import[] {
  const files = globSync('packages/*/src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const found: Import[] = [];
    for (const match of text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'"]*?\s+from\s+)?['"]([^'"]+)['"]/gm)) {
      const to = roomOfImport(file, match[2] ?? '');
      if (to !== undefined) found.push({ file, from: roomOfFile(file), to, isTypeOnly: match[1] !== undefined });
    }
    return found;
  });
}

/** `packages/proxy/src/routing/x.ts` is in `proxy/routing`; a file at the top of `src` is in `proxy`. */
export function roomOfFile(file: string): string {
  const [, name, , room, rest] = file.split('/');
  return rest === undefined ? `${name}` : `${name}/${room}`;
}

function roomOfImport(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return packageOf[specifier];
  return roomOfFile(relative(root, resolve(root, dirname(file), specifier)));
}
