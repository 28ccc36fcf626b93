import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { freePorts } from '../../harness/free-ports.ts';
import { type ChallengeDns, type RunningPebble, startChallengeDns, startPebble } from '../../harness/pebble.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';
import { shownCertificate } from '../acme/proxy-rig.ts';

const patience = { withinMs: 60_000 };

// `npm start` with ACME_DIRECTORY and nothing else: the embedded registry, and a key for it that is made once.
describe('certificates of swarmgate standalone', function () {
  this.timeout(180_000);
  let folder: string;
  let dataDir: string;
  let dns: ChallengeDns;
  let pebble: RunningPebble;
  let ports: { readonly plain: number; readonly secure: number; readonly admin: number };
  let standalone: SwarmgateProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmgate-standalone-'));
    dataDir = join(folder, 'data');
    const [plain = 0, secure = 0, admin = 0] = await freePorts(3);
    ports = { plain, secure, admin };
    dns = await startChallengeDns();
    pebble = await startPebble({ httpPort: plain, tlsPort: secure, dnsServer: dns.address });
    standalone = startSwarmgate(['standalone'], {
      env: {
        DATA_DIR: dataDir,
        ADMIN_PORT: String(admin),
        DEFAULT_PORTS: `${plain},${secure}:ssl`,
        DOCKER_HOST: `unix://${join(folder, 'no-docker.sock')}`,
        ACME_DIRECTORY: pebble.directoryUrl,
        ACME_CA_FILE: pebble.caFile,
        LOG_LEVEL: 'info',
      },
    });
    await ready();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.error(standalone?.log().slice(-4_000));
    await standalone?.remove();
    await pebble?.remove();
    await dns?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const ready = () =>
    until('it is ready', async () => (await fetch(`http://127.0.0.1:${ports.admin}/readyz`)).status === 200, patience);
  const serial = async (host: string) => {
    const { issuer, serialNumber } = await shownCertificate(ports.secure, host);
    return JSON.stringify(issuer).includes('Pebble') ? serialNumber : undefined;
  };
  const reconfigure = async (host: string, more: Readonly<Record<string, string>> = {}, service = 'shop') => {
    const query = new URLSearchParams({
      serviceName: service,
      port: '1',
      outboundHostname: '127.0.0.1',
      serviceDomain: host,
      ...more,
    });
    await fetch(`http://127.0.0.1:${ports.admin}/v1/docker-flow-proxy/reconfigure?${query}`);
  };

  it('come with ACME_DIRECTORY alone, and are served at once after a restart without the CA', async () => {
    await reconfigure('shop.example.com');
    await until('it is served', () => serial('shop.example.com'), patience);
    const first = await serial('shop.example.com');

    const files = await filesBelow(dataDir);
    for (const file of files) expect((await stat(file)).mode & 0o077, file).to.equal(0);
    const contents = await Promise.all(files.map((file) => readFile(file, 'latin1')));
    expect(contents.filter((text) => text.includes('PRIVATE KEY'))).to.have.length(0);
    // The key that everything is sealed with: made once, mode 600, in no other file and no log line.
    const [keyFile = ''] = files.filter((file) => /secrets.?key/i.test(file));
    const key = (await readFile(keyFile, 'utf8')).trim();
    expect(Buffer.from(key, 'base64')).to.have.length(32);
    expect(contents.filter((text) => text.includes(key))).to.have.length(1);
    expect(standalone?.log()).to.not.include(key);
    const digest = createHash('sha256').update(key).digest('hex');

    await standalone?.stop();
    await pebble.kill();
    standalone?.start();
    await ready();
    expect(await serial('shop.example.com')).to.equal(first);
    expect(
      createHash('sha256')
        .update((await readFile(keyFile, 'utf8')).trim())
        .digest('hex'),
    ).to.equal(digest);
    const { certificates, waiting } = (await (
      await fetch(`http://127.0.0.1:${ports.admin}/v1/certificates`)
    ).json()) as { certificates: { from: string }[]; waiting: unknown[] };
    expect(certificates.filter(({ from }) => from === 'acme')).to.have.length(1);
    expect(waiting).to.deep.equal([]);
  });

  it('are ordered for no host that has a better one: of a file, of a label, of PUT cert', async () => {
    const [byFile, byLabel, byPut] = ['file.example.com', 'label.example.com', 'put.example.com'];
    const both = async (host: string) => {
      const { cert, key } = await foreignCertificate(host);
      return `${cert.trimEnd()}\n${key}`;
    };
    await mkdir(join(dataDir, 'certs'), { recursive: true });
    await writeFile(join(dataDir, 'certs', 'own.pem'), await both(byFile));
    const admin = `http://127.0.0.1:${ports.admin}`;
    const put = await fetch(`${admin}/v1/docker-flow-proxy/cert?certName=put.pem`, {
      method: 'PUT',
      body: await both(byPut),
    });
    expect(put.status).to.equal(200);
    type Listed = { readonly certificates: { readonly from: string; readonly hosts: readonly string[] }[] };
    const listed = async () => ((await (await fetch(`${admin}/v1/certificates`)).json()) as Listed).certificates;
    await until('the file is read', async () => (await listed()).some(({ hosts }) => hosts.includes(byFile)), patience);
    await reconfigure(byLabel, { serviceCert: (await both(byLabel)).replaceAll('\n', '\\n') }, 'label');
    await reconfigure(byFile, {}, 'file');
    await reconfigure(byPut, {}, 'put');
    // Ordered by itself, and only after those before it would have been.
    await reconfigure('without.example.com', {}, 'without');
    await until('the one without is served', () => serial('without.example.com'), patience);
    const ordered = (await listed()).filter(({ from }) => from === 'acme');
    expect(ordered.map(({ hosts }) => hosts)).to.deep.equal([['without.example.com']]);
    expect(await pebble.log()).to.not.match(/(?:file|label|put)\.example\.com/);
    for (const host of [byFile, byLabel, byPut])
      expect((await shownCertificate(ports.secure, host)).subjectaltname).to.equal(`DNS:${host}`);
    // Where the better one goes, the host gets one of its own.
    await rm(join(dataDir, 'certs', 'own.pem'));
    await until('it is ordered now', () => serial(byFile), patience);
  });

  it('come from Traefik’s acme.json and from a certbot folder too, and are served at once', async () => {
    await reconfigure('shop.example.com');
    await until('it is served', () => serial('shop.example.com'), patience);
    const { cert, key } = await foreignCertificate('moved.example.com');
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const acmeJson = {
      le: {
        Account: { Email: 'a@example.com' },
        Certificates: [
          { domain: { main: 'moved.example.com' }, certificate: base64(cert), key: base64(key), Store: 'default' },
        ],
      },
    };
    await writeFile(join(folder, 'acme.json'), JSON.stringify(acmeJson));
    const live = join(folder, 'letsencrypt', 'live', 'bot.example.com');
    await mkdir(live, { recursive: true });
    const bot = await foreignCertificate('bot.example.com');
    await writeFile(join(live, 'fullchain.pem'), bot.cert);
    await writeFile(join(live, 'privkey.pem'), bot.key);
    for (const path of [join(folder, 'acme.json'), join(folder, 'letsencrypt')]) {
      const command = startSwarmgate(['certificates', 'import', path], {
        env: { SWARMGATE_URL: `http://127.0.0.1:${ports.admin}` },
      });
      await until(`it takes over ${path}`, () => command.log().includes('1 certificate: 1 taken over'), patience);
      await command.remove();
    }
    for (const [host, own] of [
      ['moved.example.com', cert],
      ['bot.example.com', bot.cert],
    ] as const)
      await until(`${host} is served`, async () => {
        const { raw } = await shownCertificate(ports.secure, host);
        return own.replaceAll(/\s/g, '').includes(raw.toString('base64'));
      });
    expect(standalone?.log()).to.not.include('PRIVATE KEY');
  });
});

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** As another CA made it for another program. */
async function foreignCertificate(host: string): Promise<{ readonly cert: string; readonly key: string }> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
  });
  return { cert, key };
}
