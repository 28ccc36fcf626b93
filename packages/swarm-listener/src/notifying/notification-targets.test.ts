import { expect } from 'chai';
import { selectTargets, targetsOf, urlWith } from './notification-targets.ts';

describe('notification targets', () => {
  it('take the last method where they have none of their own', () => {
    expect(targetsOf(['http://a', 'http://b', 'http://c'], ['get', 'PUT']).map(({ method }) => method)).to.deep.equal([
      'GET',
      'PUT',
      'PUT',
    ]);
    expect(targetsOf(['http://a'], [])[0]?.method).to.equal('GET');
  });

  const targets = targetsOf(['http://proxy:8080/reconfigure', 'http://stack_monitor:8080/reconfigure'], []);
  const cases = [
    ['all, when none is named', undefined, ['proxy', 'stack_monitor']],
    ['one by the name of its host', ['proxy'], ['proxy']],
    ['one by its name without the stack', ['monitor'], ['stack_monitor']],
    ['one by its position', ['2'], ['stack_monitor']],
    ['none, when the name is unknown', ['other'], []],
  ] as const;
  for (const [what, names, expected] of cases) {
    it(`are ${what}`, () => {
      expect(selectTargets(targets, names).map(({ url }) => new URL(url).hostname)).to.deep.equal(expected);
    });
  }

  it('keep what their URL has already', () => {
    expect(urlWith('http://a/x?token=1', { servicePath: '/a b', port: '80' })).to.equal(
      'http://a/x?token=1&port=80&servicePath=%2Fa+b',
    );
  });
});
