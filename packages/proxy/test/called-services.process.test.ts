import type { Problem } from '@swarmgate/registry';
import { expect } from 'chai';
import type { Server } from '../src/control/serving/server.ts';
import { type ProxyUnderTest, startProxyUnderTest } from './running-proxy.ts';
import { until } from './until.ts';
import { startWorkerRig, type WorkerRig } from './worker-rig.ts';

const address = 'http://nowhere.invalid:9000/verify';

function expectProblem(found: readonly Pick<Problem, 'reason' | 'message' | 'label'>[] | undefined): void {
  expect(found?.map(({ reason, label }) => ({ reason, label }))).to.deep.equal([
    { reason: 'called-service-unreachable', label: 'forwardAuth' },
  ]);
  expect(found?.[0]?.message)
    .to.include('forwardAuth calls http://nowhere.invalid:9000')
    .and.include('nowhere.invalid has no address');
}

describe('a forwardAuth whose host does not resolve', () => {
  let rig: WorkerRig;
  before(async () => {
    rig = await startWorkerRig({ env: { WORKERS: '1' } });
  });
  after(() => rig.stop());

  it('is a problem of its service where workers serve, once a request has met it', async () => {
    await rig.put('manual/shop', { servicePath: ['/shop'], forwardAuth: { address } });
    expect((await rig.get('/shop')).status).to.equal(503);
    await until(() => rig.server.problems().has('manual/shop'), 'the problem');
    expectProblem(rig.server.problems().get('manual/shop'));
    await rig.put('manual/shop', { servicePath: ['/shop'] });
    await until(() => !rig.server.problems().has('manual/shop'), 'the problem has gone');
  });

  it('is one in /v1/problems where one process serves', async () => {
    let server: Server | undefined;
    const under: ProxyUnderTest = await startProxyUnderTest({
      onServer: (its) => {
        server = its;
      },
    });
    try {
      const query = new URLSearchParams({
        serviceName: 'shop',
        servicePath: '/shop',
        port: String(rig.backendPort),
        outboundHostname: '127.0.0.1',
        forwardAuth: address,
      });
      const headers = { Host: 'localhost' };
      await under.call('GET', `/v1/docker-flow-proxy/reconfigure?${query}`, { headers });
      expect((await rig.get('/shop', { port: server?.entrypoints()[0]?.port ?? 0 })).status).to.equal(503);
      let problems: readonly Problem[] = [];
      await until(async () => {
        const { body } = await under.call('GET', '/v1/problems', { headers });
        problems = body.problems as readonly Problem[];
        return problems.length > 0;
      }, 'the problem');
      expectProblem(problems);
    } finally {
      await under.stop();
    }
  });
});
