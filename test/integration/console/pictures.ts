// npm run docs:pictures: makes every picture of docs/console.md again, in both themes. Needs Chromium.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { withPage } from '../../harness/browser.ts';
import { smallPng } from '../../harness/small-png.ts';
import { until } from '../../harness/until.ts';
import { adminToken, type ConsoleRig, logIn, startConsole } from './console-rig.ts';
import { publishAt, startReplicaPair } from './replica-pair.ts';
import { runTask, tasks } from './tasks.ts';

const mostBytes = 60_000;
const themes = ['light', 'dark'] as const;

async function save(page: Page, name: string): Promise<void> {
  const png = smallPng(await page.screenshot());
  if (png.length > mostBytes) throw new RangeError(`${name}.png has ${png.length} bytes: ${mostBytes} at most`);
  writeFileSync(fileURLToPath(new URL(`../../../docs/images/${name}.png`, import.meta.url)), png);
  console.log(`${name}.png ${png.length}`);
}

async function visitAll(rig: ConsoleRig): Promise<void> {
  for (let at = 0; at < 40; at += 1)
    for (const path of ['/shop', '/shop', '/blog', '/api', ...(at % 8 === 0 ? ['/shop/broken'] : [])])
      await (await rig.visit(path)).text();
}

const views: readonly (readonly [name: string, hash: string, show: (page: Page, rig: ConsoleRig) => Promise<void>])[] =
  [
    [
      'services',
      'services',
      async (page) => {
        await page
          .getByRole('row', { name: /shop/ })
          .locator('.latency .spark polyline')
          .waitFor({ state: 'attached' });
      },
    ],
    [
      'service',
      'services/manual/shop',
      async (page, rig) => {
        await page.locator('.chart canvas').first().waitFor();
        // A line needs readings, and each has other figures.
        const figures = page.getByRole('row', { name: /^Since start/ });
        for (let at = 0; at < 4; at += 1) {
          const before = await figures.textContent();
          await (await rig.visit('/shop')).text();
          await until('the figures change', async () => (await figures.textContent()) !== before);
        }
      },
    ],
    [
      'explain',
      'explain?url=http://shop.example/shop/cart',
      async (page) => {
        await page.getByRole('heading', { name: /takes it/ }).waitFor();
      },
    ],
    [
      'problems',
      'problems',
      async (page) => {
        await page.getByRole('heading', { name: /problem/ }).waitFor();
      },
    ],
    [
      'live',
      'live',
      async (page, rig) => {
        await page.getByText('Live.').waitFor();
        await visitAll(rig);
        await page
          .getByRole('row', { name: /broken/ })
          .first()
          .waitFor();
      },
    ],
    [
      'certificates',
      'certificates',
      async (page) => {
        await page.getByRole('heading', { name: 'Certificates' }).waitFor();
      },
    ],
    [
      'maintenance',
      'maintenance',
      async (page) => {
        await page.getByRole('row', { name: /manual\/api maintenance/ }).waitFor();
      },
    ],
    [
      'manual',
      'manual',
      async (page) => {
        await page.getByRole('heading', { name: /Add or replace/ }).waitFor();
      },
    ],
  ];

/** Two replicas on one Consul: both at the newest change, and one that it has yet to arrive at. */
async function saveReplicas(): Promise<void> {
  const pair = await startReplicaPair();
  const [one, two] = pair.replicas;
  try {
    for (const name of ['shop', 'blog', 'api']) await publishAt(one, name);
    for (const theme of themes)
      await withPage(async (page) => {
        await page.setViewportSize({ width: 1_200, height: 400 });
        await page.emulateMedia({ colorScheme: theme });
        await logIn(page, one.url);
        await page.goto(`${one.url}/#/replicas`);
        const lineOfTwo = page.getByRole('row', { name: /^two/ });
        await lineOfTwo.getByText('none', { exact: true }).waitFor();
        await save(page, `console-replicas-${theme}`);
        two.process.signal('SIGSTOP');
        const arrives = publishAt(one, `arriving-${theme}`);
        await lineOfTwo.getByText('1 change').waitFor();
        await page.getByRole('row', { name: /^one/ }).getByText('none', { exact: true }).waitFor();
        await save(page, `console-replicas-arriving-${theme}`);
        two.process.signal('SIGCONT');
        await arrives;
      });
  } finally {
    await pair.stop();
  }
}

await saveReplicas();
const rig = await startConsole({ ADMIN_TOKEN: adminToken });
try {
  for (const name of ['shop', 'blog', 'api']) await rig.publish(name);
  await rig.publish('shop', { servicePath: ['/shop', '/cart'] });
  // The match of shop, which was first.
  await rig.publish('rival', { servicePath: ['/shop'] });
  await rig.under.call('POST', '/v1/maintenance?service=api&for=30m&message=Back+at+ten.', {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  for (const theme of themes)
    await withPage(async (page) => {
      await page.setViewportSize({ width: 1_200, height: 680 });
      await page.emulateMedia({ colorScheme: theme });
      await page.goto(rig.url);
      await page.getByLabel('Admin token').waitFor();
      await save(page, `console-login-${theme}`);
      await logIn(page, rig.url);
      await visitAll(rig);
      for (const [name, hash, show] of views) {
        await page.goto(`${rig.url}/#/${hash}`);
        await show(page, rig);
        await save(page, `console-${name}-${theme}`);
      }
      await page.setViewportSize({ width: 360, height: 640 });
      await page.goto(`${rig.url}/#/services`);
      await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
      await save(page, `console-narrow-${theme}`);
    });
  for (const task of tasks)
    await withPage(async (page) => {
      await page.setViewportSize({ width: 1_200, height: 560 });
      await runTask(task, page, rig, async (step) => {
        if (step === task.pictureAfter) await save(page, task.picture);
      });
    });
} finally {
  await rig.stop();
}
process.exit(0);
