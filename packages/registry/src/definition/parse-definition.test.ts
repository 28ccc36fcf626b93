import { expect } from 'chai';
import { definitionOf } from '../../test/sample-definition.ts';
import { definitionSchema, destinationShape } from './definition-schema.ts';
import { parseDefinition } from './parse-definition.ts';

describe('the schema of the fields that a definition has', () => {
  const sampleDefinition = definitionOf('swarm', 'shop');
  const values = [null, true, -1, 'x', ['x'], {}];
  const [sample] = sampleDefinition.destinations;
  const both = (document: unknown) => {
    const json: unknown = JSON.parse(JSON.stringify(document));
    const [found, expected] = [parseDefinition(json), definitionSchema.safeParse(json)];
    return [found, expected].map(({ success, data, error }) => ({ success, data, issues: error?.issues }));
  };
  const isAlike = (document: unknown) => {
    const [found, expected] = both(document);
    expect(found).to.deep.equal(expected);
    // Equal text too: documents are written and compared by it.
    expect(JSON.stringify(found)).to.equal(JSON.stringify(expected));
  };

  for (const field of Object.keys(definitionSchema.shape))
    it(`accepts and refuses ${field} of a service as the schema of all fields does`, () => {
      for (const value of values) isAlike({ ...sampleDefinition, [field]: value });
      isAlike({ ...sampleDefinition, [field]: undefined });
    });

  for (const field of Object.keys(destinationShape))
    it(`accepts and refuses ${field} of a destination as the schema of all fields does`, () => {
      for (const value of values) {
        isAlike({ ...sampleDefinition, destinations: [{ ...sample, [field]: value }] });
        // A field of the first only, and of the second only.
        isAlike({ ...sampleDefinition, destinations: [{ ...sample, [field]: value }, sample] });
        isAlike({ ...sampleDefinition, destinations: [sample, { ...sample, index: 1, [field]: value }] });
      }
      isAlike({ ...sampleDefinition, destinations: [{ ...sample, [field]: undefined }] });
    });

  const others: readonly (readonly [string, unknown])[] = [
    ['nothing', null],
    ['a list', []],
    ['a text', 'x'],
    ['no destinations', { ...sampleDefinition, destinations: undefined }],
    ['destinations that are none', { ...sampleDefinition, destinations: [null, 1, 'x', []] }],
    ['unknown fields', { ...sampleDefinition, unknown: 1, destinations: [{ ...sample, constructor: 1, other: 2 }] }],
  ];
  for (const [what, document] of others)
    it(`judges ${what} as the schema of all fields does`, () => {
      isAlike(document);
    });

  it('takes the schema of all fields once there are many sets of fields', () => {
    const labels = Object.keys(destinationShape).slice(4, 13);
    for (let set = 0; set < 2 ** labels.length; set += 1) {
      const wrong = labels.filter((_, at) => (set >> at) % 2 === 1).map((label) => [label, null]);
      const result = parseDefinition({
        ...sampleDefinition,
        destinations: [{ ...sample, ...Object.fromEntries(wrong) }],
      });
      expect(result.success).to.equal(wrong.length === 0);
      expect(result.error?.issues.length ?? 0).to.equal(wrong.length);
    }
  });
});
