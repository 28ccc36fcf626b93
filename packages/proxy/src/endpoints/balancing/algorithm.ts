import type { ServiceDefinition } from '@swarmgate/registry';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Route } from '../../model/route.ts';

/** The values of the label `balance`. */
export type AlgorithmName = NonNullable<ServiceDefinition['balance']>;

/** One algorithm of one balancer. It only sees endpoints that may get the request. */
export interface BalancingAlgorithm {
  /** @param among in the order of the upstream */
  choose(route: Route, among: readonly Endpoint[]): Endpoint | undefined;
  /** Drops what is kept for each route. Called every ten minutes. */
  forget?(): void;
}

/** What a balancer gives its algorithms. */
export interface AlgorithmParts {
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly outstandingOf: (endpointId: string) => number;
}
