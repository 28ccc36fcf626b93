import type { Endpoint } from '../../model/endpoint.ts';
import type { AlgorithmParts, BalancingAlgorithm } from './algorithm.ts';

/** Each endpoint in turn, for each route by itself. */
export function roundRobin({ random }: AlgorithmParts): BalancingAlgorithm {
  const positions = new Map<string, number>();
  return {
    choose(route, among) {
      // Starting anywhere, so that many proxies that start together do not all begin with the same endpoint.
      const position = positions.get(route.id) ?? Math.floor(random() * 1_000);
      positions.set(route.id, (position + 1) % 1_000_000_007);
      return among[0]?.weight === undefined ? among[position % among.length] : weighted(among, position);
    },
    // A position costs a number; losing one only restarts its round.
    forget: () => positions.clear(),
  };
}

/** Each as often as its weight in a round of all weights, spread over the round. */
function weighted(among: readonly Endpoint[], position: number): Endpoint | undefined {
  const total = among.reduce((sum, { weight = 1 }) => sum + weight, 0);
  let left = (position * strideOf(total)) % total;
  for (const endpoint of among) {
    left -= endpoint.weight ?? 1;
    if (left < 0) return endpoint;
  }
  return among.at(-1);
}

/** Near the golden section, and without a common divisor: multiples of it visit every place of a round once, far apart. */
function strideOf(total: number): number {
  let stride = Math.max(1, Math.round(total * 0.618));
  while (divisorOf(stride, total) !== 1) stride += 1;
  return stride;
}

function divisorOf(one: number, other: number): number {
  return other === 0 ? one : divisorOf(other, one % other);
}
