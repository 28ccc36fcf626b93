import { createConsulStore, createRegistry, type ServiceChange } from '@swarmgate/registry';
import { expect } from 'chai';
import { definitionOf } from '../../../packages/registry/test/sample-definition.ts';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { type CountingRelay, startCountingRelay } from '../../harness/counting-relay.ts';
import { type HostProxy, startHostProxy } from '../../harness/host-processes.ts';
import { until } from '../../harness/until.ts';

const many = 1_000;
const serviceNames = Array.from({ length: many }, (_, n) => `service-${n}`);

/** Two proxies, each with its own way to one Consul, on which is counted what it reads. */
describe('reload without parameters', function () {
  this.timeout(120_000);
  let consul: RunningConsul;
  const relays: CountingRelay[] = [];
  const proxies: HostProxy[] = [];
  let replicas: readonly string[] = [];

  const publish = async (names: readonly string[], port: number) => {
    const store = createConsulStore({ address: consul.address });
    try {
      const changes = names.map(
        (name): ServiceChange => ({
          owner: 'elsewhere',
          service: name,
          definition: { document: definitionOf('elsewhere', name, port) },
        }),
      );
      const signal = AbortSignal.timeout(60_000);
      return await createRegistry({ store, instance: 'swarmgate' }).publish(changes, { by: 'tests', signal });
    } finally {
      await store.close();
    }
  };
  const statusOf = async (proxy: HostProxy) => JSON.parse((await proxy.admin('/v1/status')).body) as Status;
  const serveAll = async (sequence: number) => {
    for (const proxy of proxies) {
      await until('it serves all', async () => (await statusOf(proxy)).sequence >= sequence);
    }
  };
  /** Bytes that each proxy reads from Consul while `what` goes on. */
  const readDuring = async (what: () => Promise<unknown>) => {
    const before = relays.map((relay) => relay.receivedBytes());
    await what();
    return relays.map((relay, at) => relay.receivedBytes() - (before[at] ?? 0));
  };

  before(async () => {
    consul = await startConsul();
    const { sequence } = await publish(serviceNames, 8080);
    for (let count = 0; count < 2; count += 1) {
      const relay = await startCountingRelay(consul.address);
      relays.push(relay);
      proxies.push(await startHostProxy({ CONSUL_HTTP_ADDR: relay.address }));
    }
    await serveAll(sequence);
    replicas = await until('they know each other', async () => {
      const known = (await Promise.all(proxies.map(statusOf))).map((status) => status.replicas);
      return known.every(({ length }) => length === 2) && known[0]?.map(({ replica }) => replica);
    });
  });

  after(async () => {
    await Promise.all(proxies.map((proxy) => proxy.remove()));
    await Promise.all(relays.map((relay) => relay.close()));
    await consul?.remove();
  });

  // What a full read moves at least: every definition once, as Consul returns them.
  const sizeOfAll = async () =>
    (await (await fetch(`${consul.url}/v1/kv/swarmgate/services/?recurse`)).arrayBuffer()).byteLength;

  it('has little to read where one service changes', async () => {
    const reads: (readonly number[])[] = [];
    for (const port of [9090, 9091, 9092]) {
      reads.push(await readDuring(async () => serveAll((await publish(['service-0'], port)).sequence)));
    }
    // At most once a minute a follower looks for missed writes, which reads everything, too.
    const all = await sizeOfAll();
    for (const at of proxies.keys()) expect(Math.min(...reads.map((read) => read[at] ?? 0))).to.be.lessThan(all / 4);
  });

  for (const [who, at] of [
    ['one', 0],
    ['the other', 1],
  ] as const) {
    it(`through ${who} makes both read everything again, and names both`, async () => {
      const proxy = proxies[at] as HostProxy;
      const all = await sizeOfAll();
      let response: Reloaded | undefined;
      const bytes = await readDuring(async () => {
        const { status, body } = await proxy.admin('/v1/reload', { method: 'POST' });
        expect(status, body).to.equal(200);
        response = JSON.parse(body) as Reloaded;
      });
      // Both have read when the response comes: nothing is waited for here.
      for (const each of bytes) expect(each).to.be.at.least(all);
      expect(response?.serving).to.have.members(replicas);
      expect(response?.waitingFor).to.deep.equal([]);
      expect(replicas).to.have.length(2);
    });
  }

  it('in Docker Flow’s words does the same', async () => {
    const all = await sizeOfAll();
    const bytes = await readDuring(async () => {
      const { status, body } = await (proxies[0] as HostProxy).admin('/v1/docker-flow-proxy/reload');
      expect(status, body).to.equal(200);
      expect(JSON.parse(body)).to.include({ Status: 'OK' });
    });
    for (const each of bytes) expect(each).to.be.at.least(all);
  });
});

interface Status {
  readonly sequence: number;
  readonly replicas: readonly { readonly replica: string }[];
}

interface Reloaded {
  readonly serving?: readonly string[];
  readonly waitingFor?: readonly string[];
}
