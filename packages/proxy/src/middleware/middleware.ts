import type { Transform } from 'node:stream';
import type { Exchange, ResponseHead } from '../model/exchange.ts';
import type { LocalResponse } from '../model/local-response.ts';
import type { Route } from '../model/route.ts';

export type Decision =
  | { readonly kind: 'continue' }
  | { readonly kind: 'respond'; readonly response: LocalResponse }
  /** Forwards at once to the endpoints of another route: the steps that follow are left out, plug-ins too. */
  | { readonly kind: 'hand-through'; readonly to: Route };

/** A step of one route, compiled once with the route. */
export interface Middleware {
  /** As `explain` shows it: the label's name where one label makes it. */
  readonly name: string;
  /**
   * A request whose path servers read in more than one way is refused before any step (`path-ambiguous`): what the step
   * decides about must be what the endpoint serves.
   */
  readonly wantsOneReading?: true;
  onRequest?(exchange: Exchange): Decision | Promise<Decision>;
  onResponse?(exchange: Exchange, response: ResponseHead): void;
  /** Another response in place of one of the endpoint's of this status, or nothing. */
  replaces?(exchange: Exchange, status: number): Promise<LocalResponse> | undefined;
  /** Changes a response of the proxy's own, made by a step behind this one or because no endpoint responded. */
  onLocalResponse?(exchange: Exchange, response: LocalResponse): LocalResponse | Promise<LocalResponse>;
  /**
   * A stream for the body to pass through, with the head changed to match; or nothing.
   * @param hasBody `false` for HEAD, 204, 304: the head alone is changed
   */
  transform?(exchange: Exchange, response: ResponseHead, hasBody: boolean): Transform | undefined;
}

/** The steps of one route in the documented order. Compiled when first requested, then kept with the route. */
export type MiddlewareOf = (route: Route) => readonly Middleware[];
