import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { withPage } from '../../harness/browser.ts';
import {
  adminToken,
  type ConsoleRig,
  complaintsOf,
  logIn,
  startConsole,
  violationsEverywhere,
  violationsOf,
} from './console-rig.ts';

const withinMs = 60_000;

describe('the console in Chromium', function () {
  this.timeout(180_000);
  let rig: ConsoleRig;
  before(async () => {
    rig = await startConsole({ ADMIN_TOKEN: adminToken });
    for (const name of ['shop', 'blog', 'api']) await rig.publish(name);
    // The match of shop, which was first.
    await rig.publish('rival', { servicePath: ['/shop'] });
  });
  after(() => rig.stop());

  /** A page that is logged in, and must be without complaints when `use` is done. */
  const inConsole = (hash: string, use: (page: Page) => Promise<void>) =>
    withPage(async (page) => {
      page.setDefaultTimeout(withinMs);
      const complaints = complaintsOf(page);
      await logIn(page, rig.url);
      await page.goto(`${rig.url}/${hash}`);
      await use(page);
      expect(complaints).to.deep.equal([]);
    });

  it('shows nothing before the login, and nothing after the logout', () =>
    withPage(async (page) => {
      page.setDefaultTimeout(withinMs);
      const refused: string[] = [];
      page.on('response', (response) => {
        if (response.status() === 401) refused.push(new URL(response.url()).pathname);
      });
      await page.goto(rig.url);
      await page.getByLabel('Admin token').fill('wrong');
      expect(refused).to.deep.equal([]);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByText('this is not ADMIN_TOKEN').waitFor();
      expect(await page.getByText('shop').count()).to.equal(0);
      await logIn(page, rig.url);
      await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
      expect(await page.evaluate('document.cookie')).to.equal('');
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Admin token').waitFor();
      await page.reload();
      await page.getByLabel('Admin token').waitFor();
    }));

  it('shows services with their figures, and filters and sorts them', () =>
    inConsole('#/services', async (page) => {
      await page.getByText('4 of 4 services').waitFor();
      for (let at = 0; at < 20; at += 1) await (await rig.visit('/shop')).text();
      await page.getByRole('row', { name: /shop/ }).getByText(/\d\/s/).waitFor();
      await page.getByLabel('Filter').fill('is:error riv');
      await page.getByText('1 of 4 services').waitFor();
      await page.getByRole('link', { name: 'rival', exact: true }).waitFor();
      await page.getByLabel('Filter').fill('');
      await page.getByRole('button', { name: 'Service' }).click();
      const names = () => page.locator('tbody th a:not(.match)').allTextContents();
      await page.getByRole('columnheader', { name: 'Service', exact: true }).waitFor();
      expect(await names()).to.deep.equal(['api', 'blog', 'rival', 'shop']);
      await page.getByRole('button', { name: 'Service' }).click();
      expect(await names()).to.deep.equal(['shop', 'rival', 'blog', 'api']);
    }));

  it('shows one service with its traffic and endpoints, and undoes its last change', async () => {
    await rig.publish('blog', { servicePath: ['/news'] });
    await inConsole('#/services/manual/blog', async (page) => {
      await (await rig.visit('/news')).text();
      await page.getByRole('heading', { name: 'Traffic' }).waitFor();
      await page.getByText(`127.0.0.1:${rig.servicePort}`).first().waitFor();
      await page.getByText('destinations.0.servicePath').first().waitFor();
      await page
        .getByRole('button', { name: /^Roll back to #/ })
        .first()
        .click();
      await page.getByRole('button', { name: /^Serve #\d+ again/ }).click();
      await page.getByRole('link', { name: '*/blog' }).waitFor();
    });
    expect((await rig.visit('/blog')).status).to.equal(200);
    expect((await rig.visit('/news')).status).to.equal(503);
  });

  it('explains where a request goes, and why it does not go elsewhere', () =>
    inConsole('#/explain', async (page) => {
      await page.getByLabel('URL').fill('http://a.example/shop/cart');
      await page.getByRole('button', { name: 'Explain' }).click();
      await page.getByRole('heading', { name: 'manual/shop takes it' }).waitFor();
      await page.getByText('path is /shop/cart, not /api').waitFor();
      await page.getByLabel('URL').fill('http://a.example/nowhere');
      await page.getByRole('button', { name: 'Explain' }).click();
      await page.getByRole('heading', { name: '503 no-route' }).waitFor();
    }));

  it('shows problems with their mend, at their service', () =>
    inConsole('#/problems', async (page) => {
      await page.getByRole('link', { name: 'manual/rival' }).first().click();
      await page.getByRole('heading', { name: /^rival/ }).waitFor();
      await page.getByText(/shop/).first().waitFor();
    }));

  it('shows requests as they end', () =>
    inConsole('#/live', async (page) => {
      await page.getByText('Live.').waitFor();
      await (await rig.visit('/shop/broken')).text();
      await page.getByRole('row', { name: /500 GET 127.0.0.1\/shop\/broken manual\/shop/ }).waitFor();
    }));

  it('shows replicas and certificates', () =>
    inConsole('#/replicas', async (page) => {
      await page.getByRole('rowheader', { name: 'one (this one)' }).waitFor();
      await page.getByRole('link', { name: 'Certificates' }).click();
      await page.getByText('ACME_DIRECTORY is not set').waitFor();
    }));

  it('takes a service down for maintenance in three steps, and ends it where all of it is listed', async () => {
    await inConsole('#/services', async (page) => {
      await page.getByRole('link', { name: 'api', exact: true }).click();
      await page.getByRole('button', { name: 'Take down for maintenance' }).click();
      await page.getByLabel('Message for clients').fill('<b>Back at ten.</b>');
      await page.getByRole('button', { name: 'Take api down' }).click();
      await page.getByText('In maintenance', { exact: true }).waitFor();
      await page.getByRole('heading', { name: 'api maintenance' }).waitFor();
      await page.getByText('<b>Back at ten.</b>').waitFor();
      const reply = await rig.visit('/api');
      expect([reply.status, await reply.text()]).to.deep.equal([503, '<b>Back at ten.</b>\n']);
      expect(Number(reply.headers.get('retry-after'))).to.be.within(1_700, 1_800);
      expect((await rig.visit('/shop')).status).to.equal(200);
      expect(await violationsOf(page)).to.deep.equal([]);
      await page.getByRole('link', { name: 'Maintenance', exact: true }).click();
      await page.getByRole('row', { name: /manual\/api maintenance REST from 127.0.0.1/ }).waitFor();
      expect(await violationsOf(page)).to.deep.equal([]);
      await page.getByRole('button', { name: 'End maintenance of api' }).click();
      await page.getByRole('heading', { name: 'Every service takes requests' }).waitFor();
    });
    expect((await rig.visit('/api')).status).to.equal(200);
  });

  it('drains an endpoint from its row, says that none is left, and ends the drain there', async () => {
    await inConsole('#/services/manual/api', async (page) => {
      const address = `127.0.0.1:${rig.servicePort}`;
      await page.getByRole('button', { name: `Drain of ${address}`, exact: true }).click();
      await page.getByText('no other endpoint that takes requests').waitFor();
      await page.getByRole('row', { name: /draining/ }).waitFor();
      expect((await rig.visit('/api')).headers.get('x-swarmgate-reason')).to.equal('no-endpoint');
      await page.getByRole('link', { name: 'why a request goes here' }).click();
      await page.getByText('None of them takes new requests: 503 no-endpoint.').waitFor();
      await page.goBack();
      await page.getByRole('button', { name: `End the drain of ${address}` }).click();
      await page.getByRole('button', { name: `Drain of ${address}`, exact: true }).waitFor();
    });
    expect((await rig.visit('/api')).status).to.equal(200);
  });

  it('adds a service outside the Swarm after it has shown what changes', async () => {
    await inConsole('#/manual', async (page) => {
      await page.getByLabel('Name').fill('outside');
      await page.getByLabel('Path').fill('/outside');
      await page.getByLabel('Address of the service').fill(`127.0.0.1:${rig.servicePort}`);
      await page.getByRole('button', { name: 'Show what changes' }).click();
      await page.getByRole('heading', { name: 'It is new' }).waitFor();
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('link', { name: 'Show it' }).waitFor();
      // What is saved is no draft any more.
      expect(await page.getByLabel('Name').inputValue()).to.equal('');
      await page.getByRole('link', { name: 'Show it' }).click();
      await page.getByRole('heading', { name: /^outside/ }).waitFor();
    });
    expect((await rig.visit('/outside')).status).to.equal(200);
  });

  it('keeps what was written where it is refused, and says why', () =>
    inConsole('#/manual', async (page) => {
      await page.getByLabel('Name').fill('bad name');
      await page.getByLabel('Address of the service').fill('10.0.0.7');
      await page.getByRole('button', { name: 'Show what changes' }).click();
      await page.getByText('needs a port').waitFor();
      await page.getByLabel('Address of the service').fill('10.0.0.7:80');
      await page.getByRole('button', { name: 'Show what changes' }).click();
      await page
        .getByRole('alert')
        .getByText(/bad name/)
        .waitFor();
      expect(await page.getByLabel('Name').inputValue()).to.equal('bad name');
    }));

  it('shows what a new service conflicts with before it is saved', async () => {
    await rig.publish('earlier', { servicePath: ['/contested'] });
    await inConsole('#/manual', async (page) => {
      await page.getByLabel('Name').fill('later');
      await page.getByLabel('Path').fill('/contested');
      await page.getByLabel('Address of the service').fill('10.0.0.7:80');
      await page.getByRole('button', { name: 'Show what changes' }).click();
      await page.getByRole('heading', { name: 'It is new' }).waitFor();
      await page
        .getByRole('alert')
        .getByText(/matched by manual\/earlier too, which takes precedence/)
        .waitFor();
      await page.getByRole('button', { name: 'Back' }).click();
      await page.getByLabel('Address of the service').fill('10.0.0.7:99999');
      await page.getByRole('button', { name: 'Show what changes' }).click();
      await page.getByRole('alert').getByText(/99999/).waitFor();
      expect(await page.getByRole('heading', { name: 'It is new' }).count()).to.equal(0);
    });
    await rig.remove('earlier');
  });

  it('keeps a service that is being written while other views or the login are shown, until the logout', () =>
    inConsole('#/manual', async (page) => {
      await page.getByLabel('Name').fill('half');
      await page.getByLabel('Address of the service').fill('10.0.0.7');
      await page.getByRole('button', { name: 'Write JSON instead' }).click();
      expect(await page.getByLabel(/Definition as JSON/).inputValue()).to.include('"service": "half"');
      await page.getByRole('button', { name: 'Use the form' }).click();
      await page.getByRole('link', { name: 'Replicas' }).click();
      await page.getByRole('link', { name: 'Add a service' }).click();
      expect(await page.getByLabel('Name').inputValue()).to.equal('half');
      const [cookie] = await page.context().cookies(rig.url);
      const headers = { Cookie: `${cookie?.name}=${cookie?.value}`, Origin: rig.url };
      expect((await fetch(`${rig.url}/v1/session`, { method: 'DELETE', headers })).status).to.equal(200);
      const token = page.getByLabel('Admin token');
      const login = async () => {
        await token.fill(adminToken);
        await page.getByRole('button', { name: 'Log in' }).click();
        await page.getByLabel('Name').waitFor();
        return await page.getByLabel('Name').inputValue();
      };
      await token.waitFor();
      expect(await login()).to.equal('half');
      await page.getByRole('button', { name: 'Log out' }).click();
      await token.waitFor();
      expect(await login()).to.equal('');
    }));

  it('shows hostile labels as text', async () => {
    const host = `${'x'.repeat(60)}.example`;
    await rig.publish('hostile', { serviceDomain: [host], servicePath: ['/<img src=x onerror=alert(1)>/\u202egnp'] });
    await inConsole('#/services/manual/hostile', async (page) => {
      await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
      expect(await page.locator('main img').count()).to.equal(0);
    });
  });

  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [360, 2560])
      it(`has nothing that axe finds, and no sideways scrolling: ${colorScheme}, ${width} px`, () =>
        inConsole('#/services', async (page) => {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 800 });
          const places = {
            '#/services': /of \d services/,
            '#/services/manual/shop': 'Endpoints',
            '#/explain?url=http://a.example/shop': 'takes it',
            '#/problems': 'problem',
            '#/live': 'Live.',
            '#/replicas': 'Replicas of',
            '#/certificates': 'Certificates',
            '#/maintenance': 'takes requests',
            '#/manual': 'Add or replace',
          };
          for (const [hash, text] of Object.entries(places)) {
            await page.goto(`${rig.url}/${hash}`);
            await page.locator('main').getByText(text).first().waitFor();
            expect(await violationsOf(page), hash).to.deep.equal([]);
            const beyond = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
            expect(await page.evaluate(beyond), hash).to.equal(0);
          }
        }));
});

describe('the console without a token', () => {
  it('is read-only where ADMIN_READ is open, and says how to change that', async function () {
    this.timeout(180_000);
    const rig = await startConsole({ ADMIN_TOKEN: adminToken, ADMIN_READ: 'open' });
    try {
      await rig.publish('shop');
      await withPage(async (page) => {
        page.setDefaultTimeout(withinMs);
        await page.goto(rig.url);
        await page.getByText('Read-only.').waitFor();
        await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
        for (const view of [
          'services',
          'services/manual/shop',
          'problems',
          'live',
          'replicas',
          'certificates',
          'manual',
        ]) {
          await page.goto(`${rig.url}/#/${view}`);
          await page.getByText('Read-only.').waitFor();
          expect(await violationsEverywhere(page, view)).to.deep.equal([]);
        }
        await rig.under.call('POST', '/v1/maintenance?service=shop', {
          headers: { authorization: `Bearer ${adminToken}` },
        });
        await page.getByRole('link', { name: 'Maintenance', exact: true }).click();
        await page.getByRole('row', { name: /manual\/shop maintenance – / }).waitFor();
        expect(await violationsEverywhere(page, 'maintenance')).to.deep.equal([]);
        expect(await page.getByRole('button', { name: /^End/ }).count()).to.equal(0);
        await page.getByRole('link', { name: /^Log in with the admin token/ }).click();
        await page.getByLabel('Admin token').fill(adminToken);
        await page.getByRole('button', { name: 'Log in' }).click();
        await page.getByRole('button', { name: 'Log out' }).waitFor();

        // The login ends while a dialog is open: what was written stays until the change is refused, which leads to the login.
        await page.goto(`${rig.url}/#/services/manual/shop`);
        await rig.under.call('DELETE', '/v1/maintenance?service=shop', {
          headers: { authorization: `Bearer ${adminToken}` },
        });
        await page.getByRole('button', { name: 'Take down for maintenance' }).click();
        await page.context().clearCookies();
        await page.getByRole('button', { name: 'Take shop down' }).click();
        await page.getByRole('dialog').getByRole('link', { name: 'log in' }).click();
        await page.getByLabel('Admin token').waitFor();
      });
    } finally {
      await rig.stop();
    }
  });
});
