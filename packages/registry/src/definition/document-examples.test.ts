import { expect } from 'chai';
import { checkDefinition, checkEndpoints } from './check-definition.ts';
import { definitionSchema, destinationShape } from './definition-schema.ts';
import { definitionExample } from './document-examples.ts';

const place = { owner: 'manual', service: 'x' };
const envelope = {
  version: 1,
  ...place,
  source: { kind: 'rest', by: 'a test' },
  updatedAt: '2026-01-02T03:04:05.000Z',
};

/** What the first problem suggests to write, as JSON. */
function suggested(checked: ReturnType<typeof checkDefinition | typeof checkEndpoints>) {
  if (checked.ok) throw new Error('there is no problem');
  const [, json = 'null'] = /^write it as in (.*)$/.exec(checked.problems[0]?.suggestion ?? '') ?? [];
  return JSON.parse(json) as unknown;
}

describe('an example of what is expected in a document', () => {
  const destinations = [{ servicePath: ['/shop'], port: 8080 }];
  const given: readonly (readonly [string, object, unknown])[] = [
    ['no destinations', {}, { destinations }],
    ['destinations that are none', { destinations: {} }, { destinations }],
    ['an empty list', { destinations: [] }, { destinations }],
    ['a destination that is none', { destinations: ['/shop'] }, { destinations }],
    ['a path as text', { destinations: [{ servicePath: '/a', port: 80 }] }, { servicePath: ['/api', '/docs'] }],
    ['a port as text', { destinations: [{ servicePath: ['/a'], port: '80' }] }, { port: 8080 }],
    [
      'a value inside a label',
      { destinations: [{ servicePath: ['/a'], port: 80, serviceHeader: { 'X-A': 1 } }] },
      { serviceHeader: { 'X-Version': '3', 'X-Name': 'Jane' } },
    ],
    ['a label of the service', { destinations, rateLimit: '100/s' }, { rateLimit: { requests: 100, windowMs: 1_000 } }],
    [
      'a label that a destination has of its own',
      { destinations: [{ ...destinations[0], overrides: { delReqHeader: 'X-A' } }] },
      { delReqHeader: ['X-Debug', 'X-Internal'] },
    ],
    ['a version as text', { destinations, version: '1' }, { version: 1 }],
  ];
  for (const [what, document, expected] of given)
    it(`is shown for ${what}`, () => {
      expect(suggested(checkDefinition({ ...envelope, ...document }, place))).to.deep.equal(expected);
    });

  it('is shown for endpoints as for definitions', () => {
    const checked = checkEndpoints({ ...envelope, dnsName: 'x', tasks: {}, published: [] }, place);
    expect(suggested(checked)).to.have.property('tasks');
  });

  it('can be written for every field', () => {
    for (const [field, schema] of Object.entries(definitionSchema.shape)) {
      if (field === 'requires') continue;
      const example = definitionExample([field]);
      expect(example, field).to.have.property('field', field);
      if (field !== 'destinations') expect(schema.safeParse(example?.value).success, field).to.equal(true);
    }
    for (const [field, schema] of Object.entries(destinationShape)) {
      if (field === 'requires') continue;
      const example = definitionExample(['destinations', '0', field]);
      expect(example, field).to.have.property('field', field);
      expect(schema.safeParse(example?.value).success, field).to.equal(true);
    }
  });

  it('is a document that is taken', () => {
    const { value } = definitionExample(['destinations']) ?? {};
    expect(checkDefinition({ ...envelope, destinations: value }, place)).to.have.property('ok', true);
  });
});
