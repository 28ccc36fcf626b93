import { boolean, entrypoints, integer, list, oneOf, ownerName, type Parser, port, seconds, text } from './parsers.ts';

export type Role = 'proxy' | 'listener' | 'standalone' | 'cli';

export interface Setting<T> {
  /** Environment names, the first found wins; the first is the one the docs use. */
  readonly env: readonly [string, ...string[]];
  readonly parse: Parser<T>;
  /** The value where the environment says nothing, as the environment would say it. `undefined`: not set. */
  readonly default: string | undefined;
  /** Other defaults for some roles. */
  readonly defaultFor?: Readonly<Partial<Record<Role, string>>>;
  /** Never logged, never shown. */
  readonly secret?: true;
  readonly usedBy: readonly Role[];
  readonly meaning: string;
}

const all = ['proxy', 'listener', 'standalone', 'cli'] as const;
const serving = ['proxy', 'standalone'] as const;
const listening = ['listener', 'standalone'] as const;

/** A setting that always has a value. */
function given<T>(setting: Omit<Setting<T>, 'default'> & { readonly default: string }) {
  return setting;
}

/** A setting that may be absent. */
function optional<T>(setting: Omit<Setting<T>, 'default'>): Setting<T> & { readonly default: undefined } {
  return { ...setting, default: undefined };
}

/** Every setting there is. Adding one is one entry here; docs/environment.md is generated from it. */
export const settingsCatalogue = {
  // Registry: Consul's own names.
  consulAddress: optional({
    env: ['CONSUL_HTTP_ADDR'],
    parse: text,
    usedBy: all,
    meaning: 'Consul agent, `host:port` or URL. Not set: the embedded registry',
  }),
  consulToken: optional({ env: ['CONSUL_HTTP_TOKEN'], parse: text, secret: true, usedBy: all, meaning: 'ACL token' }),
  consulSsl: given({
    env: ['CONSUL_HTTP_SSL'],
    parse: boolean,
    default: 'false',
    usedBy: all,
    meaning: 'Speak TLS to Consul',
  }),
  consulCaCert: optional({
    env: ['CONSUL_CACERT'],
    parse: text,
    usedBy: all,
    meaning: 'File with the authority that signed Consul’s certificate',
  }),
  consulClientCert: optional({
    env: ['CONSUL_CLIENT_CERT'],
    parse: text,
    usedBy: all,
    meaning: 'File with the client certificate for mutual TLS',
  }),
  consulClientKey: optional({
    env: ['CONSUL_CLIENT_KEY'],
    parse: text,
    usedBy: all,
    meaning: 'File with the key of the client certificate',
  }),
  instanceName: given({
    env: ['PROXY_INSTANCE_NAME'],
    parse: keyPart,
    default: 'swarmgate',
    usedBy: all,
    meaning: 'Prefix of all keys; proxies of different kinds can share one Consul',
  }),
  dataDir: given({
    env: ['DATA_DIR'],
    parse: text,
    default: './.swarmgate',
    usedBy: all,
    meaning: 'Last good snapshot, certificates, embedded registry',
  }),
  secretsKey: optional({
    env: ['SECRETS_KEY'],
    parse: list,
    secret: true,
    usedBy: all,
    meaning: '32 bytes in base64 (two, comma-separated, during a rotation) that encrypt private keys in the registry',
  }),
  redisUrl: optional({
    env: ['REDIS_URL'],
    parse: text,
    secret: true,
    usedBy: serving,
    meaning: 'Optional cluster bus: shared rate limits, health hints, counters',
  }),
  swarmName: given({
    env: ['SWARM_NAME'],
    parse: ownerName,
    default: 'swarm',
    usedBy: all,
    meaning: 'Owner under which the listener publishes; one per Swarm that shares a registry',
  }),
  logLevel: given({
    env: ['LOG_LEVEL'],
    parse: oneOf('debug', 'info', 'warn', 'error', 'silent'),
    default: 'info',
    usedBy: all,
    meaning: 'Least severe log line that is written',
  }),

  // Proxy.
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
    parse: workers,
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
  accessLog: given({
    env: ['ACCESS_LOG'],
    parse: oneOf('off', 'json', 'common'),
    default: 'off',
    usedBy: serving,
    meaning: 'Access log on standard output, and its format',
  }),

  // Listener.
  dockerHost: optional({
    env: ['DF_DOCKER_HOST', 'DOCKER_HOST'],
    parse: text,
    usedBy: listening,
    meaning: 'Docker Engine, `unix://` or `tcp://`. Not set: /var/run/docker.sock',
  }),
  listenerPort: given({
    env: ['LISTENER_PORT'],
    parse: portOrOff,
    default: '8080',
    defaultFor: { standalone: 'off' },
    usedBy: listening,
    meaning: 'Listener’s REST; `off` opens none',
  }),
  listenerHost: given({
    env: ['LISTENER_HOST'],
    parse: text,
    default: '127.0.0.1',
    usedBy: listening,
    meaning: 'Where the listener’s port listens; the image sets `::` (all addresses)',
  }),
  notifyLabel: given({
    env: ['DF_NOTIFY_LABEL'],
    parse: text,
    default: 'com.df.notify',
    usedBy: listening,
    meaning: 'Label that selects the services to publish',
  }),
  serviceNamePrefix: given({
    env: ['DF_SERVICE_NAME_PREFIX'],
    parse: text,
    default: '',
    usedBy: listening,
    meaning: 'Put before every service name',
  }),
  includeNodeIpInfo: given({
    env: ['DF_INCLUDE_NODE_IP_INFO'],
    parse: boolean,
    default: 'false',
    usedBy: listening,
    meaning: 'Add `nodeInfo` to what get-services and notifications carry',
  }),
  notifyCreateServiceUrls: notifyUrls('DF_NOTIFY_CREATE_SERVICE_URL', 'a service is created or changed'),
  notifyRemoveServiceUrls: notifyUrls('DF_NOTIFY_REMOVE_SERVICE_URL', 'a service is removed'),
  notifyCreateNodeUrls: notifyUrls('DF_NOTIFY_CREATE_NODE_URL', 'a node joins or changes'),
  notifyRemoveNodeUrls: notifyUrls('DF_NOTIFY_REMOVE_NODE_URL', 'a node goes'),
  notifyCreateServiceMethods: notifyMethods('DF_NOTIFY_CREATE_SERVICE_METHOD'),
  notifyRemoveServiceMethods: notifyMethods('DF_NOTIFY_REMOVE_SERVICE_METHOD'),
  notifyCreateNodeMethods: notifyMethods('DF_NOTIFY_CREATE_NODE_METHOD'),
  notifyRemoveNodeMethods: notifyMethods('DF_NOTIFY_REMOVE_NODE_METHOD'),
  notifyImmediately: given({
    env: ['DF_NOTIFY_CREATE_SERVICE_IMMEDIATELY'],
    parse: boolean,
    default: 'false',
    usedBy: listening,
    meaning: 'Do not wait for running tasks of services with `com.df.scrapeNetwork`',
  }),
  retries: given({
    env: ['DF_RETRY'],
    parse: integer(0, 1_000_000),
    default: '50',
    usedBy: listening,
    meaning: 'How often a notification is tried again',
  }),
  retryIntervalMs: given({
    env: ['DF_RETRY_INTERVAL'],
    parse: seconds,
    default: '5',
    usedBy: listening,
    meaning: 'Seconds between two tries',
  }),
  useServiceEvents: given({
    env: ['DF_USE_DOCKER_SERVICE_EVENTS'],
    parse: boolean,
    default: 'true',
    usedBy: listening,
    meaning: 'React to Docker’s service events',
  }),
  useNodeEvents: given({
    env: ['DF_USE_DOCKER_NODE_EVENTS'],
    parse: boolean,
    default: 'true',
    usedBy: listening,
    meaning: 'React to Docker’s node events',
  }),
  servicePollingIntervalMs: given({
    env: ['DF_SERVICE_POLLING_INTERVAL'],
    parse: secondsOrOff,
    default: '-1',
    usedBy: listening,
    meaning: 'Seconds between two full listings besides `RESYNC_INTERVAL_MS`; -1: none',
  }),
  resyncIntervalMs: given({
    env: ['RESYNC_INTERVAL_MS'],
    parse: integer(100, 86_400_000),
    default: '30000',
    usedBy: listening,
    meaning: 'Time between two full listings, event or not, in milliseconds',
  }),
} as const;

function keyPart(raw: string): ReturnType<Parser<string>> {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(raw)
    ? { ok: true, value: raw }
    : { ok: false, expected: 'letters, digits, dot, underscore, hyphen' };
}

function workers(raw: string): ReturnType<Parser<number | 'cores'>> {
  return raw === 'cores' ? { ok: true, value: 'cores' } : integer(0, 256)(raw);
}

function portOrOff(raw: string): ReturnType<Parser<number | 'off'>> {
  return raw === 'off' ? { ok: true, value: 'off' } : port(raw);
}

function secondsOrOff(raw: string): ReturnType<Parser<number | 'off'>> {
  return raw === '-1' ? { ok: true, value: 'off' } : seconds(raw);
}

function timeout(name: string, defaultSeconds: number, what: string) {
  return given({
    env: [`TIMEOUT_${name}`],
    parse: seconds,
    default: String(defaultSeconds),
    usedBy: serving,
    meaning: `Seconds ${what}`,
  });
}

function notifyUrls(env: string, when: string) {
  return given({
    env: [env],
    parse: list,
    default: '',
    usedBy: listening,
    meaning: `Comma list of URLs that are called when ${when}`,
  });
}

function notifyMethods(env: string) {
  return given({
    env: [env],
    parse: list,
    default: 'GET',
    usedBy: listening,
    meaning: 'HTTP methods for those URLs; the last one serves the rest',
  });
}
