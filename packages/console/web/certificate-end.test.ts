import { expect } from 'chai';
import { describeLeft } from './certificate-end.ts';

describe('how long a certificate is still valid, as the console shows it', () => {
  const dayMs = 86_400_000;
  for (const [leftMs, kind, mark, text] of [
    [-1, 'down', '✕', 'over'],
    [3 * dayMs, 'warning', '▲', '3 d, soon over'],
    [60 * dayMs, 'ok', '●', '60 d'],
  ] as const)
    it(`is ${text}`, () => {
      expect(describeLeft(leftMs)).to.deep.equal({ kind, mark, text });
    });
});
