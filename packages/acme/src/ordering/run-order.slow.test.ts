import { RegistryError } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { makePrivateKey } from '../certificates/request.ts';
import { makeAlpnPairs } from '../certificates/tls-alpn.ts';
import { DnsLookupError, DnsProviderError } from '../challenges/dns-provider.ts';
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
  startedAtMs: Date.now(),
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

/** A CA of these responses. The order ends when the signal aborts, or with its outcome. */
const run = (
  client: Partial<AcmeClient>,
  signal: AbortSignal,
  key = privateKey,
  changed: Partial<OrderContext> & { readonly of?: Partial<OrderDocument> } = {},
) => {
  const { of, ...others } = changed;
  const errors: (AcmeError | undefined)[] = [];
  const context: OrderContext = {
    client: { authorization: async () => ({ resource: authorization }), ...client } as AcmeClient,
    prover,
    privateKey: key,
    logger: silentLogger,
    now: Date.now,
    store: async () => undefined,
    charge: async () => false,
    onResponse: (error) => errors.push(error),
    ...others,
  };
  return { errors, outcome: runOrder({ ...order, ...of }, context, signal) };
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
    [
      'requests a wait of 31 years',
      { order: async () => ({ resource: at('processing'), retryAfterMs: 999_999_999_000 }) },
    ],
    ['is valid without a certificate', { order: async () => ({ resource: at('valid'), retryAfterMs: 0 }) }],
    ['offers a challenge without a token', { order: async () => ({ resource: at('pending'), retryAfterMs: 0 }) }],
  ] as const;
  for (const [what, client] of loops)
    it(`polls the CA at most a few times a second where it ${what}`, async () => {
      let requested = 0;
      const counted = async () => {
        requested += 1;
        return client.order();
      };
      const challenges = [{ type: 'http-01', url: 'https://ca/c', status: 'pending' as const }];
      const tokenless = async () => ({ resource: { ...authorization, challenges } });
      const { outcome } = run({ ...client, order: counted, authorization: tokenless }, AbortSignal.timeout(600));
      await outcome.then(
        () => expect.fail('it ends'),
        () => undefined,
      );
      expect(requested).to.be.within(1, 4);
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
    it(`counts a certificate of ${what} as an unreachable CA, and requests it again`, async () => {
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

  it('goes on after a challenge that a former orderer had notified it of', async () => {
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

  const refusal = (type: string, status: number, name?: string) =>
    AcmeError.refused('POST', {
      type,
      detail: '',
      status,
      subproblems: name === undefined ? [] : [{ type: 'caa', detail: '', name }],
    });
  const refusals = [
    ['alreadyReplaced', 409, undefined, 2],
    ['malformed', 400, undefined, 2],
    ['unauthorized', 403, undefined, 2],
    ['malformed', 400, 'a.example.com', 1],
    ['rejectedIdentifier', 400, undefined, 1],
    ['rateLimited', 429, undefined, 1],
    ['accountDoesNotExist', 400, undefined, 1],
    ['serverInternal', 500, undefined, 1],
    ['malformed', 503, undefined, 1],
    ['alreadyReplaced', 500, undefined, 1],
  ] as const;
  for (const [type, status, name, orders] of refusals)
    it(`sends ${orders === 1 ? 'no second order' : 'an order without replaces'} after ${type}${name === undefined ? '' : ' of a name'} with status ${status}`, async () => {
      const sent: (string | undefined)[] = [];
      let charged = 0;
      const { url: _, ...unmade } = order;
      const context: OrderContext = {
        client: {
          directory: async () => ({ profiles: [] }),
          newOrder: async ({ replaces }: { replaces?: string }) => {
            sent.push(replaces);
            throw refusal(type, status, name);
          },
        } as unknown as AcmeClient,
        prover,
        privateKey,
        logger: silentLogger,
        now: Date.now,
        store: async () => undefined,
        charge: async () => {
          charged += 1;
          return true;
        },
        onResponse: () => undefined,
      };
      await runOrder({ ...unmade, replaces: 'ari' }, context, AbortSignal.timeout(5_000));
      expect(sent).to.deep.equal(['ari', undefined].slice(0, orders));
      expect(charged).to.equal(orders - 1);
    });

  it('fetches no authorization where there are more than names', async () => {
    let fetched = 0;
    const authorizations = Array.from({ length: 5_000 }, (_, at) => `https://ca/a${at}`);
    const { outcome } = run(
      {
        order: async () => ({ resource: at('pending', { authorizations }) }),
        authorization: async () => {
          fetched += 1;
          return { resource: authorization };
        },
      },
      AbortSignal.timeout(5_000),
    );
    expect(await outcome).to.have.nested.property('problem.detail', 'the CA has 5000 authorizations for 1 names');
    expect(fetched).to.equal(0);
  });

  const startedMs = 1_000_000;

  it('ends at its time also between two authorizations', async () => {
    const deadlineMs = 400;
    const names = Array.from({ length: 25 }, (_, at) => `n${at}.example.com`);
    let fetched = 0;
    let isOver = () => false;
    const { outcome } = run(
      {
        order: async () => ({ resource: at('pending', { authorizations: names.map((name) => `https://ca/${name}`) }) }),
        authorization: async () => {
          fetched += 1;
          if (fetched === 5) await until('the time of the order is over', () => isOver());
          return { resource: authorization };
        },
      },
      AbortSignal.timeout(30_000),
      privateKey,
      { of: { names, startedAtMs: startedMs }, now: () => startedMs, deadlineMs },
    );
    const endMs = performance.now() + deadlineMs;
    isOver = () => performance.now() >= endMs;
    expect(await outcome).to.have.nested.property('problem.type', 'timeout');
    // The fifth at most: none of the other twenty is fetched after the end.
    expect(fetched).to.be.within(1, 5);
  });

  const taken = (client: Partial<AcmeClient>, afterMs: number, deadlineMs = 1_000) =>
    run(client, AbortSignal.timeout(5_000), privateKey, {
      of: { startedAtMs: startedMs },
      now: () => startedMs + afterMs,
      deadlineMs,
    }).outcome;
  const timeout = { kind: 'failed', problem: { type: 'timeout' } };

  it('has the time that its order began with, also where another replica takes it over', async () => {
    const atMs = performance.now();
    const client = { order: async () => ({ resource: at('processing') }) };
    expect(await taken(client, 59_800, 60_000)).to.containSubset(timeout);
    expect(performance.now() - atMs).to.be.below(5_000);
    let looks = 0;
    const counted = async () => {
      looks += 1;
      return { resource: at('processing') };
    };
    expect(await taken({ order: counted }, 3_600_000)).to.containSubset(timeout);
    expect(looks).to.equal(1);
  });

  it('has no more time where the clock is behind the start of its order', async () => {
    const client = { order: async () => ({ resource: at('processing') }) };
    expect(await taken(client, -3_600_000, 200)).to.containSubset(timeout);
  });

  it('still gives the certificate that was issued when the time of its order was over', async () => {
    const { chain, key } = await selfSigned('a.example.com');
    const { outcome } = run(download(chain), AbortSignal.timeout(5_000), key, {
      of: { startedAtMs: startedMs },
      now: () => startedMs + 3_600_000,
    });
    expect(await outcome).to.deep.include({ kind: 'issued' });
  });

  const foreign = [
    ['another name', { type: 'dns', value: 'b.example.com' }, false],
    ['the wildcard', { type: 'dns', value: 'a.example.com' }, true],
    ['an address', { type: 'ip', value: '8.8.8.8' }, false],
    ['the name as an address', { type: 'ip', value: 'a.example.com' }, false],
  ] as const;
  for (const [what, identifier, wildcard] of foreign)
    it(`publishes nothing, and takes nothing back, for ${what}`, async () => {
      const published: string[] = [];
      const note = async ({ proofs }: { readonly proofs: readonly { readonly name: string }[] }) => {
        published.push(...proofs.map(({ name }) => name));
      };
      const { outcome } = run(
        {
          keyAuthorization,
          order: async () => ({ resource: at('pending') }),
          authorization: async () => ({ resource: { ...authorization, identifier, wildcard } }),
        },
        AbortSignal.timeout(500),
        privateKey,
        { prover: { publish: note, takeBack: note } as unknown as Prover },
      );
      expect(await outcome).to.have.nested.property('problem.type', 'serverInternal');
      expect(published).to.deep.equal([]);
    });

  it('keeps its outcome where responses cannot be taken back', async () => {
    const takeBack = async () => {
      throw new TypeError('no DNS');
    };
    const { outcome } = run(
      { order: async () => ({ resource: at('invalid') }) },
      AbortSignal.timeout(5_000),
      privateKey,
      { prover: { ...prover, takeBack } as unknown as Prover },
    );
    expect(await outcome).to.deep.include({ kind: 'failed' });
  });

  for (const [type, error] of [
    ['dns-lookup', DnsLookupError.of('10.0.0.1 did not respond')],
    ['dns-provider', DnsProviderError.of('refused')],
  ] as const)
    it(`ends with the problem ${type} where its record cannot be written`, async () => {
      const publish = async () => {
        throw error;
      };
      const { outcome } = run(
        { keyAuthorization, order: async () => ({ resource: at('pending') }) },
        AbortSignal.timeout(5_000),
        privateKey,
        { prover: { ...prover, publish } as unknown as Prover },
      );
      expect(await outcome).to.containSubset({ kind: 'failed', problem: { type, detail: error.message } });
    });

  it('ends with its own failure where something unexpected is thrown', async () => {
    const { outcome } = run(
      {
        order: async () => {
          throw new TypeError('not iterable');
        },
      },
      AbortSignal.timeout(5_000),
    );
    const { problem } = (await outcome) as { problem?: unknown };
    expect(problem).to.deep.include({ type: 'internal', detail: 'not iterable' });
  });

  it('throws what the registry refuses: the lock is lost', async () => {
    const lost = RegistryError.of('leadership-lost', 'lost');
    const { outcome } = run(
      {
        order: async () => {
          throw lost;
        },
      },
      AbortSignal.timeout(5_000),
    );
    expect(await outcome.catch((error: unknown) => error)).to.equal(lost);
  });
});
