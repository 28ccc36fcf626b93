import type { UseOf } from '@swarmgate/labels';
import type { Logger } from '@swarmgate/runtime';
import { linesOf } from '../../http/head-text.ts';
import { type Exchange, forwardedTarget } from '../../model/exchange.ts';
import { HeaderList } from '../../model/header-list.ts';
import type { LocalResponse } from '../../model/local-response.ts';
import type { Route } from '../../model/route.ts';
import { ServiceCallError } from '../calls/service-call.ts';
import type { ServiceCalls } from '../calls/service-calls.ts';
import { serviceRoute } from '../calls/service-route.ts';
import type { Middleware } from '../middleware.ts';

export interface ErrorPagesParts {
  readonly calls: Pick<ServiceCalls, 'call'>;
  readonly logger: Logger;
}

const timeoutMs = 5_000;
const mostBytes = 1_048_576;

/**
 * `errors`: a page of another service in place of a response of the endpoint, or of the proxy behind this step. The status
 * stays. Where the page cannot be had, the client gets the status with a text of the proxy's own.
 */
export function errorPages(use: UseOf<'errors'>, route: Route, { calls, logger }: ErrorPagesParts): Middleware {
  const address = serviceRoute(use.address, route);
  const isReplaced = (status: number) => use.status.some(({ from, to }) => status >= from && status <= to);

  const page = async (exchange: Exchange, status: number): Promise<LocalResponse | undefined> => {
    const requested = encodeURIComponent(forwardedTarget(exchange));
    const target = (use.query ?? '/').replaceAll('{status}', String(status)).replaceAll('{url}', requested);
    const head = `GET ${target} HTTP/1.1\r\n${linesOf(requestHeaders(exchange, address.authority)) ?? ''}\r\n`;
    try {
      const call = { route: address.route, head, method: 'GET', timeoutMs, mostBodyBytes: mostBytes };
      const { headers, body, status: found } = await calls.call(call);
      if (found >= 200 && found < 300)
        return { status, reason: 'error-page', headers: contentHeaders(headers), bytes: body };
      logger.warn({ service: route.key, pages: address.authority, status: found }, 'an error page cannot be had');
    } catch (error) {
      if (!(error instanceof ServiceCallError)) throw error;
      logger.warn({ service: route.key, pages: address.authority, err: error }, 'an error page cannot be had');
    }
    return undefined;
  };

  return {
    name: 'errors',
    replaces: (exchange, status) =>
      isReplaced(status) ? page(exchange, status).then((found) => found ?? { ...withoutPage, status }) : undefined,
    onLocalResponse: (exchange, response) =>
      isReplaced(response.status) && response.reason !== 'error-page'
        ? page(exchange, response.status).then((found) => found ?? response)
        : response,
  };
}

const withoutPage: LocalResponse = {
  status: 502,
  reason: 'error-page-unavailable',
  headers: [],
  body: 'the service failed, and the page for it cannot be had\n',
};

const sent = new Set(['accept', 'accept-language', 'user-agent', 'x-request-id', 'swarmgate-hops']);

function requestHeaders({ request }: Exchange, authority: string): HeaderList {
  const headers = new HeaderList(['Host', authority]);
  const { flat } = request;
  for (let at = 0; at < flat.length; at += 2)
    if (sent.has((flat[at] as string).toLowerCase())) headers.add(flat[at] as string, flat[at + 1] as string);
  return headers;
}

function contentHeaders(flat: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (let at = 0; at < flat.length; at += 2)
    if (/^(content-(type|language|encoding|security-policy)|cache-control)$/i.test(flat[at] as string))
      kept.push(flat[at] as string, flat[at + 1] as string);
  return kept;
}
