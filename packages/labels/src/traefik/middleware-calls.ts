import { isFixedRequestHeader, isFramingHeader } from '../values/header-names.ts';
import type { GivenOptions } from './given-options.ts';

/** One option of a middleware of ours, as its label would write it. */
export interface CallOption {
  readonly option: string;
  readonly value: string;
}

/** A middleware of ours by the name of its kind, or why there is none that does the same. */
export type MiddlewareCall =
  | {
      readonly kind: string;
      readonly options: readonly CallOption[];
      /** Options of Traefik that have no effect here, none of which restricts. */
      readonly ignored: readonly string[];
      /** What a middleware of another kind of ours does, before this one. */
      readonly first?: { readonly kind: string; readonly options: readonly CallOption[] };
    }
  | { readonly kind: 'unsupported'; readonly why: string; readonly suggestion: string };

/** How one option of Traefik is written as ours. */
type Rewrite =
  | string
  /** Accepted, without effect, and none that restricts. */
  | null
  | ((value: string, key: string) => readonly CallOption[] | 'ignored' | { readonly why: string });

interface Mapping {
  readonly kind: string;
  /** By Traefik's key in lower case; a key that ends in `.*` holds for each of its own names. */
  readonly options: Readonly<Record<string, Rewrite>>;
  /** What Traefik’s default is where ours differs. */
  readonly defaults?: readonly CallOption[];
  /** Options of ours that another kind has, which comes first. */
  readonly first?: {
    readonly kind: string;
    readonly options: ReadonlySet<string>;
    readonly defaults?: readonly CallOption[];
  };
}

const listed =
  (option: string): Rewrite =>
  (value) =>
    splitList(value).map((each) => ({ option, value: each }));

const always =
  (option: string, value: string): Rewrite =>
  (given) =>
    isOn(given) ? [{ option, value }] : [];

const closed =
  (why: string): Rewrite =>
  (value) =>
    isOn(value) ? { why } : [];

const counted: Readonly<Record<string, Rewrite>> = {
  'sourcecriterion.ipstrategy.depth': 'depth',
  'sourcecriterion.ipstrategy.excludedips': listed('excludedIps'),
  'sourcecriterion.ipstrategy.ipv6subnet': null,
  'sourcecriterion.requestheadername': (value) => [{ option: 'by', value: `header:${value.trim()}` }],
  'sourcecriterion.requesthost': always('by', 'host'),
};

const allowList: Mapping = {
  kind: 'ipAllowList',
  options: {
    sourcerange: listed('sourceRange'),
    'ipstrategy.depth': 'depth',
    'ipstrategy.excludedips': listed('excludedIps'),
    'ipstrategy.ipv6subnet': null,
    ipstrategy: null,
    rejectstatuscode: 'rejectStatus',
  },
};

const certificateNames = [
  'Country',
  'Province',
  'Locality',
  'Organization',
  'OrganizationalUnit',
  'CommonName',
  'SerialNumber',
  'DomainComponent',
];

const inFile = 'it takes users from a file, which the listener does not have';

/** Traefik's kinds by their name in lower case. The one table from their middlewares to ours. */
const mappings: Readonly<Record<string, Mapping>> = {
  addprefix: { kind: 'addPrefix', options: { prefix: 'prefix' } },
  basicauth: {
    kind: 'basicAuth',
    options: {
      users: listed('users'),
      usersfile: () => ({ why: inFile }),
      realm: 'realm',
      headerfield: 'userHeader',
      removeheader: 'removeHeader',
    },
    defaults: [{ option: 'removeHeader', value: 'false' }],
  },
  buffering: {
    kind: 'buffering',
    options: {
      maxrequestbodybytes: 'maxRequestBody',
      // Responses are streamed, so their size costs no memory.
      maxresponsebodybytes: null,
      memrequestbodybytes: null,
      memresponsebodybytes: null,
      retryexpression: null,
      disablerequestbuffer: null,
      disableresponsebuffer: null,
    },
  },
  circuitbreaker: {
    kind: 'circuitBreaker',
    options: {
      expression: 'expression',
      checkperiod: 'checkPeriod',
      fallbackduration: 'fallbackDuration',
      recoveryduration: 'recoveryDuration',
      responsecode: 'responseCode',
    },
  },
  compress: {
    kind: 'compress',
    options: {
      excludedcontenttypes: listed('excludedTypes'),
      includedcontenttypes: listed('types'),
      minresponsebodybytes: 'minResponseBody',
      encodings: listed('algorithms'),
      defaultencoding: null,
    },
  },
  contenttype: { kind: 'contentType', options: { autodetect: 'autoDetect' } },
  encodedcharacters: {
    kind: 'encodedCharacters',
    options: Object.fromEntries(
      ['Slash', 'BackSlash', 'NullCharacter', 'Semicolon', 'Percent', 'QuestionMark', 'Hash'].map((name) => [
        `allowencoded${name.toLowerCase()}`,
        `allowEncoded${name}`,
      ]),
    ),
  },
  // `service` becomes `address`, which needs the other services: `translate-middlewares.ts`.
  errors: {
    kind: 'errors',
    options: {
      status: listed('status'),
      address: 'address',
      query: 'query',
      'statusrewrites.*': null,
      forwardnginxheaders: null,
    },
  },
  forwardauth: {
    kind: 'forwardAuth',
    options: {
      address: 'address',
      // Ours states what trusted hops state, and nothing else, as that option does where it is safe.
      trustforwardheader: () => [],
      authresponseheaders: listed('responseHeaders'),
      authresponseheadersregex: 'responseHeadersRegex',
      authrequestheaders: listed('requestHeaders'),
      addauthcookiestoresponse: listed('responseCookies'),
      headerfield: 'userHeader',
      forwardbody: closed('it sends the body of requests to the auth service'),
      maxbodysize: null,
      maxresponsebodysize: 'maxResponseBody',
      preservelocationheader: 'preserveLocationHeader',
      preserverequestmethod: 'preserveRequestMethod',
      authsigninurl: 'signIn',
      'tls.ca': () => ({ why: 'it names files of certificates, which the listener does not have' }),
      'tls.cert': () => ({ why: 'it names files of certificates, which the listener does not have' }),
      'tls.key': null,
      'tls.caoptional': null,
      'tls.insecureskipverify': null,
    },
  },
  grpcweb: {
    kind: 'grpcWeb',
    options: { alloworigins: listed('allowOrigins') },
    first: {
      kind: 'headers',
      options: new Set(['allowOrigins']),
      // What clients of gRPC-Web in browsers send and read.
      defaults: [
        { option: 'allowMethods', value: 'POST' },
        { option: 'allowHeaders', value: 'content-type,x-grpc-web,x-user-agent,grpc-timeout,authorization' },
        { option: 'exposeHeaders', value: 'grpc-status,grpc-message,grpc-status-details-bin' },
        { option: 'allowCredentials', value: 'true' },
      ],
    },
  },
  headers: {
    kind: 'headers',
    options: {
      'customrequestheaders.*': (value, name) =>
        isFixedRequestHeader(name) ? 'ignored' : [{ option: `request.${name}`, value }],
      'customresponseheaders.*': (value, name) =>
        isFramingHeader(name) ? 'ignored' : [{ option: `response.${name}`, value }],
      accesscontrolallowcredentials: 'allowCredentials',
      accesscontrolallowheaders: listed('allowHeaders'),
      accesscontrolallowmethods: listed('allowMethods'),
      accesscontrolalloworigin: listed('allowOrigins'),
      accesscontrolalloworiginlist: listed('allowOrigins'),
      accesscontrolalloworiginlistregex: listed('allowOriginsRegex'),
      accesscontrolexposeheaders: listed('exposeHeaders'),
      accesscontrolmaxage: 'maxAge',
      addvaryheader: 'addVary',
      allowedhosts: listed('hosts'),
      hostsproxyheaders: null,
      sslredirect: closed('sslRedirect is of Traefik 2'),
      ssltemporaryredirect: null,
      sslhost: null,
      sslforcehost: closed('sslForceHost is of Traefik 2'),
      'sslproxyheaders.*': null,
      stsseconds: 'stsSeconds',
      stsincludesubdomains: 'stsIncludeSubdomains',
      stspreload: 'stsPreload',
      forcestsheader: 'forceSts',
      framedeny: 'frameDeny',
      customframeoptionsvalue: 'frameOptions',
      contenttypenosniff: 'contentTypeNosniff',
      browserxssfilter: 'browserXssFilter',
      custombrowserxssvalue: (value) => [{ option: 'response.X-XSS-Protection', value }],
      contentsecuritypolicy: 'contentSecurityPolicy',
      contentsecuritypolicyreportonly: 'contentSecurityPolicyReportOnly',
      publickey: null,
      referrerpolicy: 'referrerPolicy',
      featurepolicy: (value) => [{ option: 'response.Feature-Policy', value }],
      permissionspolicy: 'permissionsPolicy',
      isdevelopment: null,
    },
    first: { kind: 'allowedHosts', options: new Set(['hosts']) },
  },
  inflightreq: { kind: 'inFlightReq', options: { amount: 'amount', ...counted } },
  ipallowlist: allowList,
  ipwhitelist: allowList,
  passtlsclientcert: {
    kind: 'passTLSClientCert',
    options: {
      pem: 'pem',
      'info.notafter': 'notAfter',
      'info.notbefore': 'notBefore',
      'info.sans': 'sans',
      'info.serialnumber': 'serialNumber',
      'info.issuer.organizationalunit': null,
      ...Object.fromEntries(
        ['subject', 'issuer'].flatMap((whose) =>
          certificateNames
            .filter((name) => whose === 'subject' || name !== 'OrganizationalUnit')
            .map((name) => [`info.${whose}.${name.toLowerCase()}`, `${whose}${name}`]),
        ),
      ),
    },
  },
  ratelimit: {
    kind: 'rateLimit',
    options: { average: 'average', period: 'period', burst: 'burst', 'redis.*': null, ...counted },
    defaults: [{ option: 'average', value: '0' }],
  },
  redirectregex: {
    kind: 'redirectRegex',
    options: { regex: 'regex', replacement: 'replacement', permanent: 'permanent' },
  },
  redirectscheme: { kind: 'redirectScheme', options: { scheme: 'scheme', port: 'port', permanent: 'permanent' } },
  replacepath: { kind: 'replacePath', options: { path: 'path' } },
  replacepathregex: { kind: 'replacePathRegex', options: { regex: 'regex', replacement: 'replacement' } },
  retry: {
    kind: 'retry',
    options: {
      // Ours makes at most ten.
      attempts: (value) => [{ option: 'attempts', value: Number(value) > 10 ? '10' : value }],
      initialinterval: 'initialInterval',
      timeout: null,
      maxrequestbodybytes: null,
      status: null,
      disableretryonnetworkerror: null,
    },
  },
  stripprefix: { kind: 'stripPrefix', options: { prefixes: listed('prefixes'), forceslash: 'forceSlash' } },
  stripprefixregex: { kind: 'stripPrefixRegex', options: { regex: listed('expressions') } },
};

const unsupportedKinds: Readonly<Record<string, readonly [why: string, suggestion: string]>> = {
  digestauth: ['digestAuth is not supported', 'use basicAuth over TLS, or forwardAuth'],
  plugin: ['plug-ins of Traefik are not supported', 'use a middleware that does the same, or com.df.plugins'],
};

/** @param options keys in lower case, the kind first: `redirectscheme.scheme` */
export function middlewareCall(options: GivenOptions): MiddlewareCall {
  const kinds = [...new Set([...options.keys()].map((key) => key.split('.')[0] ?? ''))];
  const [kind = ''] = kinds;
  if (kinds.length > 1)
    return unsupported(`it is of several kinds: ${kinds.join(', ')}`, 'give each kind a name of its own');
  const known = Object.hasOwn(unsupportedKinds, kind) ? unsupportedKinds[kind] : undefined;
  if (known !== undefined) return unsupported(...known);
  const mapping = Object.hasOwn(mappings, kind) ? mappings[kind] : undefined;
  if (mapping === undefined) return unsupported(`there is no middleware ${kind}`, 'correct its name');
  return mapped(mapping, kind, options);
}

function mapped(mapping: Mapping, kind: string, given: GivenOptions): MiddlewareCall {
  const options: CallOption[] = [];
  const ignored: string[] = [];
  for (const [key, { value }] of given) {
    const name = key.slice(kind.length + 1);
    // The kind alone: `compress=true`.
    if (name === '') continue;
    const lower = name.toLowerCase();
    const dot = lower.lastIndexOf('.');
    const rewrite = Object.hasOwn(mapping.options, lower)
      ? mapping.options[lower]
      : mapping.options[`${lower.slice(0, Math.max(0, dot))}.*`];
    const written = rewritten(rewrite, value, name.slice(dot + 1));
    if (written === 'ignored') ignored.push(name);
    else if ('why' in written) return unsupported(written.why, 'use what docs/middlewares.md lists');
    else options.push(...written);
  }
  const defaults = (mapping.defaults ?? []).filter(({ option }) => !options.some((each) => each.option === option));
  const { first } = mapping;
  const ofFirst = options.filter(({ option }) => first?.options.has(option));
  const own = options.filter(({ option }) => first?.options.has(option) !== true);
  const call = { kind: mapping.kind, options: [...own, ...defaults], ignored };
  if (first === undefined || ofFirst.length === 0) return call;
  return { ...call, first: { kind: first.kind, options: [...ofFirst, ...(first.defaults ?? [])] } };
}

function rewritten(
  rewrite: Rewrite | undefined,
  value: string,
  name: string,
): readonly CallOption[] | 'ignored' | { readonly why: string } {
  if (rewrite === null) return 'ignored';
  // An option without a line in the table is not dropped: it may restrict.
  if (rewrite === undefined) return { why: `its option ${name} is not supported` };
  if (typeof rewrite === 'string') return [{ option: rewrite, value: value.trim() }];
  return rewrite(value, name);
}

function unsupported(why: string, suggestion: string): MiddlewareCall {
  return { kind: 'unsupported', why, suggestion };
}

/** Traefik's lists: by comma, trimmed. */
export function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function isOn(value: string): boolean {
  return !/^(false|0|f)?$/i.test(value.trim());
}
