import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from '@swarmgate/runtime';
import { expect } from 'chai';
import { Load, listening, startWorkerRig, type WorkerRig } from '../../../packages/proxy/test/worker-rig.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { until } from '../../harness/until.ts';

const patience = { withinMs: 60_000 };

describe('replacing workers', function () {
  // Each of twenty replacements starts two processes.
  this.timeout(300_000);

  it('fails no request in twenty replacements, on kept connections and on new ones, and takes no counter back', async () => {
    const rig = await startWorkerRig();
    try {
      await rig.put('manual/all', {});
      const load = new Load(rig.port, { keepAlive: 8, perRequest: 4 });
      const scraper = new Scraper(rig);
      await load.more(100);
      let replaced = 0;
      while (replaced < 20) {
        replaced += (await rig.server.restartWorkers?.()) ?? 0;
        await load.more(50);
      }
      await load.stop();
      expect([...load.failures]).to.deep.equal([]);
      expect(await rig.metric('swarmgate_requests_total')).to.equal(load.responded);
      // One that crashes takes along no more than what was counted since the last scrape.
      const [crashing] = rig.serving();
      process.kill(crashing?.pid ?? 0, 'SIGKILL');
      await until('another is in its place', () => rig.serving().every(({ pid }) => pid !== crashing?.pid), patience);
      await until('both serve', () => rig.serving().length === 2, patience);
      await scraper.stop();
      expect(scraper.decreases).to.deep.equal([]);
      expect(await rig.metric('swarmgate_requests_total')).to.equal(load.responded);
    } finally {
      await rig.stop();
    }
  });
});

/** Reads the metrics again and again, as Prometheus does, and notes each counter that goes back or disappears. */
class Scraper {
  readonly decreases: string[] = [];
  readonly #rig: WorkerRig;
  readonly #running: Promise<void>;
  readonly #stopping = new AbortController();
  #known = new Map<string, number>();

  constructor(rig: WorkerRig) {
    this.#rig = rig;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    do await this.#scrape();
    while (await pause(5, this.#stopping.signal));
    await this.#scrape();
  }

  async #scrape(): Promise<void> {
    const present = new Map<string, number>();
    for (const { name, type, values } of (await this.#rig.server.workerMetrics?.()) ?? [])
      if (String(type) !== 'gauge')
        for (const value of values) {
          const { metricName = name } = value as { readonly metricName?: string };
          present.set(`${metricName} ${JSON.stringify(value.labels)}`, value.value);
        }
    for (const [series, before] of this.#known) {
      const now = present.get(series);
      if (now === undefined || now < before) this.decreases.push(`${series}: ${before}, then ${now}`);
    }
    this.#known = present;
  }
}

describe('swarmgate proxy with workers', function () {
  // Three processes begin, and two of them again and again: on a busy machine each takes many seconds for that.
  this.timeout(240_000);
  const cli = new URL('../../../packages/cli/bin/swarmgate.mjs', import.meta.url).pathname;

  it('replaces them at SIGHUP or by REST, and ends at SIGTERM after what is in flight', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-proxy-'));
    const held: (() => void)[] = [];
    const backend = await listening(
      createServer((requested, response) => {
        if (requested.url === '/held') held.push(() => response.end('late'));
        else response.end('fine');
      }),
    );
    const [port = 0, admin = 0] = await freePorts(2);
    const proxy = spawn(process.execPath, [cli, 'proxy'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env.PATH,
        DATA_DIR: dataDir,
        WORKERS: '2',
        DEFAULT_PORTS: String(port),
        ADMIN_PORT: String(admin),
        DFP_SERVICE_1_SERVICE_NAME: 'all',
        DFP_SERVICE_1_SERVICE_PATH: '/',
        DFP_SERVICE_1_PORT: String((backend.address() as AddressInfo).port),
        DFP_SERVICE_1_OUTBOUND_HOSTNAME: '127.0.0.1',
      },
    });
    const exited = once(proxy, 'exit');
    try {
      await until('it is ready', async () => (await call(admin, 'GET', '/readyz')).status === 200, patience);
      await until('it serves', async () => (await call(port, 'GET', '/')).text === 'fine', patience);
      const first = await workersOf(admin);
      expect(first).to.have.length(2);

      const load = new Load(port, { keepAlive: 4, perRequest: 2 });
      proxy.kill('SIGHUP');
      await until('all workers are others', async () => isAnother(await workersOf(admin), first), patience);
      const second = await workersOf(admin);
      const { status, text } = await call(admin, 'POST', '/v1/restart-workers');
      expect(text).to.include('2 workers were replaced');
      expect(status).to.equal(200);
      expect(isAnother(await workersOf(admin), second)).to.equal(true);
      await load.stop();
      expect([...load.failures]).to.deep.equal([]);

      const responding = call(port, 'GET', '/held');
      await until('the request is at the backend', () => held.length === 1, patience);
      proxy.kill('SIGTERM');
      await until('it is ready no more', async () => (await call(admin, 'GET', '/readyz')).status !== 200, patience);
      held[0]?.();
      expect((await responding).text).to.equal('late');
      expect(await exited).to.deep.equal([0, null]);
    } finally {
      proxy.kill('SIGKILL');
      await exited;
      backend.closeAllConnections();
      await new Promise((resolve) => backend.close(resolve));
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

function isAnother(present: readonly number[], before: readonly number[]): boolean {
  return present.length === 2 && present.every((pid) => !before.includes(pid));
}

async function workersOf(admin: number): Promise<number[]> {
  const { text } = await call(admin, 'GET', '/v1/status');
  const status = JSON.parse(text) as { workers: { pid: number; state: string }[] };
  return status.workers.filter(({ state }) => state === 'serving').map(({ pid }) => pid);
}

function call(port: number, method: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, method, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.once('close', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.once('error', () => resolve({ status: 0, text: '' }));
    sent.end();
  });
}
