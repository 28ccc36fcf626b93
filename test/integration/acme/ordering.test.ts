import { expect } from 'chai';
import { type AcmeLab, startAcmeLab } from '../../harness/acme-lab.ts';
import type { CaRelay } from '../../harness/ca-relay.ts';
import type { RunningConsul } from '../../harness/consul.ts';
import type { ChallengeDns, RunningPebble } from '../../harness/pebble.ts';
import { until } from '../../harness/until.ts';
import { newSecretsKey, type OrderingReplica, type ReplicaOptions, startReplica } from './ordering-rig.ts';

describe('ordering certificates', function () {
  this.timeout(120_000);
  let lab: AcmeLab;
  let consul: RunningConsul;
  let dns: ChallengeDns;
  let pebble: RunningPebble;
  let relay: CaRelay;
  let port: number;
  const secretsKeys = [newSecretsKey()];
  const replicas: OrderingReplica[] = [];
  let instances = 0;
  let instance = '';

  before(async () => {
    lab = await startAcmeLab();
    ({ consul, dns, pebble, ca: relay, httpPort: port } = lab);
    // Pebble's second between two looks at an order is not what these tests are about.
    relay.rewrite({ 'retry-after': '0' });
  });
  after(async () => {
    await lab?.remove();
  });
  beforeEach(() => {
    instances += 1;
    instance = `ordering-${instances}`;
  });
  afterEach(async () => {
    relay.intercept(undefined);
    for (const replica of replicas.splice(0)) await replica.stop();
  });

  const start = async (name: string, options: Partial<ReplicaOptions> = {}) => {
    const { env, ordering, ...others } = options;
    const replica = await startReplica({
      name,
      host: '127.0.0.1',
      port,
      consul: consul.address,
      instance,
      secretsKeys,
      env: { ACME_DIRECTORY: relay.directoryUrl, ACME_CA_FILE: pebble.caFile, ...env },
      ordering: { restoreMs: 200, ...ordering },
      ...others,
    });
    replicas.push(replica);
    return replica;
  };
  const ordersAt = (ca: CaRelay) => ca.counts.get('new-order') ?? 0;
  const problemsOf = (replica: OrderingReplica) =>
    [...replica.certificates.problems()].flatMap(([key, found]) => found.map(({ reason }) => `${key} ${reason}`));

  it('orders one certificate for the names of a service and serves it', async () => {
    const one = await start('one');
    one.want({ web: ['www.shop.example.com', 'shop.example.com'], api: ['api.example.com'] });
    await until('both are served', () => one.served().certificates.length === 2);
    expect(one.certificates.ordered().map(({ names }) => names)).to.deep.equal([
      ['api.example.com'],
      ['shop.example.com', 'www.shop.example.com'],
    ]);
    expect(one.served().responses.http).to.deep.equal([]);
    expect(one.ended.map(({ result }) => result)).to.deep.equal(['issued', 'issued']);
    expect(one.ended[0]?.issuer).to.equal(relay.directoryUrl);
    // Each step of an order with its URL, at debug; its begin and end at info.
    const lines = one.log.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const ofApi = lines.filter(({ names }) => Array.isArray(names) && names.includes('api.example.com'));
    const steps = ofApi.flatMap(({ level, step, order }) => (step === undefined ? [] : [{ level, step, order }]));
    expect(new Set(steps.map(({ step }) => step))).to.include.members(['prove', 'finalize', 'download']);
    for (const { level, order } of steps) {
      expect(level).to.be.oneOf(['debug', 20]);
      expect(order).to.match(/^https:\/\/localhost:\d+\/my-order\//);
    }
    for (const msg of ['ordering a certificate', 'a certificate was issued'])
      expect(ofApi.find((line) => line.msg === msg)).to.include({ issuer: relay.directoryUrl });
    for (const { order, level } of lines) if (order !== undefined) expect(level).to.be.oneOf(['debug', 20]);
  });

  it('gives a certificate to every replica, also where the CA meets one that does not order', async () => {
    const all = [await start('one')];
    all.push(await start('two', { host: '127.0.0.2' }), await start('three', { host: '127.0.0.3' }));
    for (let n = 1; n <= 6; n += 1) await dns.setAddresses(`n${n}.far.example.com`, [`127.0.0.${n % 2 === 0 ? 2 : 3}`]);
    const names = Array.from({ length: 6 }, (_, n) => `n${n + 1}.far.example.com`);
    for (const each of all) each.want(Object.fromEntries(names.map((name) => [name, [name]])));
    await until('all serve all', () => all.every((each) => each.served().certificates.length === 6));
    expect(all[0]?.validated).to.deep.equal([]);
    expect(all[1]?.validated.length).to.be.greaterThan(0);
    expect(all[2]?.validated.length).to.be.greaterThan(0);
    expect(problemsOf(all[0] as OrderingReplica)).to.deep.equal([]);
  });

  describe('where one replica puts responses in force late, and the CA meets that one', () => {
    const issue = async (name: string, { barrierMs, serveDelayMs }: { barrierMs: number; serveDelayMs: number }) => {
      await dns.setAddresses(name, ['127.0.0.2']);
      const one = await start('one', { ordering: { barrierMs } });
      await until('it leads', () => one.log.some((line) => line.includes('"leading"')));
      const two = await start('two', { host: '127.0.0.2', serveDelayMs });
      for (const each of [one, two]) each.want({ web: [name] });
      await until('the order has ended', () => one.ended.length > 0, { withinMs: 60_000 });
      return one;
    };

    it('waits for it, and the validation passes', async () => {
      const one = await issue('late.example.com', { barrierMs: 15_000, serveDelayMs: 5_000 });
      expect(one.ended[0]?.result).to.equal('issued');
    });

    it('would fail without waiting', async () => {
      // Later than the CA comes, also on a slow machine.
      const one = await issue('early.example.com', { barrierMs: 0, serveDelayMs: 20_000 });
      expect(one.ended[0]?.result).to.deep.equal({ failure: 'unauthorized' });
    });
  });

  it('names a replica that does not confirm, and tells the CA anyway', async () => {
    const one = await start('one', { ordering: { barrierMs: 1_000 } });
    await until('it leads', () => one.log.some((line) => line.includes('"leading"')));
    await start('silent', { host: '127.0.0.2', silent: true });
    one.want({ web: ['reported.example.com'] });
    await until('it is served', () => one.served().certificates.length === 1);
    await until('the problem is there', () => problemsOf(one).includes('env/acme acme-replicas-late'));
    expect([...one.certificates.problems().values()].flat()[0]?.message).to.include('silent');
  });

  it('orders 200 names of 200 services once each', async () => {
    const before = ordersAt(relay);
    const one = await start('one');
    const two = await start('two', { host: '127.0.0.2' });
    const names = Array.from({ length: 200 }, (_, n) => `n${n}.many.example.com`);
    for (const each of [one, two]) each.want(Object.fromEntries(names.map((name) => [name, [name]])));
    const servesAll = (each: typeof one) =>
      each.served().certificates.length === 200 && each.certificates.ordered().length === 200;
    await until('all are served by both', () => servesAll(one) && servesAll(two), { withinMs: 100_000 });
    expect(ordersAt(relay) - before).to.equal(200);
    expect(
      one.certificates
        .ordered()
        .flatMap(({ names: each }) => each)
        .sort(),
    ).to.deep.equal(names.toSorted());
  });

  it('holds up no name because another one fails, and says what to do', async () => {
    await dns.setAddresses('closed.example.com', ['127.0.0.99']);
    const one = await start('one');
    one.want({ web: ['good.example.com', 'closed.example.com', 'blocked.example', 'fine.example.com'] });
    await until('the good ones are served', () => one.served().certificates.length > 0);
    await until('both problems are reported', () => problemsOf(one).length === 2);
    expect(one.certificates.ordered().map(({ names }) => names)).to.deep.equal([
      ['fine.example.com', 'good.example.com'],
    ]);
    expect(problemsOf(one).sort()).to.deep.equal(['swarm/web acme-connection', 'swarm/web acme-rejected-identifier']);
    const [first] = one.certificates.waiting();
    expect(first).to.include({ state: 'failed', failures: 1 });
  });

  it('waits as long as a rate limit says, and no request of that name goes out before', async () => {
    const one = await start('one');
    relay.intercept((kind) =>
      kind === 'new-order'
        ? { status: 429, type: 'rateLimited', detail: 'too many certificates', headers: { 'retry-after': '7200' } }
        : undefined,
    );
    const before = ordersAt(relay);
    one.want({ web: ['limited.example.com'] });
    await until('the problem is reported', () => problemsOf(one).includes('swarm/web acme-rate-limited'));
    relay.intercept(undefined);
    const [name] = one.certificates.waiting();
    expect(Date.parse(name?.nextAttempt ?? '') - Date.now()).to.be.within(7_100_000, 7_200_000);
    one.want({ web: ['limited.example.com'], api: ['limited.example.com', 'other.limited.example.com'] });
    await until('another name is served', () => one.served().certificates.length === 1);
    expect(ordersAt(relay) - before).to.equal(2);
    // An order that an operator requests is tried at once.
    expect(await one.certificates.renew('limited.example.com', 'test')).to.equal(true);
    await until('it is served', () => one.served().certificates.length === 2);
    expect(await one.certificates.renew('unknown.example.com', 'test')).to.equal(false);
  });
});
