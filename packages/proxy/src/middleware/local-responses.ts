import type { LocalResponse } from '../model/local-response.ts';
import type { Decision } from './middleware.ts';

/** Every response that middleware makes, in one place. */
export const middlewareResponses = {
  'http-denied': { status: 403, body: 'this service responds over https only' },
  'method-denied': { status: 403, body: 'this method is not allowed here' },
  'client-certificate-required': { status: 403, body: 'a client certificate is required' },
  'connection-misdirected': { status: 421, body: 'this connection does not prove who the client is: use a new one' },
  'address-denied': { status: 403, body: 'this address may not call the service' },
  'host-denied': { status: 403, body: 'requests for this host are not allowed here' },
  'credentials-required': { status: 401, body: 'credentials are required' },
  'credentials-wrong': { status: 401, body: 'the credentials are wrong' },
  // Docker Flow generates a random user; the client sees the same response, and the reason is for the operator.
  'credentials-unresolved': { status: 401, body: 'credentials are required' },
  'credentials-busy': { status: 503, body: 'too many credentials wait to be checked' },
  'rate-limited': { status: 429, body: 'too many requests' },
  'rewritten-path-invalid': { status: 400, body: 'the path cannot be rewritten to a valid one' },
  'in-flight-limited': { status: 429, body: 'too many requests at the same time' },
  'encoded-character': { status: 400, body: 'the path holds an encoded character that is not allowed here' },
  'request-too-large': { status: 413, body: 'the request body is too large for this service' },
  'circuit-open': { status: 503, body: 'the service fails too often and is given time to recover' },
  'auth-unavailable': { status: 503, body: 'the service that decides who may call gave no usable response' },
  'redirect-invalid': { status: 400, body: 'the URL cannot be redirected to a valid one' },
  maintenance: { status: 503, body: 'the service is down for maintenance' },
  'rewritten-path-too-long': { status: 400, body: 'the path would become too long by rewriting' },
} as const satisfies Record<string, { readonly status: number; readonly body: string }>;

export type MiddlewareResponseReason = keyof typeof middlewareResponses;

/** A decision that ends the exchange. @param headers flat name, value list. */
export function refuse(reason: MiddlewareResponseReason, headers: readonly string[] = []): Decision {
  const { status, body } = middlewareResponses[reason];
  return { kind: 'respond', response: { status, reason, headers, body: `${body}\n` } };
}

export function redirect(status: number, location: string): Decision {
  const response: LocalResponse = { status, reason: 'https-required', headers: ['Location', location], body: '' };
  return { kind: 'respond', response };
}

/** A redirect that a label requested. */
export function redirectTo(status: number, location: string): Decision {
  return { kind: 'respond', response: { status, reason: 'redirected', headers: ['Location', location], body: '' } };
}

export const proceed: Decision = Object.freeze({ kind: 'continue' });
