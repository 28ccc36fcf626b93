import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { freePorts } from '../../harness/free-ports.ts';
import { type ChallengeDns, type RunningPebble, startChallengeDns, startPebble } from '../../harness/pebble.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';
import { shownCertificate } from './proxy-rig.ts';

const inside = 'SWARMGATE_TEST_NAMESPACE';
const addresses = ['45.83.7.7', '45.83.7.8', '2a01:4f8::7'] as const;
const dayMs = 86_400_000;

// Public addresses, as a CA requires them, on the loopback of a network namespace of its own. Needs root.
if (process.env[inside] === undefined)
  describe('certificates of addresses', function () {
    this.timeout(180_000);
    it('are ordered, served and proved, in a network of their own', () => {
      const mocha = fileURLToPath(new URL('../../../node_modules/mocha/bin/mocha.js', import.meta.url));
      const network = ['ip link set lo up', ...addresses.map((each) => `ip addr add ${each} dev lo`)].join(' && ');
      const command = `${network} && exec "$0" "$1" --no-config --exit --timeout 120000 "$2"`;
      const file = fileURLToPath(import.meta.url);
      const { status, stdout, stderr } = spawnSync(
        'unshare',
        ['--net', 'sh', '-c', command, process.execPath, mocha, file],
        { encoding: 'utf8', env: { ...process.env, [inside]: 'yes' }, timeout: 170_000 },
      );
      expect(status, `${stdout}${stderr}`).to.equal(0);
      expect(stdout).to.match(/5 passing/);
    });
  });
else
  describe('certificates of addresses, in a network of their own', () => {
    let folder: string;
    let dns: ChallengeDns;
    let pebble: RunningPebble;
    let standalone: SwarmgateProcess;
    let admin: number;
    let secure: number;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'swarmgate-addresses-'));
      const [plain = 0, tls = 0, adminPort = 0] = await freePorts(3);
      [admin, secure] = [adminPort, tls];
      dns = await startChallengeDns();
      pebble = await startPebble({
        httpPort: plain,
        tlsPort: tls,
        dnsServer: dns.address,
        profiles: { default: 7_776_000, shortlived: 518_400 },
      });
      standalone = startSwarmgate(['standalone'], {
        env: {
          DATA_DIR: join(folder, 'data'),
          ADMIN_PORT: String(adminPort),
          DEFAULT_PORTS: `${plain},${tls}:ssl`,
          DOCKER_HOST: `unix://${join(folder, 'no-docker.sock')}`,
          ACME_DIRECTORY: pebble.directoryUrl,
          ACME_CA_FILE: pebble.caFile,
          LOG_LEVEL: 'info',
        },
      });
      await until('it is ready', async () => (await fetch(`http://127.0.0.1:${admin}/readyz`)).status === 200, {
        withinMs: 60_000,
      });
    });
    after(async () => {
      await standalone?.remove();
      await pebble?.remove();
      await dns?.remove();
      await rm(folder, { recursive: true, force: true });
    });
    afterEach(async function () {
      if (this.currentTest?.state !== 'failed') return;
      console.error(
        await (await fetch(`http://127.0.0.1:${admin}/v1/problems`)).text(),
        standalone.log().slice(-3_000),
      );
    });

    interface Listed {
      readonly hosts: readonly string[];
      readonly from: string;
      readonly notBefore?: string;
      readonly notAfter?: string;
    }
    const ordered = async () => {
      const response = await fetch(`http://127.0.0.1:${admin}/v1/certificates`);
      const { certificates } = (await response.json()) as { readonly certificates: readonly Listed[] };
      return certificates.filter(({ from }) => from === 'acme');
    };
    const reconfigure = async (service: string, host: string, more: Readonly<Record<string, string>> = {}) => {
      const query = new URLSearchParams({
        serviceName: service,
        port: '1',
        outboundHostname: '127.0.0.1',
        serviceDomain: host,
        ...more,
      });
      await fetch(`http://127.0.0.1:${admin}/v1/docker-flow-proxy/reconfigure?${query}`);
      return until(`${host} has a certificate`, async () =>
        (await ordered()).find(({ hosts }) => hosts.includes(host.replace(/[[\]]/g, ''))),
      );
    };
    const lifeDays = ({ notBefore = '', notAfter = '' }: Listed) =>
      (Date.parse(notAfter) - Date.parse(notBefore)) / dayMs;

    it('are short-lived, and served to clients that send no server name', async () => {
      const listed = await reconfigure('by-address', addresses[0]);
      expect(lifeDays(listed)).to.be.closeTo(6, 0.01);
      const shown = await shownCertificate(secure, '');
      expect(shown.subjectaltname).to.equal(`IP Address:${addresses[0]}`);
      // A name without a certificate gets none of another host.
    });

    it('are proved by tls-alpn-01 too', async () => {
      const listed = await reconfigure('by-alpn', addresses[1], { acmeChallenge: 'tls-alpn-01' });
      expect(lifeDays(listed)).to.be.closeTo(6, 0.01);
    });

    it('are had for IPv6 too', async () => {
      expect((await reconfigure('by-ipv6', `[${addresses[2]}]`)).hosts).to.deep.equal([addresses[2]]);
    });

    it('leave names with the profile of every other', async () => {
      const listed = await reconfigure('named', 'shop.example.com', { acmeProfile: 'default' });
      expect(lifeDays(listed)).to.be.closeTo(90, 0.01);
      expect((await shownCertificate(secure, 'shop.example.com')).subjectaltname).to.equal('DNS:shop.example.com');
      // A client whose server name no certificate covers gets a certificate of names, if there is one.
      expect((await shownCertificate(secure, 'unknown.example.com')).subjectaltname).to.equal('DNS:shop.example.com');
    });

    it('are ordered for no private address, which is reported', async () => {
      const query = 'serviceName=private&port=1&outboundHostname=127.0.0.1&serviceDomain=10.1.2.3';
      await fetch(`http://127.0.0.1:${admin}/v1/docker-flow-proxy/reconfigure?${query}`);
      await until('it is reported', async () =>
        (await (await fetch(`http://127.0.0.1:${admin}/v1/problems`)).text()).includes('acme-private-address'),
      );
    });
  });
