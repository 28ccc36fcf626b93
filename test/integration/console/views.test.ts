import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { eventually } from '../../../packages/proxy/test/running-proxy.ts';
import { withPage } from '../../harness/browser.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { adminToken, complaintsOf, logIn, useConsole } from './console-rig.ts';

describe('what the views of the console show', function () {
  this.timeout(180_000);
  const rig = useConsole('shop');

  const at = (hash: string, use: (page: Page) => Promise<void>) =>
    withPage(async (page) => {
      page.setDefaultTimeout(60_000);
      const complaints = complaintsOf(page);
      await logIn(page, rig().url);
      await page.goto(`${rig().url}/${hash}`);
      await use(page);
      expect(complaints).to.deep.equal([]);
    });
  const destinationOf = (name: string) => ({
    servicePath: [`/${name}`],
    outboundHostname: '127.0.0.1',
    port: rig().servicePort,
  });
  const publish = async (definition: object) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${adminToken}` };
    const reply = await rig().under.call('POST', '/v1/reconfigure', { headers, body: JSON.stringify(definition) });
    expect([reply.status, reply.body.problems ?? []], reply.text).to.deep.equal([200, []]);
  };
  const fact = (page: Page, name: string) => page.locator('.facts div').filter({ hasText: name }).locator('dd');

  it('below a header of one line on a narrow screen, whatever view it names', () =>
    at('#/services', async (page) => {
      await rig().publish('twice', { servicePath: ['/shop'] });
      await page.setViewportSize({ width: 360, height: 780 });
      const views = ['services', 'explain', 'problems', 'live', 'replicas', 'certificates', 'maintenance', 'manual'];
      const heights = new Set<number>();
      for (const view of views) {
        await page.goto(`${rig().url}/#/${view}`);
        await page.locator(`#views a[href="#/${view}"][aria-current="page"]`).waitFor({ state: 'attached' });
        await page.locator('.menu .count').waitFor();
        heights.add((await page.locator('header').boundingBox())?.height ?? 0);
      }
      expect([...heights], 'one for all').to.have.length(1);
      await rig().remove('twice');
    }));

  it('of one service: its labels with their source, its weight, an endpoint that is ejected, and why the proxy responded itself', async () => {
    const [closed] = await freePorts(1);
    await publish({ service: 'away', weight: 3, destinations: [{ ...destinationOf('away'), port: closed }] });
    await at('#/services/manual/away', async (page) => {
      await page.getByText('1 of 1 take requests').waitFor();
      // Three failures eject it, for seconds only.
      await eventually('the endpoint is shown as ejected, and the service as down', async () => {
        expect((await rig().visit('/away')).status).to.equal(502);
        const shown = (await page.locator('main').textContent()) ?? '';
        return ['✕ down', '✕ ejected', '0 of 1 take requests', `127.0.0.1:${closed}`].every((text) =>
          shown.includes(text),
        );
      });
      await page.getByRole('heading', { name: 'Responses of the proxy itself, last 15 minutes' }).waitFor();
      await page
        .getByRole('listitem')
        .filter({ hasText: /^endpoint-unreachable: \d+$/ })
        .waitFor();
      expect(await fact(page, 'Weight').textContent()).to.equal('3');
      expect(await fact(page, 'Published by').textContent()).to.match(/^rest \(REST from 127\.0\.0\.1\)$/);
      expect(await fact(page, 'Changed').textContent()).to.match(/\d/);
      await page.getByText('Labels as they were parsed').click();
      await page.getByText('"servicePath"').waitFor();
      await page.getByText('"kind": "rest"').waitFor();
    });
  });

  it('of a request: the method and the headers that decide, from the row of a service on', async () => {
    await rig().publish('beta', {
      servicePath: ['/shop'],
      serviceHeader: { 'X-Beta': '1' },
      allowedMethods: ['POST'],
    });
    await at('#/services', async (page) => {
      await page.getByRole('row', { name: /^shop/ }).getByRole('link', { name: '*/shop' }).click();
      await page.getByRole('heading', { name: 'manual/shop takes it' }).waitFor();
      await page.getByText('header x-beta is not 1').waitFor();
      await page.getByLabel('Headers').fill('X-Beta: 1');
      await page.getByLabel('Method').fill('POST');
      await page.getByRole('button', { name: 'Explain' }).click();
      await page.getByRole('heading', { name: 'manual/beta takes it' }).waitFor();
      await page.getByText(/^POST localhost\/shop on port \d+$/).waitFor();
      await page.getByRole('link', { name: 'manual/shop/0' }).waitFor();
    });
    await rig().remove('beta');
  });

  it('of a problem: what, whose, since when, and the mend; no more of it once that is done', async () => {
    await rig().publish('late', { servicePath: ['/shop'] });
    await at('#/problems', async (page) => {
      const card = page.getByRole('listitem').filter({ hasText: 'manual/late' });
      await card
        .getByText(/, since \d/)
        .first()
        .waitFor();
      expect(await card.locator('.mend').first().textContent()).to.have.length.above(10);
      await card.getByRole('link', { name: 'manual/late' }).first().click();
      await page.getByRole('heading', { name: /^late/ }).waitFor();
      await page
        .getByText(/, since \d/)
        .first()
        .waitFor();
      await rig().publish('late', { servicePath: ['/free'] });
      await page
        .getByText(/, since \d/)
        .first()
        .waitFor({ state: 'detached' });
      await page.getByRole('link', { name: 'Problems' }).click();
      await page.getByRole('heading', { name: 'No problems' }).waitFor();
    });
    await rig().remove('late');
  });

  it('of a definition that is saved again: each label that changes, with both values, before it is saved', async () => {
    await rig().publish('outside');
    await at('#/manual', async (page) => {
      await page.getByRole('button', { name: 'Write JSON instead' }).click();
      const destination = {
        servicePath: ['/outside', '/more'],
        outboundHostname: '127.0.0.1',
        port: rig().servicePort,
      };
      await page
        .getByLabel('Definition as JSON')
        .fill(JSON.stringify({ service: 'outside', destinations: [destination] }));
      await page.getByRole('button', { name: 'Show what changes' }).click();
      await page.getByRole('heading', { name: 'It is replaced' }).waitFor();
      const changes = page.getByRole('dialog').locator('.diff div');
      expect(await changes.allTextContents()).to.deep.equal([
        'destinations.0.servicePath− ["/outside"]+ ["/outside","/more"]',
      ]);
      expect((await rig().visit('/more')).status).to.equal(503);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('link', { name: 'Show it' }).waitFor();
    });
    expect((await rig().visit('/more')).status).to.equal(200);
    await rig().remove('outside');
  });

  it('of a service that is down by its label: that it is, until when, and no button that could end it', async () => {
    await publish({ service: 'labelled', maintenance: true, destinations: [destinationOf('labelled')] });
    await at('#/services/manual/labelled', async (page) => {
      await page.getByText('until its label is taken off').waitFor();
      expect(await page.getByRole('button', { name: /^End the maintenance/ }).count()).to.equal(0);
      expect((await rig().visit('/labelled')).status).to.equal(503);
    });
    await rig().remove('labelled');
  });
});
