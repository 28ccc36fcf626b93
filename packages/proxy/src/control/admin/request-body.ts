import { SwarmgateError } from '@swarmgate/runtime';
import { readJson } from '@swarmgate/runtime/rest';
import type { RequestHandler } from 'express';

/** A value in the registry stays below this, so nothing larger can be meant. */
const largestBodyBytes = 512 * 1024;

class UnsupportedBodyError extends SwarmgateError {
  readonly status = 415;
}

/** Reads a JSON body, of any kind, where there is one. A body of another type is refused, not overlooked. */
export const jsonBody: readonly RequestHandler[] = [
  (request, _response, next) => {
    // `false`: there is a body, and it is something else; `null`: there is none.
    const isEmpty = request.headers['content-length'] === '0';
    if (isEmpty || request.is('json') !== false) {
      next();
      return;
    }
    const type = request.headers['content-type'];
    const said = type === undefined ? 'without Content-Type' : `sent as ${type}`;
    next(
      new UnsupportedBodyError(
        'body-not-json',
        `the body is ${said}: send JSON with Content-Type: application/json, or query parameters without a body`,
      ),
    );
  },
  readJson(largestBodyBytes),
];

/** What a parsed JSON value is, for a sentence. Shows short values, and no text that may be a secret. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'string' ? 'text' : 'an object';
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
