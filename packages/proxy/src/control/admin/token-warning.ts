import { type Logger, openToAll, type Settings } from '@swarmgate/runtime';

/** Logs at the start who may use the admin port. */
export function warnAboutToken({ adminToken, adminHost }: Settings, logger: Logger): void {
  if (adminToken === openToAll)
    logger.warn('ADMIN_TOKEN is `none`: any client of the admin port can read and change everything');
  else if (adminToken === undefined)
    logger.info({ adminHost }, 'no ADMIN_TOKEN is set: only this machine itself can read and change by REST');
}
