import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { createListenerMetrics } from './listener-metrics.ts';
import { createListenerRest, type ListeningRest, serveRest } from './listener-rest.ts';

describe("the listener's REST", () => {
  let served: ListeningRest;
  let isReady: boolean;
  let notified: number;
  const services = [{ distribute: 'true', port: '8080', replicas: '1', serviceName: 'go-demo', servicePath: '/demo' }];
  const nodes = [{ id: 'node-1', hostname: 'one', address: '192.0.2.11' }];

  before(async () => {
    const metrics = createListenerMetrics(() => ({
      isReady,
      isLeading: true,
      isDockerAway: false,
      selectedServices: 1,
      problems: { error: 2, warning: 0 },
      counts: { events: 7 },
    }));
    metrics.published(1, 12);
    const app = createListenerRest({
      services: () => services,
      nodes: () => nodes,
      notifyServices: () => notified++,
      status: () => ({ owner: 'swarm' }),
      isReady: () => isReady,
      metrics: metrics.registry,
    });
    served = await serveRest(app, { host: '127.0.0.1', port: 0 }, silentLogger);
  });
  beforeEach(() => {
    isReady = true;
    notified = 0;
  });
  after(() => served.stop());

  const get = (path: string) => fetch(`http://127.0.0.1:${served.port}${path}`);
  const prefix = '/v1/docker-flow-swarm-listener';

  const answers = [
    [`${prefix}/ping`, { Status: 'OK' }],
    [`${prefix}/notify-services`, { Status: 'OK' }],
    [`${prefix}/get-services`, services],
    [`${prefix}/get-nodes`, nodes],
    ['/v1/status', { owner: 'swarm' }],
    ['/healthz', { status: 'healthy' }],
  ] as const;
  for (const [path, expected] of answers) {
    it(`answers ${path} in JSON`, async () => {
      const response = await get(path);
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.match(/^application\/json/);
      expect(await response.json()).to.deep.equal(expected);
    });
  }

  it('sends everything again when it is asked to', async () => {
    await get(`${prefix}/notify-services`);
    expect(notified).to.equal(1);
  });

  it('is ready or not', async () => {
    expect((await get('/readyz')).status).to.equal(200);
    isReady = false;
    expect((await get('/readyz')).status).to.equal(503);
  });

  it('shows its metrics', async () => {
    const text = await (await get('/metrics')).text();
    expect(text).to.contain('swarmgate_listener_leading 1');
    expect(text).to.contain('swarmgate_listener_problems{severity="error"} 2');
    expect(text).to.contain('swarmgate_listener_work_total{kind="events"} 7');
    expect(text).to.contain('swarmgate_listener_event_to_published_seconds_count 1');
  });

  it('says 404 in JSON for what is not there', async () => {
    const response = await get('/v1/other');
    expect(response.status).to.equal(404);
    expect(await response.json()).to.deep.equal({ Status: 'NOK', Message: 'there is nothing at /v1/other' });
  });
});
