import { labelName, middlewaresOf, type UseOf } from '@swarmgate/labels';
import type { Problem } from '@swarmgate/registry/vocabulary';
import type { Route } from '../../model/route.ts';
import { serviceRoute } from './service-route.ts';

/** A service that a middleware of a route calls. */
export interface CalledService {
  /** How its endpoints are found. The same object for each look at the route. */
  readonly route: Route;
  /** The problem of the calling service where the called one has no endpoint. */
  readonly unreachable: (why: Problem) => Problem;
}

type Caller = UseOf<'forwardAuth'> | UseOf<'errors'>;

const none: readonly CalledService[] = [];

/** Those of each route, made once: what is known of endpoints is kept by route object. */
export class CalledServices {
  readonly #of = new WeakMap<Route, readonly CalledService[]>();

  of(route: Route): readonly CalledService[] {
    let called = this.#of.get(route);
    if (called === undefined) {
      const callers = middlewaresOf(route.destination).filter(isCaller);
      called = callers.length === 0 ? none : callers.map((use) => calledBy(use, route));
      this.#of.set(route, called);
    }
    return called;
  }
}

function isCaller(use: { readonly kind: string }): use is Caller {
  return use.kind === 'forwardAuth' || use.kind === 'errors';
}

function calledBy({ kind, address }: Caller, caller: Route): CalledService {
  // Path and query may hold a token, and problems are read without one where ADMIN_READ=open.
  const { route, origin } = serviceRoute(address, caller);
  const { destination } = caller;
  // In a list, and of a middleware of Traefik, the place is not known.
  const label = destination[kind] === undefined ? {} : { label: labelName(kind, destination) };
  const host = route.destination.outboundHostname;
  return {
    route,
    unreachable: ({ severity, message, suggestion }) => ({
      severity,
      reason: 'called-service-unreachable',
      message: `${kind} calls ${origin}, but ${host === undefined ? message : `${host} has no address`}: ${consequences[kind]}`,
      ...label,
      suggestion:
        host === undefined && suggestion !== undefined
          ? `Correct the address. Or: ${suggestion}`
          : 'Correct the address, or give the name an address in DNS.',
    }),
  };
}

const consequences: Readonly<Record<Caller['kind'], string>> = {
  forwardAuth: 'requests get 503 auth-unavailable',
  errors: 'clients get the proxy’s own text instead of its pages',
};
