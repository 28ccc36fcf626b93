import { expect } from 'chai';
import { PluginFailures } from './plugin-failures.ts';

describe('failures of plug-ins, as problems', () => {
  let nowMs = 0;
  let failures: PluginFailures;
  beforeEach(() => {
    nowMs = 0;
    failures = new PluginFailures(() => nowMs);
  });
  const reported = () => (failures.problems().get('a/shop') ?? []).map(({ reason, message }) => `${reason} ${message}`);
  const minutes = (count: number) => {
    nowMs += count * 60_000;
  };

  it('are reported for 15 minutes after the last', () => {
    failures.add('a/shop', 'auth', new Error('one'));
    minutes(14);
    failures.add('a/shop', 'auth', new Error('two'));
    minutes(14);
    expect(reported()).to.have.length(1);
    minutes(1);
    expect(reported()).to.deep.equal([]);
  });

  it('keep the first message while they go on: each may name its own request', () => {
    failures.add('a/shop', 'auth', new Error('one'));
    failures.add('a/shop', 'auth', new Error('two'));
    expect(reported()[0]).to.match(/: one$/);
    minutes(15);
    failures.add('a/shop', 'auth', new Error('three'));
    expect(reported()[0]).to.match(/: three$/);
  });

  it('are bounded in length', () => {
    failures.add('a/shop', 'auth', new Error('x'.repeat(10_000)));
    expect(reported()[0]?.length).to.be.lessThan(400);
  });

  it('of several plug-ins, and one that blocks, stand side by side', () => {
    failures.add('a/shop', 'auth', new Error('one'));
    failures.add('a/shop', 'cors', new Error('one'));
    failures.addBlocked('a/shop', { plugin: 'auth', blockedMs: 2_000 });
    failures.addBlocked('a/shop', { plugin: 'auth', blockedMs: 2_200 });
    expect(reported().map((each) => each.split(' ')[0])).to.deep.equal([
      'plugin-failed',
      'plugin-failed',
      'plugin-blocked',
    ]);
    expect(reported()[2]).to.match(/the plug-in auth blocked a process .* for 2200 ms/);
    minutes(15);
    expect(reported()).to.deep.equal([]);
  });

  it('are each service’s own', () => {
    failures.add('a/other', 'auth', new Error('one'));
    expect(reported()).to.deep.equal([]);
  });
});
