import { expect } from 'chai';
import { removeService, updateService } from '../harness/docker.ts';
import { constantLoad, untilReplicasRespond, untilResponds } from '../harness/http.ts';
import type { SecondProxy } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { pathLabels, sharedStack } from './shared-stack.ts';

// One of each router: what holds for the stack's proxy has to hold for one with HTTP_ROUTER=express.
describe('two proxies on one registry, the second one through Express', () => {
  let second: SecondProxy;
  let id: string;

  before(async () => {
    const stack = sharedStack();
    second = await stack.addProxy({ HTTP_ROUTER: 'express' });
    id = await stack.createService('both', { labels: pathLabels('/both') });
  });
  after(async () => {
    await removeService(sharedStack().docker, id);
    await second.remove();
  });

  it('both serve every change', async () => {
    const stack = sharedStack();
    const urls = [stack.httpUrl, second.httpUrl];
    await Promise.all(urls.map((url) => untilResponds({ url: `${url}/both` }, 200)));
    for (let change = 0; change < 10; change += 1) {
      const path = `/both-${change}`;
      await updateService(stack.docker, id, (spec) => ({ ...spec, Labels: pathLabels(path) }));
      await Promise.all(urls.map((url) => untilResponds({ url: `${url}${path}` }, 200)));
    }
    await Promise.all(urls.map((url) => untilResponds({ url: `${url}/both` }, 503)));
  });

  it('fail no request while the service is updated, task by task', async () => {
    const stack = sharedStack();
    const rolling = await stack.createService('rolling', { labels: pathLabels('/rolling'), replicas: 2 });
    try {
      const urls = [stack.httpUrl, second.httpUrl].map((url) => `${url}/rolling`);
      for (const url of urls) await untilReplicasRespond(url, 2);
      const before = new Set(await stack.containers('rolling'));
      const loads = urls.map((url) => constantLoad({ url, ratePerSecond: 50 }));
      await updateService(stack.docker, rolling, ({ TaskTemplate, ...spec }) => ({
        ...spec,
        UpdateConfig: { Parallelism: 1, Order: 'start-first', Delay: 1_000_000_000 },
        TaskTemplate: { ...TaskTemplate, ForceUpdate: 1 },
      }));
      await until(
        'both tasks are new',
        async () => {
          const now = await stack.containers('rolling');
          return now.length === 2 && now.every((container) => !before.has(container));
        },
        { withinMs: 90_000 },
      );
      for (const load of loads) {
        const { sent, failed, failures } = await load.stop();
        expect(sent).to.be.above(50);
        expect(failed, failures.join('; ')).to.equal(0);
      }
    } finally {
      await removeService(stack.docker, rolling);
    }
  });

  it('list each other, and a reconfigure on one responds when the other serves it too', async () => {
    const stack = sharedStack();
    const status = await stack.admin('/v1/status');
    expect(JSON.parse(status.body).replicas, status.body).to.have.length(2);
    const query = new URLSearchParams({
      serviceName: 'shared',
      servicePath: '/shared',
      outboundHostname: `tasks.${stack.fullName('both')}`,
      port: '8080',
    });
    const response = await stack.admin(`/v1/docker-flow-proxy/reconfigure?${query}`);
    expect(JSON.parse(response.body), response.body).to.include({ Message: 'Distributed to all instances' });
    // No waiting here: that the other one serves it is what the response said.
    const served = await untilResponds({ url: `${second.httpUrl}/shared` }, 200, { withinMs: 0 });
    expect(served.status).to.equal(200);
    await stack.admin('/v1/docker-flow-proxy/remove?serviceName=shared');
  });
});
