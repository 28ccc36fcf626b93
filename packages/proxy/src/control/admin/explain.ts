import { isIP } from 'node:net';
import type { EntrypointSetting } from '@swarmgate/runtime';
import { downOf, pageFor } from '../../middleware/maintenance/maintenance-in-force.ts';
import type { RequestTarget } from '../../model/request-target.ts';
import type { Route } from '../../model/route.ts';
import { normalizeHost } from '../../routing/normal-host.ts';
import type { EncodedSlash } from '../../routing/normal-path.ts';
import { type PathReading, readRequestTarget } from '../../routing/path-readings.ts';
import type { Server } from '../serving/server.ts';
import type { AdminParts } from './admin-parts.ts';
import { missingEntryOf, shownEntrypoints } from './entry-port-problems.ts';
import { explainHttp2 } from './explain-http2.ts';
import type { ExplainResponse } from './response-bodies.ts';
import { viewRoute } from './view-route.ts';

export type ExplainQuery =
  | {
      readonly ok: true;
      readonly target: RequestTarget;
      readonly readings: readonly PathReading[];
      readonly headers: Readonly<Record<string, string>>;
      readonly limit: number;
      /** Also what a client of HTTP/2 meets. */
      readonly http2: boolean;
    }
  | { readonly ok: false; readonly message: string };

/** Every route's patterns are matched with it. */
const longestUrl = 8_192;
const mostCandidates = 1_000;

/**
 * `url`, `method` (default GET), `limit` of candidates (default 250, at most 1,000), any number of `header=Name:value`, and `port` (the entrypoint; default: the URL's own
 * port where it names one, else the entrypoint that serves its scheme), `client` (its address; without it no rule with
 * `ClientIP` fits), `http2` (`true`: what a client of HTTP/2 meets). The URL is taken apart as a request would be,
 * not as a browser would repair it.
 */
export function readExplainQuery(
  query: URLSearchParams,
  server: Pick<Server, 'entrypoints'>,
  encodedSlash: EncodedSlash,
): ExplainQuery {
  const url = query.get('url') ?? '';
  if (url.length > longestUrl)
    return { ok: false, message: `url has ${url.length} characters: at most ${longestUrl} are explained` };
  const parts = /^(?:(https?):\/\/)?([^/?#]+)([^#]*)$/i.exec(url);
  if (parts === null) return { ok: false, message: 'url is not set, or not one such as http://shop.example/cart' };
  const [, scheme = 'http', authority = '', target = ''] = parts;
  const host = normalizeHost(authority);
  if (!host.ok) return { ok: false, message: `the host of the url is refused with 400: ${host.reason}` };
  const path = readRequestTarget(target === '' ? '/' : target.startsWith('?') ? `/${target}` : target, encodedSlash);
  if (!path.ok) return { ok: false, message: `the path of the url is refused with 400: ${path.reason}` };
  // Without a prototype: any name may be requested.
  const headers = Object.create(null) as Record<string, string>;
  for (const header of query.getAll('header')) {
    const colon = header.indexOf(':');
    if (!isToken(header.slice(0, Math.max(0, colon)).trim()))
      return { ok: false, message: `header=${header} is not Name:value` };
    headers[header.slice(0, colon).trim().toLowerCase()] ??= header.slice(colon + 1).trim();
  }
  const port = portOf(query.get('port') ?? undefined, scheme.toLowerCase(), host.port, server);
  if (port === undefined) return { ok: false, message: 'port is not a number from 1 to 65535' };
  const limit = query.get('limit') ?? '250';
  if (!/^\d{1,6}$/.test(limit) || Number(limit) > mostCandidates)
    return { ok: false, message: `limit is not a number of candidates up to ${mostCandidates}` };
  const method = (query.get('method') ?? 'GET').toUpperCase();
  if (!isToken(method)) return { ok: false, message: 'method is not the name of one, such as GET' };
  const found = { method, host: host.host, path: path.path, port };
  const clientAddress = query.get('client') ?? undefined;
  if (clientAddress !== undefined && isIP(clientAddress) === 0)
    return { ok: false, message: 'client is not an address such as 10.0.0.7' };
  const requested = {
    ...found,
    secure: server.entrypoints().find((each) => each.port === port)?.secure ?? scheme.toLowerCase() === 'https',
    header: (name: string) => headers[name],
    lines: (name: string) => (headers[name] === undefined ? [] : [headers[name]]),
    query: /\?.*$/s.exec(target)?.[0] ?? '',
    ...(clientAddress === undefined ? {} : { clientAddress }),
  };
  const http2 = query.get('http2') ?? 'false';
  if (http2 !== 'true' && http2 !== 'false') return { ok: false, message: 'http2 is neither true nor false' };
  const { readings } = path;
  return { ok: true, target: requested, readings, headers, limit: Number(limit), http2: http2 === 'true' };
}

function portOf(
  given: string | undefined,
  scheme: string,
  ofUrl: number | undefined,
  server: Pick<Server, 'entrypoints'>,
): number | undefined {
  if (given !== undefined) return /^\d{1,5}$/.test(given) && isPort(Number(given)) ? Number(given) : undefined;
  if (ofUrl !== undefined) return ofUrl;
  const isSecure = scheme === 'https';
  const usual = isSecure ? 443 : 80;
  const fitting = server.entrypoints().filter(({ secure }) => secure === isSecure);
  return fitting.find(({ port }) => port === usual)?.port ?? fitting[0]?.port ?? usual;
}

function isPort(number: number): boolean {
  return number >= 1 && number <= 65_535;
}

/** RFC 9110, section 5.6.2. */
function isToken(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
}

/** Yields after each route. */
export function* explain(
  { target, readings, headers, limit, http2 }: Extract<ExplainQuery, { readonly ok: true }>,
  parts: Pick<AdminParts, 'server' | 'follower' | 'settings'>,
): Generator<undefined, ExplainResponse> {
  const table = parts.server.table();
  const entrypoints = [...parts.settings.defaultPorts, ...parts.settings.bindPorts];
  const { winner, byDefault, candidates, omitted } = yield* table.explainInSteps(target, limit);
  const explained = table.explainReadings(target, readings);
  const isAmbiguous = explained.some(({ conflict }) => conflict !== undefined);
  const { method, host, path, port, secure } = target;
  const answer = isAmbiguous ? { status: 400, reason: 'path-ambiguous' } : responseOf(winner, target, parts);
  const entry = { secure: secure === true, isServed: parts.settings.http2 !== false };
  return {
    request: { method, host, path, port, headers },
    winner: winner === undefined ? null : viewRoute(winner, parts),
    byDefault,
    middleware: winner === undefined ? [] : (parts.server.middlewareOf?.(winner) ?? []).map(({ name }) => name),
    answer,
    ...(http2 ? { http2: explainHttp2(winner, answer !== null, entry) } : {}),
    readings: explained.map(({ reading, routes, conflict }) => ({
      ...reading,
      routes: routes.map(({ id }) => id),
      conflict: conflict ?? null,
    })),
    candidates: candidates.map(({ route, failed }) => ({
      id: route.id,
      service: route.definition.service,
      owner: route.definition.owner,
      condition: failed.condition,
      message: failed.condition === 'port' ? `${failed.message}${withoutEntry(route, entrypoints)}` : failed.message,
    })),
    omitted,
  };
}

/** Why no request at all can meet the condition on this proxy, whatever the request. */
function withoutEntry(route: Route, entrypoints: readonly EntrypointSetting[]): string {
  const missing = missingEntryOf(route, entrypoints);
  return missing === undefined ? '' : `; this proxy has no such entrypoint, only ${shownEntrypoints(entrypoints)}`;
}

/** `null`: an endpoint responds, or a step that depends on more than is explained. */
function responseOf(
  winner: Route | undefined,
  { clientAddress = '' }: RequestTarget,
  { follower }: Pick<AdminParts, 'follower'>,
) {
  if (winner === undefined) return { status: 503, reason: 'no-route' };
  // In the order of a request: what the route itself responds, then its maintenance.
  if (winner.blockedBy !== undefined) return { status: 503, reason: 'unsupported-feature' };
  if (winner.redirectToHost !== undefined) return { status: 301, reason: 'redirect' };
  const served = follower.served.services.get(winner.key);
  const down = served === undefined ? undefined : downOf(served.definition, served.maintenance);
  // Without an address no exception of the maintenance applies.
  const isDown = down !== undefined && pageFor(down, clientAddress, Date.now()) !== undefined;
  return isDown ? { status: 503, reason: 'maintenance' } : null;
}
