import { type SecretsKey, sealSecret, secretsKeyOf } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import type { RequiredName } from '../names/select-names.ts';
import { issuerOf } from '../orders/issuers.ts';
import { planOrders } from '../orders/plan-orders.ts';
import type { AcmeClient } from '../protocol/acme-client.ts';
import { AcmeError } from '../protocol/acme-error.ts';
import { type AcmeChange, headAfter, newHead } from '../storage/acme-head.ts';
import type { ChallengeResponse, NameDocument, OrderDocument } from '../storage/documents.ts';
import type { FencedWriter } from '../storage/fenced-writer.ts';
import { AccountAccess } from './account-access.ts';
import { Budgets, knownName, type OrderingContext } from './order-context.ts';
import { Orders } from './orders.ts';
import type { Prover } from './prove.ts';
import { settleOrder } from './settle-order.ts';

const key = secretsKeyOf(Buffer.alloc(32, 7).toString('base64')) as SecretsKey;

/** A registry in memory, with the time standing still. */
function contextOf({ client, signal }: { readonly client?: () => AcmeClient; readonly signal: AbortSignal }) {
  const documents = new Map<string, string>();
  let head = newHead();
  const writer = {
    documents,
    write: async (change: AcmeChange) => {
      head = headAfter(head, change);
      for (const [name, value] of change.documents ?? []) {
        if (value === undefined) documents.delete(name);
        else documents.set(name, value);
      }
      return 'h:1';
    },
  } as unknown as FencedWriter;
  const access = new AccountAccess({
    writer,
    secretsKeys: [key],
    email: undefined,
    externalAccountOf: () => undefined,
    ca: undefined,
    userAgent: 'x',
    logger: silentLogger,
    now: () => 1_000_000,
  });
  if (client !== undefined) Object.assign(access, { client: async () => client() });
  const ended: unknown[] = [];
  const context: OrderingContext = {
    writer,
    access,
    prover: { publish: async () => undefined, takeBack: async () => undefined } as unknown as Prover,
    budgets: new Budgets(writer),
    secretsKeys: [key],
    events: { orderBegun: () => undefined, orderEnded: (_, result) => ended.push(result) },
    logger: silentLogger,
    now: () => 1_000_000,
    signal,
  };
  return { context, documents, ended, responses: () => head.answers };
}

const issuer = issuerOf('https://ca.example/directory');
const order = (name: string, changed: Partial<OrderDocument> = {}): OrderDocument => ({
  version: 1,
  id: name,
  names: [name],
  services: ['swarm/web'],
  issuer: issuer.id,
  rehearsal: false,
  challenge: 'http-01',
  reason: 'new',
  startedAtMs: 0,
  sealedKey: '',
  told: [],
  ...changed,
});
const requiredName = (name: string): RequiredName => ({
  name,
  services: ['swarm/web'],
  issuers: [issuer.id],
  challenges: ['http-01'],
});

describe('the end of an order', () => {
  for (const reason of ['order-lost', 'account-lost'] as const)
    it(`makes its names wait 1, 10 and 100 minutes where the CA responds with ${reason}, and counts a failure`, async () => {
      const { context, documents } = contextOf({ signal: new AbortController().signal });
      const waits: number[] = [];
      for (let at = 0; at < 3; at += 1) {
        const outcome = { kind: 'interrupted', reason, message: 'gone', isUnissued: true } as const;
        await settleOrder(order('a.example.com'), issuer, outcome, '', context);
        const known = knownName(context.writer, 'a.example.com') as NameDocument;
        expect(known.failure).to.deep.include({ type: reason, detail: 'gone' });
        waits.push((known.nextAttemptMs - 1_000_000) / 60_000);
        const states = new Map([[known.name, known]]);
        const required = [requiredName('a.example.com')];
        const none = { certificates: [], inProgress: new Set<string>(), requested: new Set<string>() };
        expect(planOrders({ required, states, ...none, nowMs: 1_000_000 }).orders).to.deep.equal([]);
      }
      expect(waits).to.deep.equal([1, 10, 100]);
      expect(context.budgets.of(issuer).failures['a.example.com']).to.have.length(3);
      expect([...documents.keys()].filter((each) => each.startsWith('orders/'))).to.deep.equal([]);
    });

  it('makes the names of an order that gets no response wait longer each time, also while others get one', async () => {
    const { context } = contextOf({ signal: new AbortController().signal });
    const waits: number[] = [];
    for (let at = 0; at < 9; at += 1) {
      const away = { kind: 'interrupted', reason: 'ca-away', message: '503', isUnissued: true } as const;
      context.access.responded(issuer);
      await settleOrder(order('a.example.com'), issuer, away, '', context);
      const known = knownName(context.writer, 'a.example.com');
      expect(known).to.include({ failures: 0 }).and.not.have.property('failure');
      waits.push(((known?.nextAttemptMs ?? 0) - 1_000_000) / 1_000);
    }
    expect(waits).to.deep.equal([5, 10, 20, 40, 80, 160, 320, 600, 600]);
    expect(context.budgets.of(issuer).failures).to.deep.equal({});
  });

  it('takes back its own responses alone: not those of the domain that a wildcard is of', async () => {
    const { context, responses } = contextOf({ signal: new AbortController().signal });
    const response = (name: string): ChallengeResponse => ({
      kind: 'http-01',
      name,
      token: 't',
      keyAuthorization: 't.x',
    });
    await context.writer.write({ addResponses: [response('example.com'), response('a.example.com')] });
    const outcome = { kind: 'interrupted', reason: 'ca-away', message: '' } as const;
    await settleOrder(order('*.example.com', { challenge: 'dns-01' }), issuer, outcome, '', context);
    expect(responses().map(({ name }) => name)).to.deep.equal(['example.com', 'a.example.com']);
    await settleOrder(order('a.example.com'), issuer, outcome, '', context);
    expect(responses().map(({ name }) => name)).to.deep.equal(['example.com']);
  });

  it('is a failure of its names where the certificate cannot be stored', async () => {
    const { context, ended } = contextOf({ signal: new AbortController().signal });
    await settleOrder(order('a.example.com'), issuer, { kind: 'issued', chain: 'nonsense' }, '', context);
    expect(knownName(context.writer, 'a.example.com')?.failure).to.deep.include({ type: 'internal' });
    expect(ended).to.deep.equal([{ failure: 'internal' }]);
  });
});

describe('orders of one orderer', () => {
  const ending = new AbortController();
  after(() => ending.abort());

  it('go on when one of them ends with an unexpected error, which waits and is reported', async () => {
    const { context, documents } = contextOf({
      client: () => {
        throw new TypeError('unexpected');
      },
      signal: ending.signal,
    });
    documents.set('orders/a.example.com', '{}');
    const refused: unknown[] = [];
    let ended = 0;
    const onEnd = () => {
      ended += 1;
    };
    const orders = new Orders({ context, issuers: [issuer], onEnd, onRefused: (error) => refused.push(error) });
    orders.begin([{ names: [requiredName('a.example.com')], reason: 'new' }], new Set());
    await orders.settled();
    expect(refused).to.deep.equal([]);
    expect(ended).to.equal(1);
    expect(documents.has('orders/a.example.com')).to.equal(false);
    const known = knownName(context.writer, 'a.example.com');
    expect(known?.nextAttemptMs).to.equal(1_000_000 + 60_000);
    expect(known?.failure).to.deep.include({ type: 'internal', detail: 'unexpected' });
  });

  it('are resumed sixteen at a time, the others as these end, and count as in progress meanwhile', async () => {
    const responses: PromiseWithResolvers<void>[] = [];
    const client = {
      order: async () => {
        const requested = Promise.withResolvers<void>();
        responses.push(requested);
        await requested.promise;
        throw AcmeError.refused('POST', { type: 'malformed', detail: '', status: 404, subproblems: [] });
      },
    } as unknown as AcmeClient;
    const { context } = contextOf({ client: () => client, signal: ending.signal });
    const orders = new Orders({ context, issuers: [issuer], onEnd: () => undefined, onRefused: () => undefined });
    for (let at = 0; at < 40; at += 1) {
      const id = `n${at}.example.com`;
      orders.resume(order(id, { url: 'https://ca/o', sealedKey: sealSecret('k', `acme/orders/${id}`, [key]) }));
    }
    await until('sixteen are requested', () => responses.length >= 16);
    expect(responses).to.have.length(16);
    expect(orders.names().size).to.equal(40);
    responses[0]?.resolve();
    await until('the next one begins', () => responses.length === 17);
    for (let at = 1; at < 40; at += 1) {
      await until(`order ${at}`, () => responses.length > at);
      responses[at]?.resolve();
    }
    await until('all ended', () => orders.names().size === 0);
  });
});
