import { carriesToken, FailedTries } from '@swarmgate/runtime';

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

/** Compares credentials with the admin token, and limits failed tries by client address. */
export class Login {
  readonly #token: string;
  readonly #tries: FailedTries;

  constructor({ token, nowMs }: LoginOptions) {
    this.#token = token;
    this.#tries = new FailedTries(nowMs);
  }

  decide(address: string | undefined, authorization: string | undefined): LoginDecision {
    if (authorization === undefined || authorization === '') return { kind: 'credentials-needed' };
    const retryAfterMs = this.#tries.waitMs(address);
    if (retryAfterMs > 0) return { kind: 'tries-limited', retryAfterMs };
    if (carriesToken(authorization, this.#token)) return { kind: 'allowed' };
    this.#tries.failed(address);
    return { kind: 'credentials-wrong' };
  }
}
