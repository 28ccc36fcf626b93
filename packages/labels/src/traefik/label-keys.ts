/**
 * Keys of Traefik's labels behind the name of a router, service or middleware: those of version 3, and those of version 2 that
 * still mean something. `*`: a key of the owner's choice; `[n]`: an index. Compared without case, as Traefik does
 * (https://doc.traefik.io/traefik/reference/routing-configuration/other-providers/swarm/).
 */
type Keys = readonly string[];

export interface KeyDocs {
  /** As Traefik writes it. */
  readonly key: string;
  /** What becomes of it here; absent: it is accepted and has no effect. */
  readonly meaning?: string;
}

export const routerKeys: readonly KeyDocs[] = [
  { key: 'rule', meaning: 'which requests: the grammar of docs/routing.md; version 2’s is read with a warning' },
  {
    key: 'entryPoints',
    meaning:
      'names of `TRAEFIK_ENTRYPOINTS`; an unknown one serves nothing. Default: all without TLS, for a router with `tls` all with it',
  },
  { key: 'middlewares', meaning: 'in this order; one that cannot be had responds with 503' },
  { key: 'service', meaning: 'default: the only one of the Swarm service' },
  { key: 'priority', meaning: 'default: the length of the rule' },
  { key: 'ruleSyntax' },
  { key: 'tls', meaning: 'served over TLS only' },
  { key: 'tls.certResolver', meaning: 'the issuer of that name in `ACME_DIRECTORY`, else the default one' },
  {
    key: 'tls.domains[n].main',
    meaning: 'with `tls.certResolver`: certificates are ordered for these names instead of the hosts of the rule',
  },
  { key: 'tls.domains[n].sans', meaning: 'more of these names' },
  {
    key: 'tls.options',
    meaning:
      '`default`, and those of `TRAEFIK_FILE` that demand nothing more than the proxy: TLS 1.2 or less at the least, and no certificate of clients. All others close the router',
  },
  { key: 'observability.accessLogs', meaning: '`false`: its requests are not in the access log' },
  { key: 'observability.metrics' },
  {
    key: 'observability.tracing',
    meaning: '`false`: its requests are not traced, except those that a trusted caller traces, 5xx and slow ones',
  },
  { key: 'observability.traceVerbosity' },
];

const otherCheck =
  'a check that is not a GET request to the port of the service, for 2xx or 3xx, is not made, and is a problem';

export const serviceKeys: readonly KeyDocs[] = [
  { key: 'loadBalancer.server.port', meaning: 'port of the tasks; default: the only one that the service publishes' },
  {
    key: 'loadBalancer.server.scheme',
    meaning: '`https`: TLS to the tasks, without checking their certificate; `h2c`: HTTP/2',
  },
  { key: 'loadBalancer.server.url', meaning: 'a server outside of the Swarm' },
  { key: 'loadBalancer.server.weight' },
  { key: 'loadBalancer.server.preservePath' },
  { key: 'loadBalancer.sticky' },
  { key: 'loadBalancer.sticky.cookie', meaning: 'a cookie keeps a client at its task' },
  { key: 'loadBalancer.sticky.cookie.name', meaning: 'its name' },
  { key: 'loadBalancer.sticky.cookie.secure', meaning: 'its attribute' },
  { key: 'loadBalancer.sticky.cookie.httpOnly', meaning: 'its attribute; default here: `true`' },
  { key: 'loadBalancer.sticky.cookie.sameSite', meaning: 'its attribute; default here: `lax`' },
  { key: 'loadBalancer.sticky.cookie.maxAge', meaning: 'its attribute' },
  { key: 'loadBalancer.sticky.cookie.path', meaning: 'its attribute' },
  { key: 'loadBalancer.sticky.cookie.domain', meaning: 'its attribute' },
  { key: 'loadBalancer.healthCheck.path', meaning: 'tasks that do not respond with 2xx or 3xx get no requests' },
  { key: 'loadBalancer.healthCheck.interval', meaning: 'between two checks' },
  { key: 'loadBalancer.healthCheck.unhealthyInterval' },
  { key: 'loadBalancer.healthCheck.timeout' },
  { key: 'loadBalancer.healthCheck.scheme', meaning: otherCheck },
  { key: 'loadBalancer.healthCheck.mode', meaning: otherCheck },
  { key: 'loadBalancer.healthCheck.method', meaning: otherCheck },
  { key: 'loadBalancer.healthCheck.status', meaning: otherCheck },
  { key: 'loadBalancer.healthCheck.port', meaning: otherCheck },
  { key: 'loadBalancer.healthCheck.hostname', meaning: otherCheck },
  { key: 'loadBalancer.healthCheck.followRedirects' },
  { key: 'loadBalancer.healthCheck.headers.*', meaning: otherCheck },
  { key: 'loadBalancer.passiveHealthCheck.failureWindow' },
  { key: 'loadBalancer.passiveHealthCheck.maxFailedAttempts' },
  {
    key: 'loadBalancer.passHostHeader',
    meaning: '`false`: the service gets its own name or address as Host; default: the Host of the client',
  },
  { key: 'loadBalancer.responseForwarding.flushInterval' },
  { key: 'loadBalancer.serversTransport' },
  { key: 'loadBalancer.strategy' },
];

const cookieKeys = ['secure', 'httpOnly', 'sameSite', 'maxAge', 'path', 'domain'];

/** Services of other services: in `TRAEFIK_FILE` alone, as in Traefik. */
export const combinedServiceKeys: readonly KeyDocs[] = [
  {
    key: 'weighted.services[n].name',
    meaning:
      'a service of the file, or of the Swarm by `name@swarm`; where one of them cannot be had, nothing is served',
  },
  { key: 'weighted.services[n].weight', meaning: 'its part of the requests. Default 1; `0`: none' },
  { key: 'weighted.sticky' },
  { key: 'weighted.sticky.cookie', meaning: 'a cookie keeps a client at its server' },
  { key: 'weighted.sticky.cookie.name', meaning: 'its name' },
  ...cookieKeys.map((key) => ({ key: `weighted.sticky.cookie.${key}`, meaning: 'as of `loadBalancer`' })),
  { key: 'weighted.healthCheck' },
  { key: 'failover.service', meaning: 'as of `weighted`' },
  {
    key: 'failover.fallback',
    meaning:
      'gets requests while no server of the first one can take them: they refuse connections, or fail their checks',
  },
  { key: 'failover.healthCheck' },
  { key: 'failover.errors.status', meaning: 'ignored, with a problem' },
  { key: 'failover.errors.maxRequestBodyBytes', meaning: 'ignored, with a problem' },
];

/** The same of TCP, and servers by their address. */
export const fileTcpServiceKeys: readonly KeyDocs[] = [
  { key: 'loadBalancer.server.address', meaning: 'a server outside of the Swarm: `10.0.0.7:5432`' },
  { key: 'weighted.services[n].name', meaning: 'as of HTTP' },
  { key: 'weighted.services[n].weight', meaning: 'as of HTTP' },
  { key: 'weighted.healthCheck' },
];

export const tcpRouterKeys: readonly KeyDocs[] = [
  { key: 'rule', meaning: '``HostSNI(`*`)``, or names with `tls`' },
  {
    key: 'entryPoints',
    meaning:
      'names of `TRAEFIK_ENTRYPOINTS`: without `tls` those with a port of their own, with it also those that end TLS for requests. Default: with `tls` all with TLS',
  },
  { key: 'service', meaning: 'default: the only one' },
  { key: 'middlewares', meaning: 'in this order; one that cannot be had takes the router away' },
  { key: 'priority' },
  { key: 'ruleSyntax' },
  { key: 'tls', meaning: 'TLS is ended, and what was encrypted goes on to the tasks' },
  { key: 'tls.passthrough', meaning: 'TLS goes on as it comes, distinguished by the server name' },
  { key: 'tls.certResolver', meaning: 'as for routers of HTTP, where TLS is ended' },
  {
    key: 'tls.options',
    meaning:
      '`default`, and those of `TRAEFIK_FILE` that demand nothing more than the proxy: TLS 1.2 or less at the least, and no certificate of clients. All others close the router',
  },
  { key: 'tls.domains[n].main', meaning: 'as for routers of HTTP, where TLS is ended' },
  { key: 'tls.domains[n].sans', meaning: 'more of these names' },
];

export const tcpServiceKeys: readonly KeyDocs[] = [
  { key: 'loadBalancer.server.port', meaning: 'port of the tasks' },
  {
    key: 'loadBalancer.server.tls',
    meaning: '`true`: its routers are not served, because connections to TCP services are not encrypted',
  },
  { key: 'loadBalancer.terminationDelay' },
  {
    key: 'loadBalancer.proxyProtocol.version',
    meaning: 'the service gets a PROXY header, `1` or `2`, before the bytes of a client',
  },
  { key: 'loadBalancer.proxyProtocol', meaning: '`true`: version 2' },
  { key: 'loadBalancer.serversTransport' },
];

const criterion: Keys = [
  'sourceCriterion.ipStrategy.depth',
  'sourceCriterion.ipStrategy.excludedIPs',
  'sourceCriterion.ipStrategy.ipv6Subnet',
  'sourceCriterion.requestHeaderName',
  'sourceCriterion.requestHost',
];
const ipList: Keys = [
  'sourceRange',
  'ipStrategy',
  'ipStrategy.depth',
  'ipStrategy.excludedIPs',
  'ipStrategy.ipv6Subnet',
  'rejectStatusCode',
];
const certificateNames: Keys = [
  'country',
  'province',
  'locality',
  'organization',
  'organizationalUnit',
  'commonName',
  'serialNumber',
  'domainComponent',
];

/** Options of each kind of middleware. The kind alone (`compress=true`) is always a key. */
export const middlewareKeys: Readonly<Record<string, Keys>> = {
  addPrefix: ['prefix'],
  basicAuth: ['users', 'usersFile', 'realm', 'headerField', 'removeHeader'],
  buffering: [
    'maxRequestBodyBytes',
    'memRequestBodyBytes',
    'maxResponseBodyBytes',
    'memResponseBodyBytes',
    'retryExpression',
    'disableRequestBuffer',
    'disableResponseBuffer',
  ],
  chain: ['middlewares'],
  circuitBreaker: ['expression', 'checkPeriod', 'fallbackDuration', 'recoveryDuration', 'responseCode'],
  compress: ['excludedContentTypes', 'includedContentTypes', 'minResponseBodyBytes', 'defaultEncoding', 'encodings'],
  contentType: ['autoDetect'],
  digestAuth: ['users', 'usersFile', 'realm', 'headerField', 'removeHeader'],
  encodedCharacters: [
    'allowEncodedSlash',
    'allowEncodedBackSlash',
    'allowEncodedNullCharacter',
    'allowEncodedSemicolon',
    'allowEncodedPercent',
    'allowEncodedQuestionMark',
    'allowEncodedHash',
  ],
  errors: ['status', 'service', 'query', 'statusRewrites.*', 'forwardNGINXHeaders'],
  forwardAuth: [
    'address',
    'trustForwardHeader',
    'authResponseHeaders',
    'authResponseHeadersRegex',
    'authRequestHeaders',
    'addAuthCookiesToResponse',
    'headerField',
    'forwardBody',
    'maxBodySize',
    'maxResponseBodySize',
    'preserveLocationHeader',
    'preserveRequestMethod',
    'authSigninURL',
    'tls.ca',
    'tls.caOptional',
    'tls.cert',
    'tls.key',
    'tls.insecureSkipVerify',
  ],
  grpcWeb: ['allowOrigins'],
  headers: [
    'customRequestHeaders.*',
    'customResponseHeaders.*',
    'accessControlAllowCredentials',
    'accessControlAllowHeaders',
    'accessControlAllowMethods',
    'accessControlAllowOrigin',
    'accessControlAllowOriginList',
    'accessControlAllowOriginListRegex',
    'accessControlExposeHeaders',
    'accessControlMaxAge',
    'addVaryHeader',
    'allowedHosts',
    'hostsProxyHeaders',
    'sslRedirect',
    'sslTemporaryRedirect',
    'sslHost',
    'sslForceHost',
    'sslProxyHeaders.*',
    'stsSeconds',
    'stsIncludeSubdomains',
    'stsPreload',
    'forceSTSHeader',
    'frameDeny',
    'customFrameOptionsValue',
    'contentTypeNosniff',
    'browserXssFilter',
    'customBrowserXSSValue',
    'contentSecurityPolicy',
    'contentSecurityPolicyReportOnly',
    'publicKey',
    'referrerPolicy',
    'featurePolicy',
    'permissionsPolicy',
    'isDevelopment',
  ],
  inFlightReq: ['amount', ...criterion],
  ipAllowList: ipList,
  ipWhiteList: ipList,
  passTLSClientCert: [
    'pem',
    'info.notAfter',
    'info.notBefore',
    'info.sans',
    'info.serialNumber',
    ...certificateNames.flatMap((name) => [`info.subject.${name}`, `info.issuer.${name}`]),
  ],
  plugin: ['*.*', '*'],
  rateLimit: ['average', 'period', 'burst', 'redis.*', ...criterion],
  redirectRegex: ['regex', 'replacement', 'permanent'],
  redirectScheme: ['scheme', 'port', 'permanent'],
  replacePath: ['path'],
  replacePathRegex: ['regex', 'replacement'],
  retry: ['attempts', 'initialInterval', 'timeout', 'maxRequestBodyBytes', 'status', 'disableRetryOnNetworkError'],
  stripPrefix: ['prefixes', 'forceSlash'],
  stripPrefixRegex: ['regex'],
};

/** Options of each kind of middleware of TCP. */
export const tcpMiddlewareKeys: Readonly<Record<string, Keys>> = {
  inFlightConn: ['amount'],
  ipAllowList: ['sourceRange'],
  ipWhiteList: ['sourceRange'],
};

/** Labels that are no option of a router, service or middleware. */
export const generalKeys: readonly KeyDocs[] = [
  { key: 'enable', meaning: 'whether the service is served; default: `TRAEFIK_EXPOSED_BY_DEFAULT`' },
  {
    key: 'docker.network',
    meaning:
      'network whose addresses of the tasks are taken, where the service has joined it. Default `TRAEFIK_NETWORK`, else every network that proxy and service share',
  },
  { key: 'docker.lbswarm', meaning: 'accepted: tasks are balanced here' },
  { key: 'swarm.network', meaning: 'as `docker.network`, and before it' },
  { key: 'swarm.lbswarm', meaning: 'as `docker.lbswarm`' },
];

/** Whether a key fits one with `*` and `[n]`. Both in lower case. */
export function fitsKey(pattern: string, key: string): boolean {
  const expression = pattern
    .toLowerCase()
    .split('.')
    .map((part) => (part === '*' ? '[^.]+' : part.replace('[n]', '\\[\\d{1,3}\\]')))
    .join('\\.');
  return new RegExp(`^${expression}$`).test(key);
}
