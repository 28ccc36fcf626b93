// npm run soak [MINUTES]: holds a page of the console open for ten minutes of live updates, and fails where the memory of the
// process behind the admin port or of the page grows. Needs Chromium (CHROMIUM, or one in PATH).
import type { ServiceDefinition } from '@swarmgate/registry';
import { pause } from '@swarmgate/runtime';
import type { CDPSession } from 'playwright-core';
import { withPage } from '../harness/browser.ts';
import { adminToken, type ConsoleRig, logIn, startConsole } from '../integration/console/console-rig.ts';
import { growthOf, type Sample } from './growth.ts';

const minutes = Number(process.argv[2] ?? 10);
const services = 1_000;
const busyServices = 40;
const sampleEveryMs = 10_000;
/** Between the second fifth of the time and the last; before, caches fill. */
const mostGrowthBytes = { process: 8_000_000, page: 4_000_000 };

const definitions = (port: number) =>
  Array.from(
    { length: services },
    (_, at): ServiceDefinition => ({
      version: 1,
      owner: 'manual',
      service: `service-${at}`,
      source: { kind: 'rest', by: 'soak' },
      updatedAt: '2026-01-01T00:00:00.000Z',
      destinations: [{ index: 0, since: 1, servicePath: [`/service-${at}`], outboundHostname: '127.0.0.1', port }],
    }),
  );

/** Requests to some services, a changed definition twice a second, and one that comes with a problem and goes. */
async function keepBusy(rig: ConsoleRig, signal: AbortSignal): Promise<void> {
  for (let turn = 0; await pause(500, signal); turn += 1) {
    const visits = Array.from({ length: 20 }, async (_, at) => {
      const name = `service-${(turn * 7 + at) % busyServices}`;
      await (await rig.visit(at === 0 ? `/${name}/broken` : `/${name}`)).text();
    });
    await Promise.all(visits);
    await rig.publish(`service-${turn % services}`, { servicePath: [`/service-${turn % services}`, `/turn-${turn}`] });
    if (turn % 4 === 0) await rig.publish('rival', { servicePath: [`/service-${turn % 50}`] });
    if (turn % 4 === 2) await rig.remove('rival');
  }
}

/** What is in use after a collection; what was let go of does not count. */
async function sampleNow(cdp: CDPSession, atMs: number): Promise<Sample> {
  if (global.gc === undefined) throw new TypeError('needs node --expose-gc, as npm run soak gives it');
  global.gc();
  await cdp.send('HeapProfiler.collectGarbage');
  const { metrics } = await cdp.send('Performance.getMetrics');
  const metric = (name: string) => metrics.find((each) => each.name === name)?.value ?? 0;
  const { heapUsed, rss } = process.memoryUsage();
  return { atMs, process: heapUsed, rss, page: metric('JSHeapUsedSize'), nodes: metric('Nodes') };
}

const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB`;

async function soak(): Promise<boolean> {
  const rig = await startConsole({ ADMIN_TOKEN: adminToken }, definitions);
  const ending = new AbortController();
  const busy = keepBusy(rig, ending.signal);
  busy.catch((error: unknown) => ending.abort(error));
  const samples: Sample[] = [];
  try {
    await withPage(async (page) => {
      await logIn(page, rig.url);
      await page.locator('.connection').getByText('live').waitFor();
      const cdp = await page.context().newCDPSession(page);
      await cdp.send('Performance.enable');
      const startedMs = performance.now();
      const views = ['services', 'problems', 'services/manual/service-1', 'live', 'replicas', 'services'];
      for (let turn = 0; performance.now() - startedMs < minutes * 60_000; turn += 1) {
        // Back to the list for each sample: another view holds another amount.
        await page.goto(`${rig.url}/#/${views[turn % views.length]}`);
        if (!(await pause(sampleEveryMs, ending.signal))) throw ending.signal.reason;
        await page.goto(`${rig.url}/#/services`);
        await page.getByText(/ of \d+ services/).waitFor();
        const sample = await sampleNow(cdp, performance.now() - startedMs);
        samples.push(sample);
        console.log(
          `${(sample.atMs / 60_000).toFixed(1)} min  process ${megabytes(sample.process)} (RSS ${megabytes(sample.rss)})  page ${megabytes(sample.page)}, ${sample.nodes} nodes`,
        );
      }
    });
  } finally {
    ending.abort();
    await busy.catch(() => undefined);
    await rig.stop();
  }
  let isFlat = true;
  for (const part of ['process', 'page'] as const) {
    const { early, late } = growthOf(samples, part);
    const isWithin = late - early <= mostGrowthBytes[part];
    isFlat &&= isWithin;
    console.log(`${part}: ${megabytes(early)} early, ${megabytes(late)} late: ${isWithin ? 'flat' : 'GROWS'}`);
  }
  return isFlat;
}

process.exit((await soak()) ? 0 : 1);
