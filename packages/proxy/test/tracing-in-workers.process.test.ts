import { expect } from 'chai';
import { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';
import { until } from './until.ts';
import { startWorkerRig, type WorkerRig } from './worker-rig.ts';

describe('traces of a proxy with two workers', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;
  let rig: WorkerRig | undefined;

  beforeEach(async () => {
    receiver = await startOtlpReceiver();
  });
  afterEach(async () => {
    // First: a call that hangs would keep the stop waiting for its timeout.
    await receiver.stop();
    await rig?.stop();
    rig = undefined;
  });

  async function start(env: Readonly<Record<string, string>>): Promise<WorkerRig> {
    rig = await startWorkerRig({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env } });
    await rig.put('manual/sampled', { servicePath: ['/sampled'], traceSample: 1 });
    await rig.put('manual/plain', {});
    return rig;
  }

  /** The same requests to each worker. */
  async function ofEach({ serving, only, get }: WorkerRig, paths: readonly string[]): Promise<void> {
    expect(serving()).to.have.length(2);
    for (const { pid } of serving())
      await only(pid, async () => {
        for (const path of paths) expect((await get(path)).status).to.equal(200);
      });
  }
  const counted = (of: WorkerRig, outcome: string) => of.metric(`swarmgate_spans_total{outcome="${outcome}"}`);

  it('arrive from both, sampled as the setting and the label of the service say, and are counted together', async () => {
    const of = await start({ OTEL_TRACES_SAMPLER: 'always_off', OTEL_BSP_SCHEDULE_DELAY: '1' });
    await ofEach(of, ['/sampled', '/plain', '/sampled']);
    await until(() => receiver.spans.length >= 8, 'the spans');
    await until(async () => (await counted(of, 'exported')) >= 8, 'their count');
    expect(receiver.refused).to.deep.equal([]);
    const servers = receiver.spans.filter(({ kind }) => kind === 'server');
    expect(servers.map(({ attributes }) => attributes['swarmgate.service'])).to.deep.equal(
      Array.from({ length: 4 }, () => 'manual/sampled'),
    );
    expect(new Set(receiver.spans.map(({ spanId }) => spanId))).to.have.property('size', 8);
    expect(new Set(servers.map((server) => server.traceId))).to.have.property('size', 4);
    const instances = receiver.resources.map((resource) => String(resource['service.instance.id']));
    expect(new Set(instances.map((id) => id.slice(id.lastIndexOf('-') + 1)))).to.deep.equal(
      new Set(of.serving().map(({ pid }) => String(pid))),
    );
  });

  it('are dropped beyond the queue of each, and counted together, while the collector hangs', async () => {
    const of = await start({
      OTEL_TRACES_SAMPLER: 'always_off',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
      OTEL_BSP_MAX_QUEUE_SIZE: '2',
      OTEL_BSP_SCHEDULE_DELAY: '600000',
      OTEL_EXPORTER_OTLP_TIMEOUT: '600000',
    });
    receiver.respondNext('hang', 'hang');
    // Two spans each: the first are under way, the second wait, three times two find no room.
    await ofEach(
      of,
      Array.from({ length: 5 }, () => '/sampled'),
    );
    await until(async () => (await counted(of, 'dropped')) >= 12, 'the drops');
    expect(await counted(of, 'dropped')).to.equal(12);
    expect(await counted(of, 'exported')).to.equal(0);
  });
});
