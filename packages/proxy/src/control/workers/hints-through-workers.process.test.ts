import { expect } from 'chai';
import { until } from '../../../test/until.ts';
import { startWorkerRig, type WorkerRig } from '../../../test/worker-rig.ts';

describe('hints between replicas, where workers serve', () => {
  let rig: WorkerRig;
  const ejected: string[] = [];

  before(async () => {
    rig = await startWorkerRig({ env: { WORKERS: '1' } });
    rig.server.onEjected?.((endpointId) => ejected.push(endpointId));
    await rig.put('manual/web', { servicePath: ['/web'] });
  });
  after(() => rig.stop());

  it('is what passes through all of them', async () => {
    for (let sent = 0; sent < 3; sent += 1) expect((await rig.get('/web')).status).to.equal(200);
    await until(() => (rig.server.traffic?.().requests ?? 0) >= 3, 'the worker’s report');
  });

  it('reaches them: an endpoint that another replica ejected is out after one failure, and they report it', async () => {
    await rig.put('manual/gone', { servicePath: ['/gone'], port: 9 });
    expect((await rig.get('/gone')).status).to.equal(502);
    expect(ejected).to.deep.equal([]);
    rig.server.peerEjected?.('127.0.0.1:9');
    // The channel keeps its order: once this change is applied, the worker knows.
    await rig.put('manual/later', { servicePath: ['/later'] });
    expect((await rig.get('/gone')).status).to.equal(502);
    await until(() => ejected.includes('127.0.0.1:9'), 'the ejection to be reported');
  });
});
