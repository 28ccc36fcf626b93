import { expect } from 'chai';
import { updateService, waitForTasks } from '../harness/docker.ts';
import { constantLoad, type LoadReport, untilReplicasRespond } from '../harness/http.ts';
import { type RunningListener, type RunningProxy, type SwarmLab, startSwarmLab } from '../harness/swarm-lab.ts';
import { until } from '../harness/until.ts';

const getsPerService = 20_000;
const getsPerSecond = 800;
const postsPerSecond = 50;
const replicas = 3;

/** On a worker, whose containers the listener sees only through the manager, or through an agent. */
const onWorkers = ['node.role == worker'];

describe('a rolling update under load', function () {
  this.timeout(180_000);
  let lab: SwarmLab;
  let proxy: RunningProxy;
  let listener: RunningListener;
  let agentRuns = false;
  let drains: string;
  let abrupt: string;

  before(async () => {
    lab = await startSwarmLab({ managers: 1, workers: 1 });
    listener = await lab.startListener(lab.nodes[0]);
    proxy = await lab.startProxy(lab.nodes[0]);
    drains = await lab.deploy('drains', { replicas, constraints: onWorkers, env: { STOP: 'drain' } });
    abrupt = await lab.deploy('abrupt', { replicas, constraints: onWorkers });
    for (const name of ['drains', 'abrupt']) await untilReplicasRespond(`${proxy.httpUrl}/${name}`, replicas);
  });

  after(() => lab.remove());

  const roll = async (id: string, order: 'stop-first' | 'start-first') => {
    const { docker } = lab.nodes[0];
    const old = new Set((await waitForTasks(docker, id, replicas)).map((task) => task.ID));
    await updateService(docker, id, (spec) => {
      const before = (spec.TaskTemplate as { readonly ForceUpdate?: number } | undefined)?.ForceUpdate ?? 0;
      return {
        ...spec,
        TaskTemplate: { ...spec.TaskTemplate, ForceUpdate: before + 1 },
        UpdateConfig: { ...spec.UpdateConfig, Parallelism: 1, Order: order },
      };
    });
    await until(
      'every task is a new one',
      async () => (await waitForTasks(docker, id, replicas)).every((task) => !old.has(task.ID)),
      { withinMs: 90_000, everyMs: 200 },
    );
  };
  const print = (what: string, { sent, failed, failures }: LoadReport) =>
    console.log(`      ${what}: ${sent} sent, ${failed} failed ${failures.join('; ')}`);

  for (const followed of ['listings of the manager alone', 'an agent on the worker too'] as const) {
    for (const order of ['stop-first', 'start-first'] as const) {
      it(`loses nothing, ${order}, by ${followed}`, async () => {
        if (followed === 'an agent on the worker too' && !agentRuns) {
          await lab.startAgent(lab.nodes[1] ?? lab.nodes[0], listener);
          agentRuns = true;
        }
        const gets = ['drains', 'abrupt'].map((name) => ({
          name: `GETs of the service that ${name === 'drains' ? 'drains' : 'closes at SIGTERM'}`,
          load: constantLoad({ url: `${proxy.httpUrl}/${name}`, ratePerSecond: getsPerSecond }),
        }));
        const posts = constantLoad({
          url: `${proxy.httpUrl}/drains/slow?ms=30`,
          method: 'POST',
          body: 'held while the service stops',
          ratePerSecond: postsPerSecond,
        });
        const began = performance.now();
        await Promise.all([roll(drains, order), roll(abrupt, order)]);
        console.log(`      rolled in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
        await until('enough requests were sent', () => gets.every(({ load }) => load.responded() >= getsPerService), {
          withinMs: 120_000,
        });
        const reports = await Promise.all(gets.map(({ load }) => load.stop()));
        const posted = await posts.stop();
        for (const [index, report] of reports.entries()) print(gets[index]?.name ?? '', report);
        print('POSTs of the service that drains', posted);
        for (const report of [...reports, posted]) expect(report.failed, report.failures.join('; ')).to.equal(0);
      });
    }
  }
});
