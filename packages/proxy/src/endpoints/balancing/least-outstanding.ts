import type { Endpoint } from '../../model/endpoint.ts';
import type { AlgorithmParts, BalancingAlgorithm } from './algorithm.ts';

/**
 * The one with fewer outstanding requests of two chosen at random ("power of two choices"): nearly as even as the least of
 * all, and requests that arrive together do not all go to the endpoint that is idle at the moment.
 */
export function leastOutstanding({ random, outstandingOf }: AlgorithmParts): BalancingAlgorithm {
  return {
    choose(_route, among) {
      const first = Math.floor(random() * among.length);
      const other = (first + 1 + Math.floor(random() * (among.length - 1))) % among.length;
      const [a, b] = [among[first], among[other]];
      if (a === undefined || b === undefined) return a ?? b;
      return loadOf(b, outstandingOf) < loadOf(a, outstandingOf) ? b : a;
    },
  };
}

/** With this request. One of twice the weight may have twice as many. */
function loadOf({ id, weight = 1 }: Endpoint, outstandingOf: AlgorithmParts['outstandingOf']): number {
  return (outstandingOf(id) + 1) / weight;
}
