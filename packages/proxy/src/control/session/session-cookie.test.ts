import { expect } from 'chai';
import { setsSession, withoutSession } from '../../http/session-cookie.ts';
import { sessionsOf, setSession } from './session-cookie.ts';
import { issueSession, sessionKey } from './session-token.ts';

const values = Array.from({ length: 60 }, () => issueSession(sessionKey('token'), 0).value);
const [v = '', w = ''] = values;

describe('the cookie of a session', () => {
  it('is for this host, this site and no script, and over TLS bound to both by its name', () => {
    expect(setSession('v', 1_999, false)).to.equal('swarmgate_session=v; Path=/; Max-Age=1; HttpOnly; SameSite=Strict');
    expect(setSession('', 0, true)).to.equal(
      '__Host-swarmgate_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure',
    );
  });

  for (const [title, cookie, secure, found] of [
    ['alone', `swarmgate_session=${v}`, false, [v]],
    ['among others', `a=1; swarmgate_session=${v} ; b=2`, false, [v]],
    ['twice with the same value', `swarmgate_session=${v}; swarmgate_session=${v}`, false, [v]],
    [
      'with another before it, which a program at another port may have set',
      `swarmgate_session=${w}; swarmgate_session=${v}`,
      false,
      [w, v],
    ],
    ['behind what is no session at all', `${'swarmgate_session=x; '.repeat(200)}swarmgate_session=${v}`, false, [v]],
    ['fifty at most', values.map((each) => `swarmgate_session=${each}`).join('; '), false, values.slice(0, 50)],
    ['over TLS', `__Host-swarmgate_session=${v}; swarmgate_session=${w}`, true, [v]],
    ['over TLS without its prefix, which any page over HTTP can set', `swarmgate_session=${v}`, true, []],
    ['not there', `a=swarmgate_session=${v}`, false, []],
    ['absent', undefined, false, []],
  ] as const)
    it(`is read: ${title}`, () => {
      expect([...sessionsOf(cookie, secure)]).to.deep.equal(found);
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
    ['=swarmgate_session=v', true],
    [' = __Host-swarmgate_session=v', true],
    ['==swarmgate_session=v', false],
    ['a=swarmgate_session=v', false],
    ['swarmgate_sessions=v', false],
    ['a=1; swarmgate_session=v', false],
  ] as const)
    it(`${JSON.stringify(cookie)} is ${refused ? 'refused' : 'passed'}`, () => {
      expect(setsSession(cookie)).to.equal(refused);
    });
});
