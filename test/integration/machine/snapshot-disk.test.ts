import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConsulStore, createRegistry } from '@swarmgate/registry';
import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

const run = promisify(execFile);
const reason = 'snapshot-unwritten';

/** A proxy whose registry is in Consul, with its DATA_DIR on a file system of 16 MB of its own. */
describe('a DATA_DIR that takes no snapshot', function () {
  this.timeout(120_000);
  let folder: string;
  let data: string;
  let consul: RunningConsul;
  let endpoint: Server;
  let proxy: SwarmgateProcess;
  let admin: number;
  let entry: number;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-snapshot-disk-'));
    data = join(folder, 'data');
    const image = join(folder, 'image');
    mkdirSync(data);
    await run('truncate', ['-s', '16M', image]);
    await run('mkfs.ext4', ['-q', '-m', '0', image]);
    await run('mount', ['-o', 'loop', image, data]);
    consul = await startConsul();
    const registry = createRegistry({ store: createConsulStore({ address: consul.address }), instance: 'swarmgate' });
    await registry.publish([], { by: 'tests', signal: AbortSignal.timeout(20_000) });
    await registry.store.close();
    endpoint = createServer((_request, response) => response.end('served')).listen(0, '127.0.0.1');
    await new Promise((resolve) => endpoint.once('listening', resolve));
    [admin = 0, entry = 0] = await freePorts(2);
    proxy = startSwarmgate(['proxy'], {
      env: {
        CONSUL_HTTP_ADDR: consul.address,
        DATA_DIR: data,
        ADMIN_PORT: String(admin),
        DEFAULT_PORTS: String(entry),
        WORKERS: '0',
      },
    });
    await until('it is ready', async () => (await get('/readyz', admin).catch(() => undefined))?.status === 200, {
      withinMs: 60_000,
    });
  });
  after(async () => {
    await proxy?.remove();
    await run('umount', [data]);
    endpoint.close().closeAllConnections();
    await consul.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const get = async (path: string, port = entry) => {
    const reply = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: reply.status, text: await reply.text() };
  };
  const change = async (service: string) => {
    const { port } = endpoint.address() as AddressInfo;
    const query = `serviceName=${service}&servicePath=/${service}&port=${port}&outboundHostname=127.0.0.1`;
    const { status, text } = await get(`/v1/docker-flow-proxy/reconfigure?${query}`, admin);
    expect(status, text).to.equal(200);
    expect((await get(`/${service}`)).status).to.equal(200);
  };
  const reasons = async () => {
    const { problems } = JSON.parse((await get('/v1/problems', admin)).text) as {
      readonly problems: readonly { readonly reason: string }[];
    };
    return problems.map((each) => each.reason);
  };
  const kept = () => readFileSync(join(data, 'snapshot-swarmgate.jsonl'), 'utf8');
  const isKept = (service: string) =>
    until(`${service} is in the snapshot`, () => kept().includes(`"/${service}"`), { withinMs: 30_000 });

  const fill = async () => {
    const file = await open(join(data, 'filler'), 'a');
    // What the file system reserves for a write that is still in memory comes back with its end.
    for (const bytes of [65_536, 1_024, 1_024, 1_024]) {
      try {
        for (;;) await file.write(Buffer.alloc(bytes));
      } catch (error) {
        expect(error).to.have.property('code', 'ENOSPC');
      }
      await file.sync();
    }
    await file.close();
  };
  const disks = [
    ['is full', fill, async () => rmSync(join(data, 'filler'))],
    ['is read-only', () => run('mount', ['-o', 'remount,ro', data]), () => run('mount', ['-o', 'remount,rw', data])],
  ] as const;
  for (const [at, [what, spoil, mend]] of disks.entries())
    it(`holds up neither requests nor changes while it ${what}, is a problem, and is written by itself afterwards`, async () => {
      await change(`before-${at}`);
      await isKept(`before-${at}`);
      await spoil();
      const linesBefore = proxy.log().split(reason).length;
      try {
        await change(`late-${at}`);
        await until('it is reported', async () => (await reasons()).includes(reason), { withinMs: 20_000 });
        await until('it is logged', () => proxy.log().split(reason).length > linesBefore);
        // Longer than until the next try, and at its end without a change, whose own write would come after the repair.
        const beganMs = performance.now();
        for (let changes = 0; performance.now() < beganMs + 12_000; ) {
          if (changes < 5 && performance.now() > beganMs + changes * 1_000) await change(`more-${at}-${changes++}`);
          expect((await get(`/late-${at}`)).status).to.equal(200);
          expect((await get('/readyz', admin)).status).to.equal(200);
        }
        expect(await reasons()).to.include(reason);
        expect(kept()).not.to.include(`late-${at}`);
        expect(proxy.log().split(reason), 'lines of the log').to.have.length(linesBefore + 1);
      } finally {
        await mend();
      }
      await isKept(`late-${at}`);
      await until('it is over', async () => !(await reasons()).includes(reason), { withinMs: 20_000 });
      expect(readdirSync(data).filter((name) => name.endsWith('.tmp'))).to.deep.equal([]);
    });

  it('holds up neither requests nor changes while it hangs, and is written afterwards', async () => {
    await run('fsfreeze', ['-f', data]);
    let slowestMs = 0;
    try {
      const frozenAtMs = performance.now();
      for (let changes = 0; performance.now() < frozenAtMs + 8_000; ) {
        if (performance.now() > frozenAtMs + changes * 1_000) await change(`frozen-${changes++}`);
        const beganMs = performance.now();
        expect((await get('/frozen-0')).status).to.equal(200);
        expect((await get('/readyz', admin)).status).to.equal(200);
        slowestMs = Math.max(slowestMs, performance.now() - beganMs);
      }
    } finally {
      await run('fsfreeze', ['-u', data]);
    }
    expect(slowestMs).to.be.below(2_000);
    await isKept('frozen-0');
  });
});
