import { expect } from 'chai';
import { setsSession, withoutSession } from '../../http/session-cookie.ts';
import { sessionOf, setSession } from './session-cookie.ts';

describe('the cookie of a session', () => {
  it('is for this host, this site and no script, and over TLS bound to both by its name', () => {
    expect(setSession('v', 1_999, false)).to.equal('swarmgate_session=v; Path=/; Max-Age=1; HttpOnly; SameSite=Strict');
    expect(setSession('', 0, true)).to.equal(
      '__Host-swarmgate_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure',
    );
  });

  for (const [title, cookie, secure, value] of [
    ['alone', 'swarmgate_session=v', false, 'v'],
    ['among others', 'a=1; swarmgate_session=v ; b=2', false, 'v'],
    ['twice with the same value', 'swarmgate_session=v; swarmgate_session=v', false, 'v'],
    [
      'twice with different values, of which a service may have set one',
      'swarmgate_session=v; swarmgate_session=w',
      false,
      undefined,
    ],
    ['over TLS', '__Host-swarmgate_session=v; swarmgate_session=w', true, 'v'],
    ['over TLS without its prefix, which any page over HTTP can set', 'swarmgate_session=v', true, undefined],
    ['not there', 'a=swarmgate_session', false, undefined],
    ['absent', undefined, false, undefined],
  ] as const)
    it(`is read: ${title}`, () => {
      expect(sessionOf(cookie, secure)).to.equal(value);
    });
});

describe('a Cookie on its way to a service', () => {
  for (const [sent, passed] of [
    ['swarmgate_session=v', ''],
    ['a=1;swarmgate_session=v', 'a=1'],
    [' swarmgate_session =v; a=1', 'a=1'],
    ['swarmgate_session; a=1', 'a=1'],
    ['__Host-swarmgate_session=v; a=1', 'a=1'],
    ['Swarmgate_session=v', 'Swarmgate_session=v'],
    ['a=1;  b=2', 'a=1;  b=2'],
    ['a=1; ', 'a=1; '],
    ['a=swarmgate_session=v', 'a=swarmgate_session=v'],
  ] as const)
    it(`${JSON.stringify(sent)} is ${JSON.stringify(passed)}`, () => {
      expect(withoutSession(sent)).to.equal(passed);
    });
});

describe('a Set-Cookie of a service', () => {
  for (const [cookie, refused] of [
    ['swarmgate_session=v', true],
    [' __Host-swarmgate_session = v; Path=/', true],
    ['swarmgate_session', true],
    ['a=swarmgate_session=v', false],
    ['swarmgate_sessions=v', false],
    ['a=1; swarmgate_session=v', false],
  ] as const)
    it(`${JSON.stringify(cookie)} is ${refused ? 'refused' : 'passed'}`, () => {
      expect(setsSession(cookie)).to.equal(refused);
    });
});
