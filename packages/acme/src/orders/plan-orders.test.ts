import { expect } from 'chai';
import type { RequiredName } from '../names/select-names.ts';
import { type NameState, type OrderPlanInput, type OwnCertificate, planOrders } from './plan-orders.ts';

const nowMs = 1_000_000;
const requiredName = (name: string, service = 'web', changed: Partial<RequiredName> = {}): RequiredName => ({
  name,
  services: [`swarm/${service}`],
  issuers: ['ca'],
  challenges: ['http-01'],
  ...changed,
});
const certificate = (names: readonly string[], changed: Partial<OwnCertificate> = {}): OwnCertificate => ({
  id: names.join('+'),
  names,
  issuer: 'ca',
  notAfterMs: nowMs + 1_000,
  renewAtMs: nowMs + 500,
  ...changed,
});
const failing = (failures: number, nextAttemptMs: number): NameState => ({ failures, nextAttemptMs });
const plan = (input: Partial<OrderPlanInput>) => {
  const found = planOrders({
    required: [],
    certificates: [],
    states: new Map(),
    inProgress: new Set(),
    requested: new Set(),
    nowMs,
    ...input,
  });
  return {
    orders: found.orders.map(({ names, reason, renews }) => [
      names.map(({ name }) => name).join(' '),
      reason,
      ...(renews === undefined ? [] : [renews.id]),
    ]),
    nextMs: found.nextMs,
    obsolete: found.obsolete.map(({ id }) => id),
  };
};

describe('planning orders', () => {
  it('renews the certificate that ends last of several for one name', () => {
    const due = { renewAtMs: nowMs };
    const certificates = [
      certificate(['a'], { ...due, id: 'later', notAfterMs: nowMs + 2_000 }),
      certificate(['a'], { ...due, id: 'sooner' }),
    ];
    expect(plan({ required: [requiredName('a')], certificates }).orders).to.deep.equal([['a', 'renewal', 'later']]);
  });

  it('puts the names of one service together, and those of another apart', () => {
    const { orders } = plan({ required: [requiredName('a'), requiredName('b'), requiredName('c', 'api')] });
    expect(orders).to.deep.equal([
      ['a b', 'new'],
      ['c', 'new'],
    ]);
  });

  it('puts at most 25 names into one order', () => {
    const required = Array.from({ length: 51 }, (_, at) => requiredName(`n${String(at).padStart(2, '0')}`));
    expect(plan({ required }).orders.map(([names]) => names?.split(' ').length)).to.deep.equal([25, 25, 1]);
  });

  it('keeps names apart that are ordered in another way', () => {
    const required = [
      requiredName('a'),
      requiredName('b', 'web', { profile: 'shortlived' }),
      requiredName('c', 'web', { challenges: ['dns-01'] }),
      requiredName('8.8.8.8'),
    ];
    expect(plan({ required }).orders).to.have.length(4);
  });

  it('orders a failing name alone, and holds up no other', () => {
    const states = new Map([['b', failing(1, nowMs - 1)]]);
    const { orders } = plan({ required: [requiredName('a'), requiredName('b'), requiredName('c')], states });
    expect(orders.map(([names]) => names)).to.deep.equal(['a c', 'b']);
  });

  it('waits for the next attempt of a failing name, and says until when', () => {
    const states = new Map([['a', failing(2, nowMs + 77)]]);
    expect(plan({ required: [requiredName('a')], states })).to.deep.equal({
      orders: [],
      nextMs: nowMs + 77,
      obsolete: [],
    });
  });

  it('waits with a name that only waits, and orders it with the others then', () => {
    const states = new Map([['b', failing(0, nowMs + 5)]]);
    const required = [requiredName('a'), requiredName('b')];
    expect(plan({ required, states }).orders.map(([names]) => names)).to.deep.equal(['a']);
    expect(plan({ required, states, nowMs: nowMs + 5 }).orders.map(([names]) => names)).to.deep.equal(['a b']);
  });

  it('orders nothing twice: not what is in progress, not what a certificate covers', () => {
    const input = {
      required: [requiredName('a'), requiredName('b'), requiredName('c.d')],
      certificates: [certificate(['a']), certificate(['*.d'])],
      inProgress: new Set(['b']),
    };
    expect(plan(input).orders).to.deep.equal([]);
  });

  it('lets a wildcard that is required cover its names, unless it failed', () => {
    const required = [requiredName('*.example.com', 'all'), requiredName('a.example.com')];
    expect(plan({ required }).orders.map(([names]) => names)).to.deep.equal(['*.example.com']);
    const states = new Map([['*.example.com', failing(1, nowMs + 60)]]);
    expect(plan({ required, states }).orders.map(([names]) => names)).to.deep.equal(['a.example.com']);
  });

  it('renews what is due with the names that routes still have, and replaces it', () => {
    const certificates = [certificate(['a', 'gone'], { renewAtMs: nowMs, renewalId: 'x' })];
    expect(plan({ required: [requiredName('a')], certificates }).orders).to.deep.equal([['a', 'renewal', 'a+gone']]);
  });

  it('renews nothing that no route has any more, and lets it serve until its end', () => {
    const gone = certificate(['gone'], { renewAtMs: nowMs });
    expect(plan({ certificates: [gone] })).to.deep.equal({
      orders: [],
      nextMs: Number.POSITIVE_INFINITY,
      obsolete: [],
    });
    expect(plan({ certificates: [{ ...gone, notAfterMs: nowMs }] }).obsolete).to.deep.equal(['gone']);
  });

  it('renews the others when one name of a certificate fails', () => {
    const certificates = [certificate(['a', 'b'], { renewAtMs: nowMs })];
    const states = new Map([['b', failing(1, nowMs + 60)]]);
    const { orders } = plan({ required: [requiredName('a'), requiredName('b')], certificates, states });
    expect(orders).to.deep.equal([['a', 'renewal', 'a+b']]);
  });

  it('replaces a certificate once, also where its names belong to two services by now', () => {
    const certificates = [certificate(['a', 'b'], { renewAtMs: nowMs })];
    const { orders } = plan({ required: [requiredName('a'), requiredName('b', 'api')], certificates });
    expect(orders).to.deep.equal([
      ['a', 'renewal', 'a+b'],
      ['b', 'renewal'],
    ]);
  });

  it('renews at once what an operator requested, failing or not', () => {
    const certificates = [certificate(['a', 'b'])];
    const required = [requiredName('a'), requiredName('b'), requiredName('c')];
    const states = new Map([['c', failing(4, nowMs + 60)]]);
    const { orders } = plan({ required, certificates, states, requested: new Set(['a', 'b', 'c']) });
    expect(orders).to.deep.equal([
      ['a b', 'renewal', 'a+b'],
      ['c', 'new'],
    ]);
  });

  it('comes back when the next certificate is due', () => {
    const certificates = [certificate(['a'], { renewAtMs: nowMs + 9 }), certificate(['x'], { renewAtMs: nowMs + 3 })];
    expect(plan({ required: [requiredName('a')], certificates }).nextMs).to.equal(nowMs + 9);
  });

  it('lets go of a certificate whose names a later one has', () => {
    const certificates = [
      certificate(['a', 'b']),
      certificate(['a'], { notAfterMs: nowMs + 2_000 }),
      certificate(['b'], { notAfterMs: nowMs + 2_000 }),
    ];
    expect(plan({ required: [requiredName('a'), requiredName('b')], certificates }).obsolete).to.deep.equal(['a+b']);
    expect(
      plan({ required: [requiredName('a'), requiredName('b')], certificates: certificates.slice(0, 2) }).obsolete,
    ).to.deep.equal([]);
  });

  it('keeps a certificate for a name that is not required for now, and has no other', () => {
    const certificates = [certificate(['a', 'b']), certificate(['b'], { notAfterMs: nowMs + 2_000 })];
    expect(plan({ required: [requiredName('b')], certificates }).obsolete).to.deep.equal([]);
  });
});
