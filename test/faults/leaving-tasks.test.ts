import { expect } from 'chai';
import { tasksOf, updateService, waitForTasks } from '../harness/docker.ts';
import { constantLoad, type Load, send, untilReplicasRespond } from '../harness/http.ts';
import type { SwarmNode } from '../harness/nodes.ts';
import { type SwarmLab, startSwarmLab } from '../harness/swarm-lab.ts';
import { until } from '../harness/until.ts';

const ratePerSecond = 300;
const leastGets = 1_500;

/** Services that close at SIGTERM without draining, on two workers; what makes their tasks go is no update. */
describe('tasks that leave under load', function () {
  this.timeout(180_000);
  let lab: SwarmLab;
  let proxyUrl: string;
  let scaled: string;
  let checked: string;
  let load: Load;

  before(async () => {
    lab = await startSwarmLab({ managers: 1, workers: 2 });
    const [manager] = lab.nodes;
    await lab.startListener(manager);
    proxyUrl = (await lab.startProxy(manager)).httpUrl;
    const constraints = ['node.role == worker'];
    scaled = await lab.deploy('scaled', { replicas: 4, constraints });
    checked = await lab.deploy('checked', { replicas: 2, constraints, healthCheck: true });
    await untilReplicasRespond(`${proxyUrl}/scaled`, 4);
    await untilReplicasRespond(`${proxyUrl}/checked`, 2);
    await waitForTasks(manager.docker, scaled, 4);
    await waitForTasks(manager.docker, checked, 2);
  });

  after(() => lab.remove());

  afterEach(() => load.stop());

  const begin = (name: string) => {
    load = constantLoad({ url: `${proxyUrl}/${name}`, ratePerSecond });
  };
  const failsNothing = async () => {
    const responded = load.responded();
    await until(
      'enough requests were sent afterwards',
      () => load.responded() >= Math.max(leastGets, responded + ratePerSecond),
    );
    const { sent, failed, failures } = await load.stop();
    console.log(`      ${sent} GETs, ${failed} failed`);
    expect(failed, failures.join('; ')).to.equal(0);
  };
  const running = async (id: string) =>
    (await tasksOf(lab.nodes[0].docker, id)).filter(
      (task) => task.Status.State === 'running' && task.DesiredState === 'running',
    );
  const setAvailability = async ({ name }: SwarmNode, availability: 'active' | 'drain') => {
    const { docker } = lab.nodes[0];
    const nodes = await docker.listNodes();
    const found = nodes.find((each) => each.Description?.Hostname === name);
    const node = docker.getNode(found?.ID ?? '');
    await node.update({ ...found?.Spec, Availability: availability, version: found?.Version?.Index ?? 0 });
    return found?.ID;
  };

  it('cost nothing when their service is scaled down', async () => {
    begin('scaled');
    await updateService(lab.nodes[0].docker, scaled, (spec) => ({ ...spec, Mode: { Replicated: { Replicas: 2 } } }));
    await until('two are left', async () => (await running(scaled)).length === 2);
    await failsNothing();
  });

  it('cost nothing when their node is drained', async () => {
    begin('scaled');
    const drained = lab.nodes[2] ?? lab.nodes[0];
    const nodeId = await setAvailability(drained, 'drain');
    await until(
      'all run on the other node',
      async () => {
        const tasks = await running(scaled);
        return tasks.length === 2 && tasks.every((task) => task.NodeID !== nodeId);
      },
      { withinMs: 60_000 },
    );
    await failsNothing();
    await setAvailability(drained, 'active');
  });

  it('cost nothing when they fail their health check', async () => {
    const before = new Set((await waitForTasks(lab.nodes[0].docker, checked, 2)).map((task) => task.ID));
    begin('checked');
    // Whichever task gets it: from then on its check fails, and Swarm replaces it.
    expect((await send({ url: `${proxyUrl}/checked/sick`, method: 'POST' })).status).to.equal(200);
    await until(
      'it is replaced',
      async () => {
        const tasks = await running(checked);
        return tasks.length === 2 && tasks.some((task) => !before.has(task.ID));
      },
      { withinMs: 90_000 },
    );
    await failsNothing();
  });
});
