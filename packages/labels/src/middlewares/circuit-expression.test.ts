import { expect } from 'chai';
import { readCircuitExpression } from './circuit-expression.ts';

describe('readCircuitExpression', () => {
  const wrong = [
    '',
    'NetworkErrorRatio()',
    'NetworkErrorRatio() >',
    'NetworkErrorRatio(1) > 1',
    'NetworkErrorRatio() > 0.3 ||',
    'NetworkErrorRatio() > 0.3 NetworkErrorRatio() > 0.3',
    'LatencyAtQuantileMS() > 1',
    'LatencyAtQuantileMS(101) > 1',
    'ResponseCodeRatio(500, 600) > 1',
    'Unknown() > 1',
    '(NetworkErrorRatio() > 0.3',
    `${'('.repeat(60)}NetworkErrorRatio() > 1${')'.repeat(60)}`,
    `${'!'.repeat(2_000)}NetworkErrorRatio() > 1`,
  ];
  for (const text of wrong)
    it(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
      expect(readCircuitExpression(text).ok).to.equal(false);
    });

  it('binds && before ||', () => {
    const read = readCircuitExpression('NetworkErrorRatio() > 2 && NetworkErrorRatio() > 2 || NetworkErrorRatio() < 2');
    const figures = { total: 1, networkErrors: 0, count: () => 0, latencyMs: () => 0 };
    expect(read.ok && read.holds(figures)).to.equal(true);
  });
});
