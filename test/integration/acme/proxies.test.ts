import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { type AcmeLab, startAcmeLab } from '../../harness/acme-lab.ts';
import type { CaRelay } from '../../harness/ca-relay.ts';
import type { RunningConsul } from '../../harness/consul.ts';
import type { ChallengeDns } from '../../harness/pebble.ts';
import { until } from '../../harness/until.ts';
import { type AcmeProxy, getFrom, randomSecretsKey, shownCertificate, startAcmeProxies } from './proxy-rig.ts';

// Three proxies with two workers each, as processes, on one Consul; a CA meets each of them at an address of its own.
describe('certificates of three proxies with two workers each', function () {
  this.timeout(180_000);
  let lab: AcmeLab;
  let consul: RunningConsul;
  let dns: ChallengeDns;
  let ca: CaRelay;
  let proxies: AcmeProxy[] = [];
  const secretsKey = randomSecretsKey();
  const instance = 'edge';
  /** Of providers that no name of this test needs: they are read, and must be written nowhere. */
  const secrets = {
    ACME_DNS_TSIG: 'hmac-sha256:acme:dHNpZy1zZWNyZXQtb2YtdGhlLXRlc3Q=',
    ACME_DNS_SERVER: '127.0.0.1:1',
    ACME_CLOUDFLARE_TOKEN: 'cloudflare-token-of-the-test',
    ACME_DNS_WEBHOOK: 'http://jane:webhook-password@127.0.0.1:1/',
    ACME_DNS_CREDENTIALS: '[{"provider":"cloudflare","domains":["x.example"],"token":"other-token-of-the-test"}]',
    ACME_EAB_KID: 'kid-of-the-test',
    ACME_EAB_HMAC: randomBytes(32).toString('base64url'),
  };

  before(async () => {
    lab = await startAcmeLab({ externalAccounts: { [secrets.ACME_EAB_KID]: secrets.ACME_EAB_HMAC } });
    ({ consul, dns, ca } = lab);
    proxies = await startAcmeProxies(lab, { instance, secretsKey, env: { ACME_EMAIL: 'ops@example.com', ...secrets } });
  });
  after(async () => {
    for (const each of proxies) await each.remove();
    await lab?.remove();
  });
  afterEach(async function () {
    ca.intercept(undefined);
    if (this.currentTest?.state !== 'failed') return;
    for (const each of proxies)
      console.error(each.name, await each.get('/v1/problems'), each.process.log().slice(-3_000));
  });

  const reconfigure = async (service: string, parameters: Readonly<Record<string, string>>) => {
    const query = new URLSearchParams({
      serviceName: service,
      port: '1',
      outboundHostname: '127.0.0.1',
      ...parameters,
    });
    const response = await proxies[0]?.get(`/v1/docker-flow-proxy/reconfigure?${query}`);
    if (response?.includes('"OK"') !== true) throw new Error(response);
  };
  const onAll = async (
    host: string,
    isServed: (serial: string | undefined) => boolean = (serial) => serial !== undefined,
  ) => {
    // Each proxy shows it four times: with two workers that is both of them, nearly always.
    for (const each of proxies)
      for (let n = 0; n < 4; n += 1)
        await until(`${each.name} serves ${host}`, async () => isServed(await each.serial(host)));
  };

  it('come from reconfigure, and are served by every replica and worker', async () => {
    await reconfigure('shop', { serviceDomain: 'shop.example.com,www.shop.example.com' });
    await onAll('shop.example.com');
    const serials = await Promise.all(proxies.map((each) => each.serial('www.shop.example.com')));
    expect(new Set(serials).size).to.equal(1);
    const { certificates, waiting, ordering } = (await proxies[2]?.certificates()) ?? { certificates: [], waiting: [] };
    expect(ordering).to.equal(true);
    expect(waiting).to.deep.equal([]);
    const found = certificates.find(({ from }) => from === 'acme');
    expect(found).to.deep.include({ hosts: ['shop.example.com', 'www.shop.example.com'], services: ['manual/shop'] });
    // The CA's renewal information is read at once.
    await until('the moment of renewal is known everywhere', async () => {
      const all = await Promise.all(proxies.map((each) => each.certificates()));
      return all.every((one) => one.certificates.some(({ renewFrom }) => renewFrom === 'ari'));
    });
  });

  it('are proved before redirects, authentication, allow lists and routes', async () => {
    await reconfigure('closed', {
      serviceDomain: 'closed.example.com',
      users: 'jane:secret',
      httpsOnly: 'true',
      allowedAddresses: '10.9.9.9',
    });
    await onAll('closed.example.com');
    const { status } = await getFrom(proxies[0]?.plainPort ?? 0, 'closed.example.com', '/');
    expect(status).to.be.oneOf([301, 302, 403]);
  });

  it('leave every other token to the routes', async () => {
    const foreign = await getFrom(proxies[0]?.plainPort ?? 0, 'shop.example.com', '/.well-known/acme-challenge/other');
    expect(foreign.status).to.be.oneOf([502, 503]);
  });

  it('are proved by tls-alpn-01, beside the names that are served already', async () => {
    for (const [at, each] of proxies.entries()) await dns.setAddresses(`alpn${at}.example.com`, [each.address]);
    await reconfigure('alpn', {
      serviceDomain: 'alpn0.example.com,alpn1.example.com,alpn2.example.com',
      acmeChallenge: 'tls-alpn-01',
    });
    await onAll('alpn2.example.com');
    const [first] = proxies;
    const refused = await shownCertificate(first?.securePort ?? 0, 'alpn0.example.com', 'acme-tls/1').catch(
      (error: Error) => error,
    );
    expect(refused).to.be.instanceOf(Error);
    const shown = await shownCertificate(first?.securePort ?? 0, 'alpn0.example.com', 'http/1.1');
    expect(shown.subjectaltname).to.include('alpn0.example.com');
  });

  it('are renewed on an operator’s request, at any replica', async () => {
    const before = await proxies[0]?.serial('shop.example.com');
    const requested = await proxies[2]?.post('/v1/certificates/renew?name=shop.example.com');
    expect(requested?.status).to.equal(200);
    await onAll('shop.example.com', (serial) => serial !== undefined && serial !== before);
    expect((await proxies[1]?.post('/v1/certificates/renew?name=unknown.example.com'))?.status).to.equal(404);
  });

  it('are reported where they cannot be had', async () => {
    await dns.setAddresses('nowhere.example.com', ['127.0.0.99']);
    await reconfigure('nowhere', { serviceDomain: 'nowhere.example.com,intranet' });
    for (const each of proxies)
      await until(`${each.name} tells`, async () => {
        const problems = await each.get('/v1/problems');
        return problems.includes('acme-connection') && problems.includes('acme-single-label');
      });
    const metrics = await Promise.all(proxies.map((each) => each.get('/metrics')));
    expect(
      metrics.filter((text) => /swarmgate_acme_failures_total\{[^}]*type="connection"[^}]*\} 1/.test(text)),
    ).to.have.length(1);
    for (const text of metrics)
      expect(text).to.match(/swarmgate_acme_certificate_not_after_timestamp_seconds\{certificate="shop/);
  });

  it('leave no private key, account key or token in the registry, the logs, the metrics or the responses', async () => {
    const stored = await fetch(`${consul.url}/v1/kv/?recurse`).then(
      (response) => response.json() as Promise<{ Key: string; Value: string | null }[]>,
    );
    const texts = new Map(stored.map(({ Key, Value }) => [Key, Buffer.from(Value ?? '', 'base64').toString('utf8')]));
    for (const each of proxies) {
      texts.set(`${each.name} log`, each.process.log());
      for (const path of [
        '/metrics',
        '/v1/certificates',
        '/v1/problems',
        '/v1/services',
        '/v1/docker-flow-proxy/certs',
        '/v1/docker-flow-proxy/config',
        '/v1/status',
        '/v1/routes',
        '/v1/history?service=manual/shop',
        '/v1/explain?url=https://shop.example.com/',
      ])
        texts.set(`${each.name} ${path}`, await each.get(path));
    }
    expect([...texts.keys()].filter((key) => key.includes('/acme/certificates/')).length).to.be.greaterThan(1);
    expect([...texts.keys()].filter((key) => key.includes('/acme/accounts/'))).to.have.length(1);
    for (const [where, text] of texts) {
      expect(text, where).to.not.match(/PRIVATE KEY/);
      expect(text, where).to.not.include(secretsKey);
      for (const secret of [
        'dHNpZy1zZWNyZXQtb2YtdGhlLXRlc3Q',
        'cloudflare-token-of-the-test',
        'webhook-password',
        'other-token-of-the-test',
        secrets.ACME_EAB_HMAC,
      ])
        expect(text, where).to.not.include(secret);
      // PKCS #8 of P-256 in base64 begins so.
      expect(text, where).to.not.include('MIGHAgEAMBMGByqGSM49');
    }
  });
});
