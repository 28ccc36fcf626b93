import { expect } from 'chai';
import { checkDefinition } from './check-definition.ts';

const place = { owner: 'swarm', service: 'shop' };
const secret = 'opensesame';

/** Every field that holds a credential, of the service, of a destination and of what it has for itself. */
const holders = {
  users: [{ username: 'jane', passwordHash: secret }],
  serviceCert: secret,
  addReqHeader: [{ name: 'X-Auth', value: secret }],
  setReqHeader: [{ name: 'X-Auth', value: secret }],
  addResHeader: [{ name: 'Set-Cookie', value: secret }],
  setResHeader: [{ name: 'Set-Cookie', value: secret }],
};
const ofDestination = {
  serviceHeader: { 'X-Auth': secret },
  rule: `Header(\`X-Auth\`, \`${secret}\`)`,
  headers: { request: { 'X-Auth': secret }, response: { 'Set-Cookie': secret } },
  middlewares: [
    { kind: 'basicAuth', users: [{ username: 'jane', passwordHash: secret }] },
    { kind: 'headers', request: { 'X-Auth': secret } },
    { kind: 'forwardAuth', address: `http://jane:${secret}@gate.example` },
  ],
  forwardAuth: { address: `http://jane:${secret}@gate.example` },
  plugins: [{ name: 'gate', options: { secret } }],
  overrides: holders,
};
const whole = {
  version: 1,
  ...place,
  source: { kind: 'rest', by: 'a test' },
  updatedAt: '2026-01-02T03:04:05.000Z',
  ...holders,
  destinations: [{ index: 0, since: 7, servicePath: ['/'], port: 8080, ...ofDestination }],
};

type Path = readonly (string | number)[];

/** Every place in a document. */
function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  yield path;
  if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) yield* pathsOf(inner, [...path, key]);
}

/** The document with another value at one place. */
function changed(value: unknown, path: Path, change: (value: unknown) => unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (Array.isArray(value))
    return value.map((inner, at) => (String(at) === String(step) ? changed(inner, rest, change) : inner));
  const record = value as Readonly<Record<string, unknown>>;
  return { ...record, [step]: changed(record[step], rest, change) };
}

const changes: readonly (readonly [what: string, change: (value: unknown) => unknown])[] = [
  ['as it is', (value) => value],
  ['in a list', (value) => [value]],
  ['in an object', (value) => ({ value })],
  ['as text', (value) => JSON.stringify(value)],
  ['with a letter that no header takes', (value) => `${typeof value === 'string' ? value : JSON.stringify(value)}é`],
  ['with a control character', (value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\u0000`],
  ['cut off', (value) => (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, -1)],
];

describe('problems of a document', () => {
  for (const [what, change] of changes)
    it(`show no credential: each field ${what}`, () => {
      let rejected = 0;
      for (const path of pathsOf(whole)) {
        const checked = checkDefinition(changed(whole, path, change), place);
        const problems = checked.ok ? (checked.warnings ?? []) : checked.problems;
        if (!checked.ok) rejected += 1;
        // As text a whole destination is one field, whose values are shown up to 100 characters: no credential is among them.
        expect(JSON.stringify(problems), path.join('.')).not.to.include(secret);
      }
      expect(rejected).to.be.above(0);
    });

  it('still show what was wrong elsewhere', () => {
    const document = { ...whole, ...place, users: undefined, serviceCert: undefined, destinations: [{ port: 'auth' }] };
    const checked = checkDefinition(document, place);
    expect(checked.ok ? [] : checked.problems.map(({ value }) => value)).to.include('"auth"');
  });
});
