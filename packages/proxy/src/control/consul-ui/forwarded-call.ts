import type { IncomingHttpHeaders } from 'node:http';

/** A call as it arrived, after the login. */
export interface UiCall {
  readonly method: string;
  /** The request target, as sent. */
  readonly target: string;
  /** Every value of each field. */
  readonly fields: NodeJS.Dict<string[]>;
  /** Requests a WebSocket. */
  readonly upgrade: boolean;
}

export interface UiRights {
  /** `CONSUL_UI_TOKEN`, for calls without a token of their own. */
  readonly token: string | undefined;
  /** Prefix of all keys: `PROXY_INSTANCE_NAME`. */
  readonly instance: string;
}

export interface Refusal {
  readonly kind: 'refused';
  readonly status: number;
  /** For X-Swarmgate-Reason. */
  readonly reason: string;
  readonly message: string;
}

export type ForwardDecision =
  | Refusal
  | {
      readonly kind: 'forward';
      /** All that Consul gets, besides Host. */
      readonly headers: IncomingHttpHeaders;
      /** How long Consul may stay silent, in milliseconds. */
      readonly silenceMs: number;
      /** Whose ACL token it carries. */
      readonly tokenOf: 'person' | 'ui' | 'none';
    };

/** Largest request body in bytes: Consul's own limit of a value and of a transaction. */
export const largestBodyBytes = 512 * 1024;

/** How long Consul may take over a call that does not wait for a change. */
const silenceMs = 30_000;
/** Consul holds blocking queries for 10 minutes at most, and adds up to 1/16. */
const blockingSilenceMs = 600_000 * (17 / 16) + 10_000;

const methods = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']);

// What Consul and its UI use. `Authorization`, which Consul would take as an ACL token, `Cookie`, `Expect`, `Forwarded`,
// `Connection` with whatever fields it names: nothing else is forwarded.
const forwardedFields = [
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-length',
  'content-type',
  'if-modified-since',
  'if-none-match',
  'pragma',
  'range',
  'user-agent',
  'x-consul-namespace',
  'x-consul-partition',
  'x-request-id',
] as const;

const webSocketFields = [
  'origin',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
] as const;

// Where Consul's UI reads services, nodes and keys. `/v1/acl/token/self` would respond with the token itself, and
// `/v1/snapshot` with all tokens.
const readWithUiToken = ['catalog', 'coordinate', 'health', 'internal/ui', 'kv', 'session', 'status'];

/** Whether and how a call goes on to Consul. Pure. */
export function decideForward(call: UiCall, rights: UiRights): ForwardDecision {
  const { method, target, fields, upgrade } = call;
  if (!methods.has(method)) return refused(405, 'method-unsupported', `${method} is not forwarded`);
  const at = target.indexOf('?');
  const path = at === -1 ? target : target.slice(0, at);
  const query = at === -1 ? '' : target.slice(at + 1);
  const objection = objectionToPath(path) ?? objectionToQuery(query) ?? objectionToBody(fields, upgrade);
  if (objection !== undefined) return objection;
  if (!/^\/(?:$|(?:ui|v1)(?:$|\/))/.test(path))
    return refused(404, 'path-unknown', 'Consul has its UI at /ui/ and its API at /v1/');
  const [token, ...more] = fields['x-consul-token'] ?? [];
  if (more.length > 0) return refused(400, 'token-repeated', 'X-Consul-Token is sent more than once');
  // The UI always sends one, empty before a login there.
  const own = token?.trim() === '' ? undefined : token?.trim();
  if (own !== undefined && !/^[\x21-\x7e]+$/.test(own))
    return refused(400, 'token-invalid', 'X-Consul-Token holds characters that no ACL token has');
  if (own === undefined && !isInUiRights(method, path, rights.instance))
    return refused(
      403,
      'token-needed',
      `Permission denied: without an ACL token of one's own (X-Consul-Token) keys can be read, and written below ${rights.instance}/services/manual/`,
    );
  const forwarded = own ?? rights.token;
  const names = upgrade ? [...forwardedFields, ...webSocketFields] : forwardedFields;
  const headers: IncomingHttpHeaders = {};
  for (const name of names) {
    const values = fields[name];
    if (values !== undefined) headers[name] = values.join(', ');
  }
  if (upgrade) Object.assign(headers, { connection: 'Upgrade', upgrade: 'websocket' });
  if (forwarded !== undefined) headers['x-consul-token'] = forwarded;
  return {
    kind: 'forward',
    headers,
    silenceMs: namesOf(query).some((name) => name === 'index' || name === 'hash') ? blockingSilenceMs : silenceMs,
    tokenOf: own !== undefined ? 'person' : forwarded === undefined ? 'none' : 'ui',
  };
}

/**
 * What calls without a token of their own may do, whatever `CONSUL_UI_TOKEN` may: its policy and this rule allow the same,
 * so that a token with more rights, or a Consul without ACLs, changes nothing about it.
 */
function isInUiRights(method: string, path: string, instance: string): boolean {
  if (method === 'GET' || method === 'HEAD')
    return !path.startsWith('/v1') || readWithUiToken.some((each) => path.startsWith(`/v1/${each}/`));
  // Queries Consul for what the token may do; changes nothing.
  if (method === 'POST') return path === '/v1/internal/acl/authorize';
  return path.startsWith(`/v1/kv/${instance}/services/manual/`);
}

/**
 * Consul unescapes the path before it looks at it, merges slashes and resolves dots. A path that it could read otherwise
 * than this module does not reach it.
 */
function objectionToPath(path: string): Refusal | undefined {
  const no = (message: string) => refused(400, 'path-ambiguous', message);
  if (!/^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/.test(path))
    return no('the target is not a path, or holds characters that have to be escaped');
  const plain = unescaped(path);
  if (plain === undefined) return no('the path is not UTF-8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\\\x00-\x1f\x7f]/.test(plain)) return no('the path holds an escaped backslash or control character');
  if (plain.split('/').some((segment) => segment === '.' || segment === '..'))
    return no('the path holds a dot segment');
  // The UI's own addresses hold keys and two slashes in a row. However they are read, they stay below /ui/.
  if (path.startsWith('/ui/')) return undefined;
  if (/%2f/i.test(path)) return no('the path holds an escaped slash');
  return path.includes('//') ? no('the path holds two slashes in a row') : undefined;
}

function objectionToQuery(query: string): Refusal | undefined {
  // Consul before 1.11 separates parameters at `;` too, and a name can be escaped.
  if (!/^(?:[A-Za-z0-9._~!$&'()*+,=:@/?[\]|-]|%[0-9A-Fa-f]{2})*$/.test(query))
    return refused(400, 'query-ambiguous', 'the query holds characters that have to be escaped');
  if (namesOf(query).some((name) => name.trim().toLowerCase() === 'token'))
    return refused(400, 'token-in-query', 'send an ACL token as X-Consul-Token: queries stand in logs and histories');
  return undefined;
}

/** A body has a length beforehand: nothing about where a request ends is left to two parsers. */
function objectionToBody(fields: UiCall['fields'], upgrade: boolean): Refusal | undefined {
  if (fields['transfer-encoding'] !== undefined)
    return refused(411, 'length-required', 'send a body with Content-Length');
  const lengths = fields['content-length'] ?? [];
  if (lengths.length > 1) return refused(400, 'length-repeated', 'Content-Length is sent more than once');
  const bytes = Number(lengths[0] ?? 0);
  if (upgrade && bytes > 0) return refused(400, 'upgrade-with-body', 'an upgrade has no body');
  return bytes > largestBodyBytes
    ? refused(413, 'body-too-large', `the body is larger than ${largestBodyBytes} bytes`)
    : undefined;
}

/** The names of all parameters, unescaped byte by byte: what is no UTF-8 is no known name. */
function namesOf(query: string): readonly string[] {
  return query.split('&').map((parameter) => {
    const [name = ''] = parameter.split('=', 1);
    return name
      .replaceAll('+', ' ')
      .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  });
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export function refused(status: number, reason: string, message: string): Refusal {
  return { kind: 'refused', status, reason, message };
}
