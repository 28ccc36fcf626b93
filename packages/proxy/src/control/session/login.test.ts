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

  for (const [one, other] of [
    ['10.0.0.1', '::ffff:10.0.0.1'],
    ['2001:db8::1', '2001:db8:0:0:ffff::2'],
  ] as const)
    it(`takes ${one} and ${other} for one client`, () => {
      exhaust(one);
      expect(right(other)).to.equal('tries-limited');
      expect(right('2001:db8:0:1::1')).to.equal('allowed');
    });

  it('drops the address unused longest where there are too many', () => {
    exhaust('10.255.0.1');
    for (let host = 0; host < 10_000; host += 1) wrong(`10.1.${host >> 8}.${host & 255}`);
    expect(right('10.255.0.1')).to.equal('allowed');
  });
});
