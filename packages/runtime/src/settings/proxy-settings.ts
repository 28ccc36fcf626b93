import { boolean, entrypoints, integer, list, oneOf, port, seconds, text, workerCount } from './parsers.ts';
import { all, given, optional, serving } from './setting.ts';

/** What the proxy and the operator's commands read. */
export const proxySettings = {
  defaultPorts: given({
    env: ['DEFAULT_PORTS'],
    parse: entrypoints,
    default: '80,443:ssl',
    defaultFor: { standalone: '8000' },
    usedBy: serving,
    meaning: 'Entrypoints: ports clients connect to, `:ssl` ends TLS',
  }),
  bindPorts: given({
    env: ['BIND_PORTS'],
    parse: entrypoints,
    default: '',
    usedBy: serving,
    meaning: 'More entrypoints beside `DEFAULT_PORTS`',
  }),
  adminPort: given({
    env: ['ADMIN_PORT'],
    parse: port,
    default: '8080',
    usedBy: [...serving, 'cli'],
    meaning: 'Proxy’s REST, UI and `/metrics`',
  }),
  adminHost: given({
    env: ['ADMIN_HOST'],
    parse: text,
    default: '127.0.0.1',
    usedBy: serving,
    meaning: 'Where the admin port listens; the image sets `::` (all addresses)',
  }),
  adminToken: optional({
    env: ['ADMIN_TOKEN'],
    parse: text,
    secret: true,
    usedBy: all,
    meaning:
      'Bearer token for calls that change something. Not set: such calls are taken from loopback only. `none`: from anywhere',
  }),
  adminUrl: optional({
    env: ['SWARMGATE_URL'],
    parse: text,
    usedBy: ['cli'],
    meaning:
      'Admin address of the proxy that the operator’s commands speak to. Default `http://127.0.0.1:<ADMIN_PORT>`',
  }),
  workers: given({
    env: ['WORKERS'],
    parse: workerCount,
    default: 'cores',
    defaultFor: { standalone: '0' },
    usedBy: serving,
    meaning: 'Data-plane workers: a number, or `cores`; `0` serves inside the control process',
  }),
  lane: given({
    env: ['LANE'],
    parse: oneOf('raw', 'express'),
    default: 'raw',
    usedBy: serving,
    meaning: '`express` serves every request through Express only',
  }),
  trustedProxies: given({
    env: ['TRUSTED_PROXIES'],
    parse: list,
    default: '',
    usedBy: serving,
    meaning: 'CIDRs whose X-Forwarded-* and PROXY headers are believed',
  }),
  barrierTimeoutMs: given({
    env: ['BARRIER_TIMEOUT_MS'],
    parse: integer(0, 600_000),
    default: '5000',
    usedBy: serving,
    meaning: 'How long a change by REST waits until all replicas serve it, in milliseconds',
  }),
  order: given({
    env: ['ORDER'],
    parse: oneOf('strict', 'legacy'),
    default: 'strict',
    usedBy: serving,
    meaning: 'Order in which routes are matched; `legacy` is Docker Flow’s',
  }),
  serviceDomainAlgo: optional({
    env: ['SERVICE_DOMAIN_ALGO'],
    parse: oneOf('hdr(host)', 'hdr_beg(host)', 'hdr_dom(host)', 'hdr_end(host)'),
    usedBy: serving,
    meaning: 'How `serviceDomain` is compared. Not set: exact on the normalised host',
  }),
  users: optional({
    env: ['USERS'],
    parse: text,
    secret: true,
    usedBy: serving,
    meaning: 'Global basic-auth users, `name:password` by comma or line',
  }),
  usersPassEncrypted: given({
    env: ['USERS_PASS_ENCRYPTED'],
    parse: boolean,
    default: 'false',
    usedBy: serving,
    meaning: 'Passwords in `USERS` are crypt(3) hashes',
  }),
  httpsOnly: given({
    env: ['HTTPS_ONLY'],
    parse: boolean,
    default: 'false',
    usedBy: serving,
    meaning: 'Redirect every request that did not come by TLS',
  }),
  separator: given({
    env: ['SEPARATOR'],
    parse: text,
    default: ',',
    usedBy: all,
    meaning: 'What separates the parts of list labels',
  }),
  filterProxyInstanceName: given({
    env: ['FILTER_PROXY_INSTANCE_NAME'],
    parse: boolean,
    default: 'false',
    usedBy: serving,
    meaning: 'Serve only services whose `proxyInstanceName` is `PROXY_INSTANCE_NAME`',
  }),
  caFile: optional({
    env: ['CA_FILE'],
    parse: text,
    usedBy: serving,
    meaning: 'Authorities that client certificates are checked against',
  }),
  defaultCert: optional({
    env: ['DEFAULT_CERT'],
    parse: text,
    usedBy: serving,
    meaning: 'Name of the certificate for host names that have none of their own',
  }),
  compressionAlgo: optional({
    env: ['COMPRESSION_ALGO'],
    parse: text,
    usedBy: serving,
    meaning: 'Compression for all services that do not say otherwise',
  }),
  compressionType: optional({
    env: ['COMPRESSION_TYPE'],
    parse: text,
    usedBy: serving,
    meaning: 'Media types that are compressed',
  }),
  connectionMode: given({
    env: ['CONNECTION_MODE'],
    parse: oneOf('http-keep-alive', 'http-server-close', 'httpclose'),
    default: 'http-keep-alive',
    usedBy: serving,
    meaning: 'What happens to connections after an answer',
  }),
  timeoutConnectMs: timeout('CONNECT', 5, 'to connect to an endpoint'),
  timeoutClientMs: timeout('CLIENT', 20, 'a client may stay silent in the middle of a request'),
  timeoutServerMs: timeout('SERVER', 20, 'an endpoint may stay silent'),
  timeoutQueueMs: timeout('QUEUE', 30, 'a request waits for a free connection'),
  timeoutHttpRequestMs: timeout('HTTP_REQUEST', 5, 'a request head may take to arrive'),
  timeoutHttpKeepAliveMs: timeout('HTTP_KEEP_ALIVE', 15, 'a connection may stay idle between requests'),
  timeoutTunnelMs: timeout('TUNNEL', 3600, 'an upgraded connection may stay silent'),
  drainTimeoutMs: given({
    env: ['DRAIN_TIMEOUT_MS'],
    parse: integer(0, 3_600_000),
    default: '10000',
    usedBy: serving,
    meaning: 'How long requests in flight may take after SIGTERM, in milliseconds',
  }),
  maxConnections: given({
    env: ['MAX_CONNECTIONS'],
    parse: integer(0, 10_000_000),
    default: '50000',
    usedBy: serving,
    meaning: 'Client connections of one proxy at the same time; more are closed at once. `0`: no limit',
  }),
  maxConnectionsPerAddress: given({
    env: ['MAX_CONNECTIONS_PER_ADDRESS'],
    parse: integer(0, 10_000_000),
    default: '0',
    usedBy: serving,
    meaning:
      'The same for one client address, `TRUSTED_PROXIES` aside. `0`: no limit, because behind an ingress mesh all clients share one',
  }),
  accessLog: given({
    env: ['ACCESS_LOG'],
    parse: oneOf('off', 'json', 'common'),
    default: 'off',
    usedBy: serving,
    meaning: 'Access log on standard output, and its format',
  }),
} as const;

function timeout(name: string, defaultSeconds: number, what: string) {
  return given({
    env: [`TIMEOUT_${name}`],
    parse: seconds,
    default: String(defaultSeconds),
    usedBy: serving,
    meaning: `Seconds ${what}`,
  });
}
