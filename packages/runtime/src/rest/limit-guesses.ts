import type { IncomingMessage, ServerResponse } from 'node:http';
import { isGuess, type ReadPolicy } from '../authorization.ts';
import { FailedTries } from '../failed-tries.ts';
import type { Logger } from '../logger.ts';

export interface GuessLimitOptions {
  readonly access: Pick<ReadPolicy, 'adminToken' | 'metricsToken'>;
  readonly logger: Logger;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly nowMs?: () => number;
}

/**
 * Limits calls that bring a wrong token, by client address: 429 in place of what they get otherwise. The token is compared
 * first, and the right one is taken at any time: behind one address, such as that of an ingress network, clients cannot lock
 * each other out. So this bounds the work and the log of guesses; what keeps a token from being guessed is its length.
 * @param isExempt for calls whose token decides nothing, such as those of a session
 */
export function limitGuesses<Request extends IncomingMessage, Response extends ServerResponse>(
  { access, logger, nowMs }: GuessLimitOptions,
  isExempt: (request: Request, response: Response) => boolean = () => false,
): (request: Request, response: Response, next: () => void) => void {
  const tries = new FailedTries(nowMs);
  return (request, response, next) => {
    // Without ADMIN_TOKEN, programs of this machine may send one that is left over: only `/metrics` compares it with anything.
    const isCompared = access.adminToken !== undefined || /^\/metrics\b/i.test(request.url ?? '');
    if (!isCompared || !isGuess(access, request.headers.authorization) || isExempt(request, response)) {
      next();
      return;
    }
    const from = request.socket.remoteAddress;
    const waitMs = tries.waitMs(from);
    if (waitMs === 0) {
      tries.failed(from);
      if (tries.waitMs(from) > 0)
        logger.warn({ from }, 'too many calls with a wrong token: more of this address get 429');
      next();
      return;
    }
    const Message = 'too many calls with a wrong token came from this address; the right one is taken at any time';
    response.writeHead(429, {
      'Retry-After': String(Math.ceil(waitMs / 1_000)),
      'X-Swarmgate-Reason': 'tries-limited',
      'Content-Type': 'application/json; charset=utf-8',
      // The next guess costs a connection.
      Connection: 'close',
    });
    response.end(JSON.stringify({ Status: 'NOK', Message }));
  };
}
