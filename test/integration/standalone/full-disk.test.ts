import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { freePorts } from '../../harness/free-ports.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

const run = promisify(execFile);
// Longer than a leader may be without a heartbeat: leadership is lost on the full disk, and contended for on it.
const fullForMs = 11_000;

/** The whole system in one process, with its data on a file system of 4 MB. */
describe('a full disk under the embedded registry', function () {
  this.timeout(120_000);
  let folder: string;
  let data: string;
  let ports: { readonly admin: number; readonly entry: number };
  let standalone: SwarmgateProcess;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-full-disk-'));
    data = join(folder, 'data');
    mkdirSync(data, { mode: 0o700 });
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', data]);
    const [admin = 0, entry = 0] = await freePorts(2);
    ports = { admin, entry };
    standalone = startSwarmgate(['standalone'], {
      env: {
        DATA_DIR: data,
        ADMIN_PORT: String(admin),
        DEFAULT_PORTS: String(entry),
        DOCKER_HOST: `unix://${join(folder, 'no-docker.sock')}`,
      },
    });
    await until('it is ready', () => standalone.log().includes('Swarmgate is ready.'), { withinMs: 60_000 });
  });

  afterEach(async () => {
    await standalone.remove();
    await run('umount', [data]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function fill(): Promise<void> {
    const file = await open(join(data, 'filler'), 'a');
    try {
      for (;;) await file.write(Buffer.alloc(4_096));
    } catch (error) {
      expect(error).to.have.property('code', 'ENOSPC');
    } finally {
      await file.close();
    }
  }

  const served = async () => {
    const response = await fetch(`http://127.0.0.1:${ports.entry}/hello`);
    await response.arrayBuffer();
    return response.status;
  };
  const reconfigure = async (service: string) => {
    const response = await fetch(
      `http://127.0.0.1:${ports.admin}/v1/docker-flow-proxy/reconfigure?serviceName=${service}&servicePath=/${service}&port=80&outboundHostname=127.0.0.1`,
    );
    return { status: response.status, body: (await response.json()) as { readonly Message: string } };
  };

  it('stops no request, refuses changes with the reason, and takes them again by itself', async () => {
    expect((await reconfigure('before')).status).to.equal(200);
    await fill();
    const fullUntilMs = performance.now() + fullForMs;
    let slowestMs = 0;
    let refused = 0;
    while (performance.now() < fullUntilMs) {
      const beganMs = performance.now();
      expect(await served()).to.equal(200);
      slowestMs = Math.max(slowestMs, performance.now() - beganMs);
      const { status, body } = await reconfigure(`full${refused}`);
      if (status === 503) {
        expect(body.Message).to.contain('disk is full').and.contain('nothing was kept');
        refused += 1;
      } else expect(refused, `${status} ${body.Message} after a change was refused`).to.equal(0);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(refused).to.be.greaterThan(10);
    // A loop that keeps the event loop busy would stop requests for good; the limit leaves room for a busy machine.
    expect(slowestMs).to.be.below(2_000);

    truncateSync(join(data, 'filler'), 0);
    rmSync(join(data, 'filler'));
    await until('changes are taken again', async () => (await reconfigure('after')).status === 200, {
      withinMs: 10_000,
    });
    expect((await reconfigure('after-that')).body.Message).to.contain('Distributed to all instances');
    expect(await served()).to.equal(200);
  });
});
