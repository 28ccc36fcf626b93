import { expect } from 'chai';
import { tasksOf, updateService, waitForTasks } from '../harness/docker.ts';
import { constantLoad, type Load, untilReplicasRespond, untilResponds } from '../harness/http.ts';
import type { SwarmNode } from '../harness/nodes.ts';
import { type RunningListener, type RunningProxy, type SwarmLab, startSwarmLab } from '../harness/swarm-lab.ts';
import { until } from '../harness/until.ts';

/** Three managers, each with a listener, and two workers; the proxy and one task of the service are on the first worker, which stays. */
describe('a Swarm of three managers that fail', function () {
  this.timeout(300_000);
  let lab: SwarmLab;
  let managers: readonly SwarmNode[];
  let proxy: RunningProxy;
  let listeners: readonly (RunningListener & { readonly node: SwarmNode })[];
  let id: string;
  let load: Load;
  let changes = 0;

  before(async () => {
    lab = await startSwarmLab({ managers: 3, workers: 2 });
    managers = lab.nodes.slice(0, 3);
    listeners = await Promise.all(managers.map(async (node) => Object.assign(await lab.startListener(node), { node })));
    id = await lab.deploy('shop', { replicas: 2, constraints: ['node.role == worker'] });
    proxy = await lab.startProxy(lab.nodes[3] ?? lab.nodes[0]);
    await untilReplicasRespond(`${proxy.httpUrl}/shop`, 2);
    await waitForTasks(lab.nodes[0].docker, id, 2);
  });

  after(() => lab.remove());

  beforeEach(() => {
    load = constantLoad({ url: `${proxy.httpUrl}/shop`, ratePerSecond: 100 });
  });

  afterEach(async () => {
    const { sent, failed, failures } = await load.stop();
    console.log(`      ${sent} requests meanwhile, ${failed} failed ${failures.join('; ')}`);
    // Nor do those that a lost worker held: they may be sent twice, and go to the other one.
    expect(failed, failures.join('; ')).to.equal(0);
    expect(await removals(), 'services that were removed meanwhile').to.deep.equal([]);
  });

  /** By the journal. */
  const removals = async () => {
    const head = JSON.parse((await lab.kv.get('head')) ?? '') as { readonly changes: { readonly remove: string[] }[] };
    return head.changes.flatMap(({ remove }) => remove).filter((key) => key.startsWith('services/'));
  };

  /** Whether the manager responds within 2 s: a call to one that lost its quorum can stay open for good, also when it is back. */
  const takesOrders = (node: SwarmNode): Promise<boolean> =>
    Promise.race([
      node.docker.listServices().then(
        () => true,
        () => false,
      ),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 2_000)),
    ]);

  const isManagerAgain = (node: SwarmNode) =>
    until('it is a manager again', () => takesOrders(node), { withinMs: 120_000 });

  /** A manager that takes orders, other than `not`. */
  const orderly = (not?: SwarmNode) =>
    until(
      'another manager takes orders',
      async () => {
        for (const node of managers) {
          if (node !== not && (await takesOrders(node))) return node;
        }
        return undefined;
      },
      { withinMs: 60_000 },
    );
  const leadingManager = async () => {
    const nodes = (await lab.nodes[0].docker.listNodes()) as readonly {
      readonly ManagerStatus?: { readonly Leader?: boolean; readonly Addr: string };
    }[];
    const address = nodes.find((node) => node.ManagerStatus?.Leader)?.ManagerStatus?.Addr.split(':')[0];
    return managers.find((node) => node.address === address) ?? lab.nodes[0];
  };
  const change = async (what: string, not?: SwarmNode) => {
    changes += 1;
    const path = `/change-${changes}`;
    const began = performance.now();
    const by = await orderly(not);
    await until(
      'the Swarm takes the change',
      () =>
        updateService(by.docker, id, (spec) => ({
          ...spec,
          Labels: { ...spec.Labels, 'com.df.servicePath': `/shop,${path}` },
        })).then(() => true),
      { withinMs: 60_000 },
    );
    await untilResponds({ url: `${proxy.httpUrl}${path}` }, 200, { withinMs: 60_000 });
    console.log(`      ${what}: a change was served after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  };
  const leadingListener = () =>
    until('a listener leads', async () => {
      const leading = await Promise.all(listeners.map((each) => each.isLeading()));
      return listeners.find((_, index) => leading[index]);
    });

  /** Lets the listener lead that follows the leading manager: cut off, that one responses old lists for a while. */
  const leadingListenerOfTheLeader = () =>
    until(
      'the listener of the leading manager leads',
      async () => {
        const [leading, manager] = await Promise.all([leadingListener(), leadingManager()]);
        if (leading.node === manager) return leading;
        await leading.stop();
        leading.start();
        return undefined;
      },
      { withinMs: 60_000 },
    );

  it('keeps the route when the leading manager is killed', async () => {
    const leader = await leadingManager();
    await leader.kill();
    await change('leading manager killed', leader);
    await leader.start();
    await isManagerAgain(leader);
  });

  it('keeps the route when the leading manager is cut off, with the listener that leads, and when it is back', async () => {
    const { node } = await leadingListenerOfTheLeader();
    await node.cut();
    const began = performance.now();
    try {
      const now = await until(
        'another listener leads',
        async () => {
          const leading = await leadingListener();
          return leading.node === node ? undefined : leading;
        },
        { withinMs: 60_000 },
      );
      const tookMs = performance.now() - began;
      console.log(`      ${now.node.name}'s listener led ${(tookMs / 1_000).toFixed(1)} s after the cut`);
      expect(tookMs).to.be.below(40_000);
      await change('manager cut off', node);
    } finally {
      await node.heal();
    }
    await isManagerAgain(node);
    await change('healed');
  });

  it('keeps the route when the other worker is lost, and follows its tasks to where they go', async () => {
    const lost = lab.nodes[4] ?? lab.nodes[0];
    const manager = await orderly();
    const before = new Set((await waitForTasks(manager.docker, id, 2)).map((task) => task.ID));
    const began = performance.now();
    await lost.cut();
    try {
      await until(
        'its task runs elsewhere and is served',
        async () => {
          const running = (await tasksOf(manager.docker, id)).filter(
            (task) => task.Status.State === 'running' && task.DesiredState === 'running',
          );
          const replacement = running.find((task) => !before.has(task.ID));
          if (replacement === undefined) return false;
          const document = JSON.parse((await lab.kv.get('endpoints/swarm/shop')) ?? '{}') as {
            readonly tasks?: readonly { readonly taskId: string; readonly state: string }[];
          };
          return document.tasks?.some(({ taskId, state }) => taskId === replacement.ID && state === 'active');
        },
        { withinMs: 60_000, everyMs: 200 },
      );
      console.log(`      its task was replaced ${((performance.now() - began) / 1_000).toFixed(1)} s after the loss`);
    } finally {
      await lost.heal();
    }
  });
});
