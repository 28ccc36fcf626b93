import { expect } from 'chai';
import { definitionOf } from '../../test/sample-definition.ts';
import { checkDefinition } from './check-definition.ts';
import { mayRestrict } from './unknown-restrictions.ts';

const place = { owner: 'manual', service: 'web' };

describe('unknown fields of a definition', () => {
  const document = definitionOf('manual', 'web');
  const [destination] = document.destinations;
  const check = (more: object, inDestination: object = {}) =>
    checkDefinition({ ...document, ...more, destinations: [{ ...destination, ...inDestination }] }, place);
  const warningsOf = (more: object, inDestination: object = {}) => {
    const checked = check(more, inDestination);
    if (!checked.ok) throw new Error('it is rejected');
    return checked.warnings ?? [];
  };

  it('are none of a definition as it is published', () => {
    expect(check({ weight: 5 }, { httpsOnly: true })).to.not.have.property('warnings');
  });

  for (const [name, isRestricting] of [
    ['ratelimt', true], // near to a restricting label
    ['denyEverything', true], // one of its words restricts
    ['wieght', false],
    ['note', false],
  ] as const)
    it(`${isRestricting ? 'close' : 'leave open'} the routes of a definition with ${name}`, () => {
      expect(mayRestrict(name)).to.equal(isRestricting);
    });

  const cases: readonly (readonly [string, object, object, string, string | undefined])[] = [
    ['a misspelt field of the service', { wieght: 5 }, {}, 'wieght', 'did you mean weight?'],
    [
      'a misspelt field of a destination',
      {},
      { servcePath: ['/'] },
      'destinations.0.servcePath',
      'did you mean servicePath?',
    ],
    [
      'a label under its own name',
      {},
      { timeoutServer: 5 },
      'destinations.0.timeoutServer',
      'did you mean timeoutServerMs?',
    ],
    [
      'a field of a destination beside them',
      { servicePath: ['/'] },
      {},
      'servicePath',
      'move servicePath into a destination',
    ],
    [
      'a field of the service in a destination',
      {},
      { aclName: 'a' },
      'destinations.0.aclName',
      'move aclName out of the destination, beside destinations',
    ],
    ['something else', { note: 'ours' }, {}, 'note', undefined],
  ];
  for (const [what, more, inDestination, label, suggestion] of cases) {
    it(`are notified of: ${what}, and it is served without`, () => {
      const warnings = warningsOf(more, inDestination);
      expect(warnings).to.have.lengthOf(1);
      expect(warnings[0]).to.deep.include({ severity: 'warning', reason: 'field-unknown', label });
      expect(warnings[0]?.suggestion).to.equal(suggestion);
      expect(check(more, inDestination)).to.have.deep.property('definition', document);
    });
  }

  // [the field, what the service requires, what the destination requires]
  const restricting: readonly (readonly [
    object,
    object,
    readonly string[] | undefined,
    readonly string[] | undefined,
  ])[] = [
    [{ allowedAdresses: ['10.0.0.0/8'] }, {}, ['field:allowedAdresses'], undefined],
    [{ allowedMethods: ['GET'] }, {}, ['field:allowedMethods'], undefined],
    [{}, { users: [] }, undefined, ['field:users']],
    [{}, { verifyClientSSL: true }, undefined, ['field:verifyClientSSL']],
    [{ forwardAuth: { address: 'http://auth' } }, {}, ['field:forwardAuth'], undefined],
    [{}, { 'ip-whitelist': [] }, undefined, ['field:ip-whitelist']],
    [{ requires: ['later'] }, {}, ['later'], undefined],
    [{}, { requires: ['later'], onlyFromInside: true }, undefined, ['later', 'field:onlyFromInside']],
    [{ author: 'jane', comment: 'x' }, {}, undefined, undefined],
  ];
  for (const [more, inDestination, ofService, ofDestination] of restricting) {
    it(`close their routes where they may restrict access: ${JSON.stringify([more, inDestination])}`, () => {
      const checked = check(more, inDestination);
      if (!checked.ok) throw new Error('it is rejected');
      expect(checked.definition.requires).to.deep.equal(ofService);
      expect(checked.definition.destinations[0]?.requires).to.deep.equal(ofDestination);
    });
  }

  it('are notified of without their values, and not without end', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`x${n}`, 'hush']));
    const warnings = warningsOf({ userz: 'jane:hush', ...many, ['y'.repeat(5_000)]: 1 });
    expect(warnings).to.have.lengthOf(20);
    expect(JSON.stringify(warnings)).to.not.contain('hush');
  });
});
