import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { freePorts } from '../../harness/free-ports.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';
import { shownCertificate } from '../acme/proxy-rig.ts';

const patience = { withinMs: 60_000 };

// Beside a Traefik that still has the ports a CA would come to.
describe('ACME_DIRECTORY=import', function () {
  this.timeout(180_000);
  let folder: string;
  let standalone: SwarmgateProcess | undefined;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmgate-imported-'));
  });
  after(async () => {
    await standalone?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('serves certificates of Traefik’s acme.json, and orders none', async () => {
    const [plain = 0, secure = 0, admin = 0] = await freePorts(3);
    const url = `http://127.0.0.1:${admin}`;
    standalone = startSwarmgate(['standalone'], {
      env: {
        DATA_DIR: join(folder, 'data'),
        ADMIN_PORT: String(admin),
        DEFAULT_PORTS: `${plain},${secure}:ssl`,
        DOCKER_HOST: `unix://${join(folder, 'no-docker.sock')}`,
        ACME_DIRECTORY: 'import',
        LOG_LEVEL: 'info',
      },
    });
    await until('it is ready', async () => (await fetch(`${url}/readyz`)).status === 200, patience);
    for (const host of ['moved.example.com', 'other.example.com']) {
      const query = new URLSearchParams({
        serviceName: host.replace(/\..*/, ''),
        port: '1',
        outboundHostname: '127.0.0.1',
        serviceDomain: host,
      });
      expect((await fetch(`${url}/v1/docker-flow-proxy/reconfigure?${query}`)).status).to.equal(200);
    }
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'moved.example.com' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'moved.example.com' }] }],
    });
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const entry = { domain: { main: 'moved.example.com' }, certificate: base64(cert), key: base64(key) };
    await writeFile(join(folder, 'acme.json'), JSON.stringify({ le: { Account: {}, Certificates: [entry] } }));
    const command = startSwarmgate(['certificates', 'import', join(folder, 'acme.json')], {
      env: { SWARMGATE_URL: url },
    });
    await until('it takes it over', () => command.log().includes('1 certificate: 1 taken over'), patience);
    await command.remove();
    await until(
      'it is served',
      async () => {
        const { raw } = await shownCertificate(secure, 'moved.example.com');
        return cert.replaceAll(/\s/g, '').includes(raw.toString('base64'));
      },
      patience,
    );
    const { certificates, waiting } = (await (await fetch(`${url}/v1/certificates`)).json()) as {
      certificates: { from: string; hosts: readonly string[] }[];
      waiting: unknown[];
    };
    expect(certificates.filter(({ from }) => from === 'acme').map(({ hosts }) => hosts)).to.deep.equal([
      ['moved.example.com'],
    ]);
    expect(waiting).to.deep.equal([]);
    expect((await fetch(`${url}/v1/problems`)).status).to.equal(200);
    expect(standalone.log()).to.not.match(/"level":(40|50).*acme/);
  });
});
