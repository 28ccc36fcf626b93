import { type Destination, type OverridingLabels, type ServiceDefinition, showMiddleware } from '@swarmgate/labels';

export interface WrittenLabels {
  /** `com.df.*` by their whole name. */
  readonly labels: ReadonlyMap<string, string>;
  /** What no label can express; its routes respond with 503 either way. */
  readonly unsaid: readonly string[];
}

/** The labels of our own that yield a definition made of labels of Traefik. Pure. */
export function labelsOfDefinition({ destinations }: ServiceDefinition): WrittenLabels {
  const labels = new Map([['com.df.notify', 'true']]);
  const unsaid: string[] = [];
  for (const [at, destination] of destinations.entries()) {
    const suffix = destinations.length === 1 ? '.1' : `.${at + 1}`;
    for (const [name, value] of fieldsOf(destination)) labels.set(`com.df.${name}${suffix}`, value);
    for (const [name, value] of overridingOf(destination.overrides ?? {})) labels.set(`com.df.${name}${suffix}`, value);
    const uses = destination.middlewares ?? [];
    const shown = uses.flatMap((use) => showMiddleware(use) ?? []);
    if (shown.length > 0) labels.set(`com.df.middlewares${suffix}`, shown.join(','));
    for (const use of uses)
      if (use.kind === 'unsupported') {
        // Without it the route would be open.
        labels.set(`com.df.allowedAddresses${suffix}`, '255.255.255.255/32');
        unsaid.push(`${use.name} cannot be used, so its router stays closed: ${use.why}`);
      }
  }
  return { labels, unsaid };
}

function fieldsOf(destination: Destination): readonly (readonly [string, string])[] {
  const {
    serviceDomain,
    servicePath,
    entryPorts,
    sslVerifyNone,
    timeoutServerMs,
    timeoutClientMs,
    timeoutTunnelMs,
    clitcpka,
    sendProxyHeader,
  } = destination;
  const given: readonly (readonly [string, string | number | undefined])[] = [
    ['reqMode', destination.reqMode],
    ['serviceDomain', serviceDomain?.join(',')],
    ['servicePath', servicePath?.join(',')],
    ['rule', destination.rule],
    ['priority', destination.priority],
    ['entryPorts', entryPorts?.join(',')],
    ['srcPort', destination.srcPort],
    ['port', destination.port],
    ['outboundHostname', destination.outboundHostname],
    ['outboundServers', destination.outboundServers?.join(',')],
    ['backupServers', destination.backupServers?.join(',')],
    ['protocol', destination.protocol],
    ['timeoutServer', timeoutServerMs && timeoutServerMs / 1000],
    ['timeoutClient', timeoutClientMs && timeoutClientMs / 1000],
    ['timeoutTunnel', timeoutTunnelMs && timeoutTunnelMs / 1000],
    ['clitcpka', clitcpka === true ? 'true' : undefined],
    ['sendProxyHeader', sendProxyHeader],
    // No router of Traefik has a share.
    ['accessLog', destination.accessLog === 'off' ? 'off' : undefined],
    ['traceSample', destination.traceSample],
    ['httpsOnly', destination.httpsOnly === true ? 'true' : undefined],
    ['httpsRedirectCode', destination.httpsRedirectCode],
    ['sslVerifyNone', sslVerifyNone === true ? 'true' : undefined],
    ['passHostHeader', destination.passHostHeader === false ? 'false' : undefined],
    ['grpcWeb', destination.grpcWeb === true ? 'true' : undefined],
    ['checkPath', destination.checkPath],
    ['checkIntervalMs', destination.checkIntervalMs],
  ];
  return given.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const]));
}

function overridingOf(fields: OverridingLabels): readonly (readonly [string, string])[] {
  const { rateLimit, rateLimitKey } = fields;
  const given: readonly (readonly [string, string | undefined])[] = [
    ['users', fields.users?.map(({ username, passwordHash }) => `${username}:${passwordHash}`).join(',')],
    ['usersPassEncrypted', fields.usersPassEncrypted === true ? 'true' : undefined],
    ['allowedAddresses', fields.allowedAddresses?.join(',')],
    ['rateLimit', rateLimit && `${rateLimit.requests}/${Math.max(1, Math.round(rateLimit.windowMs / 1000))}s`],
    ['rateLimitKey', rateLimitKey?.kind === 'header' ? `header:${rateLimitKey.name}` : rateLimitKey?.kind],
    ['setReqHeader', headerRules(fields.setReqHeader)],
    ['delReqHeader', fields.delReqHeader?.join(',')],
    ['setResHeader', headerRules(fields.setResHeader)],
    ['delResHeader', fields.delResHeader?.join(',')],
    ['compressionAlgo', fields.compressionAlgo?.join(' ')],
    ['compressionType', fields.compressionType?.join(' ')],
    ['sessionType', fields.sessionType],
    ['sessionCookie', fields.sessionCookie],
    ['sessionCookieAttributes', fields.sessionCookieAttributes],
    ['acme', fields.acme === undefined ? undefined : String(fields.acme)],
    ['acmeDomains', fields.acmeDomains?.join(',')],
  ];
  return given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

function headerRules(rules: OverridingLabels['setReqHeader']): string | undefined {
  return rules
    ?.map(({ name, value, condition }) => {
      const when = condition === undefined ? '' : ` ${condition === 'if-secure' ? 'if' : 'unless'} { ssl_fc }`;
      return `${name} "${value.replace(/["\\]/g, '\\$&')}"${when}`;
    })
    .join(',');
}
