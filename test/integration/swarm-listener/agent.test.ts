import { readSettings, silentLogger } from '@swarmgate/runtime';
import { type Agent, startAgent } from '@swarmgate/swarm-listener';
import { expect } from 'chai';
import {
  createOverlayNetwork,
  createService,
  type DockerEngine,
  ensureDocker,
  importNodeImage,
  uniqueName,
  waitForTasks,
} from '../../harness/docker.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { until } from '../../harness/until.ts';
import { removeDeployed } from './deployed.ts';
import { type DockerRelay, relayDocker } from './docker-relay.ts';
import { type Listening, startListening } from './listening.ts';

/** On a manager the listener sees the containers of its own node itself; here its view of Docker is frozen instead. */
describe('the agent role', () => {
  let engine: DockerEngine;
  let network: string;
  let relay: DockerRelay;
  let listening: Listening;
  let agent: Agent;
  const services: string[] = [];
  const notifyLabel = `com.df.${uniqueName('notify')}`;
  const token = 'agents-and-listeners';

  before(async function () {
    this.timeout(60_000);
    engine = await ensureDocker();
    network = await createOverlayNetwork(engine.docker, uniqueName('agent'));
    relay = await relayDocker();
    const [port = 0] = await freePorts(1);
    listening = await startListening({
      DF_NOTIFY_LABEL: notifyLabel,
      DOCKER_HOST: relay.dockerHost,
      ADMIN_TOKEN: token,
      LISTENER_PORT: String(port),
    });
    const env = { ADMIN_TOKEN: token, LISTENER_URL: `http://localhost:${port}`, LISTENER_PORT: 'off' };
    const settings = readSettings('listener', { env, secretsDir: '/nonexistent' });
    agent = await startAgent({ settings, logger: silentLogger, signal: new AbortController().signal });
    await until('it follows', () => agent.ready());
  });

  after(async () => {
    await agent.stop();
    await listening.stop();
    await relay.stop();
    await removeDeployed(engine, network, services);
  });

  it('lets a task drain as soon as its container is stopped, although the listener sees nothing of it', async () => {
    const name = uniqueName('reported');
    const id = await createService(engine.docker, {
      name,
      image: await importNodeImage(engine.docker),
      networks: [network],
      labels: { [notifyLabel]: 'true', 'com.df.servicePath': '/', 'com.df.port': '8080' },
      env: { STOP: 'drain' },
    });
    services.push(id);
    const [task] = await waitForTasks(engine.docker, id, 1);
    const stateOf = async () => (await listening.read('swarm', name)).endpoints?.tasks[0]?.state;
    await until('it is active', async () => (await stateOf()) === 'active');

    relay.freeze();
    const container = engine.docker.getContainer(task?.Status.ContainerStatus?.ContainerID ?? '');
    await container.kill({ signal: 'SIGTERM' });
    await until('it drains', async () => (await stateOf()) === 'draining', { withinMs: 4_000 });
    await until('it counts', () => agent.counts().delivered > 0);
    await relay.heal();
  });

  it('needs the URL of the listeners', async () => {
    const settings = readSettings('listener', { env: {}, secretsDir: '/nonexistent' });
    try {
      await startAgent({ settings, logger: silentLogger, signal: new AbortController().signal });
      expect.fail('it started');
    } catch (error) {
      expect(error).to.have.property('code', 'listener-url-missing');
    }
  });
});
