import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { tasksOf, updateService } from '../harness/docker.ts';
import { untilReplicasRespond } from '../harness/http.ts';
import { type RunningListener, type RunningProxy, type SwarmLab, startSwarmLab } from '../harness/swarm-lab.ts';
import { until } from '../harness/until.ts';
import { connectionsEach, retryingLoad } from './retrying-load.ts';

const lastsMs = 120_000;
const ratePerSecond = 300;
const services = ['alpha', 'beta', 'gamma'];

interface ServedService {
  readonly definition: {
    readonly service: string;
    readonly destinations: readonly { servicePath: readonly string[] }[];
  };
  readonly endpoints: { readonly tasks: readonly { readonly taskId: string; readonly state: string }[] } | null;
}

/** Deterministic, so that a failing run can be repeated: `CHAOS_SEED`, else a new one, which is printed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('proxies and listeners killed at random', function () {
  this.timeout(lastsMs + 120_000);
  let lab: SwarmLab;
  let proxies: [RunningProxy, RunningProxy];
  let listeners: [RunningListener, RunningListener];
  const ids = new Map<string, string>();

  before(async () => {
    lab = await startSwarmLab({ managers: 1 });
    const [node] = lab.nodes;
    listeners = [await lab.startListener(node), await lab.startListener(node)];
    proxies = [await lab.startProxy(node), await lab.startProxy(node)];
    for (const name of services) ids.set(name, await lab.deploy(name, { replicas: 2, env: { STOP: 'drain' } }));
    for (const { httpUrl } of proxies) for (const name of services) await untilReplicasRespond(`${httpUrl}/${name}`, 2);
  });

  after(() => lab.remove());

  /** What a proxy says that it serves: per service its paths and its active tasks. */
  const servedBy = async (proxy: RunningProxy) => {
    const { body } = await proxy.admin('/v1/services');
    const { services: served } = JSON.parse(body) as { readonly services: readonly ServedService[] };
    return Object.fromEntries(
      served
        .map(({ definition, endpoints }): [string, object] => [
          definition.service,
          {
            paths: definition.destinations.flatMap(({ servicePath }) => servicePath).toSorted(),
            tasks: (endpoints?.tasks ?? [])
              .filter(({ state }) => state === 'active')
              .map(({ taskId }) => taskId)
              .toSorted(),
          },
        ])
        .toSorted(([a], [b]) => a.localeCompare(b)),
    );
  };
  const inTheSwarm = async () => {
    const { docker } = lab.nodes[0];
    const found: Record<string, object> = {};
    for (const name of [...ids.keys()].toSorted()) {
      const id = ids.get(name) ?? '';
      const inspected = (await docker.getService(id).inspect()) as {
        readonly Spec: { Labels: Record<string, string> };
      };
      const tasks = await tasksOf(docker, id);
      found[name] = {
        paths: (inspected.Spec.Labels['com.df.servicePath'] ?? '').split(',').toSorted(),
        tasks: tasks
          .filter((task) => task.Status.State === 'running' && task.DesiredState === 'running')
          .map((task) => task.ID)
          .toSorted(),
      };
    }
    return found;
  };

  it(`fails no GET that is retried once, in ${lastsMs / 1_000} s, and every replica ends equal to the Swarm`, async () => {
    const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
    const random = randomOf(seed);
    const load = retryingLoad({
      paths: services.map((name) => `/${name}`),
      proxies: [proxies[0].httpUrl, proxies[1].httpUrl],
      ratePerSecond,
    });
    const killed = { proxies: 0, listeners: 0 };
    let changes = 0;
    const endsAt = performance.now() + lastsMs;
    const killProxies = async () => {
      while (performance.now() < endsAt) {
        await pause(2_000 + random() * 3_000);
        const victim = proxies[random() < 0.5 ? 0 : 1];
        // What was refused by one and waits here for a connection to the other would be counted as failed by both.
        await until('the load keeps up', () => load.waiting() < connectionsEach, { withinMs: 60_000 });
        await victim.kill();
        killed.proxies += 1;
        await pause(random() * 1_000);
        victim.start();
        await victim.untilReady();
      }
    };
    const killListeners = async () => {
      while (performance.now() < endsAt) {
        await pause(2_000 + random() * 4_000);
        const victim = listeners[random() < 0.5 ? 0 : 1];
        await victim.kill();
        killed.listeners += 1;
        await pause(random() * 2_000);
        victim.start();
      }
    };
    const change = async (name: string, replicasOf: (present: number) => number) => {
      changes += 1;
      await updateService(lab.nodes[0].docker, ids.get(name) ?? '', (spec) => ({
        ...spec,
        Labels: { ...spec.Labels, 'com.df.servicePath': `/${name},/change-${changes}` },
        Mode: { Replicated: { Replicas: replicasOf(spec.Mode?.Replicated?.Replicas ?? 2) } },
      }));
    };
    const changeTheSwarm = async () => {
      while (performance.now() < endsAt) {
        await pause(500 + random() * 2_000);
        const name = services[Math.floor(random() * services.length)] ?? 'alpha';
        const replicas = random() < 0.3 ? 2 + Math.floor(random() * 2) : undefined;
        await change(name, (present) => replicas ?? present);
      }
    };
    await Promise.all([killProxies(), killListeners(), changeTheSwarm()]);
    const report = await load.stop();
    console.log(
      `      seed ${seed}: ${killed.proxies} proxies and ${killed.listeners} listeners killed, ${changes} changes of the Swarm; ` +
        `${report.sent} GETs, ${report.retried} retried (${report.reset} were reset), ${report.failed} failed ${report.failures.join('; ')}`,
    );
    expect(report.failed, report.failures.join('; ')).to.equal(0);
    // Otherwise nothing was shown, however well it went.
    expect(report.sent).to.be.above((0.9 * ratePerSecond * lastsMs) / 1_000);
    for (const kills of Object.values(killed)) expect(kills).to.be.above(lastsMs / 30_000);
    expect(changes).to.be.above(lastsMs / 5_000);

    // A proxy that has just started reads everything, whatever it would miss: the last changes come after that.
    for (const proxy of proxies)
      await until('it follows the registry', async () => {
        const { body } = await proxy.admin('/v1/status');
        const { registry } = JSON.parse(body) as { readonly registry: { readonly state: { readonly kind: string } } };
        return registry.state.kind === 'following';
      });
    for (const name of services) await change(name, (present) => 5 - present);
    const began = performance.now();
    for (const proxy of proxies)
      await until(
        'the replica equals the Swarm',
        async () => JSON.stringify(await servedBy(proxy)) === JSON.stringify(await inTheSwarm()),
        { withinMs: 45_000, everyMs: 250 },
      );
    console.log(`      every replica equalled the Swarm ${Math.round(performance.now() - began)} ms after the end`);
    expect(await servedBy(proxies[0])).to.deep.equal(await inTheSwarm());
    expect(await servedBy(proxies[1])).to.deep.equal(await inTheSwarm());
  });
});
