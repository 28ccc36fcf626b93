import type { Logger } from '@swarmgate/runtime';
import type { ExchangeContext } from './exchange-context.ts';

/**
 * With `LOG_LEVEL=debug` logs the endpoint that each attempt of an exchange picks, the endpoints tried before, and the
 * outcome. With any other level the context is returned unchanged, so requests pay nothing for it.
 */
export function withAttemptLog<Context extends Pick<ExchangeContext, 'pick' | 'finished'>>(
  context: Context,
  logger: Logger,
): Context {
  if (logger.isLevelEnabled?.('debug') !== true) return context;
  return {
    ...context,
    pick(route, options) {
      const pick = context.pick(route, options);
      const tried = options.except === undefined ? {} : { tried: [...options.except] };
      if (pick.kind === 'none') logger.debug({ route: route.id, reason: pick.reason, ...tried }, 'no endpoint to pick');
      else {
        const { endpoint, hasOthers } = pick;
        const message = options.except === undefined ? 'endpoint picked' : 'endpoint picked for a retry';
        logger.debug({ route: route.id, endpoint: endpoint.id, hasOthers, ...tried }, message);
      }
      return pick;
    },
    finished(endpoint, outcome) {
      logger.debug({ endpoint: endpoint.id, outcome }, 'attempt ended');
      context.finished(endpoint, outcome);
    },
  };
}
