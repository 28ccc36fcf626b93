import { expect } from 'chai';
import type { Authorization, Challenge, Order } from '../protocol/resources.ts';
import { nextStep } from './next-step.ts';

const order = (status: Order['status'], changed: Partial<Order> = {}): Order => ({
  status,
  authorizations: ['https://ca/a'],
  finalize: 'https://ca/finalize',
  ...changed,
});
const challenge = (type: string, changed: Partial<Challenge> = {}): Challenge => ({
  type,
  url: `https://ca/${type}`,
  status: 'pending',
  token: 'token',
  ...changed,
});
const authorization = (
  name: string,
  status: Authorization['status'],
  challenges: readonly Challenge[] = [challenge('http-01'), challenge('dns-01')],
  wildcard = false,
): Authorization => ({ status, identifier: { type: 'dns', value: name }, wildcard, challenges });
const problem = (type: string, detail = 'why') => ({ type: `urn:ietf:params:acme:error:${type}`, detail });
const step = (
  of: Order,
  authorizations: readonly Authorization[] = [],
  reported: readonly string[] = [],
  kind: 'http-01' | 'dns-01' = 'http-01',
) =>
  nextStep(of, authorizations, {
    names: ['a', 'b', 'c', '*.a', 'example.com', '*.example.com'],
    challenge: kind,
    reported: new Set(reported),
  });

describe('the next step of an order', () => {
  it('responds to pending challenges that the CA was not notified of', () => {
    const pending = [authorization('a', 'pending'), authorization('b', 'valid')];
    expect(step(order('pending'), pending)).to.deep.equal({
      kind: 'prove',
      proofs: [{ name: 'a', url: 'https://ca/http-01', token: 'token' }],
    });
  });

  it('publishes nothing for a name that was not ordered, nor for a DNS name that is an address', () => {
    const address: Authorization = { ...authorization('a', 'pending'), identifier: { type: 'ip', value: 'a' } };
    for (const foreign of [authorization('other.example.com', 'pending'), address])
      expect(step(order('pending'), [authorization('a', 'pending'), foreign])).to.have.nested.property(
        'problem.type',
        'serverInternal',
      );
    const valid = authorization('other.example.com', 'valid');
    expect(step(order('pending'), [authorization('a', 'pending'), valid])).to.have.property('kind', 'prove');
  });

  const waits = [
    ['a challenge that was reported', order('pending'), [authorization('a', 'pending')], ['https://ca/http-01']],
    [
      'one in validation',
      order('pending'),
      [authorization('a', 'pending', [challenge('http-01', { status: 'processing' })])],
      [],
    ],
    ['a CA that signs', order('processing'), [], []],
    ['a certificate whose URL is not there yet', order('valid'), [], []],
    ['an order whose authorizations are all valid', order('pending'), [authorization('a', 'valid')], []],
  ] as const;
  for (const [what, of, authorizations, reported] of waits)
    it(`waits for ${what}`, () => expect(step(of, authorizations, reported)).to.deep.equal({ kind: 'wait' }));

  it('finalizes when the order is ready, and downloads when it is valid', () => {
    expect(step(order('ready'))).to.deep.equal({ kind: 'finalize', url: 'https://ca/finalize' });
    const valid = order('valid', { certificate: 'https://ca/cert' });
    expect(step(valid)).to.deep.equal({ kind: 'download', url: 'https://ca/cert' });
  });

  const failed = [
    [
      'the name whose authorization failed',
      order('invalid'),
      [
        authorization('a', 'valid'),
        authorization('b', 'invalid', [challenge('http-01', { error: problem('connection') })]),
      ],
      { b: 'connection' },
      'connection',
    ],
    [
      'a failed authorization before the order says so',
      order('pending'),
      [authorization('a', 'pending'), authorization('b', 'invalid', [challenge('http-01', { error: problem('dns') })])],
      { b: 'dns' },
      'dns',
    ],
    [
      'a wildcard by its own name',
      order('invalid'),
      [authorization('example.com', 'invalid', [challenge('dns-01', { error: problem('dns') })], true)],
      { '*.example.com': 'dns' },
      'dns',
    ],
    [
      'names of the subproblems',
      order('invalid', {
        error: {
          ...problem('caa'),
          subproblems: [{ ...problem('caa'), identifier: { type: 'dns', value: 'B' } }],
        },
      }),
      [authorization('a', 'valid'), authorization('b', 'valid')],
      { b: 'caa' },
      'caa',
    ],
    ['all names where the CA names none', order('invalid', { error: problem('badCSR') }), [], {}, 'badCSR'],
    [
      'an authorization that expired',
      order('pending'),
      [authorization('a', 'expired', [])],
      { a: 'serverInternal' },
      'serverInternal',
    ],
    [
      'a CA that does not offer the challenge',
      order('pending'),
      [authorization('a', 'pending', [challenge('dns-01')])],
      { a: 'rejectedIdentifier' },
      'rejectedIdentifier',
    ],
  ] as const;
  for (const [what, of, authorizations, failures, type] of failed)
    it(`fails for ${what}`, () => {
      const found = step(of, authorizations);
      if (found.kind !== 'failed') throw new Error(`it is ${found.kind}`);
      expect(Object.fromEntries([...found.failures].map(([name, { type: why }]) => [name, why]))).to.deep.equal(
        failures,
      );
      expect(found.problem.type).to.equal(type);
    });

  it('takes no token that would not be one', () => {
    const evil = [
      authorization('a', 'pending', [{ ...challenge('http-01'), token: undefined } as unknown as Challenge]),
    ];
    expect(step(order('pending'), evil)).to.deep.equal({ kind: 'wait' });
  });
});
