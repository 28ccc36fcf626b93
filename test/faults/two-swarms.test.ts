import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../harness/consul.ts';
import { constantLoad, send, untilResponds } from '../harness/http.ts';
import { type StackConsul, stackConsul } from '../harness/stack-consul.ts';
import { until } from '../harness/until.ts';
import { type BesideASwarm, type HostListener, type HostProxy, startBesideASwarm } from './beside-a-swarm.ts';

const names = ['east', 'west'] as const;

type Weights = Readonly<Record<(typeof names)[number], string | undefined>>;

interface ShownProblem {
  readonly owner: string;
  readonly service: string;
  readonly reason: string;
  readonly message: string;
  readonly otherService?: string;
}

/** Two real Swarms, a listener on each, and one proxy that serves what both publish. What a service returns is its Swarm's name. */
describe('two Swarms in one registry', function () {
  this.timeout(120_000);
  let consul: RunningConsul;
  let kv: StackConsul;
  let swarms: Record<(typeof names)[number], BesideASwarm & { readonly listener: HostListener }>;
  let proxy: HostProxy;
  const servers: Server[] = [];

  before(async () => {
    consul = await startConsul();
    kv = stackConsul(consul.url, 'swarmgate', '');
    const start = async (name: string) => {
      const beside = await startBesideASwarm();
      const env = { CONSUL_HTTP_ADDR: consul.address, SWARM_NAME: name };
      return Object.assign(beside, { listener: await beside.startListener(env) });
    };
    const [east, west] = await Promise.all([start('east'), start('west')]);
    swarms = { east, west };
    proxy = await east.startProxy({ CONSUL_HTTP_ADDR: consul.address });
  });

  after(async () => {
    await Promise.all(Object.values(swarms).map((swarm) => swarm.remove()));
    await consul.remove();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });

  const deploy = async (
    swarm: (typeof names)[number],
    service: string,
    labels: Readonly<Record<string, string>> = {},
  ) => {
    const server = createServer((_request, response) => response.end(swarm)).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await swarms[swarm].deploy(service, { 'com.df.port': String(port), ...labels });
    await until('it is published', async () => (await kv.get(`services/${swarm}/${service}`)) !== undefined);
  };
  const respondedBy = (service: string, swarm: string) =>
    untilResponds({ url: `${proxy.httpUrl}/${service}` }, 200, { accept: ({ body }) => body === swarm });
  const conflicts = async () => {
    const { problems } = JSON.parse((await proxy.admin('/v1/problems')).body) as { problems: readonly ShownProblem[] };
    return problems.filter(({ reason }) => reason === 'route-conflict');
  };

  it('are both served', async () => {
    for (const swarm of names) await deploy(swarm, `only-${swarm}`);
    for (const swarm of names) await respondedBy(`only-${swarm}`, swarm);
  });

  it('publish one name: the first keeps the route, the other is reported, and inherits it without a gap', async () => {
    await deploy('west', 'shop');
    await respondedBy('shop', 'west');
    await using load = constantLoad({ url: `${proxy.httpUrl}/shop`, ratePerSecond: 100 });
    await deploy('east', 'shop');
    const [conflict] = await until('the conflict is shown', async () => {
      const shown = await conflicts();
      return shown.length > 0 && shown;
    });
    expect(conflict).to.include({ owner: 'east', service: 'shop', otherService: 'west/shop' });
    expect((await send({ url: `${proxy.httpUrl}/shop` })).body).to.equal('west');

    await swarms.west.removeServices(['shop']);
    await respondedBy('shop', 'east');
    expect(await kv.get('services/east/shop')).to.be.a('string');
    await until('the conflict is over', async () => (await conflicts()).length === 0);
    const { sent, failed, failures } = await load.stop();
    console.log(`      ${sent} requests meanwhile, ${failed} failed`);
    expect(failed, failures.join('; ')).to.equal(0);
  });

  /** In both Swarms a service of this name, for this host and `/`: first in the west, then in the east. */
  const deployBoth = async (service: string, weights: Weights) => {
    for (const swarm of ['west', 'east'] as const) {
      const weight = weights[swarm];
      await deploy(swarm, service, {
        'com.df.serviceDomain': `${service}.example`,
        'com.df.servicePath': '/',
        ...(weight === undefined ? {} : { 'com.df.weight': weight }),
      });
      // A proxy that has just started opens its entrypoint only with what it serves.
      await untilResponds({ url: `${proxy.httpUrl}/`, host: `${service}.example` }, 200);
      const isServed = async () => {
        const { services } = JSON.parse((await proxy.admin('/v1/services')).body) as {
          readonly services: readonly { readonly definition: { readonly owner: string; readonly service: string } }[];
        };
        return services.some(({ definition }) => definition.owner === swarm && definition.service === service);
      };
      await until(`the proxy knows ${swarm}/${service}`, isServed);
    }
  };
  /** How many of `howMany` requests each Swarm responded. */
  const responsesOf = async (service: string, howMany: number) => {
    const counts = { east: 0, west: 0 };
    for (let n = 0; n < howMany; n++) {
      const { status, body } = await send({ url: `${proxy.httpUrl}/`, host: `${service}.example` });
      expect(status).to.equal(200);
      counts[body as (typeof names)[number]] += 1;
    }
    return counts;
  };

  it('share the requests of one name and host in proportion when both give a weight', async () => {
    await deployBoth('shared', { west: '3', east: '1' });
    const requested = 400;
    const counts = await responsesOf('shared', requested);
    console.log(
      `      of ${requested} requests ${counts.west} to the west (weight 3), ${counts.east} to the east (weight 1)`,
    );
    // A quarter is 100 of them; chance takes it further off than this once in a hundred thousand times.
    expect(counts.east).to.be.within(60, 140);
    expect(await conflicts()).to.deep.equal([]);

    await swarms.west.removeServices(['shared']);
    await until('the east has all of them', async () => (await responsesOf('shared', 20)).east === 20);
  });

  const notShared: readonly (readonly [string, string, Weights])[] = [
    ['only the newcomer gives a weight', 'newcomer-offers', { west: undefined, east: '100' }],
    ['only the first gives a weight', 'first-offers', { west: '1', east: undefined }],
  ];
  for (const [when, service, weights] of notShared) {
    it(`leave all requests to the first, and report it to both, when ${when}`, async () => {
      await deployBoth(service, weights);
      expect(await responsesOf(service, 50)).to.deep.equal({ east: 0, west: 50 });
      const [lost, won, ...more] = await conflicts();
      expect(lost).to.include({ owner: 'east', service, otherService: `west/${service}` });
      expect(lost?.message).to.include(`is matched by west/${service} too, which takes precedence`);
      expect(won).to.include({ owner: 'west', service, otherService: `east/${service}` });
      expect(more).to.deep.equal([]);
      await Promise.all(names.map((swarm) => swarms[swarm].removeServices([service])));
      await until('the conflict is over', async () => (await conflicts()).length === 0);
    });
  }

  it('leave what the other one published alone, also after a restart', async () => {
    const before = await kv.modifyIndex('services/west/only-west');
    await swarms.east.listener.stop();
    swarms.east.listener.start();
    await until('it leads again', () => swarms.east.listener.isLeading());
    await swarms.east.setPath('only-east', '/moved');
    await respondedBy('moved', 'east');
    expect(await kv.modifyIndex('services/west/only-west')).to.equal(before);
    await respondedBy('only-west', 'west');
  });
});
