import { cookieAttributes } from '../values/cookie-attributes.ts';
import { isToken } from '../values/header-names.ts';
import { boolean, integer, oneOf, seconds, text } from '../values/plain.ts';
import { not, ok, type Value } from '../values/value.ts';
import { added, fixed, httpOnly, label, relaysOnly, same } from './label-entry.ts';

const stickyServer: Value<'sticky-server'> = {
  parse: (raw) =>
    raw.trim() === 'sticky-server'
      ? ok('sticky-server')
      : { ok: false, expected: 'sticky-server; other values mean no sticky sessions', severity: 'warning' },
  schema: (zod) => zod.literal('sticky-server'),
};

const expectedCookieName = 'the name of a cookie, without the prefixes __Host- and __Secure-';
const cookieName: Value<string> = {
  parse: (raw) => {
    const name = raw.trim();
    return isCookieName(name) ? ok(name) : not(expectedCookieName);
  },
  schema: (zod) => zod.string().refine(isCookieName, `expected ${expectedCookieName}`),
};

/** RFC 6265, section 4.1.1. Browsers take the two prefixes over https alone. */
function isCookieName(name: string): boolean {
  return isToken(name) && name.length <= 128 && !/^__(host|secure)-/i.test(name);
}

const dnsDiscovery: Value<'DNS'> = {
  parse: (raw) => {
    const type = raw.trim().toLowerCase();
    return type === 'dns' ? ok('DNS') : type === 'overlay' ? ok(undefined) : not('DNS or Overlay');
  },
  schema: (zod) => zod.literal('DNS'),
};

const checkPath: Value<string> = {
  parse: (raw) => (/^\/\S*$/.test(raw.trim()) ? ok(raw.trim()) : not('a path such as /health')),
  schema: (zod) => zod.string().regex(/^\/\S*$/, 'expected a path such as /health'),
};

/** How the endpoints of a service are found, chosen and watched, and the labels of tcp and sni relays. */
export const upstreamServiceLabels = {
  sessionType: label('sessionType', stickyServer, {
    meaning: '`sticky-server`: a cookie (`sessionCookie`) keeps a client at the task that responded first.',
    modes: httpOnly,
    example: 'sticky-server',
    dockerFlow: fixed(
      'The cookie names a task and is replaced when the task is gone; Docker Flow’s list of servers is lost with an update.',
    ),
  }),
  sessionCookie: label('sessionCookie', cookieName, {
    default: 'the service’s name',
    meaning:
      'Name of the cookie of `sessionType`. A cookie that the service itself sets under this name is left alone; the proxy’s is then `<name>-swarmgate`.',
    modes: httpOnly,
    example: 'backend',
    dockerFlow: added,
  }),
  sessionCookieAttributes: label('sessionCookieAttributes', cookieAttributes, {
    default: 'Path=/; HttpOnly; SameSite=Lax',
    meaning:
      'Attributes of the cookie of `sessionType`: `Path`, `Domain`, `Max-Age`, `SameSite`, `Secure`, `HttpOnly`. Over https `Secure` is added.',
    modes: httpOnly,
    example: 'Path=/; SameSite=None; Secure',
    dockerFlow: added,
  }),
  discoveryType: label('discoveryType', dnsDiscovery, {
    default: 'the registered addresses of the tasks',
    meaning: '`DNS`: endpoints are what `tasks.<service>` resolves to.',
    example: 'DNS',
    dockerFlow: same,
  }),
  balance: label('balance', oneOf('round-robin', 'least-outstanding'), {
    default: 'round-robin',
    meaning: 'How an endpoint is chosen: in turn, or the less busy one of two chosen at random.',
    example: 'least-outstanding',
    dockerFlow: added,
  }),
  weight: label('weight', integer(0, 256), {
    meaning:
      'Canary: services with the same match and a weight share its requests in proportion, instead of a conflict.',
    example: '5',
    dockerFlow: added,
  }),
  replicas: label('replicas', integer(0, 1_000_000_000), {
    default: 'absent for global services',
    meaning: 'Desired tasks; the listener sets it. `0` removes the service.',
    example: '3',
    dockerFlow: same,
  }),
  distribute: label('distribute', boolean, {
    default: 'true',
    meaning: 'Accepted and without effect: every replica of the proxy follows one registry.',
    example: 'true',
    dockerFlow: fixed('Every change reaches every replica, requested or not.'),
  }),
};

export const upstreamDestinationLabels = {
  protocol: label('protocol', oneOf('http1', 'h2c', 'h2', 'grpc'), {
    default: 'http1',
    meaning:
      'What the service speaks: HTTP/1.1, HTTP/2 in plain text (`h2c`), HTTP/2 over TLS by ALPN (`h2`, certificate not checked), or gRPC: as `h2c`, with health checks by `grpc.health.v1`. `sslVerifyNone` adds TLS to `grpc`.',
    modes: httpOnly,
    example: 'h2c',
    dockerFlow: added,
  }),
  grpcWeb: label('grpcWeb', boolean, {
    default: 'false',
    meaning:
      'Translates calls of gRPC-Web (`application/grpc-web` and `application/grpc-web-text`), which browsers can make, to gRPC. For `protocol=grpc`, `h2c` and `h2`.',
    modes: httpOnly,
    example: 'true',
    dockerFlow: added,
  }),
  passHostHeader: label('passHostHeader', boolean, {
    default: 'true',
    meaning:
      'Sends the Host that the client sent. `false`: the service gets its own name or address instead, `outboundHostname` where that is set, with a port that is not the usual one; the client’s is in X-Forwarded-Host.',
    modes: httpOnly,
    example: 'false',
    dockerFlow: added,
  }),
  checkPath: label('checkPath', checkPath, {
    meaning:
      'Path of the health check; an endpoint that does not respond with 2xx or 3xx gets no requests. With `protocol=grpc` it names what `grpc.health.v1.Health/Check` is called with: `/` the whole server, `/package.Service` one service.',
    example: '/health',
    dockerFlow: added,
  }),
  checkIntervalMs: label('checkIntervalMs', integer(100, 3_600_000), {
    default: '5000',
    meaning: 'Milliseconds between two checks of `checkPath`.',
    example: '2000',
    dockerFlow: added,
  }),
  timeoutClientMs: label('timeoutClient', seconds, {
    default: '`TIMEOUT_CLIENT`, else 20',
    meaning:
      'Seconds a client may send nothing in the middle of a request, or of a relay. Never 0: silent clients would hold connections for ever.',
    example: '300',
    dockerFlow: same,
  }),
  serviceGroup: label('serviceGroup', text, {
    meaning: 'tcp, sni and tls: services of one group on one port share its connections.',
    modes: relaysOnly,
    example: 'postgres',
    dockerFlow: same,
  }),
  balanceGroup: label('balanceGroup', text, {
    default: 'roundrobin',
    meaning: 'tcp, sni and tls: how a group’s endpoint is picked, `roundrobin` or `leastconn`.',
    modes: relaysOnly,
    example: 'leastconn',
    dockerFlow: same,
  }),
  checkTcp: label('checkTcp', boolean, {
    default: 'false',
    meaning: 'tcp, sni and tls: endpoints are checked by connecting to them.',
    example: 'true',
    dockerFlow: same,
  }),
  sendProxyHeader: label('sendProxyHeader', oneOf('v1', 'v2'), {
    meaning:
      'tcp, sni and tls: the service gets a PROXY header with the client’s address before its bytes, in this version. A proxy that does not know the label does not relay, because the service would take all clients for the proxy; requests get 503.',
    modes: relaysOnly,
    restricts: 'proxy-header',
    example: 'v2',
    dockerFlow: added,
  }),
  clitcpka: label('clitcpka', boolean, {
    default: 'false',
    meaning: 'tcp, sni and tls: TCP keep-alive towards the client, after 60 s.',
    modes: relaysOnly,
    example: 'true',
    dockerFlow: same,
  }),
};
