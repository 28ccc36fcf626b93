import type { MiddlewareUse } from '@swarmgate/labels';
import { expect } from 'chai';
import { definition } from '../../../test/registered.ts';
import { redactDefinition } from './redact-definition.ts';

describe('a definition as it is shown', () => {
  it('keeps the places of secrets and loses their content', () => {
    const shown = redactDefinition({
      ...definition('manual/shop'),
      users: [{ username: 'ann', passwordHash: '$6$salt$hash' }, { username: 'bob' }],
      serviceCert: 'sealed',
      setReqHeader: [
        { name: 'Authorization', value: 'Basic YTpi' },
        { name: 'X-Shop', value: 'open' },
      ],
    });
    expect(shown.users).to.deep.equal([{ username: 'ann', passwordHash: '' }, { username: 'bob' }]);
    expect(shown.serviceCert).to.equal('');
    expect(shown.setReqHeader).to.deep.equal([
      { name: 'Authorization', value: '' },
      { name: 'X-Shop', value: 'open' },
    ]);
    expect(shown.destinations).to.deep.equal(definition('manual/shop').destinations);
  });

  for (const [name, isShown] of [
    ['X-Auth', false],
    ['X-Api-Key', false],
    ['Session-Id', false],
    ['X-Canary', true],
  ] as const)
    it(`${isShown ? 'shows' : 'hides'} the value that ${name} must have`, () => {
      const given = definition('manual/shop');
      const destinations = given.destinations.map((each) => ({ ...each, serviceHeader: { [name]: 'opensesame' } }));
      const shown = redactDefinition({ ...given, destinations });
      expect(shown.destinations[0]?.serviceHeader).to.deep.equal({ [name]: isShown ? 'opensesame' : '' });
    });

  it('hides credentials in middlewares', () => {
    const given = definition('manual/shop');
    const own = {
      headers: { request: { Authorization: 'Basic YTpi', 'X-Shop': 'open' } },
      middlewares: [
        { kind: 'basicAuth', users: [{ username: 'ann', passwordHash: '$6$salt$hash' }] },
        { kind: 'headers', request: { 'X-Api-Key': 'opensesame' } },
        { kind: 'stripPrefix', prefixes: ['/a'] },
      ],
    } as const;
    const shown = redactDefinition({
      ...given,
      destinations: given.destinations.map((each) => ({ ...each, ...own })),
    }).destinations[0];
    expect(shown?.headers).to.deep.equal({ request: { Authorization: '', 'X-Shop': 'open' } });
    expect(shown?.middlewares).to.deep.equal([
      { kind: 'basicAuth', users: [{ username: 'ann', passwordHash: '' }] },
      { kind: 'headers', request: { 'X-Api-Key': '' } },
      { kind: 'stripPrefix', prefixes: ['/a'] },
    ]);
  });

  it('hides credentials in rules, and in the fields that a destination has for itself', () => {
    const given = definition('manual/shop');
    const own = {
      rule: 'Header(`X-Api-Key`, `opensesame`) && Query(`token`, `opensesame`) && QueryRegexp(`sessionId`, `opensesame`)',
      plugins: [{ name: 'gate', options: { secret: 'opensesame', origin: 'https://shop.example' } }],
      middlewares: [
        { kind: 'basicAuth', users: [{ username: 'ann', passwordHash: '$6$salt$opensesame' }] },
        { kind: 'headers', request: { Authorization: 'opensesame' } },
      ] satisfies MiddlewareUse[],
      overrides: { users: [{ username: 'ann', passwordHash: '$6$salt$opensesame' }] },
    };
    const shown = redactDefinition({ ...given, destinations: given.destinations.map((each) => ({ ...each, ...own })) });
    expect(JSON.stringify(shown)).not.to.include('opensesame');
    expect(shown.destinations[0]?.rule).to.equal(
      'Header(`X-Api-Key`, ``) && Query(`token`, ``) && QueryRegexp(`sessionId`, ``)',
    );
    expect(shown.destinations[0]?.plugins).to.deep.equal([
      { name: 'gate', options: { secret: '', origin: 'https://shop.example' } },
    ]);
    expect(shown.destinations[0]?.overrides?.users).to.deep.equal([{ username: 'ann', passwordHash: '' }]);
  });

  it('gains no field that was not there', () => {
    expect(redactDefinition(definition('manual/shop'))).to.deep.equal(definition('manual/shop'));
  });
});
