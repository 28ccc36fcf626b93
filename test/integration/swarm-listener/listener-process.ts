// One listener in a process of its own, for tests that kill, pause and stop it. Tells its REST port to its parent.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRegistry } from '@swarmgate/registry';
import { createLogger, readSettings } from '@swarmgate/runtime';
import { startListener } from '@swarmgate/swarm-listener';
import { freePort } from '../../harness/free-ports.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'swarmgate-listener-'));
const settings = readSettings('listener', {
  env: { DATA_DIR: dataDir, LISTENER_PORT: String(await freePort()), ...process.env },
});
const logger = createLogger({ level: process.env.TEST_LOG_LEVEL ?? 'silent' });
const registry = await openRegistry(settings, logger);
const stopping = new AbortController();
const listener = await startListener({ settings, registry, logger, signal: stopping.signal });
process.send?.(listener.port);

process.once('SIGTERM', async () => {
  await listener.stop();
  stopping.abort();
  await registry.store.close();
  rmSync(dataDir, { recursive: true, force: true });
  process.exit(0);
});
