import { mayHoldCredential } from '../values/credentials.ts';
import {
  requestHeaderNames,
  requestHeaderRules,
  responseHeaderNames,
  responseHeaderRules,
} from '../values/header-rules.ts';
import { mediaTypes } from '../values/lists.ts';
import { pathRewrites } from '../values/path-rewrites.ts';
import { boolean, oneOf, secondsOrNoLimit, share } from '../values/plain.ts';
import { not, ok, type Value } from '../values/value.ts';
import { added, fixed, httpOnly, label, same } from './label-entry.ts';

export type CompressionAlgo = 'gzip' | 'deflate' | 'br' | 'zstd';

/** No line, or a line for one request of `every`, taken at random. */
export type AccessLogChoice = 'off' | { readonly every: number };

const headerLanguage = fixed(
  'The part of HAProxy’s language that is in use: `%[dst_port]`, `%[src]`, `%[env(NAME)]`, quotes, `if { ssl_fc }`, `unless { ssl_fc }`. Anything else is refused, as are headers that frame the message.',
);

/** HAProxy's list is by spaces; `raw-deflate` is its name for the deflate without zlib's wrapper. */
const compressionAlgos: Value<readonly CompressionAlgo[]> = {
  parse: (raw) => {
    const found = new Set<CompressionAlgo>();
    for (const name of raw.trim().split(/[\s,]+/)) {
      if (name === 'gzip' || name === 'deflate' || name === 'br' || name === 'zstd') found.add(name);
      else if (name === 'raw-deflate') found.add('deflate');
      else if (name !== 'identity') return not('one or more of gzip, deflate, br, zstd');
    }
    return ok(found.size === 0 ? undefined : [...found]);
  },
  schema: (zod) => zod.array(zod.enum(['gzip', 'deflate', 'br', 'zstd'])),
};

const accessLogChoice: Value<AccessLogChoice> = {
  parse: (raw) => {
    const choice = raw.trim();
    if (choice === 'off') return ok('off');
    const every = Number(/^1\/([1-9]\d{0,6})$/.exec(choice)?.[1]);
    return every <= 1_000_000 ? ok({ every }) : not('off, or a share such as 1/100, at least 1/1000000');
  },
  schema: (zod) => zod.union([zod.literal('off'), zod.object({ every: zod.int().min(1).max(1_000_000) })]),
};

const connectionModes = oneOf('http-keep-alive', 'http-server-close', 'httpclose');
const connectionMode: typeof connectionModes = {
  ...connectionModes,
  parse: (raw, options) => {
    const mode = raw.trim();
    if (mode !== 'http-tunnel' && mode !== 'forceclose') return connectionModes.parse(raw, options);
    return {
      ok: false,
      reason: 'label-value-refused',
      expected: 'one of http-keep-alive, http-server-close, httpclose',
      suggestion: mode === 'forceclose' ? 'use httpclose' : 'use http-keep-alive; upgrades are tunnelled anyway',
    };
  },
};

const redirectStatuses = [301, 302, 303, 307, 308] as const;
const redirectStatus: Value<number> = {
  parse: (raw) => {
    const status = redirectStatuses.find((each) => String(each) === raw.trim());
    return status === undefined ? not(`one of ${redirectStatuses.join(', ')}`) : ok(status);
  },
  schema: (zod) => zod.literal(redirectStatuses),
};

/** Changes to requests and responses, for the whole service. */
export const processingServiceLabels = {
  redirectWhenHttpProto: label('redirectWhenHttpProto', boolean, {
    default: 'false',
    meaning: 'Redirects to https when a trusted hop states that the client used http (`X-Forwarded-Proto: http`).',
    modes: httpOnly,
    example: 'true',
    dockerFlow: fixed('`X-Forwarded-Proto` is trusted only from `TRUSTED_PROXIES`.'),
  }),
  redirectUnlessHttpsProto: label('redirectUnlessHttpsProto', boolean, {
    default: 'false',
    meaning: 'Redirects to https unless the client is known to have come by https.',
    modes: httpOnly,
    example: 'true',
    dockerFlow: fixed('`X-Forwarded-Proto` is trusted only from `TRUSTED_PROXIES`.'),
  }),
  addReqHeader: label('addReqHeader', requestHeaderRules, {
    holdsCredential: mayHoldCredential,
    meaning:
      'Headers that are added to the request. `X-Forwarded-*`, `Forwarded`, `X-Real-IP` and `X-Request-Id` replace the value that is there.',
    modes: httpOnly,
    example: 'X-Entry-Port %[dst_port]',
    aliases: ['addHeader'],
    dockerFlow: headerLanguage,
  }),
  setReqHeader: label('setReqHeader', requestHeaderRules, {
    holdsCredential: mayHoldCredential,
    meaning:
      'Headers that are set on the request, whatever the client sent, in every spelling that services fold together (`X_User` for `X-User`).',
    modes: httpOnly,
    example: 'X-Client %[src]',
    aliases: ['setHeader'],
    dockerFlow: headerLanguage,
  }),
  delReqHeader: label('delReqHeader', requestHeaderNames, {
    meaning: 'Headers that are removed from the request, in every spelling that services fold together.',
    modes: httpOnly,
    example: 'X-Debug,X-Internal',
    dockerFlow: same,
  }),
  addResHeader: label('addResHeader', responseHeaderRules, {
    holdsCredential: mayHoldCredential,
    meaning: 'Headers that are added to the response.',
    modes: httpOnly,
    example: 'X-Served-By %[env(HOSTNAME)]',
    dockerFlow: headerLanguage,
  }),
  setResHeader: label('setResHeader', responseHeaderRules, {
    holdsCredential: mayHoldCredential,
    meaning: 'Headers that are set on the response, whatever the service sent.',
    modes: httpOnly,
    example: 'Strict-Transport-Security "max-age=31536000; includeSubDomains" if { ssl_fc }',
    dockerFlow: headerLanguage,
  }),
  delResHeader: label('delResHeader', responseHeaderNames, {
    meaning: 'Headers that are removed from the response.',
    modes: httpOnly,
    example: 'Server,X-Powered-By',
    dockerFlow: same,
  }),
  compressionAlgo: label('compressionAlgo', compressionAlgos, {
    default: '`COMPRESSION_ALGO`, else none',
    meaning:
      'Compresses responses by what the client accepts: `gzip`, `deflate`, `br`, `zstd`, by spaces, the preferred one first.',
    modes: httpOnly,
    example: 'br gzip',
    dockerFlow: fixed('Holds for this service only; in Docker Flow it leaks into all. `br` and `zstd` are new.'),
  }),
  compressionType: label('compressionType', mediaTypes, {
    default: '`COMPRESSION_TYPE`, else the usual texts',
    meaning: 'Media types that are compressed, by spaces.',
    modes: httpOnly,
    example: 'text/html text/css application/json',
    dockerFlow: fixed('Holds for this service only.'),
  }),
  connectionMode: label('connectionMode', connectionMode, {
    default: '`CONNECTION_MODE`, else http-keep-alive',
    meaning: 'Connections after a response: kept, closed towards the service, or closed on both sides.',
    modes: httpOnly,
    example: 'http-server-close',
    dockerFlow: fixed('`http-tunnel` and `forceclose` are refused.'),
  }),
};

export const processingDestinationLabels = {
  reqPathSearchReplace: label('reqPathSearchReplace', pathRewrites, {
    meaning:
      'Rewrites the path after routing: `search,replace`, several by colon, in sequence. The first match only, all with a third part `g`, without case with `i`. The query stays. `Destination` and `If` of WebDAV follow.',
    modes: httpOnly,
    example: '^/api/v1,/v1',
    dockerFlow: fixed('A backslash keeps a comma or colon in its place.'),
  }),
  rewriteResponse: label('rewriteResponse', boolean, {
    default: 'false',
    meaning:
      'Where `reqPathSearchReplace` has changed the path: changes the paths of `Location`, `Content-Location` and of cookies back.',
    modes: httpOnly,
    example: 'true',
    dockerFlow: added,
  }),
  httpsRedirectCode: label('httpsRedirectCode', redirectStatus, {
    default: '302',
    meaning: 'Status of the redirect that `httpsOnly` makes.',
    modes: httpOnly,
    example: '301',
    dockerFlow: same,
  }),
  timeoutServerMs: label('timeoutServer', secondsOrNoLimit, {
    default: '`TIMEOUT_SERVER`, else 20',
    meaning: 'Seconds an endpoint may send nothing; `0`: no limit.',
    modes: httpOnly,
    example: '60',
    dockerFlow: same,
  }),
  timeoutTunnelMs: label('timeoutTunnel', secondsOrNoLimit, {
    default: '`TIMEOUT_TUNNEL`, else 3600',
    meaning:
      'Seconds an upgraded connection (WebSocket), a stream of server-sent events or a relay may carry no data; `0`: no limit.',
    example: '86400',
    dockerFlow: same,
  }),
  accessLog: label('accessLog', accessLogChoice, {
    default: 'every request, where `ACCESS_LOG` is set',
    meaning: 'Which requests get a line in the access log: `off` for none, `1/100` for one of a hundred at random.',
    modes: httpOnly,
    example: '1/100',
    dockerFlow: added,
  }),
  traceSample: label('traceSample', share, {
    default: '`OTEL_TRACES_SAMPLER_ARG`',
    meaning:
      'Share of requests whose traces are exported, from 0 to 1, where tracing is on. A trusted caller’s own decision, 5xx and slow requests go before it.',
    modes: httpOnly,
    example: '0.05',
    dockerFlow: added,
  }),
  sslVerifyNone: label('sslVerifyNone', boolean, {
    default: 'false',
    meaning: 'Speaks TLS to the service, without checking its certificate.',
    modes: httpOnly,
    example: 'true',
    dockerFlow: same,
  }),
};
