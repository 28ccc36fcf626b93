import { isIPv6 } from 'node:net';
import { mayHoldCredential, ruleMayHoldCredential } from '../values/credentials.ts';
import { domains } from '../values/domains.ts';
import { entryPorts, priority } from '../values/entry-ports.ts';
import { headerPairs } from '../values/header-rules.ts';
import { methods, texts } from '../values/lists.ts';
import { outboundServers } from '../values/outbound-servers.ts';
import { pathType } from '../values/path-type.ts';
import { boolean, oneOf, port, text } from '../values/plain.ts';
import { requestRule } from '../values/request-rule.ts';
import { not, ok, type Value } from '../values/value.ts';
import { added, byName, fixed, httpOnly, label, same } from './label-entry.ts';

export type ServiceDomainAlgo = 'hdr(host)' | 'hdr_beg(host)' | 'hdr_dom(host)' | 'hdr_end(host)';

const domainAlgos = oneOf('hdr(host)', 'hdr_beg(host)', 'hdr_dom(host)', 'hdr_end(host)');
const domainAlgo: Value<ServiceDomainAlgo> = {
  ...domainAlgos,
  // Host names have no case, so the flag changes nothing.
  parse: (raw, options) => domainAlgos.parse(raw.trim().replace(/\s+-i$/, ''), options),
};

/** A host name or an address; an IPv6 address may stand in brackets, which a definition leaves out. */
const outboundHost: Value<string> = {
  parse: (raw) => {
    const host = raw.trim();
    const address = /^\[(.*)\]$/.exec(host)?.[1];
    if (address !== undefined && isIPv6(address)) return ok(address);
    if (isIPv6(host) || isHostName(host)) return ok(host);
    const port = /^(.+):(\d{1,5})$/.exec(host);
    if (port === null) return not('a host name or address');
    const wholeHost = port[1] ?? '';
    return {
      ok: false,
      expected: 'a host name or address without a port',
      suggestion: `write outboundHostname=${wholeHost} and port=${port[2]}`,
    };
  },
  schema: (zod) =>
    zod
      .string()
      .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
      .refine((host) => isIPv6(host) || isHostName(host), 'expected a host name or address, without a port'),
};

function isHostName(text: string): boolean {
  return /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$/.test(text);
}

/** Which requests belong to a service. */
export const routingServiceLabels = {
  aclName: label('aclName', text, {
    default: 'the service’s name',
    meaning: 'Sort key among routes that are otherwise equal; in `legacy` order it decides.',
    example: '05-go-demo',
    dockerFlow: same,
  }),
  isDefaultBackend: label('isDefaultBackend', boolean, {
    default: 'false',
    meaning: 'Catches the requests that nothing else matches.',
    modes: httpOnly,
    example: 'true',
    dockerFlow: same,
  }),
  serviceDomainAlgo: label('serviceDomainAlgo', domainAlgo, {
    default: 'exact on the normalised host, or `SERVICE_DOMAIN_ALGO`',
    meaning: 'How `serviceDomain` is compared: exactly, as a prefix, as whole labels anywhere, or as a suffix.',
    modes: byName,
    example: 'hdr_dom(host)',
    dockerFlow: fixed(
      'The default is exact on the host in lower case without port and trailing dot. Docker Flow’s is the prefix `hdr_beg(host)`, chosen so that `Host: name:port` matches; here it matches anyway.',
    ),
  }),
  proxyInstanceName: label('proxyInstanceName', text, {
    meaning:
      'Only a proxy of that `PROXY_INSTANCE_NAME` serves it, where `FILTER_PROXY_INSTANCE_NAME=true`; others respond with 200 and do nothing.',
    example: 'public',
    dockerFlow: same,
  }),
};

export const routingDestinationLabels = {
  servicePath: label('servicePath', texts, {
    default: '`/` when only `serviceDomain` is given',
    meaning: 'Paths of the service; one of them must match.',
    modes: byName,
    example: '/api,/docs',
    dockerFlow: fixed(
      'A prefix ends at a segment: `/digital` does not match `/digitalproducts`. `ORDER=legacy` keeps the raw string prefix.',
    ),
  }),
  pathType: label('pathType', pathType, {
    default: 'path_beg',
    meaning:
      'How `servicePath` is compared, with `-i` without case. In sni and tls mode: `req_ssl_sni -i -m reg`, `-m beg`, `-m end`.',
    modes: byName,
    example: 'path_reg -i',
    dockerFlow: fixed(
      'Other HAProxy fetches are refused. Expressions run in linear time, without look-around and back-references.',
    ),
  }),
  servicePathExclude: label('servicePathExclude', texts, {
    meaning: 'Paths below `servicePath` that do not belong to the service, compared the same way.',
    modes: httpOnly,
    example: '/api/internal',
    dockerFlow: same,
  }),
  serviceDomain: label('serviceDomain', domains, {
    meaning: 'Host names of the service; one of them must match. `*.shop.example` matches every name below it.',
    modes: byName,
    example: 'shop.example,*.shop.example',
    dockerFlow: fixed(
      '`*.domain.com` matches only at a label border. `*domain.com` keeps the old meaning (any name that ends so), with a warning.',
    ),
  }),
  serviceHeader: label('serviceHeader', headerPairs, {
    holdsCredential: mayHoldCredential,
    meaning: 'Headers that must all have exactly these values.',
    modes: httpOnly,
    example: 'X-Version:3,X-Name:Jane',
    dockerFlow: fixed('The first colon splits, so a value may hold colons. Docker Flow drops such pairs.'),
  }),
  userAgent: label('userAgent', texts, {
    meaning: 'Parts of the user agent, without case; one of them must occur.',
    modes: httpOnly,
    example: 'Mobile,Tablet',
    dockerFlow: same,
  }),
  rule: label('rule', requestRule, {
    holdsCredential: ruleMayHoldCredential,
    meaning:
      'A condition beside host and path, in the grammar of Traefik’s rules: matchers (`Host`, `HostRegexp`, `Path`, `PathPrefix`, `PathRegexp`, `Method`, `Header`, `HeaderRegexp`, `Query`, `QueryRegexp`, `ClientIP`), joined by `&&`, `||`, `!` and parentheses (docs/routing.md).',
    modes: httpOnly,
    restricts: 'rule',
    example: 'Header(`X-Version`, `3`) && !ClientIP(`10.0.0.0/8`)',
    dockerFlow: added,
  }),
  entryPorts: label('entryPorts', entryPorts, {
    default: 'every entrypoint',
    meaning:
      'Entrypoints at which requests belong to the service: `plain` (every port without TLS), `ssl` (every `:ssl` port), a port, or a port that must be one with TLS (`443:ssl`). Of relays: instead of `srcPort`.',
    restricts: 'entry-ports',
    example: 'ssl,8080',
    dockerFlow: added,
  }),
  priority: label('priority', priority, {
    meaning:
      'Puts the match among those with a priority, where the highest number comes first, whatever host and path they have, as Traefik orders its routers (docs/routing.md).',
    modes: httpOnly,
    example: '100',
    dockerFlow: added,
  }),
  srcPort: label('srcPort', port, {
    meaning:
      'Port the client must have connected to. In tcp and sni mode the proxy opens it, unless it is an `:ssl` entrypoint.',
    example: '8080',
    dockerFlow: same,
  }),
  port: label('port', port, {
    meaning: 'Port the service listens on inside its container. Mandatory.',
    example: '8080',
    dockerFlow: same,
  }),
  httpsPort: label('httpsPort', port, {
    meaning:
      'Port of the service for requests that came to `srcHttpsPort`. The proxy speaks plain HTTP to it unless `sslVerifyNone` is set.',
    modes: httpOnly,
    example: '8443',
    dockerFlow: same,
  }),
  srcHttpsPort: label('srcHttpsPort', port, {
    default: '443 where `httpsPort` is set; `srcPort` is 80 then',
    meaning: 'Port the client must have connected to for `httpsPort` to be used.',
    modes: httpOnly,
    example: '443',
    dockerFlow: same,
  }),
  outboundHostname: label('outboundHostname', outboundHost, {
    meaning:
      'Host that requests go to instead of the service, for what runs outside the Swarm: a name or an address (`[::1]` or `::1`), without a port.',
    example: 'db.example',
    dockerFlow: same,
  }),
  outboundServers: label('outboundServers', outboundServers, {
    meaning:
      'Several servers that requests go to instead of the service, each with its port: `10.0.0.7:8080,10.0.0.8:8080=3` gives the second three of four, however many addresses each has. `tasks.NAME` is the service NAME of the Swarm. Proxies of older versions go to `outboundHostname` and `port`.',
    example: '10.0.0.7:8080,10.0.0.8:8080=3',
    dockerFlow: added,
  }),
  backupServers: label('backupServers', outboundServers, {
    meaning:
      'Servers that get requests while none of `outboundServers` can take them: those are ejected, or fail their checks. Written as those.',
    example: 'tasks.fallback:80',
    dockerFlow: added,
  }),
  reqMode: label('reqMode', oneOf('http', 'tcp', 'sni', 'tls'), {
    default: 'http',
    meaning:
      '`tcp` relays a port, `sni` relays TLS by the server name that the client sends, without ending it, `tls` ends TLS at an `:ssl` entrypoint and relays what was encrypted. `sni` can share the port of an `:ssl` entrypoint.',
    example: 'tcp',
    dockerFlow: fixed('In sni mode `serviceDomain` is understood too, beside the pattern in `servicePath`.'),
  }),
  redirectFromDomain: label('redirectFromDomain', domains, {
    meaning: 'Host names that get 301 to the first `serviceDomain`, before any routing.',
    modes: httpOnly,
    example: 'www.shop.example',
    dockerFlow: fixed('Scheme, path and query are kept. Docker Flow always redirects to http.'),
  }),
  allowedMethods: label('allowedMethods', methods, {
    meaning: 'Methods that may be used; all others get 403.',
    modes: httpOnly,
    restricts: 'methods',
    example: 'GET,HEAD',
    dockerFlow: same,
  }),
  deniedMethods: label('deniedMethods', methods, {
    meaning: 'Methods that get 403.',
    modes: httpOnly,
    restricts: 'methods',
    example: 'PUT,DELETE',
    dockerFlow: same,
  }),
};
