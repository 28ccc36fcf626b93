import { Agent } from 'node:http';
import { expect } from 'chai';
import { removeService, updateService } from '../harness/docker.ts';
import { send, untilResponds } from '../harness/http.ts';
import { until } from '../harness/until.ts';
import { serviceEvents } from './service-events.ts';
import { pathLabels, sharedStack } from './shared-stack.ts';

const changes = 100;
// The first requests meet cold code and unopened connections.
const warmUp = 10;

describe('from Docker’s event to the first response on the new route', () => {
  it(`takes less than 150 ms in the middle of ${changes} label changes`, async () => {
    const stack = sharedStack();
    const { docker } = stack;
    const id = await stack.createService('speed', { labels: pathLabels('/speed') });
    await using events = await serviceEvents(docker, stack.fullName('speed'));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const took: number[] = [];
    try {
      await untilResponds({ url: `${stack.httpUrl}/speed` }, 200);
      for (let change = -warmUp; change < changes; change += 1) {
        const url = `${stack.httpUrl}/speed-${change}`;
        const event = events.next();
        // Requests start before the change, so that the first good response is seen when it comes.
        const responded = firstResponse(url, agent);
        await updateService(docker, id, (spec) => ({ ...spec, Labels: pathLabels(`/speed-${change}`) }));
        const tookMs = (await responded) - (await event);
        if (change >= 0) took.push(tookMs);
      }
    } finally {
      agent.destroy();
      await removeService(docker, id);
    }
    const sorted = took.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    console.log(
      `    event → first response, ${changes} label changes: p50 ${at(0.5).toFixed(0)} ms, ` +
        `p95 ${at(0.95).toFixed(0)} ms, max ${at(1).toFixed(0)} ms`,
    );
    expect(at(0.5), 'median in ms').to.be.lessThan(150);
  });
});

/** When the route first responded with 200, in milliseconds since the epoch. */
async function firstResponse(url: string, agent: Agent): Promise<number> {
  // Looking every 2 ms leaves the two cores to the parts that are measured.
  await until(`${url} responds with 200`, async () => (await send({ url, agent })).status === 200, { everyMs: 2 });
  return performance.timeOrigin + performance.now();
}
