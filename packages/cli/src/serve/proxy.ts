import { startProxy } from '@swarmgate/proxy';
import { openRegistry } from '@swarmgate/registry';
import { createLogger, warnOfOtelSettingsWithoutEffect, warnOfSettingsWithoutEffect } from '@swarmgate/runtime';
import type { CommandIo } from '../io.ts';
import { restartWorkersOnHangup } from './restart-workers.ts';
import { servingSettings } from './serving-settings.ts';
import { untilStopped } from './until-stopped.ts';

/** Follows the registry and forwards requests until it is stopped. Without Consul it uses the embedded registry. */
export async function proxy(io: CommandIo): Promise<void> {
  const settings = servingSettings('proxy', io.env);
  const logger = createLogger({ level: settings.logLevel });
  warnOfSettingsWithoutEffect({ env: io.env }, logger);
  warnOfOtelSettingsWithoutEffect({ env: io.env }, logger);
  await untilStopped(
    logger,
    async (signal, running) => {
      const registry = await openRegistry(settings, logger);
      running.push({ stop: () => registry.store.close() });
      const serving = await startProxy({ settings, registry, logger, env: io.env, signal });
      running.push(serving, restartWorkersOnHangup(serving, logger));
    },
    { stopWithinMs: settings.drainTimeoutMs + 10_000 },
  );
}
