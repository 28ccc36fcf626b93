import { expect } from 'chai';
import { issuerOf } from '../../../packages/acme/src/orders/issuers.ts';
import { type AcmeLab, startAcmeLab } from '../../harness/acme-lab.ts';
import type { CaRelay } from '../../harness/ca-relay.ts';
import type { RunningConsul } from '../../harness/consul.ts';
import type { ChallengeDns, RunningPebble } from '../../harness/pebble.ts';
import { until } from '../../harness/until.ts';
import { newSecretsKey, type OrderingReplica, startReplica } from './ordering-rig.ts';

// The limits of Let's Encrypt, an order of magnitude smaller so that they are reached within a minute.
const limits = { failures: 2, sets: 2, domains: 9, orders: 60 };
const hosts = Array.from({ length: 1_000 }, (_, n) => `n${n}.example${n % 5}.com`);

describe('the budget', function () {
  this.timeout(600_000);
  let lab: AcmeLab;
  let consul: RunningConsul;
  let dns: ChallengeDns;
  let pebble: RunningPebble;
  let relay: CaRelay;
  let port: number;
  const secretsKeys = [newSecretsKey()];
  const replicas = new Map<string, OrderingReplica>();
  let instance = '';
  let instances = 0;

  before(async () => {
    lab = await startAcmeLab();
    ({ consul, dns, pebble, ca: relay, httpPort: port } = lab);
  });
  after(async () => {
    await lab?.remove();
  });
  beforeEach(() => {
    instances += 1;
    instance = `budget-${instances}`;
  });
  afterEach(async () => {
    relay.intercept(undefined);
    for (const each of replicas.values()) await each.stop();
    replicas.clear();
  });

  const start = async (name: string, host: string, names: readonly string[], most: typeof limits) => {
    const replica = await startReplica({
      name,
      host,
      port,
      consul: consul.address,
      instance,
      secretsKeys,
      env: { ACME_DIRECTORY: relay.directoryUrl, ACME_CA_FILE: pebble.caFile },
      ordering: { restoreMs: 100, issuers: [{ ...issuerOf(relay.directoryUrl), limits: most }] },
    });
    replicas.set(name, replica);
    replica.want(Object.fromEntries(names.map((each) => [each, [each]])));
    return replica;
  };
  const orders = () => relay.counts.get('new-order') ?? 0;

  it('is never exceeded with 1,000 new names at once, while replicas restart in a loop, come and go', async () => {
    const before = orders();
    const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
    for (const [at, host] of addresses.entries()) await start(`r${at}`, host, hosts, limits);
    const waiting = () => [...replicas.values()][0]?.certificates.waiting() ?? [];
    const isSettled = () => waiting().length > 900 && waiting().every(({ state }) => state !== 'ordering');
    for (let round = 0; round < 9; round += 1) {
      const at = round % addresses.length;
      const reached = Math.min(limits.orders, orders() - before + 4);
      // A replica that stops between its entry in the budget and its order has spent one without an order.
      await until('some more are ordered, or all that may be', () => orders() - before >= reached || isSettled(), {
        withinMs: 300_000,
      });
      await replicas.get(`r${at}`)?.stop();
      await start(`r${at}`, addresses[at] ?? '', hosts, limits);
      expect(orders() - before).to.be.at.most(limits.orders);
    }
    const [one] = replicas.values();
    // A validation that meets a replica in its restart fails; such a name is tried again after a minute.
    await until('every name is served, or reported why not', isSettled, { withinMs: 120_000 });
    const failed = waiting().filter(({ state }) => state === 'failed').length;
    const served = one?.certificates.ordered().flatMap(({ names }) => names) ?? [];
    const byDomain = Map.groupBy(served, (name) => name.slice(name.indexOf('.') + 1));
    for (const [domain, names] of byDomain) expect(names.length, domain).to.be.at.most(limits.domains);
    expect(byDomain.size).to.be.greaterThan(1);
    // Nothing more comes when all start once more: what was spent stands in the registry.
    const spent = orders();
    console.log(
      `      ${spent - before} orders of at most ${limits.orders}, ${served.length} certificates, ${failed} names failed`,
    );
    expect(spent - before).to.be.within(30, limits.orders);
    for (const [name, each] of [...replicas]) {
      await each.stop();
      const again = await start(name, addresses[Number(name.slice(1))] ?? '', hosts, limits);
      await until('it plans', () => again.certificates.waiting().length > 900);
    }
    // Names whose validation met a replica in its restart have another reason.
    const reasons = [...(replicas.get('r0')?.certificates.problems() ?? [])].flatMap(([, found]) =>
      found.map(({ reason }) => reason),
    );
    expect(reasons).to.include('acme-budget');
    await until('one leads', () =>
      [...replicas.values()].some(({ log }) => log.some((line) => line.includes('"leading"'))),
    );
    expect(orders() - spent).to.be.at.most(failed);
    expect(orders() - before).to.be.at.most(limits.orders);
  });

  it('counts failures: a name that cannot be had is tried no more often than allowed, also by proxies that restart', async () => {
    await dns.setAddresses('never.example.com', ['127.0.0.99']);
    const before = orders();
    let one = await start('r0', '127.0.0.1', ['never.example.com'], limits);
    await until('it failed', () => one.ended.length === 1);
    for (let round = 0; round < 4; round += 1) {
      await one.stop();
      one = await start('r0', '127.0.0.1', ['never.example.com'], limits);
      await one.certificates.renew('never.example.com', 'test');
      await until('it is tried or has to wait', () =>
        one.certificates.waiting().some(({ type }) => type === 'budget' || one.ended.length === 1),
      );
    }
    expect(one.certificates.waiting()[0]).to.deep.include({ type: 'budget', failures: limits.failures });
    expect(orders() - before).to.equal(limits.failures);
  });

  it('spends nothing on sets and domains for orders without a certificate: a CA that is away costs no week', async () => {
    let refused = 0;
    relay.intercept((kind) => {
      if (kind !== 'new-order') return undefined;
      refused += 1;
      return { status: 503, detail: '', headers: { 'retry-after': '1' } };
    });
    const one = await start('r0', '127.0.0.1', ['patient.example.com'], { ...limits, sets: 1, domains: 1 });
    await until('the CA refused twice', () => refused >= 2, { withinMs: 60_000 });
    relay.intercept(undefined);
    await until('it is served', () => one.served().certificates.length === 1, { withinMs: 60_000 });
  });

  it('spends nothing on them for names that fail, either', async () => {
    await dns.setAddresses('moves.example.com', ['127.0.0.99']);
    const one = await start('r0', '127.0.0.1', ['moves.example.com'], { ...limits, failures: 9, sets: 1, domains: 1 });
    await until('it failed', () => one.certificates.waiting().some(({ failures }) => failures === 1));
    await dns.setAddresses('moves.example.com', ['127.0.0.1']);
    await one.certificates.renew('moves.example.com', 'test');
    await until('it is served', () => one.served().certificates.length === 1);
    // A second certificate of the same set is one too many.
    await one.certificates.renew('moves.example.com', 'test');
    await until('the renewal is exempt, as the CA announces renewals', () => one.ended.length === 3);
    expect(one.ended[2]?.result).to.equal('issued');
  });
});
