import type { UseOf } from '@swarmgate/labels';
import type { Exchange } from '../../model/exchange.ts';
import { HeaderList } from '../../model/header-list.ts';
import { compileExpression } from '../../routing/expressions.ts';

/** What one `headers` middleware lets other origins do (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export interface Cors {
  readonly respondsToPreflights: boolean;
  /** Headers of the response to a preflight; nothing for every other request. */
  preflight(exchange: Exchange): HeaderList | undefined;
  /** Lets the origin of a request read its response. */
  allow(response: HeaderList, exchange: Exchange): void;
}

export function corsOf(use: UseOf<'headers'>): Cors | undefined {
  const { allowOrigins = [], allowOriginsRegex = [], allowMethods, allowHeaders, exposeHeaders } = use;
  const { allowCredentials, maxAgeSeconds } = use;
  const isUsed =
    allowOrigins.length + allowOriginsRegex.length > 0 ||
    [allowMethods, allowHeaders, exposeHeaders, maxAgeSeconds].some((each) => each !== undefined) ||
    allowCredentials === true;
  if (!isUsed) return undefined;
  const isOpen = allowOrigins.includes('*');
  const expressions = allowOriginsRegex.map((text) => compileExpression(text, false));
  // With credentials browsers take no `*`, and an origin that was not named does not get its own instead.
  const allowedOrigin = (origin: string): string | undefined => {
    if (allowOrigins.includes(origin) || expressions.some((each) => each.matcher(origin).find())) return origin;
    return isOpen ? '*' : undefined;
  };
  const named = !isOpen && allowOrigins.length + allowOriginsRegex.length > 0;
  const varies = use.addVary ?? named;
  return {
    respondsToPreflights: named || isOpen || allowMethods !== undefined || allowHeaders !== undefined,
    preflight({ method, request }) {
      const origin = request.get('origin');
      if (method !== 'OPTIONS' || origin === undefined) return undefined;
      if ((request.get('access-control-request-method') ?? '') === '') return undefined;
      const headers = new HeaderList();
      const allowed = allowedOrigin(origin);
      if (allowed !== undefined) headers.add('Access-Control-Allow-Origin', allowed);
      if (allowCredentials === true) headers.add('Access-Control-Allow-Credentials', 'true');
      if (allowMethods !== undefined) headers.add('Access-Control-Allow-Methods', allowMethods.join(','));
      if (allowHeaders !== undefined) headers.add('Access-Control-Allow-Headers', allowHeaders.join(','));
      if (maxAgeSeconds !== undefined) headers.add('Access-Control-Max-Age', String(maxAgeSeconds));
      if (varies) headers.add('Vary', 'Origin');
      return headers;
    },
    allow(response, { request }) {
      const origin = request.get('origin');
      const allowed = origin === undefined ? undefined : allowedOrigin(origin);
      if (allowed !== undefined) response.set('Access-Control-Allow-Origin', allowed);
      if (allowed !== undefined && allowCredentials === true) response.set('Access-Control-Allow-Credentials', 'true');
      if (allowed !== undefined && exposeHeaders !== undefined)
        response.set('Access-Control-Expose-Headers', exposeHeaders.join(','));
      if (varies) addVary(response);
    },
  };
}

function addVary(response: HeaderList): void {
  const names = response.all('vary').flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase()));
  if (!names.includes('*') && !names.includes('origin')) response.add('Vary', 'Origin');
}
