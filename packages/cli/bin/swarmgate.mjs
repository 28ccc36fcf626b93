#!/usr/bin/env node
// Sources are TypeScript that Node runs by stripping the types: that takes Node 22.18 or newer. Where an older Node got
// here (an absolute path, another shell), the workspace's own Node takes over.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ownNode = fileURLToPath(new URL('../../../node_modules/node/bin/node', import.meta.url));
if (process.features.typescript) {
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
