import { expect } from 'chai';
import { one, router } from '../../test/traefik-services.ts';

const cookieWith = (options: Readonly<Record<string, string>>) => {
  const labels = Object.entries(options).map(([name, value]) => [
    `services.web.loadbalancer.sticky.cookie.${name}`,
    value,
  ]);
  const { destinations, problems } = one({
    ...router,
    'services.web.loadbalancer.sticky.cookie': 'true',
    ...Object.fromEntries(labels),
  });
  return { overrides: destinations[0]?.overrides, problems };
};

describe('the sticky cookie of Traefik', () => {
  // [options of the cookie, its attributes; undefined: those of every other]
  const cases = [
    [{}, undefined],
    [{ name: 'lb' }, undefined],
    [{ secure: 'true' }, 'Path=/; HttpOnly; SameSite=Lax; Secure'],
    [{ secure: 'false', httpOnly: 'true' }, 'Path=/; HttpOnly; SameSite=Lax'],
    [{ httpOnly: 'false' }, 'Path=/; SameSite=Lax'],
    [{ sameSite: 'none' }, 'Path=/; HttpOnly; SameSite=None; Secure'],
    [{ sameSite: 'strict', path: '/app' }, 'Path=/app; HttpOnly; SameSite=Strict'],
    [{ sameSite: 'default' }, 'Path=/; HttpOnly; SameSite=Lax'],
    [{ maxAge: '42' }, 'Path=/; Max-Age=42; HttpOnly; SameSite=Lax'],
    [{ maxAge: '0' }, 'Path=/; HttpOnly; SameSite=Lax'],
    [{ maxAge: '-1' }, 'Path=/; Max-Age=0; HttpOnly; SameSite=Lax'],
    [{ domain: '.a.example' }, 'Path=/; Domain=a.example; HttpOnly; SameSite=Lax'],
  ] as const;
  for (const [options, attributes] of cases)
    it(`with ${JSON.stringify(options)} has ${attributes ?? 'the usual attributes'}`, () => {
      const { overrides, problems } = cookieWith(options);
      expect(problems).to.deep.equal([]);
      expect(overrides?.sessionType).to.equal('sticky-server');
      expect(overrides?.sessionCookieAttributes).to.equal(attributes);
    });

  it('with an attribute that is none has the usual ones, and a problem', () => {
    for (const options of [{ sameSite: 'sometimes' }, { path: 'app' }, { maxAge: 'long' }]) {
      const { overrides, problems } = cookieWith(options as Readonly<Record<string, string>>);
      expect(overrides?.sessionType).to.equal('sticky-server');
      expect(overrides).to.not.have.property('sessionCookieAttributes');
      expect(problems.map(({ reason }) => reason)).to.deep.equal(['label-not-honoured']);
    }
  });
});
