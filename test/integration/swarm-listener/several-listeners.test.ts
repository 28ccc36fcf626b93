import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createConsulStore, createRegistry, type KeyValueStore, type Registry } from '@swarmgate/registry';
import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import {
  createOverlayNetwork,
  type DockerEngine,
  ensureDocker,
  removeService,
  uniqueName,
} from '../../harness/docker.ts';
import { until } from '../../harness/until.ts';
import { deployOne, removeDeployed, setPath } from './deployed.ts';
import { type DockerRelay, relayDocker } from './docker-relay.ts';

/** Listeners in processes of their own, over one Consul: they are killed, paused and cut off. */
describe('several listeners', () => {
  let engine: DockerEngine;
  let network: string;
  let consul: RunningConsul;
  let store: KeyValueStore;
  let registry: Registry;
  let relay: DockerRelay;
  let processes: ListenerProcess[] = [];
  const services: string[] = [];
  const notifyLabel = `com.df.${uniqueName('notify')}`;

  before(async function () {
    this.timeout(120_000);
    engine = await ensureDocker();
    network = await createOverlayNetwork(engine.docker, uniqueName('several'));
    relay = await relayDocker();
    consul = await startConsul();
    store = createConsulStore({ address: consul.address });
    registry = createRegistry({ store, instance: 'swarmgate' });
  });

  afterEach(async () => {
    await Promise.all(processes.map((each) => each.end()));
    processes = [];
    for (const id of services.splice(0)) await removeService(engine.docker, id);
  });

  after(async () => {
    await relay.stop();
    await store.close();
    await consul.remove();
    await removeDeployed(engine, network, []);
  });

  const start = async (env: Record<string, string> = {}) => {
    const started = await startProcess({ CONSUL_HTTP_ADDR: consul.address, DF_NOTIFY_LABEL: notifyLabel, ...env });
    processes.push(started);
    return started;
  };
  const deploy = async (name: string) => {
    const id = await deployOne({ engine, network, notifyLabel }, name);
    services.push(id);
    return id;
  };
  const snapshot = async () => {
    const read = await registry.read(AbortSignal.timeout(10_000));
    return read.kind === 'snapshot' ? read.snapshot : undefined;
  };
  const pathOf = async (name: string) => {
    const stored = (await snapshot())?.services.get(`swarm/${name}`);
    return stored?.ok ? stored.document.destinations[0]?.servicePath?.[0] : undefined;
  };
  const leadingOf = async (those: readonly ListenerProcess[]) => {
    const states = await Promise.all(those.map(async (each) => ((await each.isLeading()) ? [each] : [])));
    return states.flat();
  };

  for (const [what, end] of [
    ['stops', (leader: ListenerProcess) => leader.end()],
    ['is killed', (leader: ListenerProcess) => leader.signal('SIGKILL')],
    ['is paused', (leader: ListenerProcess) => leader.signal('SIGSTOP')],
  ] as const) {
    it(`are led by one, and by the other when that one ${what}`, async function () {
      this.timeout(120_000);
      const first = await start();
      await until('the first leads', () => first.isLeading());
      const second = await start();
      const name = uniqueName('led');
      const id = await deploy(name);
      await until('published', async () => (await pathOf(name)) === '/one');
      expect(await leadingOf([first, second])).to.deep.equal([first]);

      const endedAt = performance.now();
      await end(first);
      await setPath(engine, id, '/two');
      await until('published by the other', async () => (await pathOf(name)) === '/two', { withinMs: 40_000 });
      const tookMs = performance.now() - endedAt;
      console.log(`      the other published ${(tookMs / 1_000).toFixed(1)} s after the leader ${what}`);
      expect(tookMs).to.be.below(15_000);

      if (what === 'is paused') {
        // Continued, it acts as the leader until it reads the lock: what it writes then is refused.
        await setPath(engine, id, '/three');
        await until('the change', async () => (await pathOf(name)) === '/three');
        await first.signal('SIGCONT');
        await until('it stands by', async () => !(await first.isLeading()), { withinMs: 20_000 });
        expect(await pathOf(name)).to.equal('/three');
      }
    });
  }

  it('lets one that is cut off from the Swarm step down, and removes nothing', async function () {
    this.timeout(120_000);
    const blind = await start({ DOCKER_HOST: relay.dockerHost });
    await until('it leads', () => blind.isLeading());
    const seeing = await start();
    const name = uniqueName('kept');
    const id = await deploy(name);
    await until('its task is active', async () => {
      const stored = (await snapshot())?.endpoints.get(`swarm/${name}`);
      return stored?.ok && stored.document.tasks[0]?.state === 'active';
    });
    const { sequence } = (await snapshot()) ?? {};
    relay.freeze();
    const cutAt = performance.now();
    await until('the other leads', () => seeing.isLeading(), { withinMs: 40_000 });
    console.log(`      the other led ${((performance.now() - cutAt) / 1_000).toFixed(1)} s after the cut`);
    expect(await pathOf(name)).to.equal('/one');
    expect((await snapshot())?.sequence).to.equal(sequence);
    await setPath(engine, id, '/two');
    await until('the next change', async () => (await pathOf(name)) === '/two');
    await relay.heal();
    expect(await leadingOf([blind, seeing])).to.deep.equal([seeing]);
  });

  it('fill a registry that was wiped', async function () {
    this.timeout(120_000);
    const listener = await start();
    const name = uniqueName('refilled');
    await deploy(name);
    // A task that begins later would be published then, and its service with it.
    await until('its task is active', async () => {
      const stored = (await snapshot())?.endpoints.get(`swarm/${name}`);
      return stored?.ok && stored.document.tasks[0]?.state === 'active';
    });
    await consul.kill();
    await consul.wipe();
    await consul.start();
    await until('published again', async () => (await pathOf(name).catch(() => undefined)) === '/one', {
      withinMs: 60_000,
    });
    expect(await listener.isLeading()).to.equal(true);
  });
});

interface ListenerProcess {
  isLeading(): Promise<boolean>;
  signal(name: NodeJS.Signals): Promise<void>;
  /** SIGTERM, or SIGKILL where it does not end by that. */
  end(): Promise<void>;
}

async function startProcess(env: Readonly<Record<string, string>>): Promise<ListenerProcess> {
  const child: ChildProcess = fork(fileURLToPath(new URL('./listener-process.ts', import.meta.url)), [], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [port] = (await once(child, 'message')) as [number];
  const exited = once(child, 'exit');
  return {
    async isLeading() {
      try {
        const response = await fetch(`http://127.0.0.1:${port}/v1/status`, { signal: AbortSignal.timeout(2_000) });
        const status = (await response.json()) as { readonly publishing: { readonly leading: boolean } };
        return status.publishing.leading;
      } catch {
        return false;
      }
    },
    async signal(name) {
      child.kill(name);
      if (name === 'SIGKILL') await exited;
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(timer);
    },
  };
}
