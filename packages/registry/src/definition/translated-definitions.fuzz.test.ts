import { labelNames, translateParameters } from '@swarmgate/labels';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { checkDefinition } from './check-definition.ts';

const minimal = { serviceName: 'go-demo', servicePath: '/demo', port: '8080' };

function translate(parameters: Record<string, string>, { separator = ',' } = {}) {
  return translateParameters(parameters, {
    owner: 'swarm',
    separator,
    source: { kind: 'rest', by: 'a test' },
    updatedAt: '2026-01-02T03:04:05.000Z',
    nowMs: 1000,
  });
}

describe('translateParameters, any input at all', () => {
  const name = fc.oneof(
    fc.constantFrom(...labelNames()),
    fc.constantFrom(...labelNames()).map((label) => `${label}.1`),
    fc
      .tuple(fc.constantFrom(...labelNames()), fc.integer({ min: 0, max: 12 }))
      .map(([label, index]) => `${label}.${index}`),
    fc.string({ maxLength: 50 }),
    fc.constantFrom('__proto__', 'constructor', 'toString', 'users.__proto__'),
  );
  const value = fc.oneof(
    fc.constantFrom(
      'true',
      '80',
      '/',
      '/a,/b',
      'a.example',
      'GET',
      'a:b',
      'X y',
      '10.0.0.1',
      '5',
      'path_reg',
      '1/s',
      '__proto__:x',
    ),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.stringMatching(/^[a-zA-Z0-9 ,:;.*/%{}[\]()'"\\-]{0,40}$/),
  );
  const parameters = fc.dictionary(name, value, { maxKeys: 25 });

  it('never throws, and what it translates passes its own check', () => {
    fc.assert(
      fc.property(parameters, fc.boolean(), fc.constantFrom(',', ';', '||', ''), (given, complete, separator) => {
        const { definition, problems } = translate(complete ? { ...given, ...minimal } : given, { separator });
        expect(definition === undefined).to.equal(problems.some(({ severity }) => severity === 'error'));
        if (definition === undefined) return;
        const travelled: unknown = JSON.parse(JSON.stringify(definition));
        expect(checkDefinition(travelled, definition)).to.deep.equal({ ok: true, definition: travelled });
      }),
      fuzzRuns(500, 20260102),
    );
  });

  it('does not depend on the order of the parameters', () => {
    fc.assert(
      fc.property(parameters, (given) => {
        const forwards = translate(given);
        const backwards = translate(Object.fromEntries(Object.entries(given).toReversed()));
        expect(JSON.stringify(backwards)).to.equal(JSON.stringify(forwards));
      }),
      fuzzRuns(200, 20260102),
    );
  });
});
