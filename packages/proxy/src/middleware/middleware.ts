import type { Transform } from 'node:stream';
import type { Exchange, ResponseHead } from '../model/exchange.ts';
import type { LocalResponse } from '../model/local-response.ts';
import type { Route } from '../model/route.ts';

export type Decision = { readonly kind: 'continue' } | { readonly kind: 'respond'; readonly response: LocalResponse };

/** A step of one route, compiled once with the route. */
export interface Middleware {
  /** As `explain` shows it: the label's name where one label makes it. */
  readonly name: string;
  onRequest?(exchange: Exchange): Decision | Promise<Decision>;
  onResponse?(exchange: Exchange, response: ResponseHead): void;
  /**
   * A stream for the body to pass through, with the head changed to match; or nothing.
   * @param hasBody `false` for HEAD, 204, 304: the head alone is changed
   */
  transform?(exchange: Exchange, response: ResponseHead, hasBody: boolean): Transform | undefined;
}

/** The steps of one route in the documented order. Compiled when first asked for, then kept with the route. */
export type MiddlewareOf = (route: Route) => readonly Middleware[];
