import { createPrivateKey, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { type TestCertificate, testCertificate } from '../../../packages/proxy/test/test-certificate.ts';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { type HostListener, type HostProxy, startHostListener, startHostProxy } from '../../harness/host-processes.ts';
import { send, untilResponds } from '../../harness/http.ts';
import { until } from '../../harness/until.ts';
import { type LabelledServices, startLabelledServices } from './labelled-services.ts';

/** Listener and proxy as processes on a real Swarm and a real Consul, of which every key is read in the end. */
describe('secrets that are given in plain', function () {
  this.timeout(120_000);
  // Of letters and figures alone, so that no encoding hides them.
  const passwordNames = ['label', 'later label', 'REST', 'later REST', 'misspelt label', 'bad label'];
  const passwords = new Map(passwordNames.map((name) => [name, `pw${randomBytes(12).toString('hex')}`]));
  const password = (name: string) => passwords.get(name) ?? '';
  let consul: RunningConsul;
  let services: LabelledServices;
  let listener: HostListener | undefined;
  let proxy: HostProxy | undefined;
  let certificates: readonly TestCertificate[];

  before(async () => {
    [consul, services] = await Promise.all([startConsul(), startLabelledServices()]);
    const env = { CONSUL_HTTP_ADDR: consul.address, SECRETS_KEY: randomBytes(32).toString('base64') };
    [listener, proxy] = await Promise.all([startHostListener({ ...env, ...services.env }), startHostProxy(env)]);
    certificates = await Promise.all(['label', 'put', 'halved'].map((name) => testCertificate([`${name}.test`])));
  });

  after(async () => {
    await listener?.remove();
    await proxy?.remove();
    await services?.remove();
    await consul?.remove();
  });

  it('stand nowhere in Consul, and hold', async () => {
    const { httpUrl, admin } = proxy as HostProxy;
    const [labelled, put, halved] = certificates as [TestCertificate, TestCertificate, TestCertificate];
    const inOneLine = ({ pem }: { readonly pem: string }) => pem.replaceAll('\n', '\\n');
    const letsIn = (path: string, name: string) =>
      untilResponds({ url: `${httpUrl}${path}`, headers: { authorization: basic('admin', password(name)) } }, 200);

    const name = await services.deploy('labelled', {
      servicePath: '/labelled',
      users: `admin:${password('label')}`,
      serviceCert: inOneLine(labelled),
    });
    await letsIn('/labelled', 'label');
    await services.setLabels(name, { users: `admin:${password('later label')}` });
    await letsIn('/labelled', 'later label');
    // What is wrong with labels is reported in Consul, too: a misspelt name, a password that is no hash, half a certificate.
    await services.deploy('wrong', { servicePath: '/wrong', usres: `admin:${password('misspelt label')}` });
    await services.deploy('no-hash', {
      servicePath: '/no-hash',
      users: `admin:${password('bad label')}`,
      usersPassEncrypted: 'true',
    });
    await services.deploy('half', { servicePath: '/half', serviceCert: inOneLine({ pem: halved.key }) });

    const reconfigure = async (given: string) => {
      const query = new URLSearchParams({
        serviceName: 'by-hand',
        // The second path is the labelled service's: a conflict, which is reported in Consul.
        servicePath: '/by-hand,/labelled',
        port: String(services.backendPort),
        outboundHostname: '127.0.0.1',
        users: `admin:${password(given)}`,
      });
      const { status, body } = await admin(`/v1/docker-flow-proxy/reconfigure?${query}`);
      expect(status, body).to.equal(200);
      await letsIn('/by-hand', given);
    };
    await reconfigure('REST');
    await reconfigure('later REST');
    const kept = await admin('/v1/docker-flow-proxy/cert?certName=put', { method: 'PUT', body: put.pem });
    expect(kept.status, kept.body).to.equal(200);
    expect((await send({ url: `${httpUrl}/labelled` })).status).to.equal(401);

    const places = [
      /^swarmgate\/head$/,
      /^swarmgate\/services\/swarm\/labelled-\w+$/,
      /^swarmgate\/history\/swarm\/labelled-\w+\/\d+$/,
      /^swarmgate\/services\/manual\/by-hand$/,
      /^swarmgate\/history\/manual\/by-hand\/\d+$/,
      /^swarmgate\/certs\/put$/,
      /^swarmgate\/problems\/labels\/swarm\/wrong-/,
      /^swarmgate\/problems\/labels\/swarm\/no-hash-/,
      /^swarmgate\/problems\/labels\/swarm\/half-/,
      /^swarmgate\/problems\/routes\/manual\/by-hand$/,
    ];
    const keys = await until('all of it stands in Consul', async () => {
      const dumped = await dump(consul);
      const missing = places.filter((place) => ![...dumped.keys()].some((key) => place.test(key)));
      if (missing.length > 0) throw new Error(`missing: ${missing.join(' ')} of ${[...dumped.keys()].join(' ')}`);
      return dumped;
    });

    const lines = certificates.flatMap(({ key }) => key.split('\n').filter((line) => /^[\w+/=]{16,}$/.test(line)));
    expect(lines).to.have.length.of.at.least(certificates.length);
    const secrets: readonly (readonly [what: string, secret: string])[] = [
      ['the mark of a private key', 'PRIVATE KEY'],
      ...lines.map((line) => ['a line of a private key', line] as const),
      ...certificates.flatMap(({ key }) =>
        piecesOfKey(key).map((piece) => ['a piece of a private key', piece] as const),
      ),
      ...[...passwords].flatMap(([name, value]) => [
        [`the password of the ${name}`, value] as const,
        [`the password of the ${name} as browsers send it`, basic('admin', value).slice('Basic '.length)] as const,
      ]),
    ];
    for (const [key, value] of keys) {
      for (const [what, secret] of secrets) expect(value.includes(secret), `${what} in ${key}`).to.equal(false);
    }
    const { Certs } = JSON.parse((await admin('/v1/docker-flow-proxy/certs')).body) as CertificateList;
    const held = Certs.map(({ from, hosts }) => `${from} ${hosts.join(' ')}`);
    expect(held).to.include.members(['service label.test', 'registry put.test']);
    expect(keys.get(`swarmgate/services/swarm/${name}`)).to.include('sealed-key:v1:');
    expect(keys.get('swarmgate/certs/put')).to.include('sealed-key:v1:');
  });
});

function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

/**
 * The secret number of an elliptic key in pieces of 12 characters, as they stand in its PEM whatever the line ends are. The
 * rest of a private key says what stands in its certificate, too.
 */
function piecesOfKey(pem: string): readonly string[] {
  const { d = '' } = createPrivateKey(pem).export({ format: 'jwk' });
  const secret = Buffer.from(d, 'base64url').toString('base64').slice(0, 40);
  expect(pem.replaceAll('\n', '')).to.include(secret);
  return Array.from({ length: secret.length - 12 }, (_, from) => secret.slice(from, from + 12));
}

/** Every key of that Consul with its value. */
async function dump(consul: RunningConsul): Promise<ReadonlyMap<string, string>> {
  const response = await fetch(`${consul.url}/v1/kv/?recurse&consistent`);
  const stored = (await response.json()) as readonly { readonly Key: string; readonly Value: string | null }[];
  return new Map(stored.map(({ Key, Value }) => [Key, Buffer.from(Value ?? '', 'base64').toString('utf8')]));
}

interface CertificateList {
  readonly Certs: readonly { readonly from: string; readonly hosts: readonly string[] }[];
}
