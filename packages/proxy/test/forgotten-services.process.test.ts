import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { ServiceNumbers, type Windows } from '../src/control/numbers/service-numbers.ts';
import { metricsText } from '../src/control/serving/metrics-text.ts';
import type { Server } from '../src/control/serving/server.ts';
import { type ProxyUnderTest, startProxyUnderTest } from './running-proxy.ts';
import { until } from './until.ts';
import { startWorkerRig, type WorkerRig } from './worker-rig.ts';

/** A clock that stands still between `advance`. */
class TestClock {
  #nowMs = 0;
  #waiting: { readonly atMs: number; readonly over: (elapsed: boolean) => void }[] = [];

  readonly now = (): number => this.#nowMs;

  readonly pause = (ms: number, signal?: AbortSignal): Promise<boolean> => {
    if (signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push({ atMs: this.#nowMs + ms, over: resolve });
      signal?.addEventListener('abort', () => resolve(false), { once: true });
    });
  };

  /** Every pause ends at its time, and what follows it has run when the next one ends. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#waiting.toSorted((one, other) => one.atMs - other.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#waiting = this.#waiting.filter((each) => each !== next);
      this.#nowMs = next.atMs;
      next.over(true);
      await turn();
    }
    this.#nowMs = untilMs;
  }
}

const quarterMs = 15 * 60_000;

interface Rig {
  get(path: string): Promise<number | string>;
  /** `undefined`: the service is removed. */
  serve(name: string, host: string | undefined): Promise<void>;
  numbers(): Promise<ServiceNumbers>;
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

async function oneProcess(numbers: ServiceNumbers, backend: WorkerRig): Promise<Rig> {
  let server: Server | undefined;
  const under: ProxyUnderTest = await startProxyUnderTest({
    numbers,
    onServer: (its) => {
      server = its;
    },
  });
  await until(() => under.proxy.ready(), 'the proxy is ready');
  return {
    get: async (path) => (await fetch(`http://127.0.0.1:${under.proxy.entrypoints()[0]?.port}${path}`)).status,
    async serve(name, host) {
      const where = `servicePath=/${name}&port=${backend.backendPort}&outboundHostname=${host}`;
      const call = host === undefined ? 'remove' : 'reconfigure';
      const reply = await under.call('GET', `/v1/docker-flow-proxy/${call}?serviceName=${name}&${where}`);
      expect(reply.status, reply.text).to.equal(200);
    },
    numbers: async () => (await server?.numbers?.()) as ServiceNumbers,
    metrics: async () => (await under.call('GET', '/metrics')).text,
    stop: () => under.stop(),
  };
}

function twoWorkers(rig: WorkerRig): Rig {
  return {
    get: async (path) => (await rig.get(path)).status,
    serve: (name, host) =>
      rig.put(`manual/${name}`, host === undefined ? undefined : { servicePath: [`/${name}`], outboundHostname: host }),
    numbers: async () => (await rig.server.numbers?.()) as ServiceNumbers,
    metrics: async () =>
      metricsText([...(await rig.metrics.getMetricsAsJSON()), ...((await rig.server.workerMetrics?.()) ?? [])], 'text'),
    stop: async () => {},
  };
}

for (const processes of ['one process', 'two workers'] as const)
  describe(`the numbers of a service that is gone, in a proxy of ${processes}`, function () {
    this.timeout(120_000);
    const clock = new TestClock();
    let workers: WorkerRig;
    let rig: Rig;

    before(async () => {
      const numbers = new ServiceNumbers(clock.now, clock.pause);
      workers = await startWorkerRig(processes === 'two workers' ? { numbers } : { env: { WORKERS: '1' } });
      rig = processes === 'two workers' ? twoWorkers(workers) : await oneProcess(numbers, workers);
    });
    after(async () => {
      await rig.stop();
      await workers.stop();
    });

    const requestsOf = async (windows: Promise<Windows>, of: 'last15Minutes' | 'sinceStart') =>
      Object.fromEntries([...(await windows)[of].counts].map(([name, counts]) => [name, counts.requests]));
    const byService = async (of: 'last15Minutes' | 'sinceStart' = 'sinceStart') =>
      requestsOf((await rig.numbers()).byService(), of);
    const byEndpoint = async (service: string) =>
      Object.values(await requestsOf((await rig.numbers()).byEndpoint(service), 'sinceStart')).toSorted();

    it('end after its last 15 minutes with requests, with its series in /metrics; those of others stay', async () => {
      await rig.serve('gone', '127.0.0.1');
      await rig.serve('kept', '127.0.0.1');
      for (const path of ['/gone', '/gone', '/kept', '/kept', '/kept']) expect(await rig.get(path)).to.equal(200);
      expect(await byService()).to.deep.equal({ 'manual/gone': 2, 'manual/kept': 3 });
      expect(await byEndpoint('manual/kept')).to.deep.equal([3]);

      await rig.serve('gone', undefined);
      await rig.serve('kept', 'localhost');
      expect(await rig.get('/kept')).to.equal(200);
      expect(await byService()).to.deep.equal({ 'manual/gone': 2, 'manual/kept': 4 });
      expect(await byEndpoint('manual/kept')).to.deep.equal([1, 3]);

      // The first look finds requests of the last 15 minutes.
      await clock.advance(quarterMs);
      expect(await byService()).to.deep.equal({ 'manual/gone': 2, 'manual/kept': 4 });
      await clock.advance(quarterMs);
      expect(await byService()).to.deep.equal({ 'manual/kept': 4 });
      expect(await byService('last15Minutes')).to.deep.equal({});
      // The endpoint that is gone is the rest of its service.
      expect(await byEndpoint('manual/kept')).to.deep.equal([1, 3]);
      expect([...(await (await rig.numbers()).byEndpoint('manual/kept')).sinceStart.counts.keys()]).to.include('');

      await until(async () => !(await rig.metrics()).includes('service="manual/gone"'), 'its series are gone');
      const text = await rig.metrics();
      expect(text).to.include('swarmgate_requests_total{service="manual/kept",status="2xx"} 4');
      // A worker’s first requests of a service are among the others, until its control process has decided.
      if (processes === 'one process')
        expect(text).to.match(/swarmgate_request_duration_seconds_count\{service="manual\/kept"[^}]*\} 4/);
    });

    it('begin at 0 where it comes back', async () => {
      await rig.serve('gone', '127.0.0.1');
      expect(await rig.get('/gone')).to.equal(200);
      expect(await byService()).to.deep.equal({ 'manual/gone': 1, 'manual/kept': 4 });
      const counted = await rig.metrics();
      expect(counted).to.include('swarmgate_requests_total{service="manual/gone",status="2xx"} 1\n');
    });
  });
