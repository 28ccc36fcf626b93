import type { RunningProxy } from '@swarmgate/proxy';
import type { Logger, Running } from '@swarmgate/runtime';

/** SIGHUP replaces the workers one by one, as `POST /v1/restart-workers` does; without workers it does nothing. */
export function restartWorkersOnHangup(proxy: Pick<RunningProxy, 'restartWorkers'>, logger: Logger): Running {
  const onHangup = () => {
    logger.info('SIGHUP: replacing the workers');
    proxy.restartWorkers().then(
      (replaced) => logger.info({ replaced }, 'SIGHUP: workers replaced'),
      (error) => logger.error({ err: error }, 'cannot replace all workers; the remaining ones keep serving'),
    );
  };
  process.on('SIGHUP', onHangup);
  return {
    stop: async () => {
      process.off('SIGHUP', onHangup);
    },
  };
}
