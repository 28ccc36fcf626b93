import { domains } from './domain-labels.ts';
import type { DestinationEntries, ServiceEntries } from './entry-maps.ts';
import { fixed, same, served } from './label-entry.ts';
import { boolean, headerPairs, list, methods, oneOf, port, text } from './label-parsers.ts';
import { pathType } from './path-parsers.ts';

/** Which requests belong to a service. */
export const routingServiceLabels = {
  aclName: {
    name: 'aclName',
    parse: text,
    default: 'the service’s name',
    meaning: 'Sort key among routes that are otherwise equal; in `legacy` order it decides.',
    example: '05-go-demo',
    support: served,
    dockerFlow: same,
  },
  isDefaultBackend: {
    name: 'isDefaultBackend',
    parse: boolean,
    default: 'false',
    meaning: 'Catches the requests that nothing else matches.',
    example: 'true',
    support: served,
    dockerFlow: same,
  },
  serviceDomainAlgo: {
    name: 'serviceDomainAlgo',
    parse: (raw, options) => {
      const withoutFlag = raw.trim().replace(/\s+-i$/, '');
      return oneOf('hdr(host)', 'hdr_beg(host)', 'hdr_dom(host)', 'hdr_end(host)')(withoutFlag, options);
    },
    default: 'exact on the normalised host, or `SERVICE_DOMAIN_ALGO`',
    meaning: 'How `serviceDomain` is compared: exactly, as a prefix, as whole labels anywhere, or as a suffix.',
    example: 'hdr_dom(host)',
    support: served,
    dockerFlow: fixed(
      'The default is exact on the host in lower case without port and trailing dot. Docker Flow’s is the prefix `hdr_beg(host)`, chosen so that `Host: name:port` matches; here it matches anyway.',
    ),
  },
  proxyInstanceName: {
    name: 'proxyInstanceName',
    parse: text,
    meaning:
      'Only a proxy of that `PROXY_INSTANCE_NAME` serves it, where `FILTER_PROXY_INSTANCE_NAME=true`; others answer 200 and do nothing.',
    example: 'public',
    support: served,
    dockerFlow: same,
  },
} satisfies Partial<ServiceEntries>;

export const routingDestinationLabels = {
  servicePath: {
    name: 'servicePath',
    parse: list,
    default: '`/` when only `serviceDomain` is given',
    meaning: 'Paths of the service; one of them must match.',
    example: '/api,/docs',
    support: served,
    dockerFlow: fixed(
      'A prefix ends at a segment: `/digital` does not match `/digitalproducts`. `ORDER=legacy` keeps the raw string prefix.',
    ),
  },
  pathType: {
    name: 'pathType',
    parse: pathType,
    default: 'path_beg',
    meaning:
      'How `servicePath` is compared, with `-i` without case. In sni mode: `req_ssl_sni -i -m reg`, `-m beg`, `-m end`.',
    example: 'path_reg -i',
    support: served,
    dockerFlow: fixed(
      'Other HAProxy fetches are refused. Expressions run in linear time, without look-around and back-references.',
    ),
  },
  servicePathExclude: {
    name: 'servicePathExclude',
    parse: list,
    meaning: 'Paths beneath `servicePath` that do not belong to the service, compared the same way.',
    example: '/api/internal',
    support: served,
    dockerFlow: same,
  },
  serviceDomain: {
    name: 'serviceDomain',
    parse: domains,
    meaning: 'Host names of the service; one of them must match. `*.shop.example` matches every name beneath it.',
    example: 'shop.example,*.shop.example',
    support: served,
    dockerFlow: fixed(
      '`*.domain.com` matches only at a label border. `*domain.com` keeps the old meaning (any name that ends so), with a warning.',
    ),
  },
  serviceHeader: {
    name: 'serviceHeader',
    parse: headerPairs,
    meaning: 'Headers that must all have exactly these values.',
    example: 'X-Version:3,X-Name:Jane',
    support: served,
    dockerFlow: fixed('The first colon splits, so a value may hold colons. Docker Flow drops such pairs.'),
  },
  userAgent: {
    name: 'userAgent',
    parse: list,
    meaning: 'Parts of the user agent, without case; one of them must occur.',
    example: 'Mobile,Tablet',
    support: served,
    dockerFlow: same,
  },
  srcPort: {
    name: 'srcPort',
    parse: port,
    meaning: 'Port the client must have connected to. In tcp and sni mode the proxy opens it.',
    example: '8080',
    support: served,
    dockerFlow: same,
  },
  port: {
    name: 'port',
    parse: port,
    meaning: 'Port the service listens on inside its container. Mandatory.',
    example: '8080',
    support: served,
    dockerFlow: same,
  },
  httpsPort: {
    name: 'httpsPort',
    parse: port,
    meaning:
      'Port of the service for requests that came to `srcHttpsPort`. It is spoken to in plain HTTP unless `sslVerifyNone`.',
    example: '8443',
    support: served,
    dockerFlow: same,
  },
  srcHttpsPort: {
    name: 'srcHttpsPort',
    parse: port,
    default: '443 where `httpsPort` is set; `srcPort` is 80 then',
    meaning: 'Port the client must have connected to for `httpsPort` to be used.',
    example: '443',
    support: served,
    dockerFlow: same,
  },
  outboundHostname: {
    name: 'outboundHostname',
    parse: (raw) => {
      const trimmed = raw.trim();
      return /^[A-Za-z0-9._:[\]-]+$/.test(trimmed)
        ? { ok: true, value: trimmed }
        : { ok: false, expected: 'a host name or address' };
    },
    meaning: 'Host that requests go to instead of the service, for what runs outside the Swarm.',
    example: 'db.example',
    support: served,
    dockerFlow: same,
  },
  reqMode: {
    name: 'reqMode',
    parse: oneOf('http', 'tcp', 'sni'),
    default: 'http',
    meaning: '`tcp` relays a port, `sni` relays TLS by the name the client asks for, without ending it.',
    example: 'tcp',
    support: served,
    dockerFlow: fixed('In sni mode `serviceDomain` is understood too, beside the pattern in `servicePath`.'),
  },
  redirectFromDomain: {
    name: 'redirectFromDomain',
    parse: domains,
    meaning: 'Host names that are answered with 301 to the first `serviceDomain`, before any routing.',
    example: 'www.shop.example',
    support: served,
    dockerFlow: fixed('Scheme, path and query are kept. Docker Flow always redirects to http.'),
  },
  allowedMethods: {
    name: 'allowedMethods',
    parse: methods,
    meaning: 'Methods that may be used; all others get 403.',
    example: 'GET,HEAD',
    support: served,
    restrictsAccess: true,
    dockerFlow: same,
  },
  deniedMethods: {
    name: 'deniedMethods',
    parse: methods,
    meaning: 'Methods that get 403.',
    example: 'PUT,DELETE',
    support: served,
    restrictsAccess: true,
    dockerFlow: same,
  },
} satisfies Partial<DestinationEntries>;
