import { carriesToken } from '@swarmgate/runtime';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

export type LoginDecision =
  | { readonly kind: 'allowed' }
  /** No credentials at all: the 401 makes a browser prompt for them, which is no failed login. */
  | { readonly kind: 'credentials-needed' }
  | { readonly kind: 'credentials-wrong' }
  /** Too many failed tries: not even right credentials are looked at, or the limit would be none on guesses. */
  | { readonly kind: 'tries-limited'; readonly retryAfterMs: number };

export interface LoginOptions {
  readonly token: string;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly nowMs?: () => number;
}

/** Failed tries of one address at once; one more is allowed every `tryEveryMs`. */
const triesAtOnce = 10;
const tryEveryMs = 6_000;
/** Addresses that are remembered; the one that was quiet longest is forgotten first. */
const mostAddresses = 10_000;

/** Compares credentials with the admin token, and limits failed tries by client address. */
export class Login {
  readonly #token: string;
  readonly #nowMs: () => number;
  /** When the tries that an address made will all be forgotten. */
  readonly #clearAtMs = new LRUCache<string, number>({ max: mostAddresses });

  constructor({ token, nowMs = () => performance.now() }: LoginOptions) {
    this.#token = token;
    this.#nowMs = nowMs;
  }

  decide(address: string | undefined, authorization: string | undefined): LoginDecision {
    if (authorization === undefined || authorization === '') return { kind: 'credentials-needed' };
    const key = addressKey(address);
    const nowMs = this.#nowMs();
    const clearAtMs = Math.max(nowMs, this.#clearAtMs.get(key) ?? nowMs);
    const retryAfterMs = clearAtMs + tryEveryMs - (nowMs + triesAtOnce * tryEveryMs);
    if (retryAfterMs > 0) return { kind: 'tries-limited', retryAfterMs };
    if (carriesToken(authorization, this.#token)) return { kind: 'allowed' };
    this.#clearAtMs.set(key, clearAtMs + tryEveryMs);
    return { kind: 'credentials-wrong' };
  }
}

/** One for all spellings of an address, and one for the /64 of an IPv6 address, all of which a client can have. */
function addressKey(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return '';
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}
