import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Page, Request } from 'playwright-core';
import { eventually } from '../../../packages/proxy/test/running-proxy.ts';
import { testCertificate } from '../../../packages/proxy/test/test-certificate.ts';
import { withPage } from '../../harness/browser.ts';
import { startFaultyRelay } from '../../harness/faulty-relay.ts';
import { startBetween } from './between.ts';
import { adminToken, logIn, useConsole } from './console-rig.ts';

const withinMs = 60_000;

describe('how the console stays up to date', function () {
  this.timeout(180_000);
  const rig = useConsole('shop');

  const says = (page: Page, state: string) => page.locator('.connection').getByText(state).waitFor();
  const shows = (page: Page, service: string) => page.getByRole('link', { name: service, exact: true }).waitFor();

  /** The page is out of sight, or back. */
  const see = (page: Page, state: 'hidden' | 'visible') =>
    page.evaluate(`
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => ${JSON.stringify(state)} });
      document.dispatchEvent(new Event('visibilitychange'));
    `);

  it('shows a change without having requested it', async () => {
    const between = await startBetween(rig().under.proxy.admin.port);
    try {
      await withPage(async (page) => {
        page.setDefaultTimeout(withinMs);
        await logIn(page, between.url);
        await says(page, 'live');
        await shows(page, 'shop');
        const requested = between.paths.length;
        await rig().publish('pushed');
        await shows(page, 'pushed');
        await rig().publish('shop', { servicePath: ['/shop', '/cart'] });
        await page.getByRole('row', { name: /shop/ }).getByText('+1').waitFor();
        expect(between.paths.slice(requested)).to.deep.equal([]);
      });
    } finally {
      await between.stop();
    }
  });

  it('keeps one service, maintenance and certificates up to date without a request either', async () => {
    const between = await startBetween(rig().under.proxy.admin.port);
    const certs = join(rig().under.dataDir, 'certs');
    const operator = { headers: { authorization: `Bearer ${adminToken}` } };
    try {
      await withPage(async (page) => {
        page.setDefaultTimeout(withinMs);
        await logIn(page, between.url);
        await says(page, 'live');
        /** What is shown changes, and nothing but the streams was opened for it. */
        const withoutRequest = async (change: () => Promise<unknown>, shown: () => Promise<unknown>) => {
          const requested = between.paths.length;
          await change();
          await shown();
          expect(between.paths.slice(requested)).to.deep.equal([]);
        };
        await page.goto(`${between.url}/#/services/manual/shop`);
        await page.getByText('No request came since').waitFor();
        await withoutRequest(
          async () => (await rig().visit('/shop')).text(),
          () => page.getByRole('row', { name: /^Last minute 1 / }).waitFor(),
        );
        await withoutRequest(
          () => rig().under.call('POST', '/v1/maintenance?service=shop', operator),
          () => page.getByText('In maintenance').first().waitFor(),
        );
        await page.goto(`${between.url}/#/maintenance`);
        await page.getByRole('row', { name: /manual\/shop maintenance/ }).waitFor();
        await withoutRequest(
          () => rig().under.call('DELETE', '/v1/maintenance?service=shop', operator),
          () => page.getByRole('heading', { name: 'Every service takes requests' }).waitFor(),
        );
        await page.goto(`${between.url}/#/certificates`);
        await page.getByRole('heading', { name: 'No certificate' }).waitFor();
        await withoutRequest(
          async () => {
            await mkdir(certs, { recursive: true });
            await writeFile(join(certs, 'shop.pem'), (await testCertificate(['shop.example'])).pem);
          },
          () => page.getByRole('rowheader', { name: 'shop.example' }).waitFor(),
        );
      });
    } finally {
      await between.stop();
    }
  });

  it('polls where something in between holds events back, says so, and streams again when that has gone', async () => {
    const between = await startBetween(rig().under.proxy.admin.port);
    try {
      between.holdStreams(true);
      await withPage(async (page) => {
        page.setDefaultTimeout(withinMs);
        await logIn(page, between.url);
        await says(page, 'polling');
        await shows(page, 'shop');
        await rig().publish('polled');
        await shows(page, 'polled');
        await page.goto(`${between.url}/#/services/manual/polled`);
        await page.getByText('No request came since').waitFor();
        await (await rig().visit('/polled')).text();
        await page.getByRole('row', { name: /^Last minute 1 / }).waitFor();
        await page.goto(`${between.url}/#/maintenance`);
        await page.getByRole('heading', { name: 'Every service takes requests' }).waitFor();
        await page.goto(`${between.url}/#/certificates`);
        await page.getByRole('heading', { name: 'Certificates' }).waitFor();
        // Streams that end by themselves come through.
        await page.goto(`${between.url}/#/live`);
        await page.getByText('Every 2 s').waitFor();
        await eventually('a request is shown', async () => {
          await (await rig().visit('/polled/seen')).text();
          return (await page.getByRole('row', { name: /polled\/seen/ }).count()) > 0;
        });
        await page.goto(`${between.url}/#/services`);
        between.holdStreams(false);
        // Sooner than it would by itself, after 30 s.
        await see(page, 'hidden');
        await see(page, 'visible');
        await says(page, 'live');
        const requested = between.paths.length;
        await rig().publish('streamed');
        await shows(page, 'streamed');
        expect(between.paths.slice(requested)).to.deep.equal([]);
      });
    } finally {
      await between.stop();
    }
  });

  it('polls where every stream is taken by others, with nothing missing, and streams when one is free', async () => {
    const { port } = rig().under.proxy.admin;
    const headers = { authorization: `Bearer ${adminToken}` };
    const others = Array.from({ length: 32 }, () => new AbortController());
    const streams: Response[] = [];
    try {
      for (const { signal } of others) {
        const response = await fetch(`http://127.0.0.1:${port}/v1/events`, { headers, signal });
        expect(response.status).to.equal(200);
        // One that nothing refers to is ended.
        streams.push(response);
      }
      await withPage(async (page) => {
        page.setDefaultTimeout(withinMs);
        await logIn(page, rig().url);
        await says(page, 'polling');
        await shows(page, 'shop');
        await rig().publish('crowded');
        await shows(page, 'crowded');
        expect(streams).to.have.length(others.length);
        for (const each of others) each.abort();
        await see(page, 'hidden');
        await see(page, 'visible');
        await says(page, 'live');
        await rig().remove('crowded');
        await page.getByRole('link', { name: 'crowded', exact: true }).waitFor({ state: 'detached' });
      });
    } finally {
      for (const each of others) each.abort();
    }
  });

  it('shows that it is disconnected, keeps what it showed, and goes on where it was', async () => {
    const relay = await startFaultyRelay(`127.0.0.1:${rig().under.proxy.admin.port}`);
    try {
      await withPage(async (page) => {
        page.setDefaultTimeout(withinMs);
        const opened: Request[] = [];
        await logIn(page, `http://${relay.address}`);
        await shows(page, 'shop');
        await says(page, 'live');
        page.on('request', (request) => {
          if (request.url().includes('/v1/events')) opened.push(request);
        });
        await relay.cut();
        await says(page, 'disconnected');
        await page.getByRole('alert').getByText('Disconnected.').waitFor();
        await shows(page, 'shop');
        await rig().publish('meanwhile');
        await relay.heal();
        await says(page, 'live');
        await shows(page, 'meanwhile');
        await page.getByText('Disconnected.').waitFor({ state: 'hidden' });
        // The first of the openings: where the outage lasted for more than 10 s the page has polled, and begins from the start.
        const again = opened[0];
        expect((await again?.allHeaders())?.['last-event-id'] ?? again?.url()).to.match(/^[0-9a-f]+-\d+$|after=/);
      });
    } finally {
      await relay.close();
    }
  });

  it('shows the login, and nothing that was read before, where the session has ended elsewhere', () =>
    withPage(async (page) => {
      page.setDefaultTimeout(withinMs);
      await logIn(page, rig().url);
      await shows(page, 'shop');
      const [cookie] = await page.context().cookies(rig().url);
      const headers = { Cookie: `${cookie?.name}=${cookie?.value}`, Origin: rig().url };
      expect((await fetch(`${rig().url}/v1/session`, { method: 'DELETE', headers })).status).to.equal(200);
      await page.getByLabel('Admin token').waitFor();
      expect(await page.getByText('shop').count()).to.equal(0);
    }));

  it('reads nothing while the page is out of sight, and has what changed when it is back', () =>
    withPage(async (page) => {
      page.setDefaultTimeout(withinMs);
      await logIn(page, rig().url);
      await shows(page, 'shop');
      await says(page, 'live');
      // From then on it has the version of all that it has.
      await page.getByText('reading …').waitFor({ state: 'hidden' });
      await see(page, 'hidden');
      await rig().publish('unseen');
      const opened = page.waitForRequest(/after=/);
      await see(page, 'visible');
      await opened;
      await shows(page, 'unseen');
    }));
});
