import { authorizeChange, type Logger, openToAll, plainAddress, type Settings } from '@swarmgate/runtime';
import type { RequestHandler } from 'express';
import { callSession, isSecure } from './admin-session.ts';
import { callOf } from './http.ts';
import type { StatusResponse } from './response-bodies.ts';

type PlainToken = StatusResponse['tokenInPlain'];

const noteEveryMs = 60_000;

/** Notes calls whose token or login passed a network in plain text: an eavesdropper can do all that it allows. */
export class PlainTokens {
  readonly #logger: Logger;
  #last: PlainToken = null;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  last(): PlainToken {
    return this.#last;
  }

  note(from: string): void {
    if (this.#last === null)
      this.#logger.warn(
        { from },
        'a call brought ADMIN_TOKEN, or a login that was made with it, over plain HTTP: set ADMIN_TLS, or reach the admin port by an SSH tunnel; then replace the token',
      );
    // Not with every call: each change of the status is an event for every console.
    if (this.#last === null || Date.now() - Date.parse(this.#last.at) > noteEveryMs)
      this.#last = { from, at: new Date().toISOString() };
  }
}

/** Behind `readSession`. A call that a proxy with TLS passed on, and said so, does not count: that hop is the operator's. */
export function notePlainTokens(
  plain: Pick<PlainTokens, 'note'>,
  { adminToken }: Pick<Settings, 'adminToken'>,
): RequestHandler {
  const hasToken = adminToken !== undefined && adminToken !== openToAll;
  return (request, response, next) => {
    const from = plainAddress(request.socket.remoteAddress ?? '');
    if (hasToken && !isSecure(request) && !isLoopback(from) && request.headers['x-forwarded-proto'] !== 'https') {
      const isTaken =
        callSession(response) !== undefined || authorizeChange(adminToken, callOf(request)).kind === 'allowed';
      if (isTaken) plain.note(from);
    }
    next();
  };
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
