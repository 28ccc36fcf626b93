import type { LocalResponse } from '../model/local-response.ts';

/**
 * Every local response, in one place. `client-gone` is never sent: it only appears in the log.
 * Retry-After is in seconds.
 */
export const localResponses = {
  'no-route': { status: 503, body: 'no route matches this request' },
  'no-endpoint': { status: 503, retryAfter: 1, body: 'the service has no endpoint that can take the request' },
  'stale-endpoint': { status: 503, retryAfter: 1, body: 'the known addresses of the service may be stale' },
  'queue-full': { status: 503, retryAfter: 1, body: 'too many requests wait for the service' },
  'queue-timeout': { status: 503, retryAfter: 1, body: 'no connection to the service became free in time' },
  'unsupported-feature': { status: 503, body: 'a restriction of this route cannot be honoured' },
  'out-of-descriptors': { status: 503, retryAfter: 1, body: 'the proxy cannot open a connection to the service' },
  'too-many-connections': { status: 503, retryAfter: 1, body: 'too many connections' },
  'endpoint-unreachable': { status: 502, body: 'the service refused or reset the connection' },
  'endpoint-answer-invalid': { status: 502, body: 'the service sent a response that is not HTTP' },
  'wrong-protocol': { status: 502, body: 'the service does not speak the protocol that its label names' },
  'upgrade-not-supported': { status: 501, body: 'the service takes no upgrades over HTTP/2' },
  'connect-timeout': { status: 504, body: 'the service did not accept a connection in time' },
  'head-timeout': { status: 504, body: 'the service did not respond in time' },
  'deadline-exceeded': { status: 504, body: 'the call was not complete within its grpc-timeout' },
  'client-gone': { status: 499, body: '' },
  'request-timeout': { status: 408, body: 'the request did not arrive in time' },
  'bad-request': { status: 400, body: 'the request is not valid HTTP' },
  'ambiguous-framing': { status: 400, body: 'the length of the request body is ambiguous' },
  'bad-host': { status: 400, body: 'the Host header is missing, repeated or invalid' },
  'bad-path': { status: 400, body: 'the request path is not valid' },
  'path-ambiguous': { status: 400, body: 'servers read the request path in ways that different rules apply to' },
  'expectation-failed': { status: 417, body: 'only 100-continue can be expected' },
  'body-too-large': { status: 413, body: 'the request body is too large' },
  'head-too-large': { status: 431, body: 'the request head is too large' },
  'method-not-forwarded': { status: 501, body: 'this method is not forwarded' },
  'misdirected-request': { status: 421, body: 'another certificate is served for this host: use a new connection' },
  'host-relayed': {
    status: 421,
    body: 'connections for this host go to its service as they are: use a new connection',
  },
  'version-not-supported': { status: 505, body: 'this major version of HTTP is not served in this form' },
  loop: { status: 508, body: 'the request has passed too many proxies of this kind' },
  redirect: { status: 301, body: '' },
  'plugin-failed': { status: 500, body: 'a plug-in of this route failed' },
  'plugin-suspended': { status: 503, retryAfter: 60, body: 'a plug-in of this route is suspended' },
  'plugin-timeout': { status: 504, body: 'a plug-in of this route did not respond in time' },
  'internal-error': { status: 500, body: 'the proxy failed to handle the request' },
} as const satisfies Record<string, { readonly status: number; readonly retryAfter?: number; readonly body: string }>;

export type LocalResponseReason = keyof typeof localResponses;

const shared = new Map<string, LocalResponse>();

/**
 * One object for all requests that get the same.
 * @param location Only for `redirect`.
 */
export function localResponse(reason: LocalResponseReason, location?: string): LocalResponse {
  if (location !== undefined) return made(reason, location);
  const known = shared.get(reason);
  if (known !== undefined) return known;
  const response = Object.freeze(made(reason));
  shared.set(reason, response);
  return response;
}

/** Whether other requests get this very response too. */
export function isSharedResponse(response: LocalResponse): boolean {
  return shared.get(response.reason) === response;
}

function made(reason: LocalResponseReason, location?: string): LocalResponse {
  const entry: { readonly status: number; readonly retryAfter?: number; readonly body: string } =
    localResponses[reason];
  const headers: string[] = [];
  if (entry.retryAfter !== undefined) headers.push('Retry-After', String(entry.retryAfter));
  if (location !== undefined) headers.push('Location', location);
  return { status: entry.status, reason, headers, body: entry.body === '' ? '' : `${entry.body}\n` };
}

/** Head fields of a response as they are sent: its own, what it is and how long it is. */
export function localResponseHeaders(response: LocalResponse): string[] {
  const headers = [...(response.headers ?? [])];
  const has = (name: string) => headers.some((each, at) => at % 2 === 0 && each.toLowerCase() === name);
  headers.push('X-Swarmgate-Reason', response.reason);
  const body = response.body ?? '';
  if (body !== '' && !has('content-type')) headers.push('Content-Type', 'text/plain; charset=utf-8');
  // A gRPC response without messages is a head that ends its stream, and has no length.
  if (!headers.includes('application/grpc'))
    headers.push('Content-Length', String(response.bytes?.length ?? Buffer.byteLength(body)));
  return headers;
}
