import type { UseOf } from '@swarmgate/labels';
import { proceed } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';

/** `retry`: how many attempts the request may make; which of them are safe is the same for every route. */
export function retry({ attempts }: UseOf<'retry'>): Middleware {
  return {
    name: 'retry',
    onRequest(exchange) {
      exchange.mostTries = attempts;
      return proceed;
    },
  };
}
