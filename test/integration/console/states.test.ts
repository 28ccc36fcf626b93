import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { withPage } from '../../harness/browser.ts';
import { until } from '../../harness/until.ts';
import { adminToken, logIn, startConsole, useConsole, violationsEverywhere, violationsOf } from './console-rig.ts';

const withinMs = 60_000;

describe('the states of the console', function () {
  this.timeout(180_000);
  const rig = useConsole();

  const visit = (use: (page: Page) => Promise<void>) =>
    withPage(async (page) => {
      page.setDefaultTimeout(withinMs);
      await use(page);
    });
  /** Nothing that axe finds, in either theme, on a narrow and a wide screen. */
  const isAccessible = async (page: Page, what: string) => {
    expect(await violationsEverywhere(page, what)).to.deep.equal([]);
  };

  it('without a service show what to do next', () =>
    visit(async (page) => {
      await page.goto(rig().url);
      await page.getByLabel('Admin token').waitFor();
      await isAccessible(page, 'login');
      await logIn(page, rig().url);
      for (const [hash, title, next] of [
        ['services', 'No service is published yet', 'docker service update --label-add'],
        ['problems', 'No problems', 'served as it is written'],
        ['live', 'No request yet', 'when it has ended'],
        ['explain', 'Where does a request go?', 'the condition that it does not meet'],
        ['certificates', 'No certificate', 'PEM file'],
        ['maintenance', 'Every service takes requests', 'Maintenance'],
        ['services/manual/gone', 'manual/gone is not served', 'All services'],
      ] as const) {
        await page.goto(`${rig().url}/#/${hash}`);
        await page.getByRole('heading', { name: title }).waitFor();
        expect(((await page.locator('main').textContent()) ?? '').replace(/\s+/g, ' '), hash).to.include(next);
        await isAccessible(page, hash);
      }
    }));

  it('with nothing but samples show how to send them requests, their traffic then, and the next step', async () => {
    const ofSamples = await startConsole({}, (port) => [
      {
        version: 1,
        owner: 'sample',
        service: 'hello',
        source: { kind: 'rest', by: 'test' },
        updatedAt: '2026-01-01T00:00:00.000Z',
        destinations: [{ index: 0, since: 1, servicePath: ['/hello'], outboundHostname: '127.0.0.1', port }],
      },
    ]);
    try {
      await visit(async (page) => {
        await page.goto(ofSamples.url);
        const card = page.locator('.card').filter({ hasText: 'Send them requests' });
        const [, url = ''] = /curl (\S+)/.exec((await card.locator('pre').textContent()) ?? '') ?? [];
        expect((await fetch(url)).status).to.equal(200);
        await page.getByRole('row', { name: /hello/ }).getByText(/\d\/s/).waitFor();
        await page.getByRole('heading', { name: 'Then your own Swarm' }).waitFor();
        await page.getByText('docker service update --label-add').waitFor();
        await isAccessible(page, 'samples');
        // One service of one's own, and the samples need no explanation any more.
        await ofSamples.publish('own');
        await page.getByRole('link', { name: 'own', exact: true }).waitFor();
        expect(await card.count()).to.equal(0);
      });
    } finally {
      await ofSamples.stop();
    }
  });

  it('while the first is read show that it is', () =>
    visit(async (page) => {
      await logIn(page, rig().url);
      const held = Promise.withResolvers<void>();
      await page.route('**/v1/events*', async (route) => {
        await held.promise;
        await route.continue();
      });
      await page.reload();
      await page.getByRole('status').getByText('Reading …').waitFor();
      await page.locator('.connection').getByText('connecting').waitFor();
      await isAccessible(page, 'loading');
      held.resolve();
      await page.getByRole('heading', { name: 'No service is published yet' }).waitFor();
    }));

  it('where a call fails show why, and the way to try again', () =>
    visit(async (page) => {
      await logIn(page, rig().url);
      await page.route('**/v1/explain*', (route) =>
        route.fulfill({ status: 503, json: { Status: 'NOK', Message: 'too many long responses are under way' } }),
      );
      await page.goto(`${rig().url}/#/explain?url=http://a.example/`);
      await page.getByRole('alert').getByText('too many long responses are under way').waitFor();
      await isAccessible(page, 'an error');
      await page.unroute('**/v1/explain*');
      await page.getByRole('button', { name: 'Explain' }).click();
      await page.goto(`${rig().url}/#/explain?url=http://b.example/`);
      await page.getByRole('heading', { name: '503 no-route' }).waitFor();
    }));

  it('of certificates show the issuer, the end, the renewal and the last error as text, and order one at once', () =>
    visit(async (page) => {
      await logIn(page, rig().url);
      const renewals: string[] = [];
      const image = '<img src=x onerror=alert(1)>';
      await page.route('**/v1/events*', (route) => route.fulfill({ status: 503 }));
      await page.route('**/v1/certificates', (route) =>
        route.fulfill({
          json: {
            ordering: true,
            waiting: [
              { name: 'new.example', state: 'failed', failures: 3, nextAttempt: '2030-01-01T00:00:00Z', detail: image },
            ],
            certificates: [
              {
                name: 'shop.example',
                hosts: ['shop.example', 'www.shop.example'],
                expiresAt: '2099-01-01T00:00:00Z',
                from: 'acme',
                issuer: `CA ${image}`,
                renewAt: '2098-12-01T00:00:00Z',
              },
            ],
          },
        }),
      );
      await page.route('**/v1/certificates/renew*', (route) => {
        renewals.push(`${route.request().method()} ${new URL(route.request().url()).searchParams.get('name')}`);
        return route.fulfill({ json: { Status: 'OK', Message: 'it is ordered now' } });
      });
      // The stream is opened again, and refused.
      await page.reload();
      await page.locator('.connection').getByText('polling').waitFor();
      await page.goto(`${rig().url}/#/certificates`);
      await page.getByRole('heading', { name: 'new.example: failed' }).waitFor();
      await page.getByText('3 failed tries, next 2030-01-01 00:00:00 UTC').waitFor();
      await page
        .getByRole('row', { name: `shop.example, www.shop.example CA ${image} 2099-01-01 00:00:00 UTC` })
        .getByText('2098-12-01 00:00:00 UTC')
        .waitFor();
      await page.getByText(image, { exact: true }).waitFor();
      expect(await page.locator('main img').count()).to.equal(0);
      await isAccessible(page, 'certificates');
      await page.getByRole('button', { name: 'Renew now' }).click();
      await page.getByText('it is ordered now').waitFor();
      await page.getByRole('button', { name: 'Try now' }).click();
      await until('both were ordered', () => renewals.length === 2);
      expect(renewals).to.deep.equal(['POST shop.example', 'POST new.example']);
    }));

  it('of endpoints of a service whose match another one has show that they are up, and why none gets a request', () =>
    visit(async (page) => {
      await rig().publish('first', { servicePath: ['/taken'] });
      await rig().publish('late', { servicePath: ['/taken'] });
      try {
        await logIn(page, rig().url);
        await page.getByRole('row', { name: /^late takes no request/ }).waitFor();
        await page.goto(`${rig().url}/#/services/manual/late`);
        await page.getByText('1 of 1 up, without requests: no match is in force').waitFor();
        await page.getByRole('row', { name: new RegExp(`127.0.0.1:${rig().servicePort}`) }).waitFor();
        await page.goto(`${rig().url}/#/services/manual/first`);
        await page.getByText('1 of 1 take requests').waitFor();
        await page.goto(`${rig().url}/#/problems`);
        const card = (name: string) => page.getByRole('listitem').filter({ has: page.getByRole('link', { name }) });
        await card('manual/late').getByText('The service takes no request.').waitFor();
        await card('manual/first').waitFor();
        expect(await card('manual/first').getByText('The service takes no request.').count()).to.equal(0);
      } finally {
        for (const name of ['first', 'late']) await rig().remove(name);
      }
    }));

  it('on a narrow screen leave the page its height: the views and buttons are behind one button', () =>
    visit(async (page) => {
      await page.setViewportSize({ width: 360, height: 800 });
      await page.goto(rig().url);
      await page.getByLabel('Admin token').fill(adminToken);
      await page.getByRole('button', { name: 'Log in' }).click();
      const menu = page.getByRole('button', { name: /^☰|Services|Explain/, expanded: false });
      await menu.waitFor();
      expect(await page.locator('header').evaluate(({ clientHeight }) => clientHeight)).to.be.below(60);
      const links = page.getByRole('navigation', { name: 'Views' }).getByRole('link');
      expect(await links.count()).to.equal(0);
      await menu.click();
      expect(await links.allTextContents()).to.deep.equal([
        'Services',
        'Explain',
        'Problems',
        'Live requests',
        'Replicas',
        'Certificates',
        'Maintenance',
        'Add a service',
      ]);
      await page.getByRole('button', { name: 'Log out' }).waitFor();
      expect(await violationsOf(page)).to.deep.equal([]);
      await links.filter({ hasText: 'Explain' }).click();
      await page.getByRole('heading', { name: 'Where does a request go?' }).waitFor();
      expect(await links.count()).to.equal(0);
      await until(
        'the content has the focus',
        async () => (await page.evaluate('document.activeElement.id')) === 'main',
      );
    }));

  it('where the proxy is away show that, and what was there', () =>
    visit(async (page) => {
      await logIn(page, rig().url);
      await page.getByRole('heading', { name: 'No service is published yet' }).waitFor();
      await page.route('**/v1/**', (route) => route.abort());
      // A stream that is open is not cut by that; a page that comes back opens another.
      for (const state of ['hidden', 'visible'])
        await page.evaluate(`
          Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => '${state}' });
          document.dispatchEvent(new Event('visibilitychange'));
        `);
      await page.getByRole('alert').getByText('Disconnected.').waitFor();
      await page.locator('.connection').getByText('disconnected').waitFor();
      await page.getByRole('heading', { name: 'No service is published yet' }).waitFor();
      await isAccessible(page, 'disconnected');
      // While it is away still: the page goes on by itself, and the button leaves with the reason for it.
      const tried = page.waitForRequest('**/v1/session');
      await page.getByRole('button', { name: 'Try now' }).click();
      await tried;
      await page.unroute('**/v1/**');
      await page.getByText('Disconnected.').waitFor({ state: 'hidden' });
      await page.locator('.connection').getByText('live').waitFor();
    }));

  it('with a question in front of the page have nothing that axe finds, behind it included', async () => {
    await rig().publish('question');
    await rig().publish('question', { servicePath: ['/changed'] });
    await visit(async (page) => {
      await logIn(page, rig().url);
      const opens = async (button: string | RegExp, title: RegExp) => {
        await page.getByRole('button', { name: button }).first().click();
        await page.getByRole('dialog', { name: title }).waitFor();
        await isAccessible(page, String(title));
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      };
      await page.goto(`${rig().url}/#/services/manual/question`);
      await opens('Take down for maintenance', /^Take question down/);
      await opens(/^Roll back to #/, /^Serve #\d+ again/);
      await page.goto(`${rig().url}/#/manual`);
      await page.getByLabel('Name').fill('outside');
      await page.getByLabel('Address of the service').fill('10.0.0.7:80');
      await opens('Show what changes', /^It is new/);
      expect(await page.getByLabel('Name').inputValue()).to.equal('outside');
    });
    await rig().remove('question');
  });
});
