import type { UseOf } from '@swarmgate/labels';
import { proceed, refuse } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';

/** `buffering`: bounds the request's body, by its length at once, else as it comes. Nothing is kept. */
export function buffering({ mostRequestBytes = 0 }: UseOf<'buffering'>): Middleware {
  return {
    name: 'buffering',
    onRequest(exchange) {
      if (mostRequestBytes === 0) return proceed;
      const length = exchange.request.get('content-length');
      if (length !== undefined && Number(length) > mostRequestBytes) return refuse('request-too-large');
      const before = exchange.mostBodyBytes ?? Number.POSITIVE_INFINITY;
      exchange.mostBodyBytes = Math.min(before, mostRequestBytes);
      return proceed;
    },
  };
}
