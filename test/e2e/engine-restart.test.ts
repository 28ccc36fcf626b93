import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../harness/consul.ts';
import { createService, ensureDocker, importNodeImage, updateService } from '../harness/docker.ts';
import { send } from '../harness/http.ts';
import { type SwarmNodes, startNodes } from '../harness/nodes.ts';
import { until } from '../harness/until.ts';
import { pathLabels } from './shared-stack.ts';

// An engine of its own: the one that the other tests share may run other things too. The listener runs
// outside of it, so what recovers is the listener and not a new task of it.
describe('a Docker engine that is restarted', () => {
  let swarm: SwarmNodes;
  let consul: RunningConsul;
  let listener: ChildProcess;

  before(async () => {
    swarm = await startNodes({ managers: 1 });
    consul = await startConsul();
    const shared = await ensureDocker();
    const [node] = swarm.nodes;
    await node.loadImage(shared.docker, await importNodeImage(shared.docker));
    listener = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../packages/cli/bin/swarmgate.mjs', import.meta.url)), 'listener'],
      {
        env: {
          PATH: process.env.PATH,
          CONSUL_HTTP_ADDR: consul.address,
          DOCKER_HOST: node.dockerHost,
          LISTENER_PORT: 'off',
        },
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
  });
  after(async () => {
    if (listener?.exitCode === null && listener.kill('SIGTERM')) await once(listener, 'exit');
    await consul?.remove();
    await swarm?.remove();
  });

  it('is followed again by the listener without help, and nothing is removed meanwhile', async () => {
    const [node] = swarm.nodes;
    const shared = await ensureDocker();
    const id = await createService(node.docker, {
      name: 'shop',
      image: await importNodeImage(shared.docker),
      labels: pathLabels('/shop'),
    });
    await until('the service is published', async () => (await registered())?.includes('/shop'));

    await node.stop();
    expect(await registered(), 'while the engine is away').to.contain('/shop');
    await node.start();
    await until(
      'the Swarm has its manager again',
      () =>
        node.docker
          .getService(id)
          .inspect()
          .then(() => true),
      {
        withinMs: 60_000,
      },
    );
    const backAt = performance.now();
    await updateService(node.docker, id, (spec) => ({ ...spec, Labels: pathLabels('/shop-again') }));
    await until('the change is published', async () => (await registered())?.includes('/shop-again'), {
      withinMs: 60_000,
    });
    console.log(`    engine back → change published: ${((performance.now() - backAt) / 1000).toFixed(1)} s`);
    expect(listener.exitCode, 'the listener is the same process').to.equal(null);
  });

  async function registered(): Promise<string | undefined> {
    const response = await send({ url: `http://${consul.address}/v1/kv/swarmgate/services/swarm/shop?raw` });
    return response.status === 200 ? response.body : undefined;
  }
});
