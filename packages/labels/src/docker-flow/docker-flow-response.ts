import type { Destination, ServiceDefinition } from '../definition/service-definition.ts';
import type { HeaderRule } from '../values/header-rules.ts';
import type { PathRewrite } from '../values/path-rewrites.ts';
import type { PathType } from '../values/path-type.ts';

/**
 * A definition under Docker Flow Proxy's JSON key names, as its `reconfigure` and `config?type=json` return it. What is not
 * set has Go's zero value. Redacted: passwords, certificates and header values that look like credentials are empty,
 * their keys stay.
 */
export function dockerFlowResponse(definition: ServiceDefinition): DockerFlowService {
  return {
    ServiceName: definition.service,
    AclName: definition.aclName ?? definition.service,
    IsDefaultBackend: definition.isDefaultBackend ?? false,
    Users: (definition.users ?? []).map(({ username }) => ({
      Username: username,
      Password: '',
      PassEncrypted: definition.usersPassEncrypted ?? false,
    })),
    AddReqHeader: headerTexts(definition.addReqHeader),
    SetReqHeader: headerTexts(definition.setReqHeader),
    DelReqHeader: definition.delReqHeader ?? [],
    AddResHeader: headerTexts(definition.addResHeader),
    SetResHeader: headerTexts(definition.setResHeader),
    DelResHeader: definition.delResHeader ?? [],
    CompressionAlgo: (definition.compressionAlgo ?? []).join(' '),
    CompressionType: (definition.compressionType ?? []).join(' '),
    ConnectionMode: definition.connectionMode ?? '',
    DiscoveryType: definition.discoveryType ?? '',
    Distribute: definition.distribute ?? false,
    ProxyInstanceName: definition.proxyInstanceName ?? '',
    RedirectWhenHttpProto: definition.redirectWhenHttpProto ?? false,
    RedirectUnlessHttpsProto: definition.redirectUnlessHttpsProto ?? false,
    Replicas: definition.replicas ?? 0,
    IsGlobal: definition.replicas === undefined,
    ServiceCert: '',
    ServiceDomainAlgo: definition.serviceDomainAlgo ?? '',
    SessionType: definition.sessionType ?? '',
    ServiceDest: definition.destinations.map(destinationResponse),
  };
}

export type DockerFlowService = Readonly<Record<string, unknown>> & {
  readonly ServiceName: string;
  readonly ServiceDest: readonly Readonly<Record<string, unknown>>[];
};

function destinationResponse(destination: Destination): Readonly<Record<string, unknown>> {
  const onlyDomain = destination.servicePath === undefined && destination.serviceDomain !== undefined;
  return {
    AllowedMethods: destination.allowedMethods ?? [],
    BalanceGroup: destination.balanceGroup ?? '',
    CheckTCP: destination.checkTcp ?? false,
    Clitcpka: destination.clitcpka ?? false,
    DeniedMethods: destination.deniedMethods ?? [],
    DenyHttp: destination.denyHttp ?? false,
    HttpsOnly: destination.httpsOnly ?? false,
    HttpsPort: destination.httpsPort ?? 0,
    HttpsRedirectCode: String(destination.httpsRedirectCode ?? ''),
    IgnoreAuthorization: destination.ignoreAuthorization ?? false,
    OutboundHostname: destination.outboundHostname ?? '',
    PathType: pathTypeText(destination.pathType),
    Port: String(destination.port ?? ''),
    RedirectFromDomain: destination.redirectFromDomain ?? [],
    ReqMode: destination.reqMode ?? 'http',
    ReqPathSearchReplace: (destination.reqPathSearchReplace ?? []).map(rewriteText).join(':'),
    ServiceDomain: destination.serviceDomain ?? [],
    ServiceGroup: destination.serviceGroup ?? '',
    ServiceHeader: destination.serviceHeader ?? {},
    ServicePath: destination.servicePath ?? (onlyDomain ? ['/'] : []),
    ServicePathExclude: destination.servicePathExclude ?? [],
    SrcPort: destination.srcPort ?? 0,
    SrcHttpsPort: destination.srcHttpsPort ?? 0,
    SslVerifyNone: destination.sslVerifyNone ?? false,
    TimeoutServer: secondsText(destination.timeoutServerMs),
    TimeoutClient: secondsText(destination.timeoutClientMs),
    TimeoutTunnel: secondsText(destination.timeoutTunnelMs),
    UserAgent: { Value: destination.userAgent ?? [], AclName: '' },
    VerifyClientSsl: destination.verifyClientSsl ?? false,
    Index: destination.index,
  };
}

const sniMethods = { sni: 'str', sni_beg: 'beg', sni_end: 'end', sni_reg: 'reg' } as const;

function pathTypeText(pathType: PathType | undefined): string {
  if (pathType === undefined) return '';
  const { matcher, ignoreCase } = pathType;
  const flag = ignoreCase ? ' -i' : '';
  return matcher in sniMethods
    ? `req_ssl_sni${flag} -m ${sniMethods[matcher as keyof typeof sniMethods]}`
    : `${matcher}${flag}`;
}

function rewriteText({ search, replace, all, ignoreCase }: PathRewrite): string {
  const flags = `${all ? 'g' : ''}${ignoreCase ? 'i' : ''}`;
  return [search, replace, ...(flags === '' ? [] : [flags])].map((part) => part.replace(/[,:]/g, '\\$&')).join(',');
}

function headerTexts(rules: readonly HeaderRule[] | undefined): readonly string[] {
  return (rules ?? []).map(({ name, value, condition }) => {
    const shown = /authorization|cookie|token|secret|password|key/i.test(name) ? '' : value;
    const suffix = condition === undefined ? '' : condition === 'if-secure' ? ' if { ssl_fc }' : ' unless { ssl_fc }';
    return `${name} ${shown}${suffix}`;
  });
}

function secondsText(ms: number | undefined): string {
  return ms === undefined ? '' : String(ms / 1000);
}
