import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { freePorts } from '../../harness/free-ports.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

const run = promisify(execFile);
const hangsForMs = 12_000;

/** The whole system in one process, its data on an ext4 file system of its own. */
describe('a disk that hangs, and one that becomes read-only and is repaired', function () {
  this.timeout(240_000);
  let folder: string;
  let data: string;
  let device: string;
  let standalone: SwarmgateProcess;
  let admin: number;
  let entry: number;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-disk-'));
    data = join(folder, 'data');
    const image = join(folder, 'image');
    mkdirSync(data);
    await run('truncate', ['-s', '64M', image]);
    await run('mkfs.ext4', ['-q', image]);
    await run('mount', ['-o', 'loop,errors=remount-ro', image, data]);
    device = basename((await run('losetup', ['--noheadings', '--output', 'NAME', '-j', image])).stdout.trim());
    [admin = 0, entry = 0] = await freePorts(2);
    standalone = startSwarmgate(['standalone'], {
      env: {
        DATA_DIR: data,
        ADMIN_PORT: String(admin),
        DEFAULT_PORTS: String(entry),
        WORKERS: '0',
        DOCKER_HOST: `unix://${join(folder, 'no-docker.sock')}`,
      },
    });
    await until('it is ready', () => standalone.log().includes('Swarmgate is ready.'), { withinMs: 120_000 });
  });
  after(async () => {
    await standalone?.remove();
    await run('umount', [data]);
    rmSync(folder, { recursive: true, force: true });
  });

  const timed = async <T>(work: () => Promise<T>) => {
    const beganMs = performance.now();
    return { result: await work(), tookMs: performance.now() - beganMs };
  };
  const served = async () => {
    const response = await fetch(`http://127.0.0.1:${entry}/hello`);
    await response.arrayBuffer();
    return response.status;
  };
  const ready = async () => (await fetch(`http://127.0.0.1:${admin}/healthz`)).status;
  const reconfigure = async (service: string) => {
    const response = await fetch(
      `http://127.0.0.1:${admin}/v1/docker-flow-proxy/reconfigure?serviceName=${service}&servicePath=/${service}&port=80&outboundHostname=127.0.0.1`,
    );
    return { status: response.status, message: ((await response.json()) as { readonly Message: string }).Message };
  };

  it('holds up changes while it hangs, and no request', async () => {
    expect((await reconfigure('before')).status).to.equal(200);
    let slowestMs = 0;
    await run('fsfreeze', ['-f', data]);
    let change: Promise<{ readonly status: number; readonly message: string }>;
    try {
      const endMs = performance.now() + hangsForMs;
      change = reconfigure('frozen');
      while (performance.now() < endMs) {
        const request = await timed(served);
        expect(request.result).to.equal(200);
        const health = await timed(ready);
        expect(health.result).to.equal(200);
        slowestMs = Math.max(slowestMs, request.tookMs, health.tookMs);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } finally {
      await run('fsfreeze', ['-u', data]);
    }
    const { status, message } = await change;
    expect({ status, message }).to.deep.include({ status: 503 });
    expect(message).to.match(/did not respond in time.*GET \/v1\/services/);
    expect(slowestMs).to.be.below(2_000);
    await until('changes are taken again', async () => (await reconfigure('after')).status === 200, {
      withinMs: 30_000,
    });
  });

  it('refuses changes with the reason once it is read-only, and goes on serving', async () => {
    writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, '1');
    let slowestMs = 0;
    const endMs = performance.now() + 4_000;
    let refused = 0;
    while (performance.now() < endMs) {
      const request = await timed(served);
      expect(request.result).to.equal(200);
      const { status, message } = await reconfigure(`late${refused}`);
      expect(status).to.equal(503);
      expect(message)
        .to.match(/read-?only|disk I\/O error/i)
        .and.contain('nothing was kept');
      refused += 1;
      slowestMs = Math.max(slowestMs, request.tookMs);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(refused).to.be.greaterThan(10);
    expect(slowestMs).to.be.below(2_000);
    expect(await ready()).to.equal(200);
  });

  it('takes changes again by itself once the file system was unmounted, repaired and mounted', async () => {
    // Fails as long as a process has a file of it open; a snapshot may be on its way.
    await until(
      'nothing holds it',
      () =>
        run('umount', [data]).then(
          () => true,
          () => false,
        ),
      { withinMs: 30_000 },
    );
    const unmounted = await reconfigure('unmounted');
    expect(unmounted).to.deep.include({ status: 503 });
    const image = join(folder, 'image');
    // Exit code 1: errors were found and corrected.
    await run('e2fsck', ['-fy', image]).catch(({ code }: { readonly code: number }) => expect(code).to.equal(1));
    await run('mount', ['-o', 'loop,errors=remount-ro', image, data]);
    await until('changes are taken again', async () => (await reconfigure('repaired')).status === 200, {
      withinMs: 30_000,
    });
    expect(await served()).to.equal(200);
    const response = await fetch(`http://127.0.0.1:${admin}/v1/services`);
    const { services } = (await response.json()) as { readonly services: readonly { readonly service: string }[] };
    const names = services.map(({ service }) => service);
    expect(names).to.include.members(['manual/before', 'manual/after', 'manual/repaired']);
    expect(names.join(' ')).not.to.match(/late|unmounted/);
  });
});
