import { expect } from 'chai';
import { chooseApiVersion } from './api-version.ts';

describe('the version of Docker’s API', () => {
  const cases = [
    ['an older engine', '1.41', '1.51', '1.41'],
    ['a newer engine', '1.60', '1.51', '1.51'],
    ['the same version', '1.51', '1.51', '1.51'],
    ['numbers, not texts', '1.9', '1.51', '1.9'],
    ['the major version first', '2.0', '1.51', '1.51'],
    ['an engine that names none', undefined, '1.51', undefined],
    ['an engine that names nonsense', '1.x', '1.51', undefined],
  ] as const;
  for (const [what, engine, tested, expected] of cases) {
    it(`is ${expected ?? 'left to the engine'} for ${what}`, () => {
      expect(chooseApiVersion(engine, tested)).to.equal(expected);
    });
  }
});
