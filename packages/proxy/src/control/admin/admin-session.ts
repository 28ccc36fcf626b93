import { TLSSocket } from 'node:tls';
import type { Request, RequestHandler, Response } from 'express';
import { foreignPage } from '../session/page-origin.ts';
import { sessionsOf } from '../session/session-cookie.ts';
import type { Sessions } from '../session/sessions.ts';

export interface CallSession {
  readonly value: string;
  readonly endsAtMs: number;
  /** For calls that last: it may have ended, or been logged out, since the call began. */
  readonly isValid: () => Promise<boolean>;
}

/**
 * Finds the session of a call, for the checks that follow. Only pages of this port have one.
 * @param sessions absent where `ADMIN_TOKEN` is not set: there is nothing to log in with
 */
export function readSession(sessions: Sessions | undefined): RequestHandler {
  return async (request, response, next) => {
    const values = sessionsOf(request.headers.cookie, isSecure(request));
    if (sessions === undefined || values.size === 0 || isForeign(request)) {
      next();
      return;
    }
    for (const value of values) {
      const endsAtMs = await sessions.endOf(value);
      if (endsAtMs === undefined) continue;
      const isValid = async () => (await sessions.endOf(value)) !== undefined;
      response.locals.session = { value, endsAtMs, isValid } satisfies CallSession;
      break;
    }
    next();
  };
}

export function callSession(response: Response): CallSession | undefined {
  return response.locals.session as CallSession | undefined;
}

/** For reading. The browser sends the cookie to pages of every port of this host, which is why their calls do not count. */
export function hasSession(_request: Request, response: Response): boolean {
  return callSession(response) !== undefined;
}

/** For changes: a link or an image can cause a GET, and every other method names the page's origin. */
export function mayChangeBySession(request: Request, response: Response): boolean {
  return hasSession(request, response) && request.method !== 'GET' && request.headers.origin !== undefined;
}

export function isSecure(request: Request): boolean {
  return request.socket instanceof TLSSocket;
}

/** Whether a page of another origin makes this call. */
export function isForeign(request: Request): boolean {
  const { method, path, headers } = request;
  return foreignPage({ method, path, headers, secure: isSecure(request) }) !== undefined;
}
