import { expect } from 'chai';
import {
  createOverlayNetwork,
  createService,
  type DockerEngine,
  ensureDocker,
  importNodeImage,
  removeService,
  tasksOf,
  uniqueName,
  updateService,
  waitForTasks,
} from '../../harness/docker.ts';
import { until } from '../../harness/until.ts';
import { removeDeployed } from './deployed.ts';
import { type Listening, startListening } from './listening.ts';

const owner = 'swarm';

describe('the listener on a real Swarm', () => {
  let engine: DockerEngine;
  let image: string;
  let network: string;
  let listening: Listening;
  const services: string[] = [];
  // Other suites share the engine: this one sees only what carries its own label.
  const notifyLabel = `com.df.${uniqueName('notify')}`;

  const deploy = async (name: string, labels: Record<string, string>, replicas = 1) => {
    const id = await createService(engine.docker, {
      name,
      image,
      networks: [network],
      replicas,
      labels: { [notifyLabel]: 'true', ...labels },
    });
    services.push(id);
    return id;
  };

  /** Whether every published service shows the tasks that are required, and all of them run. */
  async function isAtRest(): Promise<boolean> {
    const read = await listening.registry.read(AbortSignal.timeout(10_000));
    if (read.kind !== 'snapshot') return false;
    for (const [key, stored] of read.snapshot.services) {
      if (!stored.ok || stored.document.source.kind !== 'swarm') continue;
      const tasks = await tasksOf(engine.docker, stored.document.source.serviceId);
      const required = tasks.filter(({ DesiredState }) => DesiredState === 'running' || DesiredState === 'ready');
      const endpoints = read.snapshot.endpoints.get(key);
      const shown = endpoints?.ok ? endpoints.document.tasks : [];
      const rests = tasks.every(
        ({ DesiredState, Status }) => (Status.State === 'running') === (DesiredState === 'running'),
      );
      if (!rests || required.length === 0 || shown.length !== required.length) return false;
      if (!shown.every(({ taskId, state }) => state === 'active' && required.some(({ ID }) => ID === taskId)))
        return false;
    }
    return true;
  }

  before(async function () {
    this.timeout(60_000);
    engine = await ensureDocker();
    image = await importNodeImage(engine.docker);
    network = await createOverlayNetwork(engine.docker, uniqueName('listener'));
    listening = await startListening({ DF_NOTIFY_LABEL: notifyLabel });
    await until('ready', () => listening.listener.ready());
  });

  after(async () => {
    await listening.stop();
    await removeDeployed(engine, network, services);
  });

  it('publishes a service with its definition and the addresses of its tasks', async () => {
    const name = uniqueName('demo');
    const id = await deploy(name, { 'com.df.servicePath': '/demo', 'com.df.port': '8080' }, 2);
    const tasks = await waitForTasks(engine.docker, id, 2);
    const { definition, endpoints, problems } = await until('two active tasks', async () => {
      const read = await listening.read(owner, name);
      return read.endpoints?.tasks.filter(({ state }) => state === 'active').length === 2 && read;
    });
    expect(definition?.destinations[0]).to.include({ port: 8080 });
    expect(definition?.destinations[0]?.servicePath).to.deep.equal(['/demo']);
    expect(definition?.source).to.include({ kind: 'swarm', serviceId: id });
    expect(endpoints?.dnsName).to.equal(name);
    expect(endpoints?.tasks.map(({ taskId }) => taskId)).to.have.members(tasks.map((task) => task.ID));
    expect(endpoints?.tasks[0]?.addresses[0]).to.match(/^10\.\d+\.\d+\.\d+\/\d+$/);
    expect(problems).to.deep.equal([]);
  });

  it('follows a label, a scale, and the removal of a service', async () => {
    const name = uniqueName('demo');
    const id = await deploy(name, { 'com.df.servicePath': '/one', 'com.df.port': '8080' });
    await until('the first definition', async () => (await listening.read(owner, name)).definition);
    await updateService(engine.docker, id, (spec) => ({
      ...spec,
      Labels: { ...spec.Labels, 'com.df.servicePath': '/two' },
    }));
    await until('the second path', async () => {
      const { definition } = await listening.read(owner, name);
      return definition?.destinations[0]?.servicePath?.[0] === '/two';
    });
    await updateService(engine.docker, id, (spec) => ({ ...spec, Mode: { Replicated: { Replicas: 0 } } }));
    await until('nothing of it at replicas=0', async () => {
      const read = await listening.read(owner, name);
      return read.definition === undefined && read.endpoints === undefined;
    });
    await updateService(engine.docker, id, (spec) => ({ ...spec, Mode: { Replicated: { Replicas: 1 } } }));
    await until('it is back', async () => (await listening.read(owner, name)).definition);
    await removeService(engine.docker, id);
    await until('nothing of it after the removal', async () => {
      const read = await listening.read(owner, name);
      return read.definition === undefined && read.endpoints === undefined;
    });
  });

  it('takes a service away when its notify label goes', async () => {
    const name = uniqueName('demo');
    const id = await deploy(name, { 'com.df.servicePath': '/gone', 'com.df.port': '8080' });
    await until('the definition', async () => (await listening.read(owner, name)).definition);
    await updateService(engine.docker, id, (spec) => {
      const { [notifyLabel]: _selected, ...others } = spec.Labels ?? {};
      return { ...spec, Labels: others };
    });
    await until('no definition', async () => (await listening.read(owner, name)).definition === undefined);
  });

  it('keeps the last good definition beside a bad label, and says what is wrong', async () => {
    const name = uniqueName('demo');
    const id = await deploy(name, { 'com.df.servicePath': '/good', 'com.df.port': '8080' });
    await until('the definition', async () => (await listening.read(owner, name)).definition);
    await updateService(engine.docker, id, (spec) => ({ ...spec, Labels: { ...spec.Labels, 'com.df.port': 'http' } }));
    const read = await until('the problem', async () => {
      const now = await listening.read(owner, name);
      return now.problems.length > 0 && now;
    });
    expect(read.definition?.destinations[0]?.port).to.equal(8080);
    expect(read.problems[0]).to.include({ severity: 'error', label: 'port', value: 'http' });
    await updateService(engine.docker, id, (spec) => ({ ...spec, Labels: { ...spec.Labels, 'com.df.port': '8081' } }));
    const mended = await until('the mend', async () => {
      const now = await listening.read(owner, name);
      return now.problems.length === 0 && now;
    });
    expect(mended.definition?.destinations[0]?.port).to.equal(8081);
  });

  it('reports how to mend a service that no proxy can reach', async () => {
    const name = uniqueName('lonely');
    services.push(
      await createService(engine.docker, {
        name,
        image,
        labels: { [notifyLabel]: 'true', 'com.df.servicePath': '/lonely', 'com.df.port': '8080' },
      }),
    );
    const [problem] = await until('the problem', async () => {
      const { problems } = await listening.read(owner, name);
      return problems.length > 0 && problems;
    });
    expect(problem).to.include({ reason: 'service-unreachable' });
    expect(problem?.suggestion).to.contain('--network-add');
  });

  it('writes nothing while nothing changes, and never touches what a person registered', async () => {
    const manual = {
      version: 1,
      service: 'by-hand',
      owner: 'manual',
      source: { kind: 'rest', by: 'test' },
      updatedAt: new Date(0).toISOString(),
      destinations: [{ index: 0, since: 0, servicePath: ['/hand'], port: 80, outboundHostname: 'localhost' }],
    } as const;
    const { registry } = listening;
    const signal = AbortSignal.timeout(50_000);
    await registry.publish([{ owner: 'manual', service: 'by-hand', definition: { document: manual } }], {
      signal,
      by: 'test',
    });
    // Tasks of the services above are still starting, and each that runs is a change to publish.
    await until('the Swarm is at rest, and the registry says so', isAtRest);
    await until('nothing waits', () => listening.listener.status().publishing.waiting === 0);
    const before = await registry.read(signal);
    const { listings } = listening.listener.status().counts;
    listening.listener.notifyServices();
    await until('a full listing', () => listening.listener.status().counts.listings > listings);
    await until('compared with what is registered', () => listening.listener.status().publishing.waiting === 0);
    const after = await registry.read(signal);
    if (before.kind !== 'snapshot' || after.kind !== 'snapshot') throw new Error('the registry has no head');
    expect(after.snapshot.sequence).to.equal(before.snapshot.sequence);
    expect(after.snapshot.services.get('manual/by-hand')?.ok).to.equal(true);
  });

  it('publishes within some tens of milliseconds of the event', async () => {
    const name = uniqueName('demo');
    const id = await deploy(name, { 'com.df.servicePath': '/p0', 'com.df.port': '8080' });
    await waitForTasks(engine.docker, id, 1);
    const times: number[] = [];
    for (let round = 1; round <= 15; round++) {
      const before = performance.now();
      await updateService(engine.docker, id, (spec) => ({
        ...spec,
        Labels: { ...spec.Labels, 'com.df.servicePath': `/p${round}` },
      }));
      await until(`path ${round}`, async () => {
        const { definition } = await listening.read(owner, name);
        return definition?.destinations[0]?.servicePath?.[0] === `/p${round}`;
      });
      times.push(performance.now() - before);
    }
    const sorted = times.toSorted((left, right) => left - right);
    const [median = 0, worst = 0] = [sorted[7], sorted.at(-1)];
    console.log(`      update call to registered: median ${median.toFixed(0)} ms, worst ${worst.toFixed(0)} ms`);
    expect(median).to.be.below(1_000);
  });
});
