import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { removeService, updateService } from '../harness/docker.ts';
import { constantLoad, untilResponds } from '../harness/http.ts';
import { pathLabels, sharedStack } from './shared-stack.ts';

// The promise is about a whole minute: longer than a hold of a blocking query and a session's life.
const awayMs = 60_000;

describe('Consul stopped for a minute under traffic', () => {
  let id: string;

  before(async () => {
    id = await sharedStack().createService('lasting', { labels: pathLabels('/lasting') });
    await untilResponds({ url: `${sharedStack().httpUrl}/lasting` }, 200);
  });
  after(async () => {
    await removeService(sharedStack().docker, id);
  });

  it('costs no request, and what changed meanwhile arrives when it is back', async () => {
    const stack = sharedStack();
    await using load = constantLoad({ url: `${stack.httpUrl}/lasting`, ratePerSecond: 100 });
    await stack.scale('consul', 0);
    await updateService(stack.docker, id, (spec) => ({ ...spec, Labels: pathLabels('/lasting,/meanwhile') }));
    await pause(awayMs);
    await untilResponds({ url: `${stack.httpUrl}/meanwhile` }, 503);
    const unready = await stack.admin('/healthz');
    expect(unready.status, 'the proxy stays healthy').to.equal(200);

    await stack.scale('consul', 1);
    const backAt = performance.now();
    await untilResponds({ url: `${stack.httpUrl}/meanwhile` }, 200, { withinMs: 60_000 });
    console.log(`    Consul back → change of meanwhile served: ${((performance.now() - backAt) / 1000).toFixed(1)} s`);
    const report = await load.stop();
    console.log(`    requests while Consul was away: ${report.sent}, failed: ${report.failed}`);
    expect(report.failures).to.deep.equal([]);
    expect(report.sent).to.be.greaterThan(5_000);
  });
});
