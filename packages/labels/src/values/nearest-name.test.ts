import { expect } from 'chai';
import { editDistance, nearestName } from './nearest-name.ts';

describe('editDistance', () => {
  for (const [from, to, distance] of [
    ['port', 'port', 0],
    ['prot', 'port', 1],
    ['', 'port', 4],
    ['servicePath', 'servicePaths', 1],
    ['kitten', 'sitting', 3],
  ] as const) {
    it(`${JSON.stringify(from)} → ${to}: ${distance}`, () => {
      expect(editDistance(from, to)).to.equal(distance);
      expect(editDistance(to, from)).to.equal(distance);
    });
  }
});

describe('nearestName', () => {
  it('finds the nearest, whatever the case', () => {
    expect(nearestName('SERVICEPATH', ['serviceName', 'servicePath'])).to.equal('servicePath');
  });
  it('finds nothing where too much differs', () => {
    expect(nearestName('alertIf', ['aclName', 'port'])).to.equal(undefined);
    expect(nearestName('x', ['port'])).to.equal(undefined);
    expect(nearestName('abc', ['port', 'acl'])).to.equal(undefined);
  });
  it('returns none for names of unbounded length', () => {
    expect(nearestName('x'.repeat(100_000), ['port'])).to.equal(undefined);
  });
});
