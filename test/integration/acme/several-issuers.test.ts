import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { issuerOf } from '../../../packages/acme/src/orders/issuers.ts';
import { type CaRelay, startCaRelay } from '../../harness/ca-relay.ts';
import { type ChallengeDns, type RunningPebble, startPebble } from '../../harness/pebble.ts';
import { until } from '../../harness/until.ts';
import { issuerRig } from './issuer-rig.ts';

const dayMs = 86_400_000;

describe('several issuers', function () {
  this.timeout(120_000);
  let dns: ChallengeDns;
  let pebble: RunningPebble;
  let relay: CaRelay;
  let port: number;
  const rig = issuerRig('several-issuers');
  const { start, served, replicas, others } = rig;
  before(() => {
    ({ dns, pebble, ca: relay, httpPort: port } = rig.lab);
  });
  const refuse = { status: 403, type: 'rejectedIdentifier', detail: 'not today' } as const;

  it('bind external accounts', async () => {
    const hmac = randomBytes(32).toString('base64url');
    const strict = await startPebble({ httpPort: port, dnsServer: dns.address, externalAccounts: { 'kid-1': hmac } });
    others.push(strict);
    const env = { ACME_DIRECTORY: strict.directoryUrl, ACME_CA_FILE: strict.caFile };
    const without = await start({ env });
    without.want({ web: ['eab.example.com'] });
    await until('it is reported', () =>
      [...without.certificates.problems().values()]
        .flat()
        .some(({ reason }) => reason === 'acme-external-account-required'),
    );
    await replicas.pop()?.stop();
    rig.instance += '-wrong';
    const wrong = await start({
      env: { ...env, ACME_EAB_KID: 'kid-1', ACME_EAB_HMAC: randomBytes(32).toString('base64url') },
    });
    wrong.want({ web: ['eab.example.com'] });
    await until('it is reported', () =>
      [...wrong.certificates.problems().values()].flat().some(({ reason }) => reason === 'acme-account'),
    );
    await replicas.pop()?.stop();
    rig.instance += '-bound';
    const one = await start({ env: { ...env, ACME_EAB_KID: 'kid-1', ACME_EAB_HMAC: hmac } });
    one.want({ web: ['eab.example.com'] });
    await served(one, 1);
  });

  it('go on to the next issuer while the first one does not respond', async () => {
    const second = await startPebble({ httpPort: port, dnsServer: dns.address });
    others.push(second);
    const both = await start({
      env: { ACME_DIRECTORY: `https://localhost:1/dir,${second.directoryUrl}`, ACME_CA_FILE: second.caFile },
    });
    both.want({ web: ['second.example.com'] });
    await served(both, 1);
    expect(both.ended).to.deep.equal([{ issuer: both.certificates.ordered()[0]?.issuer, result: 'issued' }]);
  });

  /** A second CA, and a file with the authorities of both. */
  const startSecond = async () => {
    const second = await startPebble({ httpPort: port, dnsServer: dns.address });
    others.push(second);
    const caFile = `${second.caFile}.both`;
    await writeFile(caFile, (await readFile(second.caFile, 'utf8')) + (await readFile(pebble.caFile, 'utf8')));
    const counted = await startCaRelay(second);
    others.push({ remove: () => counted.close() });
    return { directoryUrl: counted.directoryUrl, counts: counted.counts, caFile };
  };

  it('try a name at the staging directory after its first failure, and then in earnest', async () => {
    const staging = await startSecond();
    const issuer = { ...issuerOf(relay.directoryUrl), staging: issuerOf(staging.directoryUrl) };
    const before = relay.counts.get('new-order') ?? 0;
    relay.intercept((kind) => (kind === 'new-order' ? refuse : undefined));
    const one = await start({
      env: { ACME_CA_FILE: staging.caFile },
      ordering: { restoreMs: 100, issuers: [issuer] },
    });
    one.want({ web: ['rehearsed.example.com'] });
    await until('it failed', () => one.certificates.waiting().some(({ failures }) => failures === 1));
    expect(staging.counts.get('new-order')).to.equal(undefined);
    relay.intercept(undefined);
    await one.certificates.renew('rehearsed.example.com', 'test');
    await served(one, 1);
    expect(one.ended).to.deep.equal([
      { issuer: relay.directoryUrl, result: { failure: 'rejectedIdentifier' } },
      { issuer: staging.directoryUrl, result: 'rehearsed' },
      { issuer: relay.directoryUrl, result: 'issued' },
    ]);
    expect(staging.counts.get('new-order')).to.equal(1);
    expect((relay.counts.get('new-order') ?? 0) - before).to.equal(2);
    // Of the rehearsal nothing is served.
    expect(one.certificates.ordered().map((each) => each.issuer)).to.deep.equal([relay.directoryUrl]);
  });

  it('go on to the next issuer after three failures of a name, and no earlier', async () => {
    const second = await startSecond();
    relay.intercept((kind) => (kind === 'new-order' ? refuse : undefined));
    const one = await start({
      env: { ACME_DIRECTORY: `${relay.directoryUrl},${second.directoryUrl}`, ACME_CA_FILE: second.caFile },
    });
    one.want({ web: ['turn.example.com'] });
    for (let failures = 1; failures <= 3; failures += 1) {
      await until(`failure ${failures}`, () => one.certificates.waiting()[0]?.failures === failures);
      expect(second.counts.get('new-order')).to.equal(undefined);
      await one.certificates.renew('turn.example.com', 'test');
    }
    await served(one, 1);
    expect(one.certificates.ordered()[0]?.issuer).to.equal(second.directoryUrl);
    expect(one.ended.map(({ issuer }) => issuer)).to.deep.equal([
      ...Array.from({ length: 3 }, () => relay.directoryUrl),
      second.directoryUrl,
    ]);
  });

  it('use the issuer of the label', async () => {
    const profiles = { default: 7_776_000, shortlived: 518_400 };
    const second = await startPebble({ httpPort: port, dnsServer: dns.address, profiles });
    others.push(second);
    // Both directories are by different authorities, which ACME_CA_FILE may hold together.
    const caFile = `${second.caFile}.both`;
    await writeFile(caFile, (await readFile(second.caFile, 'utf8')) + (await readFile(pebble.caFile, 'utf8')));
    const one = await start({
      env: { ACME_DIRECTORY: `${relay.directoryUrl},${second.directoryUrl}`, ACME_CA_FILE: caFile },
    });
    one.want({
      web: ['first.example.com'],
      api: { names: ['labelled.example.com'], acme: second.directoryUrl, profile: 'shortlived' },
    });
    await served(one, 2);
    const found = one.certificates.ordered().find(({ names }) => names.includes('labelled.example.com'));
    expect(found?.issuer).to.equal(second.directoryUrl);
    const lifeMs = Date.parse(found?.notAfter ?? '') - Date.parse(found?.notBefore ?? '');
    expect(lifeMs / dayMs).to.be.closeTo(6, 0.01);
  });
});
