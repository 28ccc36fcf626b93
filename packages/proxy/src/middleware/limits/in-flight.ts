import type { UseOf } from '@swarmgate/labels';
import { type Exchange, whenEnded } from '../../model/exchange.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Decision, Middleware } from '../middleware.ts';
import type { Release, Semaphores } from './semaphores.ts';
import { countKey, sourceAddress } from './source-address.ts';

export interface InFlightParts {
  readonly semaphores: Semaphores;
  /** Distinguishes this use from every other one. */
  readonly scope: string;
}

/** `inFlightReq`: requests of one key that a proxy serves at the same time; one more gets 429. */
export function inFlightReq(use: UseOf<'inFlightReq'>, { semaphores, scope }: InFlightParts): Middleware {
  const { by = { kind: 'host' }, amount } = use;
  const keyOf = countKey(by, sourceAddress(use));
  return {
    name: 'inFlightReq',
    onRequest(exchange) {
      const acquired = semaphores.acquire(`${scope}:${keyOf(exchange)}`, amount);
      return acquired instanceof Promise
        ? acquired.then((release) => decisionOf(exchange, release))
        : decisionOf(exchange, acquired);
    },
  };
}

function decisionOf(exchange: Exchange, release: Release | undefined): Decision {
  if (release === undefined) return refuse('in-flight-limited');
  whenEnded(exchange, release);
  return proceed;
}
