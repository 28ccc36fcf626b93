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

  const held: readonly (readonly [string, boolean])[] = [
    ['NetworkErrorRatio() > 0.25', true],
    ['NetworkErrorRatio() > 0.5', false],
    ['NetworkErrorRatio() >= 0.5', true],
    ['ResponseCodeRatio(500, 600, 0, 600) > 0.2', true],
    ['ResponseCodeRatio(500, 600, 400, 500) <= 0', true], // no response of 4xx: the ratio is 0
    ['LatencyAtQuantileMS(50.0) > 100', false],
    ['NetworkErrorRatio() > 0.25 && LatencyAtQuantileMS(50) > 100', false],
    ['NetworkErrorRatio() > 0.25 && LatencyAtQuantileMS(50) == 100', true],
    ['!(NetworkErrorRatio() > 0.5)', true],
  ];
  for (const [text, holds] of held)
    it(`${text} ${holds ? 'holds' : 'does not hold'} for half of four requests that failed, one of them with 500`, () => {
      const read = readCircuitExpression(text);
      const count = (from: number, to: number) => (from <= 500 && 500 < to ? 1 : 0) + (from <= 200 && 200 < to ? 1 : 0);
      expect(read.ok && read.holds({ total: 4, networkErrors: 2, count, latencyMs: () => 100 })).to.equal(holds);
    });

  it('holds for no figures', () => {
    const nothing = { total: 0, networkErrors: 0, count: () => 0, latencyMs: () => 0 };
    for (const text of ['NetworkErrorRatio() == 0', 'ResponseCodeRatio(500, 600, 0, 600) == 0']) {
      const read = readCircuitExpression(text);
      expect(read.ok && read.holds(nothing), text).to.equal(true);
    }
  });

  it('binds && before ||', () => {
    const read = readCircuitExpression('NetworkErrorRatio() > 2 && NetworkErrorRatio() > 2 || NetworkErrorRatio() < 2');
    const figures = { total: 1, networkErrors: 0, count: () => 0, latencyMs: () => 0 };
    expect(read.ok && read.holds(figures)).to.equal(true);
  });
});
