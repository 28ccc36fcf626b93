import type { RunningProxy } from '@swarmgate/proxy';
import { type Logger, messageOf, type Running } from '@swarmgate/runtime';

/** SIGHUP replaces the workers one by one, as `POST /v1/restart-workers` does; without workers it does nothing. */
export function restartWorkersOnHangup(proxy: Pick<RunningProxy, 'restartWorkers'>, logger: Logger): Running {
  const onHangup = () => {
    logger.info('SIGHUP: workers are replaced');
    proxy.restartWorkers().then(
      (replaced) => logger.info({ replaced }, 'SIGHUP is done with'),
      (error) => logger.error({ err: messageOf(error) }, 'workers cannot be replaced; those that are left serve on'),
    );
  };
  process.on('SIGHUP', onHangup);
  return {
    stop: async () => {
      process.off('SIGHUP', onHangup);
    },
  };
}
