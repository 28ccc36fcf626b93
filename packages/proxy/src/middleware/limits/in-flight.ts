import type { UseOf } from '@swarmgate/labels';
import { whenEnded } from '../../model/exchange.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';
import { countKey, sourceAddress } from './source-address.ts';

/** `inFlightReq`: requests of one key that are served at the same time, the share of this worker; one more gets 429. */
export function inFlightReq(use: UseOf<'inFlightReq'>, workers: number): Middleware {
  const { by = { kind: 'host' } } = use;
  const amount = Math.ceil(use.amount / Math.max(1, workers));
  const keyOf = countKey(by, sourceAddress(use));
  const running = new Map<string, number>();
  return {
    name: 'inFlightReq',
    onRequest(exchange) {
      const key = keyOf(exchange);
      const now = running.get(key) ?? 0;
      if (now >= amount) return refuse('in-flight-limited');
      running.set(key, now + 1);
      whenEnded(exchange, () => {
        const left = (running.get(key) ?? 1) - 1;
        if (left > 0) running.set(key, left);
        else running.delete(key);
      });
      return proceed;
    },
  };
}
