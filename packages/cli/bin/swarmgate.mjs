#!/usr/bin/env node
// The installed package holds built JavaScript. In the repository the sources are TypeScript that Node 22.18 and newer run by
// stripping the types; on an older Node the workspace's own takes over.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { keepCompiledSources } from './compile-cache.mjs';

const ownNode = fileURLToPath(new URL('../../../node_modules/node/bin/node', import.meta.url));
const built = new URL('../dist/main.js', import.meta.url);
if (existsSync(built)) {
  keepCompiledSources(process.argv[2]);
  const { main } = await import(built.href);
  await main(process.argv.slice(2));
} else if (process.features.typescript) {
  keepCompiledSources(process.argv[2]);
  const { main } = await import(new URL('../src/main.ts', import.meta.url).href);
  await main(process.argv.slice(2));
} else if (existsSync(ownNode)) {
  const child = spawn(ownNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code ?? 1));
} else {
  console.error(
    `swarmgate needs Node 22.18 or newer, this is ${process.version}. In the repository, npm start brings one.`,
  );
  process.exit(2);
}
