import type { Endpoint } from '../model/endpoint.ts';
import type { HeaderList } from '../model/header-list.ts';
import type { Route } from '../model/route.ts';

/**
 * One exchange as every lane shows it to middleware: no sockets, no node:http. A lane makes it from a parsed head,
 * lets the route's steps change it, then forwards it or sends the answer.
 */
export interface Exchange {
  readonly route: Route;
  readonly method: string;
  /** Normal form; a step may replace it (path rewriting). The query travels beside it, untouched. */
  path: string;
  /** With its `?`, or empty. As the client sent it. */
  readonly query: string;
  readonly host: string;
  readonly request: HeaderList;
  readonly client: ClientConnection;
  /** What earlier steps found out: the user's name, the endpoint a cookie asks for. */
  user?: string;
  stickTo?: string;
}

export interface ClientConnection {
  /** Of the client itself: from X-Forwarded-For or PROXY only where the hop is trusted. */
  readonly address: string;
  readonly entryPort: number;
  /** The client's own connection ended TLS here. */
  readonly secure: boolean;
  /** What the client used towards the first trusted hop: `https` behind a TLS load balancer. */
  readonly scheme: 'http' | 'https';
  readonly trustedHop: boolean;
  /** Set on TLS when a client certificate was sent and verified against `CA_FILE`. */
  readonly certificateVerified: boolean;
}

export type Verdict = { readonly kind: 'continue' } | { readonly kind: 'answer'; readonly answer: LocalResponse };

/** An answer the proxy makes itself. Always carries `X-Swarmgate-Reason: <reason>`. */
export interface LocalResponse {
  readonly status: number;
  /** Stable, kebab-case; what the log, the metric and the header say. */
  readonly reason: string;
  /** Flat name, value, name, value. */
  readonly headers?: readonly string[];
  readonly body?: string;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
  readonly endpoint: Endpoint;
}

/** A step of one route, compiled once with the route. */
export interface Middleware {
  /** As `explain` shows it: the label's name where one label makes it. */
  readonly name: string;
  /** The lane that can run it: `express` steps need a response body they may change (compression). */
  readonly needs: 'any' | 'express';
  onRequest?(exchange: Exchange): Verdict | Promise<Verdict>;
  onResponse?(exchange: Exchange, response: ResponseHead): void;
}

/** The steps of one route in the documented order. Compiled when first asked for, then kept with the route. */
export type MiddlewareOf = (route: Route) => readonly Middleware[];
