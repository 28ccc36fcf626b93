import { LRUCache } from 'lru-cache';
import type { Count } from '../../middleware/limits/count.ts';
import type { CountedLimit, Limiters } from '../../middleware/limits/limiters.ts';
import type { Tokens } from './messages.ts';

export interface LeasedLimitersOptions {
  /** Requests tokens of the control process. `undefined`: no response in time. */
  readonly lease: (limit: CountedLimit, key: string) => Promise<Tokens | undefined>;
  /** Counts for this worker alone while the control process does not respond. */
  readonly alone: Limiters;
  /** Workers of the proxy: alone, each counts its share. */
  readonly workers: number;
  /** Milliseconds; only differences count. Default `performance.now`. */
  readonly now?: () => number;
}

interface Lease {
  left: number;
  readonly untilMs: number;
}

// Clients that a worker keeps leases of; a dropped lease costs its client what was left of it.
const mostLeases = 100_000;

/** Rate limits of a worker: tokens come from its control process, because a limit is the proxy's. */
export function createLeasedLimiters(options: LeasedLimitersOptions): Limiters {
  const now = options.now ?? (() => performance.now());
  // Made with the first request that is counted: it takes 2 MB, which a worker without rate limits need not have.
  let leases: LRUCache<string, Lease> | undefined;
  return {
    async count(limit, key): Promise<Count> {
      const name = `${limit.requests}/${limit.windowMs}/${'burst' in limit ? limit.burst : ''} ${key}`;
      leases ??= new LRUCache({ max: mostLeases });
      const lease = leases.get(name);
      const nowMs = now();
      if (lease !== undefined && nowMs < lease.untilMs) {
        if (lease.left === refused) return { ok: false, retryAfterMs: lease.untilMs - nowMs };
        if (lease.left > 0) {
          lease.left -= 1;
          return { ok: true, remaining: lease.left, resetsAfterMs: lease.untilMs - nowMs };
        }
      }
      const tokens = await options.lease(limit, key);
      if (tokens === undefined) return options.alone.count(shareOf(limit, options.workers), key);
      if (!tokens.ok) {
        // Further requests over the limit are refused here until the window ends, without a call of the control process.
        leases.set(name, { left: refused, untilMs: now() + tokens.retryAfterMs });
        return tokens;
      }
      const left = tokens.count - 1;
      if (left > 0) addTo(leases, name, left, now() + tokens.forMs);
      return { ok: true, remaining: left, resetsAfterMs: tokens.forMs };
    },
    stop: () => options.alone.stop(),
  };
}

const refused = -1;

/** Several requests may have called at once: what each of them got adds up. */
function addTo(leases: LRUCache<string, Lease>, name: string, left: number, untilMs: number): void {
  const present = leases.get(name);
  if (present !== undefined && present.left > 0 && present.untilMs >= untilMs - 1) present.left += left;
  else leases.set(name, { left, untilMs });
}

function shareOf(limit: CountedLimit, workers: number): CountedLimit {
  const share = (count: number) => Math.max(1, Math.ceil(count / Math.max(1, workers)));
  if ('burst' in limit) return { ...limit, requests: limit.requests / Math.max(1, workers), burst: share(limit.burst) };
  return { ...limit, requests: share(limit.requests) };
}
