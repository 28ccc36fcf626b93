import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { withPage } from '../../harness/browser.ts';
import { until } from '../../harness/until.ts';
import { adminToken, type ConsoleRig, startConsole } from './console-rig.ts';

const withinMs = 60_000;
/** More than any view has. */
const mostStops = 80;

/** What has the focus, by its first line of text or its label. */
const focused = `(() => {
  const has = document.activeElement;
  const label = has.labels?.[0]?.querySelector('span') ?? has.labels?.[0];
  return (label ?? has).innerText?.trim().split('\\n')[0] ?? '';
})()`;

describe('the console by the keyboard alone', function () {
  this.timeout(180_000);
  let rig: ConsoleRig;
  before(async () => {
    rig = await startConsole({ ADMIN_TOKEN: adminToken });
    await rig.publish('shop');
    await rig.publish('shop', { servicePath: ['/changed'] });
  });
  after(() => rig.stop());

  /** Goes on to what is called so; each stop on the way has to show that it is one. */
  const tabTo = async (page: Page, name: RegExp, key = 'Tab') => {
    const stops: string[] = [];
    while (stops.length < mostStops) {
      await page.keyboard.press(key);
      const isPage = (await page.evaluate('document.activeElement === document.body')) === true;
      const stop = isPage ? '' : String(await page.evaluate(focused));
      if (!isPage && (await page.evaluate('document.activeElement.id')) !== 'main')
        expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), stop).to.not.equal('none');
      if (!isPage && name.test(stop)) return;
      stops.push(stop);
    }
    throw new Error(`no stop is called ${name}: ${stops.join(', ')}`);
  };
  const press = async (page: Page, name: RegExp, key?: string) => {
    await tabTo(page, name, key);
    await page.keyboard.press('Enter');
  };
  const dialogOf = (page: Page) => page.getByRole('dialog');
  /** Enter opens it; the focus is in it and stays there; Escape ends it, and the focus is where it was. */
  const opensAndReturns = async (page: Page, button: RegExp) => {
    await press(page, button);
    await dialogOf(page).waitFor();
    for (let stops = 0; stops < 12; stops += 1) {
      // The browser's own bar is a stop between the last and the first.
      const isInside = 'document.activeElement.closest("dialog") !== null || document.activeElement === document.body';
      expect(await page.evaluate(isInside)).to.equal(true);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Escape');
    await dialogOf(page).waitFor({ state: 'detached' });
    await until('the focus is back', async () => button.test(String(await page.evaluate(focused))));
  };
  const logInByKeys = async (page: Page, hash = '') => {
    page.setDefaultTimeout(withinMs);
    await page.goto(`${rig.url}/${hash}`);
    await page.getByLabel('Admin token').waitFor();
    await tabTo(page, /^Admin token/);
    await page.keyboard.type(adminToken);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Log out' }).waitFor();
  };

  it('reaches every view, with the focus on its content, and ends the login', () =>
    withPage(async (page) => {
      await logInByKeys(page);
      await press(page, /^Skip to the content/);
      expect(await page.evaluate('document.activeElement.id')).to.equal('main');
      for (const title of [
        'Explain',
        'Problems',
        'Live requests',
        'Replicas',
        'Certificates',
        'Maintenance',
        'Add a service',
        'Services',
      ]) {
        // The views stand before the content.
        await press(page, new RegExp(`^${title}`), 'Shift+Tab');
        await until(`${title} is shown`, async () => (await page.title()) === `${title} – Swarmgate`);
        await until(
          'the content has the focus',
          async () => (await page.evaluate('document.activeElement.id')) === 'main',
        );
      }
      await press(page, /^Theme/, 'Shift+Tab');
      expect(await page.evaluate('document.documentElement.dataset.theme')).to.equal('light');
      await press(page, /^Log out/);
      await page.getByLabel('Admin token').waitFor();
    }));

  it('filters and sorts services, and explains one', () =>
    withPage(async (page) => {
      await logInByKeys(page);
      await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
      await tabTo(page, /^Filter/);
      await page.keyboard.type('sho');
      await page.getByText('1 of 1 services').waitFor();
      await press(page, /^Service( ↓| ↑)?$/);
      await page
        .getByRole('columnheader', { name: 'Service', exact: true })
        .and(page.locator('[aria-sort=ascending]'))
        .waitFor();
      await press(page, /^\*\/changed/);
      await page.getByRole('heading', { name: 'manual/shop takes it' }).waitFor();
      await tabTo(page, /^URL/);
      await page.keyboard.press('Control+A');
      await page.keyboard.type('http://a.example/nowhere');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: '503 no-route' }).waitFor();
    }));

  it('takes a service down, ends that, drains an endpoint, and undoes a change', async () => {
    await withPage(async (page) => {
      await logInByKeys(page, '#/services/manual/shop');
      await page.getByRole('button', { name: 'Take down for maintenance' }).waitFor();
      await opensAndReturns(page, /^Take down for maintenance/);
      await page.keyboard.press('Enter');
      await dialogOf(page).waitFor();
      await tabTo(page, /^Message for clients/);
      await page.keyboard.type('Back at ten.');
      await page.keyboard.press('Enter');
      await page.getByText('In maintenance').first().waitFor();
      expect((await rig.visit('/changed')).status).to.equal(503);
      // Its button is gone: the focus is on the content.
      await until(
        'the content has the focus',
        async () => (await page.evaluate('document.activeElement.id')) === 'main',
      );
      await press(page, /^End the maintenance/);
      await page.getByRole('button', { name: 'Take down for maintenance' }).waitFor();
      await press(page, /^Drain/);
      // It is the same button, which keeps the focus.
      await page.getByRole('button', { name: /^End the drain/ }).waitFor();
      expect(await page.evaluate(focused)).to.match(/^End the drain/);
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: /^Drain of/ }).waitFor();
      await opensAndReturns(page, /^Roll back to #/);
      await page.keyboard.press('Enter');
      await press(page, /^Serve #\d+ again/);
      await page.getByRole('link', { name: '*/shop' }).waitFor();
    });
    expect((await rig.visit('/shop')).status).to.equal(200);
  });

  it('adds a service outside the Swarm, and follows its requests', async () => {
    await withPage(async (page) => {
      await logInByKeys(page, '#/manual');
      await tabTo(page, /^Name/);
      await page.keyboard.type('outside');
      // A field that is reached by Tab has its text selected.
      await tabTo(page, /^Path/);
      await page.keyboard.type('/outside');
      await tabTo(page, /^Address of the service/);
      await page.keyboard.type(`127.0.0.1:${rig.servicePort}`);
      await opensAndReturns(page, /^Show what changes/);
      await page.keyboard.press('Enter');
      await press(page, /^Save/);
      await page.getByRole('link', { name: 'Show it' }).waitFor();
      await press(page, /^Live requests/, 'Shift+Tab');
      await page.getByText('Live.').waitFor();
      await tabTo(page, /^Service/);
      await page.keyboard.type('outside');
      await page.keyboard.press('Enter');
      await page.getByText('Live.').waitFor();
      await until('a request is shown', async () => {
        await (await rig.visit('/outside')).text();
        return (await page.getByRole('row', { name: /GET 127.0.0.1\/outside/ }).count()) > 0;
      });
      await press(page, /^Pause/);
      await page.getByRole('button', { name: 'Go on' }).waitFor();
    });
    expect((await rig.visit('/outside')).status).to.equal(200);
  });
});
