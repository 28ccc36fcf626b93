import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { createConsulStore } from '@swarmgate/registry';
import { expect } from 'chai';
import { startBind } from '../../harness/bind.ts';
import { type CaRelay, startCaRelay } from '../../harness/ca-relay.ts';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { type ChallengeDns, type RunningPebble, startPebble } from '../../harness/pebble.ts';
import { until } from '../../harness/until.ts';
import { issuerRig } from './issuer-rig.ts';
import { newSecretsKey, type OrderingReplica } from './ordering-rig.ts';

const dayMs = 86_400_000;

describe('issuers, renewals and DNS', function () {
  this.timeout(120_000);
  let consul: RunningConsul;
  let dns: ChallengeDns;
  let pebble: RunningPebble;
  let relay: CaRelay;
  let port: number;
  const rig = issuerRig('issuers');
  const { start, served, replicas, others } = rig;
  before(() => {
    ({ consul, dns, pebble, ca: relay, httpPort: port } = rig.lab);
  });

  const refuse = { status: 403, type: 'rejectedIdentifier', detail: 'not today' } as const;
  const [serialOf, chainOf] = [
    (replica: OrderingReplica) => replica.certificates.ordered()[0]?.serial,
    (replica: OrderingReplica) => replica.served().certificates[0]?.pem.split('-----BEGIN PRIVATE KEY')[0] ?? '',
  ];

  it('renew when the CA moves its window, in place of the certificate, and keep serving the old one until then', async () => {
    // The least that RFC 9773 allows between two looks is a minute; the clock is moved instead of waiting.
    let aheadMs = 0;
    const one = await start({ ordering: { restoreMs: 100, now: () => Date.now() + aheadMs } });
    one.want({ web: ['ari.example.com'] });
    await served(one, 1);
    await until('the window is known', () => one.certificates.ordered()[0]?.renewFrom === 'ari');
    const first = serialOf(one);
    const [at] = one.certificates.ordered().map(({ renewAt = '' }) => Date.parse(renewAt) - Date.now());
    expect((at ?? 0) / dayMs).to.be.within(58, 62);
    const start2 = new Date(Date.now() - 7_200_000).toISOString();
    const end = new Date(Date.now() - 3_600_000).toISOString();
    await pebble.setRenewalInfo(chainOf(one), {
      suggestedWindow: { start: start2, end },
      explanationURL: 'https://ca.example/why',
    });
    aheadMs = 6.1 * 3_600_000;
    one.want({ web: ['ari.example.com'] });
    await until('another certificate is served', () => serialOf(one) !== undefined && serialOf(one) !== first, {
      withinMs: 60_000,
    });
    expect(await pebble.log()).to.match(/ARI: order "[^"]+" is a replacement of/);
    expect(one.log.join('')).to.include('https://ca.example/why');
  });

  it('renew at half of a short life, where the CA has no renewal information, and drop names without a route', async () => {
    const short = await startPebble({ httpPort: port, dnsServer: dns.address, profiles: { default: 20 } });
    others.push(short);
    const ca = await startCaRelay(short);
    others.push({ remove: () => ca.close() });
    ca.intercept((kind) => (kind === 'renewal-info' ? { status: 404, type: 'malformed', detail: 'none' } : undefined));
    const one = await start({ env: { ACME_DIRECTORY: ca.directoryUrl, ACME_CA_FILE: short.caFile } });
    one.want({ web: ['short.example.com', 'gone.example.com'] });
    await served(one, 1);
    const { serial, renewFrom, renewAt = '', notBefore = '', notAfter = '' } = one.certificates.ordered()[0] ?? {};
    expect(renewFrom).to.equal('lifetime');
    expect(
      (Date.parse(renewAt) - Date.parse(notBefore)) / (Date.parse(notAfter) - Date.parse(notBefore)),
    ).to.be.closeTo(0.5, 0.05);
    one.want({ web: ['short.example.com'] });
    await until('it is renewed', () => one.certificates.ordered().some((each) => each.serial !== serial));
    await until('the old one is gone after its end', () => one.certificates.ordered().length === 1);
    expect(one.certificates.ordered()[0]?.names).to.deep.equal(['short.example.com']);
    one.want({});
    await until('nothing is renewed without a route', () => one.certificates.ordered().length === 0, {
      withinMs: 40_000,
    });
  });

  it('are served until their end where no other can be had, and reported from a third of the life before', async () => {
    // Long enough for a machine that stands still for seconds between two steps.
    const lifeMs = 45_000;
    const short = await startPebble({ httpPort: port, dnsServer: dns.address, profiles: { default: lifeMs / 1_000 } });
    others.push(short);
    const ca = await startCaRelay(short);
    others.push({ remove: () => ca.close() });
    // One order alone is taken, however late it comes to its end here.
    ca.intercept((kind, count) => (kind === 'new-order' && count > 1 ? refuse : undefined));
    const one = await start({ env: { ACME_DIRECTORY: ca.directoryUrl, ACME_CA_FILE: short.caFile } });
    one.want({ web: ['last.example.com'] });
    await served(one, 1);
    const [{ notAfter = '', serial } = {}] = one.certificates.ordered();
    const reasons = () => [...one.certificates.problems().values()].flat().map(({ reason }) => reason);
    await until('the refusal is reported', () => reasons().includes('acme-rejected-identifier'), { withinMs: lifeMs });
    // And then it is away for good.
    await short.kill();
    await until('its end is reported', () => reasons().includes('certificate-expiring'), { withinMs: lifeMs });
    const leftMs = Date.parse(notAfter) - Date.now();
    expect(leftMs).to.be.within(1, lifeMs / 3);
    const seen = new Set<string>();
    const look = () => {
      if (Date.now() >= Date.parse(notAfter) - 500) return true;
      seen.add(`${one.certificates.ordered().map((each) => each.serial)} ${one.served().certificates.length}`);
      return false;
    };
    await until('its end', look, { withinMs: lifeMs });
    expect([...seen]).to.deep.equal([`${serial} 1`]);
    const stored = await one.store.get(`${rig.instance}/acme/certificates/last.example.com`);
    expect(stored?.value).to.include(serial);
  });

  it('are served from disk and given back when the registry was wiped: nothing is ordered again', async () => {
    const dataDir = await mkdtemp(`${tmpdir()}/swarmgate-acme-`);
    const own = await startConsul();
    others.push(own, { remove: () => rm(dataDir, { recursive: true, force: true }) });
    const options = { consul: own.address, dataDir, ordering: { restoreMs: 2_000 } };
    const one = await start(options);
    one.want({ web: ['kept.example.com'] });
    await served(one, 1);
    await until('the window is known', () => one.certificates.ordered()[0]?.renewFrom === 'ari');
    const serial = serialOf(one);
    const before = relay.counts.get('new-order');
    const accounts = relay.counts.get('account');
    await replicas.pop()?.stop();
    await own.stop();
    await own.wipe();
    await own.start();
    const again = await start(options);
    expect(again.served().certificates).to.have.length(1);
    again.want({ web: ['kept.example.com'], fresh: ['fresh.example.com'] });
    await served(again, 2);
    expect(again.certificates.ordered().find(({ names }) => names.includes('kept.example.com'))?.serial).to.equal(
      serial,
    );
    expect((relay.counts.get('new-order') ?? 0) - (before ?? 0)).to.equal(1);
    expect(relay.counts.get('account')).to.equal(accounts);
  });

  it('prove a wildcard and its domain by signed updates to a real DNS server, and clean up', async () => {
    const bind = await startBind('wild.example.com');
    others.push(bind);
    const ca = await startPebble({ httpPort: port, dnsServer: bind.address });
    others.push(ca);
    const env = {
      ACME_DIRECTORY: ca.directoryUrl,
      ACME_CA_FILE: ca.caFile,
      ACME_CHALLENGE: 'http-01,dns-01',
      ACME_DNS_SERVER: bind.address,
      ACME_DNS_TSIG: bind.tsig,
      ACME_DNS_RESOLVERS: bind.address,
    };
    const one = await start({ env });
    one.want({
      web: ['*.wild.example.com'],
      api: { names: ['wild.example.com'], challenge: 'dns-01' },
      more: ['covered.wild.example.com'],
    });
    await served(one, 2);
    expect(one.certificates.ordered().map(({ id, names }) => [id, ...names])).to.deep.equal([
      ['_wildcard.wild.example.com', '*.wild.example.com'],
      ['wild.example.com', 'wild.example.com'],
    ]);
    expect(one.certificates.waiting()).to.deep.equal([]);
    await until('no record is left', async () => (await bind.txt('_acme-challenge.wild.example.com')).length === 0);
    const { ACME_DNS_TSIG, ...unsigned } = env;
    await replicas.pop()?.stop();
    rig.instance += '-refused';
    for (const [tsig, words] of [
      [`${ACME_DNS_TSIG.slice(0, -8)}AAAAAAA=`, 'BADSIG'],
      ['unknown:c2VjcmV0', 'BADKEY'],
      [undefined, 'REFUSED'],
    ] as const) {
      rig.instance += 'x';
      const wrong = await start({ env: { ...unsigned, ...(tsig === undefined ? {} : { ACME_DNS_TSIG: tsig }) } });
      wrong.want({ web: ['*.wild.example.com'] });
      await until(`it is reported: ${words}`, () =>
        wrong.certificates.waiting().some(({ detail }) => detail?.includes(words)),
      );
      await replicas.pop()?.stop();
    }
  });

  it('prove a wildcard by a webhook, as lego’s httpreq calls it', async () => {
    const calls: string[] = [];
    const webhook: Server = createServer(async (request, response) => {
      const text = (await request.setEncoding('utf8').toArray()).join('');
      const { fqdn, value } = JSON.parse(text) as { fqdn: string; value: string };
      calls.push(`${request.method} ${request.url} ${fqdn} ${request.headers.authorization}`);
      if (request.url === '/dns/present') await dns.setTxt(fqdn.replace(/\.$/, ''), value);
      else await dns.clearTxt(fqdn.replace(/\.$/, ''));
      response.end();
    });
    webhook.listen(0, '127.0.0.1');
    await once(webhook, 'listening');
    others.push({ remove: async () => void (await once(webhook.close(), 'close')) });
    const { port: at } = webhook.address() as AddressInfo;
    const one = await start({
      env: {
        ACME_CHALLENGE: 'dns-01',
        ACME_DNS_WEBHOOK: `http://jane:s3cret@127.0.0.1:${at}/dns/`,
        ACME_DNS_RESOLVERS: dns.address,
      },
    });
    one.want({ web: ['*.hook.example.com'] });
    await served(one, 1);
    const basic = `Basic ${Buffer.from('jane:s3cret').toString('base64')}`;
    await until('the record is taken back', () => calls.length === 2);
    expect(calls).to.deep.equal([
      `POST /dns/present _acme-challenge.hook.example.com. ${basic}`,
      `POST /dns/cleanup _acme-challenge.hook.example.com. ${basic}`,
    ]);
    expect(one.log.join('')).to.not.include('s3cret');
  });

  it('keep their times when the clock of the orderer is two hours off', async () => {
    for (const offMs of [-7_200_000, 7_200_000]) {
      rig.instance += 'x';
      const one = await start({ ordering: { restoreMs: 100, now: () => Date.now() + offMs } });
      one.want({ web: [`off${offMs}.example.com`.replace('-', 'm')] });
      await served(one, 1);
      const [budget] = await one.store.list(`${rig.instance}/acme/budgets/`).then(({ data }) => data);
      const { orders } = JSON.parse(budget?.value ?? '{}') as { orders: number[] };
      expect(Math.abs((orders[0] ?? 0) - Date.now())).to.be.lessThan(60_000);
      await replicas.pop()?.stop();
    }
  });

  it('try a failed name no earlier where the clock of the orderer is two hours ahead', async () => {
    await dns.setAddresses('ahead.example.com', ['127.0.0.99']);
    const one = await start({ ordering: { restoreMs: 100, now: () => Date.now() + 7_200_000 } });
    const before = relay.counts.get('new-order') ?? 0;
    one.want({ web: ['ahead.example.com'] });
    await until('it failed', () => one.certificates.waiting().some(({ failures }) => failures > 0));
    // Whatever changes makes the orderer plan again.
    one.want({ web: ['ahead.example.com'], api: ['beside.example.com'] });
    await served(one, 1);
    const [name] = one.certificates.waiting();
    expect(name).to.include({ name: 'ahead.example.com', failures: 1 });
    expect(Date.parse(name?.nextAttempt ?? '') - Date.now()).to.be.within(0, 61_000);
    await replicas.pop()?.stop();
    // Also after a restart, when the time of the CA is not known yet.
    const again = await start({ ordering: { restoreMs: 100, now: () => Date.now() + 7_200_000 } });
    again.want({ web: ['ahead.example.com'], api: ['beside.example.com'], more: ['after.example.com'] });
    await served(again, 2);
    expect((relay.counts.get('new-order') ?? 0) - before).to.equal(3);
  });

  it('are ordered again where they cannot be served: sealed with another key, or spoilt by hand', async () => {
    const one = await start();
    const hosts = ['spoilt.example.com', 'swapped.example.com', 'cut.example.com', 'fine.example.com'];
    one.want(Object.fromEntries(hosts.map((host) => [host, [host]])));
    await served(one, 4);
    await replicas.pop()?.stop();
    const store = createConsulStore({ address: consul.address });
    const read = async (key: string) => (await store.get(`${rig.instance}/acme/${key}`))?.value ?? '';
    const write = (key: string, value: string) =>
      store.transact([{ kind: 'set', key: `${rig.instance}/acme/${key}`, value }]);
    const fine = JSON.parse(await read('certificates/fine.example.com'));
    const spoilt = JSON.parse(await read('certificates/spoilt.example.com'));
    const swapped = JSON.parse(await read('certificates/swapped.example.com'));
    await write('certificates/spoilt.example.com', JSON.stringify({ ...spoilt, chain: 'no certificate' }));
    await write('certificates/swapped.example.com', JSON.stringify({ ...swapped, chain: fine.chain }));
    await write('certificates/cut.example.com', '{"version":1,"id":"cut.example.com","na');
    await write('names/cut.example.com', 'nonsense');
    await write('renewals/fine.example.com', '{"version":1}');
    await write('budgets/other', '[]');
    await write('orders/garbage', '{"version":1,"names":[]}');
    await write('accounts/garbage', '"x"');
    await write('inbox/garbage', '{"kind":"adopt","certificate":{}}');
    const before = relay.counts.get('new-order') ?? 0;
    const again = await start();
    again.want(Object.fromEntries(hosts.map((host) => [host, [host]])));
    await until('all are served again', () => {
      const ordered = again.served().certificates;
      return ordered.filter(({ pem }) => pem.includes('BEGIN CERTIFICATE')).length === 4;
    });
    await until('three are ordered', () => again.ended.length === 3);
    expect((relay.counts.get('new-order') ?? 0) - before).to.equal(3);
    await replicas.pop()?.stop();
    const other = await start({ secretsKeys: [newSecretsKey()] });
    other.want({ web: ['fine.example.com'] });
    await until('it is ordered with the new key', () => other.ended.some(({ result }) => result === 'issued'));
    await served(other, 1);
    await store.close();
  });
});
