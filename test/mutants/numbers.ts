import { faultsIn, type Mutant } from './mutant.ts';

const proxy = 'packages/proxy/src';

/** Figures of services, the console's stream of the state, services that vanish. */
export const numbersMutants: readonly Mutant[] = [
  ...faultsIn(
    `${proxy}/exchange/numbers/latency-buckets.ts`,
    [`${proxy}/exchange/numbers/latency-buckets.test.ts`],
    [
      ['a quantile is one rank too low', 'Math.ceil(share * total)', 'Math.floor(share * total)'],
      ['a latency stands for the lower edge of its bucket', '(2 * lower * upper) / (lower + upper)', 'lower'],
      ['NaN is the longest latency', 'if (!(ms >= leastMs)) return 0;', 'if (ms < leastMs) return 0;'],
    ],
  ),
  ...faultsIn(
    `${proxy}/control/watch/vanishing.ts`,
    [`${proxy}/control/watch/vanishing.test.ts`],
    [
      [
        'a journalled removal is held',
        'else if (read.journalled.has(key)) remove.push(key);',
        'else if (false) remove.push(key);',
      ],
      [
        'half of the services is a loss',
        '(unexplained.length + recentlyLost) * 2 > known',
        '(unexplained.length + recentlyLost) * 2 >= known',
      ],
      ['few services are a loss', 'known >= fewestForMassLoss && ', ''],
      ['another registry removes what it does not hold', 'if (read.otherRegistry || isLoss)', 'if (isLoss)'],
      [
        'services lost one by one are no loss',
        'const known = unjournalled + recentlyLost;',
        'const known = unjournalled;',
      ],
    ],
  ),
];
