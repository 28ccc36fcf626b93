import type { IncomingHttpHeaders } from 'node:http';

/** On every response of this port, Consul's and local ones: no other page may frame, open or embed what it shows. */
export const protectingHeaders: Readonly<Record<string, string>> = {
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

// The UI begins with scripts and styles inside its page. It may load from and connect to this port alone, so that a script
// that got into it could send nothing elsewhere.
const uiPolicy = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Values from users and labels: a browser must never run them. */
const dataPolicy = "sandbox; default-src 'none'; frame-ancestors 'none'";

// Hop-by-hop headers (RFC 9110, section 7.6.1), headers that would admit other origins, and cookies, which Consul does not use.
const droppedFields = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Consul's response headers as the client gets them: changes `headers` in place, as http-proxy-middleware expects. */
export function protectResponse(headers: IncomingHttpHeaders, path: string): void {
  for (const name of Object.keys(headers))
    if (droppedFields.has(name) || name.startsWith('access-control-')) delete headers[name];
  Object.assign(headers, protectingHeaders);
  const isData = path.startsWith('/v1');
  const policy = isData ? dataPolicy : uiPolicy;
  const given = headers['content-security-policy'];
  // Each of several policies has to allow what is loaded.
  Object.assign(headers, { 'content-security-policy': given === undefined ? policy : [given, policy].flat() });
  // Only a browser that has logged in may keep the UI, and revalidates it. Data is kept nowhere.
  headers['cache-control'] = isData ? 'no-store' : 'private, no-cache';
}
