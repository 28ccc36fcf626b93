import { expect } from 'chai';
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
import { type Listening, startListening } from './listening.ts';

describe('the listener while Docker is away', () => {
  let engine: DockerEngine;
  let network: string;
  let relay: DockerRelay;
  let listening: Listening;
  const services: string[] = [];
  const notifyLabel = `com.df.${uniqueName('notify')}`;
  const deploy = async (name: string) => {
    const id = await deployOne({ engine, network, notifyLabel }, name);
    services.push(id);
    return id;
  };
  const pathOf = async (name: string) =>
    (await listening.read('swarm', name)).definition?.destinations[0]?.servicePath?.[0];

  before(async function () {
    this.timeout(60_000);
    engine = await ensureDocker();
    network = await createOverlayNetwork(engine.docker, uniqueName('away'));
    relay = await relayDocker();
  });

  afterEach(async () => {
    await listening.stop();
    await relay.heal();
  });

  after(async () => {
    await relay.stop();
    await removeDeployed(engine, network, services);
  });

  const start = () => startListening({ DF_NOTIFY_LABEL: notifyLabel, DOCKER_HOST: relay.dockerHost });

  it('starts without it, is not ready, and becomes ready by itself', async () => {
    await relay.cut();
    listening = await start();
    await until('a failed try', () => listening.listener.status().counts.reconnects > 1);
    expect(listening.listener.ready()).to.equal(false);
    await relay.heal();
    await until('ready', () => listening.listener.ready());
  });

  it('keeps everything published when the connection breaks, and catches up with what it missed', async () => {
    listening = await start();
    const [kept, gone] = [uniqueName('kept'), uniqueName('gone')];
    const keptId = await deploy(kept);
    const goneId = await deploy(gone);
    await until('both', async () => (await pathOf(kept)) === '/one' && (await pathOf(gone)) === '/one');
    await relay.cut();
    await until('away', () => listening.listener.status().docker.kind === 'away');
    expect(await pathOf(kept)).to.equal('/one');
    await setPath(engine, keptId, '/two');
    await removeService(engine.docker, goneId);
    await relay.heal();
    await until('the missed change', async () => (await pathOf(kept)) === '/two');
    await until('the missed removal', async () => (await pathOf(gone)) === undefined);
  });

  it('does not wait for ever on a connection that is open and silent', async function () {
    this.timeout(60_000);
    listening = await start();
    const name = uniqueName('silent');
    const id = await deploy(name);
    await until('the service', async () => (await pathOf(name)) === '/one');
    relay.freeze();
    await until('away', () => listening.listener.status().docker.kind === 'away', { withinMs: 20_000 });
    expect(await pathOf(name)).to.equal('/one');
    await setPath(engine, id, '/two');
    await relay.heal();
    await until('the missed change', async () => (await pathOf(name)) === '/two');
  });
});
