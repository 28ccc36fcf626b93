import type { AlgorithmName, AlgorithmParts, BalancingAlgorithm } from './algorithm.ts';
import { leastOutstanding } from './least-outstanding.ts';
import { roundRobin } from './round-robin.ts';

/** Every algorithm, by the value of the label `balance`. */
export const algorithms: Readonly<Record<AlgorithmName, (parts: AlgorithmParts) => BalancingAlgorithm>> = {
  'round-robin': roundRobin,
  'least-outstanding': leastOutstanding,
};
