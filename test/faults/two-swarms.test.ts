import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../harness/consul.ts';
import { ask, constantLoad, untilAnswers } from '../harness/http.ts';
import { type StackConsul, stackConsul } from '../harness/stack-consul.ts';
import { until } from '../harness/until.ts';
import { type BesideASwarm, type HostListener, type HostProxy, startBesideASwarm } from './beside-a-swarm.ts';

const names = ['east', 'west'] as const;

interface ShownProblem {
  readonly owner: string;
  readonly service: string;
  readonly reason: string;
  readonly otherService?: string;
}

/** Two real Swarms, a listener on each, and one proxy that serves what both publish. What a service answers is its Swarm's name. */
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

  const deploy = async (swarm: (typeof names)[number], service: string) => {
    const server = createServer((_request, response) => response.end(swarm)).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await swarms[swarm].deploy(service, { 'com.df.port': String(port) });
    await until('it is published', async () => (await kv.get(`services/${swarm}/${service}`)) !== undefined);
  };
  const answeredBy = (service: string, swarm: string) =>
    untilAnswers({ url: `${proxy.httpUrl}/${service}` }, 200, { accept: ({ body }) => body === swarm });
  const conflicts = async () => {
    const { problems } = JSON.parse((await proxy.admin('/v1/problems')).body) as { problems: readonly ShownProblem[] };
    return problems.filter(({ reason }) => reason === 'route-conflict');
  };

  it('are both served', async () => {
    for (const swarm of names) await deploy(swarm, `only-${swarm}`);
    for (const swarm of names) await answeredBy(`only-${swarm}`, swarm);
  });

  it('publish one name: the first keeps the route, the other is told, and inherits it without a gap', async () => {
    await deploy('west', 'shop');
    await answeredBy('shop', 'west');
    await using load = constantLoad({ url: `${proxy.httpUrl}/shop`, ratePerSecond: 100 });
    await deploy('east', 'shop');
    const [conflict] = await until('the conflict is shown', async () => {
      const shown = await conflicts();
      return shown.length > 0 && shown;
    });
    expect(conflict).to.include({ owner: 'east', service: 'shop', otherService: 'west/shop' });
    expect((await ask({ url: `${proxy.httpUrl}/shop` })).body).to.equal('west');

    await swarms.west.removeServices(['shop']);
    await answeredBy('shop', 'east');
    expect(await kv.get('services/east/shop')).to.be.a('string');
    await until('the conflict is over', async () => (await conflicts()).length === 0);
    const { sent, failed, failures } = await load.stop();
    console.log(`      ${sent} requests meanwhile, ${failed} failed`);
    expect(failed, failures.join('; ')).to.equal(0);
  });

  it('leave what the other one published alone, also when they start anew', async () => {
    const before = await kv.modifyIndex('services/west/only-west');
    await swarms.east.listener.stop();
    swarms.east.listener.start();
    await until('it leads again', () => swarms.east.listener.isLeading());
    await swarms.east.setPath('only-east', '/moved');
    await answeredBy('moved', 'east');
    expect(await kv.modifyIndex('services/west/only-west')).to.equal(before);
    await answeredBy('only-west', 'west');
  });
});
