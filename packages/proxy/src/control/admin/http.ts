import {
  type Authorization,
  authorizeChange,
  authorizeRead,
  type Caller,
  isName,
  nameExpected,
  parseBoolean,
  plainAddress,
} from '@swarmgate/runtime';
import type { Request, RequestHandler, Response } from 'express';
import type { AdminParts } from './admin-parts.ts';
import { hasSession, mayChangeBySession } from './admin-session.ts';
import { type ChangeOutcome, responseOf } from './change-outcome.ts';
import { isObject, kindOf } from './request-body.ts';
import { BadRequestError, queryOf } from './request-query.ts';

type Judge = Pick<AdminParts, 'settings' | 'logger'>;

/**
 * Stands before everything that changes something, whatever its method (Docker Flow changes by GET), and before what shows
 * clients, paths or whole definitions: `ADMIN_READ` does not open those.
 */
export function requireAuthorization(parts: Judge, what = 'change'): RequestHandler {
  return (request, response, next) => {
    const decision = authorizeChange(parts.settings.adminToken, callOf(request));
    if (decision.kind === 'allowed' || (what === 'change' ? mayChangeBySession : hasSession)(request, response)) next();
    else refuse(parts, what, decision, request, response);
  };
}

/** Whether a call may see what shows clients, for paths that show others less. */
export function maySeeClients(
  { settings }: Pick<AdminParts, 'settings'>,
  request: Request,
  response: Response,
): boolean {
  return authorizeChange(settings.adminToken, callOf(request)).kind === 'allowed' || hasSession(request, response);
}

/** Stands before all paths but these two, in exactly this spelling: a path that is added is closed until it is opened. */
export function requireReading(parts: Judge): RequestHandler {
  return (request, response, next) => {
    if (request.path === '/healthz' || request.path === '/readyz') {
      next();
      return;
    }
    const what = request.path === '/metrics' ? 'metrics' : 'other';
    const decision = authorizeRead(parts.settings, what, callOf(request));
    if (decision.kind === 'allowed' || hasSession(request, response)) next();
    else refuse(parts, 'call', decision, request, response);
  };
}

export function callOf(request: Request): Caller {
  return { remoteAddress: request.socket.remoteAddress, headers: request.headers };
}

function refuse(
  { logger }: Judge,
  what: string,
  decision: Exclude<Authorization, { readonly kind: 'allowed' }>,
  request: Request,
  response: Response,
): void {
  const { kind, message } = decision;
  logger.warn({ path: request.path, from: request.socket.remoteAddress }, `${what} refused: ${message}`);
  if (kind === 'token-needed') response.setHeader('WWW-Authenticate', 'Bearer realm="swarmgate"');
  response.setHeader('X-Swarmgate-Reason', kind);
  response.status(kind === 'token-needed' ? 401 : 403).json({ Status: 'NOK', Message: message });
}

/**
 * As `queryOf`, with the fields of a JSON body added.
 * @throws BadRequestError `body-invalid` for a body that is no object, or a field that is no plain value
 */
export function inputOf(request: Request): Map<string, string> {
  const found = new Map<string, string>();
  const body: unknown = request.body;
  if (body !== undefined && !isObject(body))
    throw new BadRequestError('body-invalid', `the body is ${kindOf(body)}: expected a JSON object`);
  for (const [name, value] of Object.entries(body ?? {})) {
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw new BadRequestError('body-invalid', `${name} is ${kindOf(value)}: expected text, a number, true or false`);
    found.set(name, String(value));
  }
  for (const [name, value] of queryOf(request)) found.set(name, value);
  return found;
}

/** The name of a service or an owner. @throws BadRequestError `name-invalid` where it is missing or could be no name */
export function nameOf(input: ReadonlyMap<string, string>, parameter: string): string {
  const name = optionalNameOf(input, parameter);
  if (name === undefined) throw new BadRequestError('name-invalid', `${parameter} is not set`);
  return name;
}

/** Empty counts as not set. @throws BadRequestError `name-invalid` */
export function optionalNameOf(input: ReadonlyMap<string, string>, parameter: string): string | undefined {
  const name = input.get(parameter);
  if (name === undefined || name === '') return undefined;
  if (isName(name)) return name;
  throw new BadRequestError(
    'name-invalid',
    `${parameter} is ${JSON.stringify(shortened(name))}: expected ${nameExpected}`,
  );
}

/** Not set is `false`. @throws BadRequestError `flag-invalid` */
export function flagOf(input: ReadonlyMap<string, string>, parameter: string): boolean {
  const text = input.get(parameter) ?? '';
  if (text === '') return false;
  const parsed = parseBoolean(text);
  if (parsed.ok) return parsed.value;
  throw new BadRequestError(
    'flag-invalid',
    `${parameter} is ${JSON.stringify(shortened(text))}: expected true or false`,
  );
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** The author of a change, for the history: `REST from 10.0.0.7`. */
export function callerOf(request: Request): string {
  return `REST from ${plainAddress(request.socket.remoteAddress ?? 'unknown')}`;
}

export function sendOutcome(response: Response, outcome: ChangeOutcome, more: object = {}): void {
  const { status, body } = responseOf(outcome);
  response.status(status).json({ ...body, ...more });
}
