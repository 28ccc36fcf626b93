import type { Destination, ServiceDefinition } from '@swarmgate/registry';
import type { Middleware } from '../src/middleware/middleware.ts';
import type { Endpoint } from '../src/model/endpoint.ts';
import type { ClientConnection, Exchange, ResponseHead } from '../src/model/exchange.ts';
import { HeaderList } from '../src/model/header-list.ts';
import type { LocalResponse } from '../src/model/local-response.ts';
import type { Route } from '../src/model/route.ts';

/** Values that the tests of the steps are made of. */

export const endpoint: Endpoint = { id: 'task-1', host: '10.0.1.5', port: 80, secure: false, state: 'active' };

export function routeOf(labels: Partial<ServiceDefinition> = {}, destination: Partial<Destination> = {}): Route {
  const whole: Destination = { index: 0, since: 1, servicePath: ['/'], port: 80, ...destination };
  const definition: ServiceDefinition = {
    version: 1,
    service: 'go-demo',
    owner: 'swarm',
    source: { kind: 'rest', by: 'a test' },
    updatedAt: '2026-01-02T03:04:05.000Z',
    destinations: [whole],
    ...labels,
  };
  return {
    id: 'swarm/go-demo/0',
    key: 'swarm/go-demo',
    definition,
    destination: whole,
    upstreamPort: 80,
    upstreamSecure: false,
  };
}

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly host?: string;
  /** Flat name, value list. */
  readonly headers?: readonly string[];
  readonly client?: Partial<ClientConnection>;
}

export function exchangeOf(route: Route, sent: Sent = {}): Exchange {
  return {
    route,
    method: sent.method ?? 'GET',
    path: sent.path ?? '/',
    query: sent.query ?? '',
    host: sent.host ?? 'shop.example',
    request: new HeaderList([...(sent.headers ?? [])]),
    client: {
      address: '192.0.2.7',
      entryPort: 80,
      secure: false,
      scheme: 'http',
      trustedHop: false,
      certificateVerified: false,
      ...sent.client,
    },
  };
}

export const overTls = { secure: true, scheme: 'https', entryPort: 443 } as const;

/** What the steps response, in their order; nothing where all let it pass. */
export async function responseOf(steps: readonly Middleware[], exchange: Exchange): Promise<LocalResponse | undefined> {
  for (const step of steps) {
    const decision = await step.onRequest?.(exchange);
    if (decision?.kind === 'respond') return decision.response;
  }
  return undefined;
}

/** `401 credentials-wrong`, or `passes`. */
export async function outcomeOf(steps: readonly Middleware[], exchange: Exchange): Promise<string> {
  const response = await responseOf(steps, exchange);
  return response === undefined ? 'passes' : `${response.status} ${response.reason}`;
}

export function headOf(headers: readonly string[] = [], status = 200, of: Endpoint = endpoint): ResponseHead {
  return { status, headers: new HeaderList([...headers]), endpoint: of };
}
