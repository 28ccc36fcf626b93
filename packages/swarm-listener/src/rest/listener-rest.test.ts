import { hostileTexts, mutationsOf, textOf } from '@swarmgate/registry/test/hostile-documents';
import { silentLogger } from '@swarmgate/runtime';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import express from 'express';
import fc from 'fast-check';
import { createListenerMetrics } from './listener-metrics.ts';
import { createListenerRest, type ListeningRest, serveRest } from './listener-rest.ts';

describe("the listener's REST", () => {
  let served: ListeningRest;
  let isReady: boolean;
  let notified: number;
  let terminating: string[];
  const services = [{ distribute: 'true', port: '8080', replicas: '1', serviceName: 'go-demo', servicePath: '/demo' }];
  const nodes = [{ id: 'node-1', hostname: 'one', address: '192.0.2.11' }];

  before(async () => {
    const metrics = createListenerMetrics();
    metrics.measure(() => ({
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
      adopt: () => 'adopted',
      taskTerminating: (serviceId, taskId) => terminating.push(`${serviceId} ${taskId}`),
      access: { adminToken: 'right', adminRead: undefined, metricsToken: 'scraper' },
    });
    served = await serveRest(app, { host: '127.0.0.1', port: 0 }, silentLogger);
  });
  beforeEach(() => {
    isReady = true;
    notified = 0;
    terminating = [];
  });
  after(() => served.stop());

  const get = (path: string, token = 'right') =>
    fetch(`http://127.0.0.1:${served.port}${path}`, { headers: { authorization: `Bearer ${token}` } });
  const getWithout = (path: string) => fetch(`http://127.0.0.1:${served.port}${path}`);
  const prefix = '/v1/docker-flow-swarm-listener';

  const responses = [
    [`${prefix}/ping`, { Status: 'OK' }],
    [`${prefix}/notify-services`, { Status: 'OK' }],
    [`${prefix}/get-services`, services],
    [`${prefix}/get-nodes`, nodes],
    ['/v1/status', { owner: 'swarm' }],
    ['/healthz', { status: 'healthy' }],
  ] as const;
  for (const [path, expected] of responses) {
    it(`responds with ${path} in JSON`, async () => {
      const response = await get(path);
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.match(/^application\/json/);
      expect(await response.json()).to.deep.equal(expected);
    });
  }

  it('shows nothing but its health without the token, and its metrics also with METRICS_TOKEN', async () => {
    for (const [path] of responses)
      expect((await getWithout(path)).status, path).to.equal(path === '/healthz' ? 200 : 401);
    expect((await getWithout('/readyz')).status).to.equal(200);
    expect((await getWithout('/metrics')).status).to.equal(401);
    expect((await get('/metrics', 'scraper')).status).to.equal(200);
    expect((await get('/v1/status', 'scraper')).status).to.equal(401);
    expect((await getWithout('/nothing')).status).to.equal(401);
  });

  it('sends all notifications again on request', async () => {
    await get(`${prefix}/notify-services`);
    expect(notified).to.equal(1);
  });

  it('is ready or not', async () => {
    expect((await get('/readyz')).status).to.equal(200);
    isReady = false;
    expect((await get('/readyz')).status).to.equal(503);
  });

  it('serves its metrics', async () => {
    const text = await (await get('/metrics')).text();
    expect(text).to.contain('swarmgate_listener_leading 1');
    expect(text).to.contain('swarmgate_listener_problems{severity="error"} 2');
    expect(text).to.contain('swarmgate_listener_work_total{kind="events"} 7');
    expect(text).to.contain('swarmgate_listener_event_to_published_seconds_count 1');
  });

  const post = (path: string, token: string | undefined, body?: string) =>
    fetch(`http://127.0.0.1:${served.port}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body }),
    });

  it('changes something only with the token', async () => {
    for (const path of ['/v1/adopt', '/v1/task-terminating', '/v1/task-going']) {
      expect((await post(path, undefined)).status).to.equal(401);
      expect((await post(path, 'wrong')).status).to.equal(401);
    }
    expect(terminating).to.deep.equal([]);
    const adopted = await post('/v1/adopt', 'right');
    expect(await adopted.json()).to.deep.equal({ Status: 'OK', Message: 'adopted' });
  });

  it('passes on an agent’s report of a terminating task, also on the path of version 0.1', async () => {
    for (const path of ['/v1/task-terminating', '/v1/task-going']) {
      terminating = [];
      expect((await post(path, 'right', '{"serviceId":"s","taskId":"t"}')).status).to.equal(200);
      expect(terminating, path).to.deep.equal(['s t']);
    }
  });

  for (const body of ['', '{}', '{"serviceId":"s"}', '{"serviceId":', '[]']) {
    it(`responds with 400 to ${body === '' ? 'nothing' : body} about a task`, async () => {
      const response = await post('/v1/task-terminating', 'right', body);
      expect(response.status).to.equal(400);
      expect(await response.text()).not.to.contain('.ts');
      expect(terminating).to.deep.equal([]);
    });
  }

  it('passes on names alone, whatever a report of a task holds', async () => {
    const texts = fc.oneof(
      { weight: 20, arbitrary: mutationsOf({ serviceId: 's1', taskId: 't1' }).map((each) => textOf(each) ?? '') },
      { weight: 1, arbitrary: fc.constantFrom(...hostileTexts) },
    );
    await fc.assert(
      fc.asyncProperty(texts, async (body) => {
        const { status } = await post('/v1/task-terminating', 'right', body);
        expect(status).to.be.oneOf([200, 400, 413]);
      }),
      fuzzRuns(500, 20_260_102),
    );
    expect(terminating).to.have.length.above(0);
    for (const task of terminating) expect(task).to.match(/^[\w-]{1,64} [\w-]{1,64}$/);
  }).timeout(30_000);

  it('names the setting where its port is taken', async () => {
    const again = serveRest(express(), { host: '127.0.0.1', port: served.port }, silentLogger);
    const error = await again.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.have.property('code', 'listener-port-unusable');
    expect(error)
      .to.have.property('message')
      .that.matches(/^LISTENER_PORT \d+ on 127\.0\.0\.1 .*EADDRINUSE.*choose another/);
  });

  it('responds with 404 in JSON on an unknown path', async () => {
    const response = await get('/v1/other');
    expect(response.status).to.equal(404);
    expect(await response.json()).to.deep.equal({ Status: 'NOK', Message: 'no such path: /v1/other' });
  });
});
