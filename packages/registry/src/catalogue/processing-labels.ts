import type { AccessLogChoice, CompressionAlgo } from '../definition/service-definition.ts';
import type { DestinationEntries, ServiceEntries } from './entry-maps.ts';
import { requestHeaderNames, requestHeaderRules, responseHeaderNames, responseHeaderRules } from './header-rules.ts';
import { added, fixed, type LabelParser, same, served } from './label-entry.ts';
import { boolean, integer, not, ok, oneOf, secondsAsMs } from './label-parsers.ts';
import { pathRewrites } from './path-parsers.ts';

const headerLanguage = fixed(
  'The part of HAProxy’s language that is in use: `%[dst_port]`, `%[src]`, `%[env(NAME)]`, quotes, `if { ssl_fc }`, `unless { ssl_fc }`. Anything else is refused, as are headers that frame the message.',
);

/** HAProxy's list is by spaces; `raw-deflate` is what it calls the deflate that some old browsers want. */
const compressionAlgos: LabelParser<readonly CompressionAlgo[]> = (raw) => {
  const found = new Set<CompressionAlgo>();
  for (const name of raw.trim().split(/[\s,]+/)) {
    if (name === 'gzip' || name === 'deflate' || name === 'br') found.add(name);
    else if (name === 'raw-deflate') found.add('deflate');
    else if (name !== 'identity') return not('one or more of gzip, deflate, br');
  }
  return ok(found.size === 0 ? undefined : [...found]);
};

const mediaTypes: LabelParser<readonly string[]> = (raw) => {
  const types = raw
    .trim()
    .toLowerCase()
    .split(/[\s,]+/);
  return types.every((type) => /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+*-]+$/.test(type))
    ? ok(types)
    : not('media types such as text/html application/json');
};

const accessLogChoice: LabelParser<AccessLogChoice> = (raw) => {
  const choice = raw.trim();
  if (choice === 'off') return ok('off');
  const every = Number(/^1\/([1-9]\d{0,6})$/.exec(choice)?.[1]);
  return every <= 1_000_000 ? ok({ every }) : not('off, or a share such as 1/100, at least 1/1000000');
};

/** What happens to requests and answers on their way, for the whole service. */
export const processingServiceLabels = {
  redirectWhenHttpProto: {
    name: 'redirectWhenHttpProto',
    parse: boolean,
    default: 'false',
    meaning: 'Redirects to https when a trusted hop says that the client came by http (`X-Forwarded-Proto: http`).',
    example: 'true',
    support: served,
    dockerFlow: fixed('`X-Forwarded-Proto` is believed only from `TRUSTED_PROXIES`.'),
  },
  redirectUnlessHttpsProto: {
    name: 'redirectUnlessHttpsProto',
    parse: boolean,
    default: 'false',
    meaning: 'Redirects to https unless the client is known to have come by https.',
    example: 'true',
    support: served,
    dockerFlow: fixed('`X-Forwarded-Proto` is believed only from `TRUSTED_PROXIES`.'),
  },
  addReqHeader: {
    name: 'addReqHeader',
    parse: requestHeaderRules,
    meaning: 'Headers that are added to the request.',
    example: 'X-Entry-Port %[dst_port]',
    support: served,
    aliases: ['addHeader'],
    dockerFlow: headerLanguage,
  },
  setReqHeader: {
    name: 'setReqHeader',
    parse: requestHeaderRules,
    meaning: 'Headers that are set on the request, whatever the client sent.',
    example: 'X-Client %[src]',
    support: served,
    aliases: ['setHeader'],
    dockerFlow: headerLanguage,
  },
  delReqHeader: {
    name: 'delReqHeader',
    parse: requestHeaderNames,
    meaning: 'Headers that are taken off the request.',
    example: 'X-Debug,X-Internal',
    support: served,
    dockerFlow: same,
  },
  addResHeader: {
    name: 'addResHeader',
    parse: responseHeaderRules,
    meaning: 'Headers that are added to the answer.',
    example: 'X-Served-By %[env(HOSTNAME)]',
    support: served,
    dockerFlow: headerLanguage,
  },
  setResHeader: {
    name: 'setResHeader',
    parse: responseHeaderRules,
    meaning: 'Headers that are set on the answer, whatever the service sent.',
    example: 'Strict-Transport-Security "max-age=31536000; includeSubDomains" if { ssl_fc }',
    support: served,
    dockerFlow: headerLanguage,
  },
  delResHeader: {
    name: 'delResHeader',
    parse: responseHeaderNames,
    meaning: 'Headers that are taken off the answer.',
    example: 'Server,X-Powered-By',
    support: served,
    dockerFlow: same,
  },
  compressionAlgo: {
    name: 'compressionAlgo',
    parse: compressionAlgos,
    default: '`COMPRESSION_ALGO`, else none',
    meaning: 'Compresses answers by what the client accepts: `gzip`, `deflate`, `br`, by spaces.',
    example: 'br gzip',
    support: served,
    dockerFlow: fixed('Holds for this service only; in Docker Flow it leaks into all. `br` is new.'),
  },
  compressionType: {
    name: 'compressionType',
    parse: mediaTypes,
    default: '`COMPRESSION_TYPE`, else the usual texts',
    meaning: 'Media types that are compressed, by spaces.',
    example: 'text/html text/css application/json',
    support: served,
    dockerFlow: fixed('Holds for this service only.'),
  },
  connectionMode: {
    name: 'connectionMode',
    parse: (raw, options) => {
      const mode = raw.trim();
      if (mode === 'http-tunnel' || mode === 'forceclose')
        return {
          ok: false,
          reason: 'label-value-refused',
          expected: 'one of http-keep-alive, http-server-close, httpclose',
          suggestion: mode === 'forceclose' ? 'use httpclose' : 'use http-keep-alive; upgrades are tunnelled anyway',
        };
      return oneOf('http-keep-alive', 'http-server-close', 'httpclose')(mode, options);
    },
    default: '`CONNECTION_MODE`, else http-keep-alive',
    meaning: 'What happens to connections after an answer: kept, closed towards the service, or closed on both sides.',
    example: 'http-server-close',
    support: served,
    dockerFlow: fixed('`http-tunnel` and `forceclose` are refused.'),
  },
} satisfies Partial<ServiceEntries>;

export const processingDestinationLabels = {
  reqPathSearchReplace: {
    name: 'reqPathSearchReplace',
    parse: pathRewrites,
    meaning:
      'Rewrites the path after routing: `search,replace`, several by colon, in sequence. The first match only, all with a third part `g`, without case with `i`. The query stays.',
    example: '^/api/v1,/v1',
    support: served,
    dockerFlow: fixed('A backslash keeps a comma or colon in its place.'),
  },
  httpsRedirectCode: {
    name: 'httpsRedirectCode',
    parse: (raw, options) => {
      const parsed = integer(301, 308)(raw, options);
      return parsed.ok && [301, 302, 303, 307, 308].includes(parsed.value ?? 0)
        ? parsed
        : not('one of 301, 302, 303, 307, 308');
    },
    default: '302',
    meaning: 'Status of the redirect that `httpsOnly` makes.',
    example: '301',
    support: served,
    dockerFlow: same,
  },
  timeoutServerMs: {
    name: 'timeoutServer',
    parse: secondsAsMs,
    default: '`TIMEOUT_SERVER`, else 20',
    meaning: 'Seconds the service may stay silent.',
    example: '60',
    support: served,
    dockerFlow: same,
  },
  timeoutTunnelMs: {
    name: 'timeoutTunnel',
    parse: secondsAsMs,
    default: '`TIMEOUT_TUNNEL`, else 3600',
    meaning: 'Seconds an upgraded connection (WebSocket) or a relay may stay silent.',
    example: '86400',
    support: served,
    dockerFlow: same,
  },
  accessLog: {
    name: 'accessLog',
    parse: accessLogChoice,
    default: 'every request, where `ACCESS_LOG` is set',
    meaning: 'Which requests get a line in the access log: `off` for none, `1/100` for one of a hundred at random.',
    example: '1/100',
    support: served,
    dockerFlow: added,
  },
  sslVerifyNone: {
    name: 'sslVerifyNone',
    parse: boolean,
    default: 'false',
    meaning: 'Speaks TLS to the service, without checking its certificate.',
    example: 'true',
    support: served,
    dockerFlow: same,
  },
} satisfies Partial<DestinationEntries>;
