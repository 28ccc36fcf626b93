import type { UseOf } from '@swarmgate/labels';
import { isFixedRequestHeader, isFramingHeader } from '@swarmgate/labels';
import type { Exchange } from '../../model/exchange.ts';
import { isSendableField } from '../../model/field-syntax.ts';
import { HeaderList } from '../../model/header-list.ts';
import { proceed } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';
import { type Cors, corsOf } from './cors.ts';

type Change = (headers: HeaderList, exchange: Exchange) => void;

/**
 * `headers`: sets and removes headers of requests and responses, sends what browsers are sent, and responds to preflights. Its
 * response headers are on responses of the proxy's own too, those of the steps behind it: a script must be able to read a 401.
 */
export function headers(use: UseOf<'headers'>): Middleware {
  const request = requestChanges(use);
  const cors = corsOf(use);
  const response = [...responseChanges(use), ...securityHeaders(use)];
  const change = (list: HeaderList, exchange: Exchange) => {
    for (const each of response) each(list, exchange);
    cors?.allow(list, exchange);
  };
  const changesResponses = response.length > 0 || cors !== undefined;
  return {
    name: 'headers',
    onRequest(exchange) {
      const preflight = preflightOf(exchange, cors);
      if (preflight !== undefined) {
        for (const each of response) each(preflight, exchange);
        const reply = { status: 200, reason: 'cors-preflight', headers: preflight.flat, body: '' };
        return { kind: 'respond', response: reply };
      }
      for (const each of request) each(exchange.request, exchange);
      return proceed;
    },
    ...(changesResponses
      ? {
          onResponse: (exchange, { headers: list }) => change(list, exchange),
          onLocalResponse(exchange, local) {
            const list = new HeaderList([...(local.headers ?? [])]);
            change(list, exchange);
            return { ...local, headers: list.flat };
          },
        }
      : {}),
  } satisfies Middleware;
}

function preflightOf(exchange: Exchange, cors: Cors | undefined): HeaderList | undefined {
  return cors?.respondsToPreflights === true ? cors.preflight(exchange) : undefined;
}

function requestChanges({ request = {} }: UseOf<'headers'>): readonly Change[] {
  return Object.entries(request)
    .filter(([name]) => !isFixedRequestHeader(name))
    .map(([name, value]): Change => {
      if (value === '') return (list) => list.deleteInEverySpelling(name);
      const isSendable = isSendableField(name, value);
      return (list) => list.setInEverySpelling(name, value, isSendable);
    });
}

/** Sets a field that is the same on every response, and is looked at once. */
function always(name: string, value: string): Change {
  const isSendable = isSendableField(name, value);
  return (list) => list.set(name, value, isSendable);
}

function responseChanges({ response = {} }: UseOf<'headers'>): readonly Change[] {
  return Object.entries(response)
    .filter(([name]) => !isFramingHeader(name))
    .map(([name, value]): Change => (value === '' ? (list) => list.delete(name) : always(name, value)));
}

function securityHeaders(use: UseOf<'headers'>): readonly Change[] {
  const changes: Change[] = [];
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) changes.push(always(name, value));
  };
  const { stsSeconds = 0 } = use;
  if (stsSeconds > 0) {
    const parts = [
      `max-age=${stsSeconds}`,
      ...(use.stsIncludeSubdomains === true ? ['includeSubDomains'] : []),
      ...(use.stsPreload === true ? ['preload'] : []),
    ];
    const value = parts.join('; ');
    // A browser ignores it over http (RFC 6797, section 8.1).
    changes.push((list, { client }) => {
      if (use.forceSts === true || client.scheme === 'https') list.set('Strict-Transport-Security', value);
    });
  }
  set('X-Frame-Options', use.frameOptions ?? (use.frameDeny === true ? 'DENY' : undefined));
  set('X-Content-Type-Options', use.contentTypeNosniff === true ? 'nosniff' : undefined);
  set('X-XSS-Protection', use.browserXssFilter === true ? '1; mode=block' : undefined);
  set('Referrer-Policy', use.referrerPolicy);
  set('Content-Security-Policy', use.contentSecurityPolicy);
  set('Content-Security-Policy-Report-Only', use.contentSecurityPolicyReportOnly);
  set('Permissions-Policy', use.permissionsPolicy);
  return changes;
}
