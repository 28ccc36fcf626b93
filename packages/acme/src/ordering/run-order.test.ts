import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { makePrivateKey } from '../certificates/request.ts';
import { makeAlpnPairs } from '../certificates/tls-alpn.ts';
import type { AcmeClient } from '../protocol/acme-client.ts';
import { AcmeError } from '../protocol/acme-error.ts';
import type { Authorization, Order } from '../protocol/resources.ts';
import type { OrderDocument } from '../storage/documents.ts';
import type { Prover } from './prove.ts';
import { type OrderContext, runOrder } from './run-order.ts';

const url = 'https://ca/o';
const order: OrderDocument = {
  version: 1,
  id: 'a.example.com',
  names: ['a.example.com'],
  services: ['swarm/web'],
  issuer: 'ca',
  rehearsal: false,
  challenge: 'http-01',
  reason: 'new',
  startedAtMs: 0,
  sealedKey: '',
  url,
  told: [],
};
const at = (status: Order['status'], changed: Partial<Order> = {}): Order => ({
  status,
  authorizations: ['https://ca/a'],
  finalize: 'https://ca/f',
  ...changed,
});
const authorization: Authorization = {
  status: 'pending',
  identifier: { type: 'dns', value: 'a.example.com' },
  wildcard: false,
  challenges: [{ type: 'http-01', url: 'https://ca/c', status: 'pending', token: 't' }],
};
const privateKey = makePrivateKey();
const prover = { publish: async () => undefined, takeBack: async () => undefined } as unknown as Prover;

/** A CA of these answers. The order ends when the signal aborts, or with its outcome. */
const run = (client: Partial<AcmeClient>, signal: AbortSignal, key = privateKey) => {
  const errors: (AcmeError | undefined)[] = [];
  const context: OrderContext = {
    client: { authorization: async () => ({ resource: authorization }), ...client } as AcmeClient,
    prover,
    privateKey: key,
    logger: silentLogger,
    now: Date.now,
    store: async () => undefined,
    charge: async () => false,
    onAnswer: (error) => errors.push(error),
  };
  return { errors, outcome: runOrder(order, context, signal) };
};

describe('an order at a CA that misbehaves', () => {
  const keyAuthorization = () => 't.x';
  const loops = [
    ['stays as it is, with Retry-After: 0', { order: async () => ({ resource: at('processing'), retryAfterMs: 0 }) }],
    [
      'is ready again after it was finalized',
      {
        order: async () => ({ resource: at('ready') }),
        finalize: async () => ({ resource: at('ready'), retryAfterMs: 0 }),
      },
    ],
    ['asks for 31 years', { order: async () => ({ resource: at('processing'), retryAfterMs: 999_999_999_000 }) }],
    ['is valid without a certificate', { order: async () => ({ resource: at('valid'), retryAfterMs: 0 }) }],
    ['offers a challenge without a token', { order: async () => ({ resource: at('pending'), retryAfterMs: 0 }) }],
  ] as const;
  for (const [what, client] of loops)
    it(`asks it at most a few times a second where it ${what}`, async () => {
      let asked = 0;
      const counted = async () => {
        asked += 1;
        return client.order();
      };
      const challenges = [{ type: 'http-01', url: 'https://ca/c', status: 'pending' as const }];
      const tokenless = async () => ({ resource: { ...authorization, challenges } });
      const { outcome } = run({ ...client, order: counted, authorization: tokenless }, AbortSignal.timeout(600));
      await outcome.then(
        () => expect.fail('it ends'),
        () => undefined,
      );
      expect(asked).to.be.within(1, 4);
    });

  const selfSigned = async (name: string) => {
    const [pair] = await makeAlpnPairs(name, 'x', Date.now());
    return { chain: pair?.certificate ?? '', key: pair?.privateKey ?? '' };
  };
  const download = (chain: string) => ({
    order: async () => ({ resource: at('valid', { certificate: 'https://ca/cert' }) }),
    certificate: async () => chain,
  });

  it('takes no certificate of another key', async () => {
    const { chain } = await selfSigned('a.example.com');
    const { outcome } = run(download(chain), AbortSignal.timeout(5_000));
    expect(await outcome).to.deep.include({ kind: 'failed' });
  });

  it('takes no certificate of other names', async () => {
    const { chain, key } = await selfSigned('b.example.com');
    const outcome = await run(download(chain), AbortSignal.timeout(5_000), key).outcome;
    expect(outcome).to.deep.include({ kind: 'failed' });
    expect(outcome.kind === 'failed' && outcome.problem.detail).to.equal('the certificate does not hold a.example.com');
  });

  for (const [what, chain] of [
    ['broken base64', '-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n'],
    [
      'other bytes',
      `-----BEGIN CERTIFICATE-----\n${Buffer.from('hello').toString('base64')}\n-----END CERTIFICATE-----\n`,
    ],
    ['a cut end', '-----BEGIN CERTIFICATE-----\nMIIB'],
  ] as const)
    it(`counts a certificate of ${what} as a CA that is away, and asks again`, async () => {
      const { errors, outcome } = run(download(chain), AbortSignal.timeout(500));
      await outcome.then(
        () => expect.fail('it ends'),
        () => undefined,
      );
      expect(errors.map((each) => each?.code)).to.deep.equal(['acme-unavailable']);
    });

  it('fails where no challenge of the kind is offered', async () => {
    const dnsOnly = {
      ...authorization,
      challenges: [{ type: 'dns-01', url: 'https://ca/c', status: 'pending' as const }],
    };
    const { outcome } = run(
      { order: async () => ({ resource: at('pending') }), authorization: async () => ({ resource: dnsOnly }) },
      AbortSignal.timeout(5_000),
    );
    expect(await outcome).to.deep.include({ kind: 'failed' });
  });

  it('goes on after a challenge that a former orderer had told it of', async () => {
    let stage = 0;
    const { outcome } = run(
      {
        keyAuthorization,
        order: async () => ({ resource: at(stage === 0 ? 'pending' : 'invalid') }),
        challengeReady: async () => {
          stage = 1;
          throw AcmeError.refused('POST', { type: 'malformed', detail: 'already', status: 400, subproblems: [] });
        },
      },
      AbortSignal.timeout(5_000),
    );
    expect(await outcome).to.deep.include({ kind: 'failed' });
  });
});
