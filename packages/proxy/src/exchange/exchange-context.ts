import type { OpenConnections } from '../endpoints/open-connections.ts';
import type { Middleware } from '../middleware/middleware.ts';
import type { ChallengeResponses } from '../model/challenge-responses.ts';
import type { Endpoint, EndpointOutcome, EndpointPick, PickOptions } from '../model/endpoint.ts';
import type { RequestTarget } from '../model/request-target.ts';
import type { Route } from '../model/route.ts';
import type { PathReading } from '../routing/path-readings.ts';
import type { SpokenProtocol } from '../transport/endpoint-channel.ts';
import type { AccessRecord } from './access-record.ts';
import type { HandlerOf } from './route-handler.ts';
import type { Tracer } from './tracing/tracer.ts';

/**
 * What an exchange uses of the rest of the proxy. `lookup` is called once per request: swaps of the table never touch a
 * request in flight.
 */
export interface ExchangeContext {
  readonly lookup: (
    target: RequestTarget,
    /** Set where servers read the path in more than one way: none of them may be decided more strictly. */
    readings?: readonly PathReading[],
  ) => Route | 'path-ambiguous' | undefined;
  readonly middlewareOf: (route: Route) => readonly Middleware[];
  /** Whether TLS connections to an entrypoint that name this host are relayed, so that no request may name it here. Default: none is. */
  readonly isRelayed?: (host: string, entryPort: number) => boolean;
  /** The balancer's choice. `except` names endpoints that this request has tried already. */
  readonly pick: (route: Route, options: PickOptions) => EndpointPick;
  /** Passive health and outstanding counts: exactly one `finished` for each pick of an endpoint. */
  readonly finished: (endpoint: Endpoint, outcome: EndpointOutcome) => void;
  /** An endpoint does not speak the protocol of its route's label. Default: nothing is done. */
  readonly wrongProtocol?: (route: Route, endpoint: Endpoint, spoken: SpokenProtocol) => void;
  readonly observe: (exchange: AccessRecord) => void;
  /** Consulted before the table. Default: no challenge is pending. */
  readonly challenges?: Pick<ChallengeResponses, 'challengeResponse'>;
  /** Takes every tunnel while it is open. Default: tunnels end by themselves alone. */
  readonly tunnels?: Pick<OpenConnections, 'add'>;
  /** Default: every route is forwarded directly. */
  readonly handlerOf?: HandlerOf;
  /** Absent: requests pass with the trace headers that they came with. */
  readonly tracer?: Tracer | undefined;
}
