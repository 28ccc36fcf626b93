import type { AlgorithmParts, BalancingAlgorithm } from './algorithm.ts';

/** Each endpoint in turn, for each route by itself. */
export function roundRobin({ random }: AlgorithmParts): BalancingAlgorithm {
  const positions = new Map<string, number>();
  return {
    choose(route, among) {
      // Starting anywhere, so that many proxies that start together do not all begin with the same endpoint.
      const position = positions.get(route.id) ?? Math.floor(random() * 1_000);
      positions.set(route.id, (position + 1) % 1_000_000_007);
      return among[position % among.length];
    },
    // A position costs a number; losing one only restarts its round.
    forget: () => positions.clear(),
  };
}
