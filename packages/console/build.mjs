// npm run build -w packages/console: bundles web/ into built/, which the proxy's admin port serves. Plain built-ins of Node 20
// and esbuild. A build with the same sources writes the same names, so several may run at a time.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const built = join(here, 'built');

/** @returns the names of the files in built/ */
export async function buildConsole() {
  // Loaded when it is used: scripts import this file before anything is installed.
  const { build, stop } = await import('esbuild');
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: { app: 'web/main.tsx' },
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    outdir: built,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['chrome111', 'firefox113', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  });
  // Its process would stay as long as this one.
  await stop();
  const assets = outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)]);
  const named = (ending) => assets.map(([name]) => name).find((name) => name.endsWith(ending));
  const page = readFileSync(join(here, 'web', 'index.html'), 'utf8')
    .replace('app.js', `assets/${named('.js')}`)
    .replace('app.css', `assets/${named('.css')}`);
  const files = [
    ...assets,
    ['icon.svg', readFileSync(join(here, 'web', 'icon.svg'))],
    ['index.html', Buffer.from(page)],
  ];
  mkdirSync(built, { recursive: true });
  // The page last: the files that it names are there then.
  for (const [name, bytes] of files) {
    const temporary = join(built, `.${name}.${process.pid}`);
    writeFileSync(temporary, bytes);
    renameSync(temporary, join(built, name));
  }
  const names = files.map(([name]) => name);
  for (const name of readdirSync(built)) if (!name.startsWith('.') && !names.includes(name)) rmSync(join(built, name));
  return names;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const startedAt = Date.now();
  const names = await buildConsole();
  console.log(`console: ${names.join(', ')} in ${Date.now() - startedAt} ms`);
}
