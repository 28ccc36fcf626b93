import { methodOf } from '@swarmgate/labels';
import { proceed, refuse } from './local-responses.ts';
import type { Middleware } from './middleware.ts';

/**
 * `verifyClientSsl`: 403 unless the client showed a certificate of an authority in `CA_FILE`; 421 (RFC 9110, section
 * 15.5.20) on a connection that was made under another rule, where a request on a new one may succeed.
 */
export const verifyClientSsl: Middleware = {
  name: 'verifyClientSsl',
  onRequest: ({ client }) => {
    if (client.misdirected === true) return refuse('connection-misdirected');
    return client.certificateVerified ? proceed : refuse('client-certificate-required');
  },
};

/** `denyHttp`: 403 where `httpsOnly` would redirect. */
export const denyHttp: Middleware = {
  name: 'denyHttp',
  onRequest: ({ client }) => (client.scheme === 'https' ? proceed : refuse('http-denied')),
};

export function allowedMethods(methods: readonly string[]): Middleware {
  const allowed = new Set(methods.map(methodOf));
  return {
    name: 'allowedMethods',
    onRequest: ({ method }) => (allowed.has(method) ? proceed : refuse('method-denied')),
  };
}

export function deniedMethods(methods: readonly string[]): Middleware {
  const denied = new Set(methods.map((method) => method.toUpperCase()));
  return {
    name: 'deniedMethods',
    // Methods have letter case (RFC 9110, section 9.1), yet there are services that take `post` for POST.
    onRequest: ({ method }) => (denied.has(method.toUpperCase()) ? refuse('method-denied') : proceed),
  };
}
