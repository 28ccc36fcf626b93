/**
 * What travels: one service as it stands in the registry, under the labels' own names. It is plain JSON, perhaps
 * edited by hand, so everyone who reads one runs it through `checkDefinition` first.
 */
export interface ServiceDefinition extends ServiceLabels {
  readonly version: 1;
  readonly service: string;
  readonly owner: string;
  readonly source: DefinitionSource;
  /** When this document was written, ISO 8601. */
  readonly updatedAt: string;
  /** At least one. */
  readonly destinations: readonly Destination[];
}

/** Who says so: a Swarm service at one version, or a person or process by REST or in the environment. */
export type DefinitionSource =
  | { readonly kind: 'swarm'; readonly swarmId: string; readonly serviceId: string; readonly versionIndex: number }
  | { readonly kind: 'rest' | 'env' | 'sample'; readonly by: string };

/** Labels that hold for the whole service. Absent means not set. */
export interface ServiceLabels {
  /** Sort key among routes that are otherwise equal. Default: the service's name. */
  readonly aclName?: string;
  readonly isDefaultBackend?: boolean;
  readonly serviceDomainAlgo?: ServiceDomainAlgo;
  readonly proxyInstanceName?: string;
  readonly redirectWhenHttpProto?: boolean;
  readonly redirectUnlessHttpsProto?: boolean;
  readonly users?: readonly UserEntry[];
  readonly usersSecret?: string;
  readonly usersPassEncrypted?: boolean;
  readonly addReqHeader?: readonly HeaderRule[];
  readonly setReqHeader?: readonly HeaderRule[];
  readonly delReqHeader?: readonly string[];
  readonly addResHeader?: readonly HeaderRule[];
  readonly setResHeader?: readonly HeaderRule[];
  readonly delResHeader?: readonly string[];
  readonly compressionAlgo?: readonly CompressionAlgo[];
  readonly compressionType?: readonly string[];
  readonly connectionMode?: 'http-keep-alive' | 'http-server-close' | 'httpclose';
  readonly sessionType?: 'sticky-server';
  readonly discoveryType?: 'DNS';
  /** Sealed certificate and key; only ever written by `seal`. */
  readonly serviceCert?: string;
  readonly balance?: 'round-robin' | 'least-outstanding';
  /** Share of a canary in percent of the weights of all services at the same match. 0 to 256, default 1 each. */
  readonly weight?: number;
  readonly rateLimit?: RateLimit;
  readonly rateLimitKey?: RateLimitKey;
  /** CIDRs that may call; everyone else gets 403. */
  readonly allowedAddresses?: readonly string[];
  readonly replicas?: number;
  /** Accepted, stored and without effect: every replica watches one registry. */
  readonly distribute?: boolean;
}

/** One destination: a match and where it leads. */
export interface Destination {
  /** The label's index, 0 for the un-indexed one. */
  readonly index: number;
  /** Milliseconds since the epoch when this match first appeared; carried forward while host, path and predicates stay equal. */
  readonly since: number;
  readonly servicePath?: readonly string[];
  readonly pathType?: PathType;
  readonly servicePathExclude?: readonly string[];
  readonly serviceDomain?: readonly string[];
  readonly serviceHeader?: Readonly<Record<string, string>>;
  readonly userAgent?: readonly string[];
  readonly srcPort?: number;
  readonly port?: number;
  readonly httpsPort?: number;
  readonly srcHttpsPort?: number;
  readonly outboundHostname?: string;
  readonly reqMode?: 'http' | 'tcp' | 'sni';
  readonly redirectFromDomain?: readonly string[];
  readonly httpsOnly?: boolean;
  readonly httpsRedirectCode?: number;
  readonly denyHttp?: boolean;
  readonly allowedMethods?: readonly string[];
  readonly deniedMethods?: readonly string[];
  readonly verifyClientSsl?: boolean;
  readonly ignoreAuthorization?: boolean;
  readonly reqPathSearchReplace?: readonly PathRewrite[];
  readonly timeoutServerMs?: number;
  readonly timeoutTunnelMs?: number;
  readonly timeoutClientMs?: number;
  readonly sslVerifyNone?: boolean;
  readonly accessLog?: AccessLogChoice;
  /** tcp and sni services that share a port and one upstream. */
  readonly serviceGroup?: string;
  readonly balanceGroup?: string;
  readonly checkTcp?: boolean;
  readonly clitcpka?: boolean;
  /** Path of an active health check; absent means passive checks only. */
  readonly checkPath?: string;
  readonly checkIntervalMs?: number;
}

export type ServiceDomainAlgo = 'hdr(host)' | 'hdr_beg(host)' | 'hdr_dom(host)' | 'hdr_end(host)';

/** HAProxy's matcher and its flags: `path_reg -i` is `{ matcher: 'path_reg', ignoreCase: true }`. */
export interface PathType {
  readonly matcher:
    | 'path_beg'
    | 'path'
    | 'path_end'
    | 'path_reg'
    | 'path_sub'
    | 'path_dir'
    | 'sni'
    | 'sni_beg'
    | 'sni_end'
    | 'sni_reg';
  readonly ignoreCase: boolean;
}

export interface UserEntry {
  readonly username: string;
  /** crypt(3) or our own salted scrypt hash. Absent: the password is looked up in `usersSecret`, else in `USERS`. */
  readonly passwordHash?: string;
}

/** `condition` is the mini-language's `if { ssl_fc }` or `unless { ssl_fc }`. */
export interface HeaderRule {
  readonly name: string;
  /** May hold `%[dst_port]`, `%[src]`, `%[env(NAME)]`. */
  readonly value: string;
  readonly condition?: 'if-secure' | 'unless-secure';
}

/** First match only, unless `all`. Done in sequence on the path; the query is not touched. */
export interface PathRewrite {
  readonly search: string;
  readonly replace: string;
  readonly all?: boolean;
  readonly ignoreCase?: boolean;
}

/** No line, or a line for one request of `every`, taken at random. */
export type AccessLogChoice = 'off' | { readonly every: number };

export type CompressionAlgo = 'gzip' | 'deflate' | 'br';

export interface RateLimit {
  /** Requests per window, at least 1. */
  readonly requests: number;
  readonly windowMs: number;
}

export type RateLimitKey = { readonly kind: 'ip' } | { readonly kind: 'header'; readonly name: string };

/** `<owner>/<service>`: how maps, logs and problems name one service. */
export type ServiceKey = `${string}/${string}`;

export function serviceKey(of: { readonly owner: string; readonly service: string }): ServiceKey {
  return `${of.owner}/${of.service}`;
}
