import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** One import statement, types counted: from a file to a file of the same package, or to another package. */
export interface Import {
  readonly file: string;
  readonly line: number;
  /** A module (`proxy/routing`), or a package (`proxy`) for a file at the top of its `src`. */
  readonly from: string;
  readonly to: string;
  /** Absent where another package is imported. */
  readonly toFile?: string;
}

/** The workspace that a specifier leads to, by any of its entries (`@swarmgate/runtime/errors` is `runtime`). */
function packageOf(specifier: string): string | undefined {
  if (specifier === 'swarmgate') return 'cli';
  return /^@swarmgate\/([^/]+)/.exec(specifier)?.[1];
}

/** Every import among the sources of `packages/`; tests may import what they like. */
export function projectImports(): readonly Import[] {
  const files = globSync('packages/*/src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const found: Import[] = [];
    for (const match of text.matchAll(/^(?:import|export)\s+(?:type\s+)?(?:[^'"]*?\s+from\s+)?['"]([^'"]+)['"]/gm)) {
      const line = text.slice(0, match.index).split('\n').length;
      const specifier = match[1] ?? '';
      const from = moduleOf(file);
      if (specifier.startsWith('.')) {
        const toFile = relative(root, resolve(root, dirname(file), specifier));
        found.push({ file, line, from, to: moduleOf(toFile), toFile });
        continue;
      }
      const to = packageOf(specifier);
      if (to !== undefined) found.push({ file, line, from, to });
    }
    return found;
  });
}

/** `packages/proxy/src/routing/x.ts` is in `proxy/routing`; a file at the top of `src` is in `proxy`. */
export function moduleOf(file: string): string {
  const [, name, , folder, rest] = file.split('/');
  return rest === undefined ? `${name}` : `${name}/${folder}`;
}

/** `file:line → target`, as a failed test shows it. */
export function showImport({ file, line, to, toFile }: Import): string {
  return `${file}:${line} → ${toFile ?? to}`;
}

/** Groups of files that import each other in a circle. */
export function cyclesOf(imports: readonly Import[]): readonly (readonly string[])[] {
  const targets = new Map<string, string[]>();
  for (const { file, toFile } of imports)
    if (toFile !== undefined) targets.set(file, [...(targets.get(file) ?? []), toFile]);
  const reachable = (start: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    const waiting = [...(targets.get(start) ?? [])];
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      waiting.push(...(targets.get(file) ?? []));
    }
    return seen;
  };
  const inCircle = [...targets.keys()].filter((file) => reachable(file).has(file));
  const groups = new Map<string, string[]>();
  for (const file of inCircle) {
    const members = inCircle.filter(
      (other) => other === file || (reachable(file).has(other) && reachable(other).has(file)),
    );
    groups.set([...members].sort().join(), members);
  }
  return [...groups.values()];
}
