import { authorizeChange } from '@swarmgate/runtime';
import type { Request, RequestHandler, Response } from 'express';
import type { AdminParts } from './admin-parts.ts';
import { answerOf, type ChangeOutcome } from './change-outcome.ts';

/** Stands before everything that changes something, whatever its method: Docker Flow changes by GET. */
export function requireAuthorization(parts: Pick<AdminParts, 'settings' | 'logger'>): RequestHandler {
  return (request, response, next) => {
    const verdict = authorizeChange(parts.settings.adminToken, {
      remoteAddress: request.socket.remoteAddress,
      headers: request.headers,
    });
    if (verdict.kind === 'allowed') {
      next();
      return;
    }
    parts.logger.warn({ path: request.path, from: request.socket.remoteAddress }, `change refused: ${verdict.message}`);
    if (verdict.kind === 'token-needed') response.setHeader('WWW-Authenticate', 'Bearer realm="swarmgate"');
    response.setHeader('X-Swarmgate-Reason', verdict.kind);
    response.status(verdict.kind === 'token-needed' ? 401 : 403).json({ Status: 'NOK', Message: verdict.message });
  };
}

/** Query parameters, the first value of each name, as Docker Flow takes them. */
export function queryOf(request: Request): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of new URL(request.originalUrl, 'http://admin').searchParams)
    if (!found.has(name)) found.set(name, value);
  return found;
}

/** As `queryOf`, with the fields of a JSON body beneath. */
export function inputOf(request: Request): Map<string, string> {
  const found = new Map<string, string>();
  const body: unknown = request.body;
  if (typeof body === 'object' && body !== null)
    for (const [name, value] of Object.entries(body))
      if (['string', 'number', 'boolean'].includes(typeof value)) found.set(name, String(value));
  for (const [name, value] of queryOf(request)) found.set(name, value);
  return found;
}

/** Who changes something, for the history: `REST from 10.0.0.7`. */
export function callerOf(request: Request): string {
  return `REST from ${(request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')}`;
}

export function sendOutcome(response: Response, outcome: ChangeOutcome, more: object = {}): void {
  const { status, body } = answerOf(outcome);
  response.status(status).json({ ...body, ...more });
}

export function isTrue(value: string | undefined): boolean {
  return value !== undefined && ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value);
}
