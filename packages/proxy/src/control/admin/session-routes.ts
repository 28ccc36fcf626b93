import { authorizeChange, authorizeRead } from '@swarmgate/runtime';
import { readJson } from '@swarmgate/runtime/rest';
import { type Response, Router } from 'express';
import { sessionsOf, setSession } from '../session/session-cookie.ts';
import type { Sessions } from '../session/sessions.ts';
import type { AdminParts } from './admin-parts.ts';
import { callSession, isForeign, isSecure, mayChangeBySession } from './admin-session.ts';
import { outcomeOfError } from './change-outcome.ts';
import { callOf, inputOf, sendOutcome } from './http.ts';
import type { SessionResponse } from './response-bodies.ts';

const mostBodyBytes = 4 * 1024;

/** `GET, POST, DELETE /v1/session`: what a page may do, login and logout. */
export function sessionRoutes({ settings, logger }: AdminParts, sessions: Sessions | undefined): Router {
  const router = Router();

  router.get('/v1/session', (request, response) => {
    const session = callSession(response);
    const call = callOf(request);
    const read = authorizeRead(settings, 'other', call);
    const change = authorizeChange(settings.adminToken, call);
    const may = (decision: typeof read) => session !== undefined || decision.kind === 'allowed';
    const body: SessionResponse = {
      login: sessions !== undefined,
      endsAt: session === undefined ? null : new Date(session.endsAtMs).toISOString(),
      mayRead: may(read),
      mayChange: may(change),
      objection: may(change) || change.kind === 'allowed' ? null : change.message,
    };
    response.json(body);
  });

  router.post('/v1/session', readJson(mostBodyBytes), (request, response) => {
    if (isForeign(request)) {
      refuse(response, 403, 'foreign-origin', 'a page of another origin cannot log in');
      return;
    }
    if (sessions === undefined) {
      refuse(response, 409, 'no-login', 'there is nothing to log in with: set ADMIN_TOKEN');
      return;
    }
    const from = request.socket.remoteAddress;
    const decision = sessions.decide(from, inputOf(request).get('token') ?? '');
    if (decision.kind === 'tries-limited') {
      response.setHeader('Retry-After', Math.ceil(decision.retryAfterMs / 1_000));
      refuse(response, 429, decision.kind, 'too many failed tries from this address');
      return;
    }
    if (decision.kind !== 'allowed') {
      logger.warn({ from }, 'a login of the console failed');
      refuse(response, 401, 'credentials-wrong', 'this is not ADMIN_TOKEN');
      return;
    }
    const { value, endsAtMs } = sessions.begin();
    response.setHeader('Set-Cookie', setSession(value, endsAtMs - Date.now(), isSecure(request)));
    response.json({ Status: 'OK', endsAt: new Date(endsAtMs).toISOString() });
  });

  router.delete('/v1/session', async (request, response) => {
    const session = callSession(response);
    if (session === undefined || !mayChangeBySession(request, response)) {
      refuse(response, 401, 'token-needed', 'this call ends a session of the console, and has none');
      return;
    }
    response.setHeader('Set-Cookie', setSession('', 0, isSecure(request)));
    try {
      // Of two logins the other would go on.
      for (const value of sessionsOf(request.headers.cookie, isSecure(request))) await sessions?.end(value);
      response.json({ Status: 'OK' });
    } catch (error) {
      sendOutcome(response, outcomeOfError(error));
    }
  });

  return router;
}

function refuse(response: Response, status: number, reason: string, message: string): void {
  response.setHeader('X-Swarmgate-Reason', reason);
  response.status(status).json({ Status: 'NOK', Message: message });
}
