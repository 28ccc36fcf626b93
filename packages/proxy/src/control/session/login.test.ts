import { expect } from 'chai';
import { Login } from './login.ts';

describe('the login of Consul’s UI', () => {
  let nowMs: number;
  let login: Login;
  beforeEach(() => {
    nowMs = 1_000;
    login = new Login({ token: 'right', nowMs: () => nowMs });
  });
  const right = (address: string) => login.decide(address, 'Bearer right').kind;
  const wrong = (address: string) => login.decide(address, 'Bearer wrong').kind;
  const exhaust = (address: string) => {
    for (let tries = 0; tries < 10; tries += 1) expect(wrong(address)).to.equal('credentials-wrong');
  };

  it('requests credentials without counting', () => {
    for (let calls = 0; calls < 50; calls += 1)
      expect(login.decide('10.0.0.1', undefined).kind).to.equal('credentials-needed');
    expect(right('10.0.0.1')).to.equal('allowed');
  });

  it('looks at no more credentials after ten failed tries, right ones included', () => {
    exhaust('10.0.0.1');
    expect(login.decide('10.0.0.1', 'Bearer right')).to.deep.equal({ kind: 'tries-limited', retryAfterMs: 6_000 });
    expect(wrong('10.0.0.1')).to.equal('tries-limited');
    expect(right('10.0.0.2')).to.equal('allowed');
  });

  it('allows one more try every six seconds', () => {
    exhaust('10.0.0.1');
    nowMs += 5_999;
    expect(wrong('10.0.0.1')).to.equal('tries-limited');
    nowMs += 1;
    expect(wrong('10.0.0.1')).to.equal('credentials-wrong');
    expect(wrong('10.0.0.1')).to.equal('tries-limited');
    nowMs += 60_000;
    exhaust('10.0.0.1');
  });

  it('counts right credentials as no try', () => {
    for (let calls = 0; calls < 100; calls += 1) expect(right('10.0.0.1')).to.equal('allowed');
  });
});
