import { expect } from 'chai';
import {
  createOverlayNetwork,
  createService,
  type DockerEngine,
  ensureDocker,
  importNodeImage,
  removeNetwork,
  removeService,
  uniqueName,
  updateService,
} from '../../harness/docker.ts';
import { eventually, type Listening, startListening } from './listening.ts';

const howMany = 100;

describe('the listener in a storm', () => {
  let engine: DockerEngine;
  let network: string;
  let listening: Listening;
  const services: string[] = [];
  const notifyLabel = `com.df.${uniqueName('notify')}`;
  const prefix = uniqueName('storm');

  before(async function () {
    this.timeout(60_000);
    engine = await ensureDocker();
    network = await createOverlayNetwork(engine.docker, prefix);
    listening = await startListening({ DF_NOTIFY_LABEL: notifyLabel });
    await eventually('ready', () => listening.listener.ready());
  });

  after(async function () {
    this.timeout(60_000);
    await listening.stop();
    for (const id of services) await removeService(engine.docker, id);
    await removeNetwork(engine.docker, network);
    await engine.stopIfStartedHere();
  });

  const paths = async () => {
    const read = await listening.registry.read(AbortSignal.timeout(10_000));
    if (read.kind !== 'snapshot') return [];
    return [...read.snapshot.services.values()].map(
      (held) => held.ok && held.document.destinations[0]?.servicePath?.[0],
    );
  };

  it(`publishes a stack of ${howMany} services in a few transactions`, async () => {
    const image = await importNodeImage(engine.docker);
    const before = listening.listener.status();
    const startedAt = performance.now();
    const created = Array.from({ length: howMany }, (_, n) =>
      createService(engine.docker, {
        name: `${prefix}-${n}`,
        image,
        networks: [network],
        constraints: ['node.labels.nowhere == true'],
        labels: { [notifyLabel]: 'true', 'com.df.servicePath': '/first', 'com.df.port': '8080' },
      }),
    );
    services.push(...(await Promise.all(created)));
    const createdAt = performance.now();
    await eventually('all of them', async () => (await paths()).length === howMany);
    const tookMs = performance.now() - startedAt;
    const { publishing, counts } = listening.listener.status();
    const publications = publishing.publications - before.publishing.publications;
    console.log(
      `      ${howMany} services created in ${(createdAt - startedAt).toFixed(0)} ms, all registered ` +
        `${(performance.now() - createdAt).toFixed(0)} ms later, in ${publications} publications with ` +
        `${counts.listings - before.counts.listings} listings and ${counts.inspects - before.counts.inspects} inspects`,
    );
    // Events are taken together until none has come for 20 ms: where the engine is slow there are more such pauses.
    expect(publications).to.be.at.most(Math.min(howMany, 2 + tookMs / 20));
  });

  it('ends at the last of many changes of one service', async () => {
    const [id = ''] = services;
    for (let round = 1; round <= 60; round++) {
      await updateService(engine.docker, id, (spec) => ({
        ...spec,
        Labels: { ...spec.Labels, 'com.df.servicePath': round === 60 ? '/last' : `/round-${round}` },
      }));
    }
    await eventually('the last', async () => (await paths()).includes('/last'));
  });

  it('takes a whole stack away', async () => {
    await Promise.all(services.map((id) => removeService(engine.docker, id)));
    await eventually('nothing', async () => (await paths()).length === 0);
  });
});
