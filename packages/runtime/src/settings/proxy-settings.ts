import {
  bearerToken,
  boolean,
  entrypoints,
  http2,
  httpRouter,
  integer,
  networks,
  oneOf,
  type Parser,
  port,
  portMapping,
  ports,
  seconds,
  secondsOrNoLimit,
  text,
  workerCount,
} from './parsers.ts';
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
  publishedPorts: given({
    env: ['PUBLISHED_PORTS'],
    parse: portMapping,
    default: '',
    usedBy: serving,
    meaning:
      'Port of an entrypoint and the port under which clients reach it, `8080:80,8443:443`, where the two differ: redirects to https go to the latter, and services get it as `X-Forwarded-Port`',
  }),
  adminPort: given({
    env: ['ADMIN_PORT'],
    parse: port,
    default: '8080',
    usedBy: [...serving, 'cli'],
    meaning: 'Proxy’s REST and `/metrics`',
  }),
  adminHost: given({
    env: ['ADMIN_HOST'],
    parse: text,
    default: '127.0.0.1',
    usedBy: serving,
    meaning: 'Where the admin port listens; the image sets `::` (all addresses)',
  }),
  adminTls: optional({
    env: ['ADMIN_TLS'],
    parse: text,
    // It may be the PEM itself, with the key.
    secret: true,
    usedBy: ['proxy', 'standalone', 'cli'],
    meaning:
      'Path of a PEM file with certificate, chain and key, read again when it changes, or (as a secret) such a PEM itself: the admin port speaks TLS with it, and takes no HTTP any more. The operator’s commands on the same machine trust it',
  }),
  adminCa: optional({
    env: ['SWARMGATE_CACERT'],
    parse: text,
    pathOf: 'pem-file',
    usedBy: ['cli'],
    meaning:
      'Authorities that the operator’s commands take a proxy’s `ADMIN_TLS` from. Not set: those of Node, and on the same machine `ADMIN_TLS` itself',
  }),
  adminToken: optional({
    env: ['ADMIN_TOKEN'],
    parse: bearerToken,
    secret: true,
    usedBy: all,
    meaning:
      'Bearer token of the REST. Not set: calls are taken from loopback only, and must name this machine in Host. `none`: all calls are taken from anywhere',
  }),
  adminRead: optional({
    env: ['ADMIN_READ'],
    parse: oneOf('open', 'token'),
    usedBy: all,
    meaning:
      'Who may read the REST and `/metrics`: `token`, or `open` for everyone who reaches the port. Live requests, explain, history, services, certificates and changes keep to `ADMIN_TOKEN` in any case; `/healthz` and `/readyz` are open. Not set: `token` where `ADMIN_TOKEN` is set, else loopback only',
  }),
  metricsToken: optional({
    env: ['METRICS_TOKEN'],
    parse: bearerToken,
    secret: true,
    usedBy: all,
    meaning: 'Bearer token that opens `/metrics` and nothing else, beside `ADMIN_TOKEN`',
  }),
  adminUrl: optional({
    env: ['SWARMGATE_URL'],
    parse: text,
    usedBy: ['cli'],
    meaning:
      'Admin address of the proxy that the operator’s commands call. Default `http://127.0.0.1:<ADMIN_PORT>`, `https` where `ADMIN_TLS` is set',
  }),
  workers: given({
    env: ['WORKERS'],
    parse: workerCount,
    default: 'cores',
    defaultFor: { standalone: '0' },
    usedBy: serving,
    meaning: 'Worker processes: a number, or `cores`; `0` serves inside the control process',
  }),
  httpRouter: given({
    env: ['HTTP_ROUTER', 'LANE'],
    parse: httpRouter,
    default: 'core',
    usedBy: serving,
    meaning:
      '`core`, or `express`: every HTTP route runs through an Express router that is swapped with the table. `LANE` is deprecated',
  }),
  pluginsDir: optional({
    env: ['PLUGINS_DIR'],
    parse: text,
    usedBy: serving,
    meaning:
      'Folder of Express middleware that routes may name by `com.df.plugins`: one file a plug-in (docs/plugins.md). Plug-ins run with the proxy’s rights',
  }),
  trustedProxies: given({
    env: ['TRUSTED_PROXIES'],
    parse: networks,
    default: '',
    usedBy: serving,
    meaning: 'CIDRs of trusted hops: their X-Forwarded-* and PROXY headers are used',
  }),
  proxyProtocolPorts: given({
    env: ['PROXY_PROTOCOL_PORTS'],
    parse: ports,
    default: '',
    usedBy: serving,
    meaning:
      'Ports, of entrypoints, of tcp, sni and tls services and `CONSUL_UI_PORT`, where every connection begins with a PROXY header; only `TRUSTED_PROXIES` are served there',
  }),
  http2: given({
    env: ['HTTP2'],
    parse: http2,
    default: 'true',
    usedBy: serving,
    meaning:
      'Serve HTTP/2: by ALPN on `:ssl` ports, by the preface of its clients on plain ports. `node`: with the framing of node:http2, for comparison; it costs more, and floods meet the limits of Node alone',
  }),
  http2MaxConcurrentStreams: given({
    env: ['HTTP2_MAX_CONCURRENT_STREAMS'],
    parse: integer(1, 10_000),
    default: '100',
    usedBy: serving,
    meaning: 'Streams that one HTTP/2 connection may have open at once; more are refused and may be sent again',
  }),
  writesForwarded: given({
    env: ['FORWARDED_HEADER'],
    parse: boolean,
    default: 'false',
    usedBy: serving,
    meaning: 'Send `Forwarded` (RFC 7239) to services, beside X-Forwarded-*',
  }),
  viaHeader: given({
    env: ['VIA_HEADER'],
    parse: boolean,
    default: 'false',
    usedBy: serving,
    meaning:
      'Add this proxy to `Via` (RFC 9110, section 7.6.3) of requests. nginx compresses no response to a request with Via unless `gzip_proxied` is set',
  }),
  encodedSlash: given({
    env: ['ENCODED_SLASH'],
    parse: oneOf('keep', 'refuse'),
    default: 'keep',
    usedBy: serving,
    meaning:
      'What happens to paths with `%2F`, `%5C` or `\\`: `keep` forwards them as sent where no other reading meets a stricter rule, `refuse` responds with 400',
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
    pathOf: 'pem-file',
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
    meaning: 'Compression for all services that do not set their own',
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
    meaning: 'What happens to connections after a response',
  }),
  timeoutConnectMs: timeout('CONNECT', 5, 'to connect to an endpoint'),
  timeoutClientMs: timeout('CLIENT', 20, 'a client may stay silent in the middle of a request'),
  timeoutServerMs: timeout('SERVER', 20, 'an endpoint may stay silent; 0: no limit', secondsOrNoLimit),
  timeoutQueueMs: timeout('QUEUE', 30, 'a request waits for a free connection'),
  timeoutHttpRequestMs: timeout('HTTP_REQUEST', 5, 'a request head may take to arrive'),
  timeoutHttpKeepAliveMs: timeout('HTTP_KEEP_ALIVE', 15, 'a connection may stay idle between requests'),
  timeoutTunnelMs: timeout(
    'TUNNEL',
    3600,
    'an upgraded connection, or a stream of server-sent events, may stay silent; 0: no limit',
    secondsOrNoLimit,
  ),
  bodyBytesPerSecond: given({
    env: ['MIN_BODY_BYTES_PER_SECOND'],
    parse: integer(0, 1_000_000_000),
    default: '100',
    usedBy: serving,
    meaning:
      'Of a request body, averaged over `TIMEOUT_CLIENT`; slower clients get 408. A response that its client takes more slowly is cut. `0`: only silence ends them',
  }),
  mostBodyBytes: given({
    env: ['MAX_BODY_BYTES'],
    parse: integer(0, Number.MAX_SAFE_INTEGER),
    default: '0',
    usedBy: serving,
    meaning: 'Of a request body, without its chunks’ framing; larger ones get 413. `0`: no limit',
  }),
  mostHeadBytes: given({
    env: ['MAX_HEAD_BYTES'],
    parse: integer(1_024, 1_048_576),
    default: '32768',
    usedBy: serving,
    meaning: 'Of a request head, line and fields; larger ones get 431. Heads of responses may have 65,536 bytes',
  }),
  drainDelayMs: given({
    env: ['DRAIN_DELAY_MS'],
    parse: integer(0, 600_000),
    default: '0',
    usedBy: serving,
    meaning:
      'How long connections are still accepted after SIGTERM, while `/readyz` already responds `draining`, in milliseconds: for a load balancer before the proxies to see it',
  }),
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
    meaning:
      'Client connections of one proxy at the same time; more are closed at once. `0`: no limit. A process admits fewer where its descriptors (`ulimit -n`) do not suffice (docs/limits.md)',
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
    parse: oneOf('off', 'json', 'common', 'combined'),
    default: 'off',
    usedBy: serving,
    meaning:
      'Access log on standard output, and its format: `json`, or NCSA’s `common` and `combined` (docs/access-log.md)',
  }),
  accessLogQuery: given({
    env: ['ACCESS_LOG_QUERY'],
    parse: boolean,
    default: 'true',
    usedBy: serving,
    meaning:
      'Write query strings into the access log, as nginx, HAProxy and Traefik do. `false` leaves them out of targets and of Referer: they may hold tokens and names',
  }),
  liveRequestsQuery: given({
    env: ['LIVE_REQUESTS_QUERY'],
    parse: boolean,
    default: 'false',
    usedBy: serving,
    meaning: 'Show query strings in `GET /v1/requests`: they may hold tokens and names',
  }),
  metricsServices: given({
    env: ['METRICS_SERVICES'],
    parse: integer(0, 100_000),
    default: '200',
    usedBy: serving,
    meaning:
      'Services whose request durations `/metrics` shows apart: the first with requests. Those of the others are shown together, as `other`',
  }),
} as const;

function timeout(name: string, defaultSeconds: number, what: string, parse: Parser<number> = seconds) {
  return given({
    env: [`TIMEOUT_${name}`],
    parse,
    default: String(defaultSeconds),
    usedBy: serving,
    meaning: `Seconds ${what}`,
  });
}
