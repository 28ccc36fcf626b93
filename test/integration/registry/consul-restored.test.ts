import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createConsulStore,
  createRegistry,
  type KeyValueStore,
  type Registry,
  type ServiceChange,
} from '@swarmgate/registry';
import { expect } from 'chai';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../packages/proxy/test/running-proxy.ts';
import { FollowedChanges } from '../../../packages/registry/test/followed-changes.ts';
import { definitionOf } from '../../../packages/registry/test/sample-definition.ts';
import { type RunningPublisher, startPublisher } from '../../../packages/swarm-listener/test/running-publisher.ts';
import { aService } from '../../../packages/swarm-listener/test/swarm-fixtures.ts';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';

const instance = 'swarmgate';
const patience = { withinMs: 60_000 };
const options = { by: 'tests', signal: new AbortController().signal };

async function save({ url }: RunningConsul): Promise<ArrayBuffer> {
  return (await fetch(`${url}/v1/snapshot`)).arrayBuffer();
}

async function restore({ url }: RunningConsul, saved: ArrayBuffer): Promise<void> {
  expect((await fetch(`${url}/v1/snapshot`, { method: 'PUT', body: saved })).status).to.equal(200);
}

describe('two proxies and a listener whose Consul is restored from a backup', function () {
  this.timeout(180_000);
  let consul: RunningConsul;
  let backend: Server;
  let dataDir: string;
  let stores: KeyValueStore[];
  let proxies: ProxyUnderTest[];
  let publisher: RunningPublisher;
  let writer: Registry;
  let versionIndex = 10;

  const storeAt = () => {
    const store = createConsulStore({ address: consul.address });
    stores.push(store);
    return store;
  };
  const startPublishing = () => startPublisher((registry) => registry, { store: storeAt(), instance });
  const labelled = (name: string, path: string) =>
    aService({
      id: name,
      name,
      versionIndex: ++versionIndex,
      labels: {
        'com.df.notify': 'true',
        'com.df.servicePath': path,
        'com.df.port': String((backend.address() as AddressInfo).port),
        'com.df.outboundHostname': '127.0.0.1',
      },
    });
  const manual = (service: string): ServiceChange => {
    const document = definitionOf('manual', service, (backend.address() as AddressInfo).port);
    const destinations = document.destinations.map((each) => ({
      ...each,
      servicePath: [`/${service}`],
      outboundHostname: '127.0.0.1',
    }));
    return { owner: 'manual', service, definition: { document: { ...document, destinations } } };
  };
  const urlOf = ({ proxy }: ProxyUnderTest, path: string) => {
    const entrypoint = proxy.entrypoints()[0];
    if (entrypoint?.state !== 'open') throw new Error('no entrypoint is open');
    return `http://${entrypoint.address}${path}`;
  };
  const statuses = (path: string) =>
    Promise.all(
      proxies.map(async (under) => {
        const reply = await fetch(urlOf(under, path));
        await reply.arrayBuffer();
        return reply.status;
      }),
    );
  const bothServe = async (paths: Readonly<Record<string, number>>) => {
    for (const [path, status] of Object.entries(paths))
      await eventually(
        `${path} responds with ${status} on both`,
        async () => (await statuses(path)).every((each) => each === status),
        patience,
      );
  };

  beforeEach(async () => {
    stores = [];
    proxies = [];
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-restored-'));
    consul = await startConsul();
    backend = createServer((_request, response) => response.end('served')).listen(0, '127.0.0.1');
    await new Promise((resolve) => backend.once('listening', resolve));
    writer = createRegistry({ store: storeAt(), instance });
    await writer.publish([], options);
    for (const replica of ['one', 'two']) {
      const registry = createRegistry({ store: storeAt(), instance });
      proxies.push(await startProxyUnderTest({ registry, dataDir: join(dataDir, replica), replica }));
    }
    publisher = startPublishing();
  });
  afterEach(async () => {
    await Promise.all(proxies.map((under) => under.stop()));
    await publisher.stop();
    await Promise.all(stores.map((store) => store.close()));
    backend.close().closeAllConnections();
    await consul.remove();
    await rm(dataDir, { recursive: true, force: true });
  });

  for (const [place, isRestarted] of [
    ['in the same Consul', true],
    ['in the same Consul, with the lock of the same listener', false],
    ['in an empty one in its place', true],
  ] as const)
    it(`end up with what is in the registry, and the listener with what it publishes, ${place}`, async () => {
      publisher.desire([labelled('kept', '/kept'), labelled('moved', '/before'), labelled('gone', '/gone')]);
      await writer.publish([manual('by-hand')], options);
      await bothServe({ '/kept': 200, '/before': 200, '/gone': 200, '/by-hand': 200 });
      const saved = await save(consul);

      if (isRestarted) {
        // The lock in the backup is held by a process that has ended since.
        await publisher.stop();
        stores.splice(-1);
        publisher = startPublishing();
      }
      publisher.desire([labelled('kept', '/kept'), labelled('moved', '/after'), labelled('added', '/added')]);
      const { owner, service } = manual('by-hand');
      await writer.publish([{ owner, service, definition: { document: null } }, manual('late')], options);
      await bothServe({ '/after': 200, '/added': 200, '/late': 200, '/gone': 503, '/by-hand': 503 });

      if (place.startsWith('in an empty one')) {
        await consul.kill();
        await consul.wipe();
        await consul.start();
      }
      await restore(consul, saved);
      const beganMs = performance.now();
      // What was changed by hand is as in the backup; what has labels is as the Swarm has it.
      await bothServe({ '/by-hand': 200, '/late': 503 });
      await bothServe({ '/kept': 200, '/after': 200, '/added': 200, '/before': 503, '/gone': 503 });
      console.log(`      all routes are right after ${Math.round(performance.now() - beganMs)} ms`);
      const { services } = await publisher.read();
      expect([...services.keys()].toSorted()).to.deep.equal([
        'manual/by-hand',
        'swarm/added',
        'swarm/kept',
        'swarm/moved',
      ]);

      // Watches and barriers are those of the restored registry: a change by REST is served by both, at once.
      const [one] = proxies as [ProxyUnderTest];
      await eventually(
        'both are present',
        async () => {
          const { body } = await one.call('GET', '/v1/status');
          return Array.isArray(body.replicas) && body.replicas.length === 2;
        },
        patience,
      );
      const { port } = backend.address() as AddressInfo;
      const query = `serviceName=next&servicePath=/next&outboundHostname=127.0.0.1&port=${port}`;
      const changedAtMs = performance.now();
      const { status, body } = await one.call('GET', `/v1/docker-flow-proxy/reconfigure?${query}`);
      expect(status, JSON.stringify(body)).to.equal(200);
      expect(body.Message).to.include('Distributed to all instances');
      expect(await statuses('/next')).to.deep.equal([200, 200]);
      expect(performance.now() - changedAtMs).to.be.below(5_000);
      publisher.desire([labelled('kept', '/kept-on')]);
      await bothServe({ '/kept-on': 200, '/added': 503 });
    });
});

describe('a follower of a Consul that is restored and written again before it looks', function () {
  this.timeout(90_000);

  it('takes none of its documents for those that it had read before', async () => {
    const consul = await startConsul();
    const open = createConsulStore({ address: consul.address });
    let gate = Promise.resolve();
    /** Gives the results of blocking queries on late, as where its process is paused. */
    const slow = new Proxy(open, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== 'waitForKey' && name !== 'waitForNames') return value.bind(target);
        return async (...given: readonly unknown[]) => {
          const found: unknown = await value.apply(target, given);
          await gate;
          return found;
        };
      },
    });
    const writer = () => createRegistry({ store: open, instance });
    const change = (service: string, port: number): ServiceChange => ({
      owner: 'swarm',
      service,
      definition: { document: definitionOf('swarm', service, port) },
    });
    await writer().publish([change('a', 80)], options);
    const saved = await save(consul);
    await writer().publish([change('a', 81)], options);
    await writer().publish([change('b', 82)], options);
    const followed = new FollowedChanges(createRegistry({ store: slow, instance }));
    try {
      expect((await followed.nextOf('snapshot')).snapshot.sequence).to.equal(3);
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      await restore(consul, saved);
      for (const service of ['c', 'd', 'e', 'f']) await writer().publish([change(service, 83)], options);
      held.resolve();
      const { snapshot, cause } = await followed.nextOf('snapshot', 30_000);
      expect(cause).to.equal('index-backwards');
      const ports = [...snapshot.services].map(([key, found]) => [
        key,
        found.ok && found.document.destinations[0]?.port,
      ]);
      expect(Object.fromEntries(ports)).to.deep.equal({
        'swarm/a': 80,
        'swarm/c': 83,
        'swarm/d': 83,
        'swarm/e': 83,
        'swarm/f': 83,
      });
      expect(snapshot.sequence).to.equal(5);
      await writer().publish([change('a', 84)], options);
      expect([...(await followed.nextOf('delta')).services.keys()]).to.deep.equal(['swarm/a']);
    } finally {
      await followed.stop();
      await open.close();
      await consul.remove();
    }
  });
});
