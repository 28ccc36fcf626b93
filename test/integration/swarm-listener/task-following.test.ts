import type { TaskEndpoint } from '@swarmgate/registry';
import { expect } from 'chai';
import {
  createOverlayNetwork,
  createService,
  type DockerEngine,
  ensureDocker,
  importNodeImage,
  tasksOf,
  uniqueName,
  updateService,
  waitForTasks,
} from '../../harness/docker.ts';
import { until } from '../../harness/until.ts';
import { removeDeployed } from './deployed.ts';
import { type Listening, startListening } from './listening.ts';

describe('the listener following tasks', () => {
  let engine: DockerEngine;
  let network: string;
  let listening: Listening;
  const services: string[] = [];
  const notifyLabel = `com.df.${uniqueName('notify')}`;

  before(async function () {
    this.timeout(60_000);
    engine = await ensureDocker();
    network = await createOverlayNetwork(engine.docker, uniqueName('tasks'));
    // No full listing within these tests: it would hide that the tasks are not followed.
    listening = await startListening({ DF_NOTIFY_LABEL: notifyLabel, RESYNC_INTERVAL_MS: '600000' });
  });

  after(async () => {
    await listening.stop();
    await removeDeployed(engine, network, services);
  });

  const deploy = async (name: string, more: Partial<Parameters<typeof createService>[1]> = {}) => {
    const id = await createService(engine.docker, {
      name,
      image: await importNodeImage(engine.docker),
      networks: [network],
      replicas: 2,
      labels: { [notifyLabel]: 'true', 'com.df.servicePath': '/', 'com.df.port': '8080' },
      ...more,
    });
    services.push(id);
    return id;
  };

  /** Everything the registry says about the tasks until `isDone`, by task; resolves once it has begun to listen. */
  const record = async (name: string, isDone: (tasks: readonly TaskEndpoint[]) => boolean) => {
    const begun = Promise.withResolvers<void>();
    const done = listen(name, isDone, () => begun.resolve());
    await Promise.race([begun.promise, done]);
    return { done };
  };

  const listen = async (name: string, isDone: (tasks: readonly TaskEndpoint[]) => boolean, onBegin: () => void) => {
    const history = new Map<string, string[]>();
    const stopping = new AbortController();
    const fold = (tasks: readonly TaskEndpoint[]) => {
      for (const { taskId, state } of tasks) {
        const states = history.get(taskId) ?? [];
        if (states.at(-1) !== state) history.set(taskId, [...states, state]);
      }
      return isDone(tasks);
    };
    const timer = setTimeout(() => stopping.abort(), 50_000);
    try {
      for await (const change of listening.registry.follow({ signal: stopping.signal })) {
        const stored =
          change.kind === 'snapshot'
            ? change.snapshot.endpoints.get(`swarm/${name}`)
            : change.kind === 'delta'
              ? change.endpoints.get(`swarm/${name}`)
              : undefined;
        if (stored?.ok && fold(stored.document.tasks)) return history;
        onBegin();
      }
    } finally {
      clearTimeout(timer);
      stopping.abort();
    }
    throw new Error(`not done within 50 s: ${JSON.stringify([...history])}`);
  };

  for (const updateOrder of ['stop-first', 'start-first'] as const) {
    it(`shows each task active, draining, gone in a ${updateOrder} update`, async function () {
      this.timeout(120_000);
      const name = uniqueName('rolling');
      // A task that is gone at once may go between two looks; one that takes its time must be seen draining meanwhile.
      const id = await deploy(name, { updateOrder, env: { STOP_DELAY_MS: '2000' } });
      const before = (await waitForTasks(engine.docker, id, 2)).map((task) => task.ID);
      await until('both active', async () => {
        const { endpoints } = await listening.read('swarm', name);
        return endpoints?.tasks.filter(({ state }) => state === 'active').length === 2;
      });
      const isRolled = (tasks: readonly TaskEndpoint[]) =>
        tasks.length === 2 && tasks.every(({ taskId, state }) => !before.includes(taskId) && state === 'active');
      const recording = await record(name, isRolled);
      await updateService(engine.docker, id, (spec) => ({
        ...spec,
        TaskTemplate: { ...spec.TaskTemplate, ForceUpdate: 1 },
      }));
      const history = await recording.done;
      for (const taskId of before) expect(history.get(taskId), taskId).to.deep.equal(['active', 'draining']);
      expect(history.size).to.equal(4);
    });
  }

  it('drains the tasks that a scale-down takes', async () => {
    const name = uniqueName('scaled');
    const id = await deploy(name, { env: { STOP_DELAY_MS: '2000' } });
    await waitForTasks(engine.docker, id, 2);
    await until('both active', async () => {
      const { endpoints } = await listening.read('swarm', name);
      return endpoints?.tasks.filter(({ state }) => state === 'active').length === 2;
    });
    // Not before: one active task is also what a service on its way up shows.
    const recording = await record(name, (tasks) => tasks.length === 1 && tasks[0]?.state === 'active');
    await updateService(engine.docker, id, (spec) => ({ ...spec, Mode: { Replicated: { Replicas: 1 } } }));
    const history = await recording.done;
    expect([...history.values()].filter((states) => states.includes('draining'))).to.have.length(1);
  });

  it('stops using a task whose container dies, and uses the one that replaces it', async () => {
    const name = uniqueName('dying');
    const id = await deploy(name, { replicas: 1 });
    const [task] = await waitForTasks(engine.docker, id, 1);
    await until('it is active', async () => {
      const { endpoints } = await listening.read('swarm', name);
      return endpoints?.tasks[0]?.state === 'active';
    });
    const container = task?.Status.ContainerStatus?.ContainerID ?? '';
    await engine.docker.getContainer(container).kill({ signal: 'SIGKILL' });
    const replacement = await until('another active task', async () => {
      const { endpoints } = await listening.read('swarm', name);
      return endpoints?.tasks.find(({ taskId, state }) => taskId !== task?.ID && state === 'active');
    });
    expect((await tasksOf(engine.docker, id)).map((each) => each.ID)).to.include(replacement.taskId);
  });

  it('publishes endpoints alone while only tasks move', async () => {
    const name = uniqueName('steady');
    const id = await deploy(name, { replicas: 1 });
    const [task] = await waitForTasks(engine.docker, id, 1);
    await until('it is active', async () => {
      const { endpoints } = await listening.read('swarm', name);
      return endpoints?.tasks[0]?.state === 'active';
    });
    const { definition } = await listening.read('swarm', name);
    await engine.docker.getContainer(task?.Status.ContainerStatus?.ContainerID ?? '').kill({ signal: 'SIGKILL' });
    await until('another task', async () => {
      const { endpoints } = await listening.read('swarm', name);
      return endpoints?.tasks.some(({ taskId, state }) => taskId !== task?.ID && state === 'active');
    });
    expect((await listening.read('swarm', name)).definition).to.deep.equal(definition);
    const history = await listening.registry.history(`swarm/${name}`, AbortSignal.timeout(5_000));
    expect(history).to.have.length(0);
  });
});
