import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { eventually } from '../../../packages/proxy/test/running-proxy.ts';
import { withPage } from '../../harness/browser.ts';
import { adminToken, type ConsoleRig, complaintsOf, logIn, startConsole } from './console-rig.ts';

const withinMs = 60_000;
const cookieName = 'swarmgate_session';
const image = '<img src=x onerror=alert(1)>';
/** Turns the order of what follows, and an isolate that is never closed. */
const turned = '\u202egnp.\u2067';
const long = 'x'.repeat(10_000);

/** A service whose owner is hostile: it plants a cookie, and serves pages that attack the console. */
interface HostileService {
  readonly port: number;
  /** Of every request that it got. */
  readonly seen: readonly IncomingHttpHeaders[];
  /** What a page of it does, as the text of a script. */
  script: string;
  stop(): void;
}

async function startHostile(): Promise<HostileService> {
  const seen: IncomingHttpHeaders[] = [];
  const hostile = { script: '' };
  const server: Server = createServer((request, response) => {
    seen.push(request.headers);
    response.setHeader('Set-Cookie', [`${cookieName}=planted; Path=/`, 'other=1; Path=/']);
    response.setHeader('Content-Type', 'text/html');
    response.end(`<!doctype html><title>hostile</title><body><script>${hostile.script}</script></body>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(hostile, {
    port: (server.address() as AddressInfo).port,
    seen,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  });
}

describe('the console among hostile services', function () {
  this.timeout(180_000);
  let rig: ConsoleRig;
  let hostile: HostileService;
  before(async () => {
    hostile = await startHostile();
    rig = await startConsole({ ADMIN_TOKEN: adminToken });
    await rig.publish('shop');
    await rig.publish('hostile', { port: hostile.port });
  });
  after(async () => {
    await rig.stop();
    hostile.stop();
  });

  const visit = (use: (page: Page) => Promise<void>) =>
    withPage(async (page) => {
      page.setDefaultTimeout(withinMs);
      page.on('dialog', () => {
        throw new Error('a script of a label ran');
      });
      await use(page);
    });
  const entry = () => `http://127.0.0.1:${rig.under.proxy.entrypoints()[0]?.port}`;
  const sessionOf = async (page: Page) =>
    (await page.context().cookies(rig.url)).find(({ name }) => name === cookieName)?.value;

  describe('shows what it is given as text', () => {
    before(async () => {
      await rig.publish('labels', { servicePath: [`/${image}/${turned}`], serviceDomain: ['b.example'] });
      await rig.publish('lengthy', { servicePath: [`/${long}`], serviceDomain: ['c.example'] });
      // One more problem, whose text names both.
      await rig.publish('rival', { servicePath: [`/${image}/${turned}`], serviceDomain: ['b.example'] });
    });

    const places: readonly (readonly [hash: string, has: string])[] = [
      ['#/services', image],
      ['#/services/manual/labels', image],
      ['#/services/manual/lengthy', 'xxxxx'],
      ['#/services/manual/rival', 'rival'],
      ['#/problems', 'rival'],
      [`#/explain?url=${encodeURIComponent('http://b.example/other')}`, '%3Cimg'],
      [`#/services/manual/${encodeURIComponent(image)}`, `manual/${image} is not served`],
      [`#/problems?service=${encodeURIComponent(image)}`, `No problem of ${image}`],
    ];
    for (const [hash, has] of places)
      it(`in ${decodeURIComponent(hash)}`, () =>
        visit(async (page) => {
          const complaints = complaintsOf(page);
          await logIn(page, rig.url);
          await page.goto(`${rig.url}/${hash}`);
          await page.locator('main').getByText(has).first().waitFor();
          expect(await page.locator('main img').count()).to.equal(0);
          const beyond = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
          expect(await page.evaluate(beyond)).to.equal(0);
          expect(complaints.filter((each) => !each.includes('status of'))).to.deep.equal([]);
        }));

    it('in lines of one height, with what turns the order of letters closed in', () =>
      visit(async (page) => {
        await logIn(page, rig.url);
        await page.getByRole('link', { name: 'lengthy', exact: true }).waitFor();
        const heights = await page.evaluate(
          `[...new Set([...document.querySelectorAll('tbody tr:not(.spacer)')].map((line) => line.offsetHeight))]`,
        );
        expect(heights).to.deep.equal([52]);
        const closedIn = await page.evaluate(
          `[...document.querySelectorAll('.match')].filter((match) => match.textContent.includes('\u202e')).every((match) => match.querySelector('bdi').textContent.includes('\u202e'))`,
        );
        expect(closedIn).to.equal(true);
      }));

    it('in live requests, whatever a client sends', () =>
      visit(async (page) => {
        await logIn(page, rig.url);
        await page.goto(`${rig.url}/#/live`);
        await page.getByText('Live.').waitFor();
        await rig.visit(`/shop/${image}`);
        await page.getByText('%3Cimg').first().waitFor();
        expect(await page.locator('main img').count()).to.equal(0);
      }));

    // As bytes: an HTTP client would escape them.
    for (const [title, line, field, shown] of [
      ['path', 'GET /shop/<img/src=x/onerror=alert(1)> HTTP/1.1', 'X-A: 1', '/shop/%3Cimg/src=x/onerror=alert(1)%3E'],
      ['method', 'ALERT-1 /shop/method HTTP/1.1', 'X-A: 1', 'ALERT-1'],
      ['user agent', 'GET /shop/agent HTTP/1.1', `User-Agent: ${image}`, '/shop/agent'],
      ['referrer', 'GET /shop/referrer HTTP/1.1', `Referer: ${image}`, '/shop/referrer'],
      ['address', 'GET /shop/address HTTP/1.1', `X-Forwarded-For: ${image}`, '127.0.0.1'],
    ] as const)
      it(`in live requests, whatever a client writes as its ${title}`, () =>
        visit(async (page) => {
          const complaints = complaintsOf(page);
          await logIn(page, rig.url);
          await page.goto(`${rig.url}/#/live`);
          await page.getByText('Live.').waitFor();
          const socket = connect(Number(new URL(entry()).port), '127.0.0.1');
          socket.resume().write(`${[line, 'Host: a.example', field, 'Connection: close'].join('\r\n')}\r\n\r\n`);
          await once(socket, 'close');
          await page.locator('main tbody').getByText(shown).first().waitFor();
          expect(await page.locator('main').locator('img, script, iframe, svg').count()).to.equal(0);
          expect(complaints).to.deep.equal([]);
        }));

    it('in a list of live requests that stays short, and a page that responds, while thousands come', () =>
      visit(async (page) => {
        await logIn(page, rig.url);
        await page.goto(`${rig.url}/#/live`);
        await page.getByText('Live.').waitFor();
        for (let turn = 0; turn < 60; turn += 1)
          await Promise.all(
            Array.from({ length: 50 }, async (_, at) => (await rig.visit(`/shop/${turn}-${at}`)).text()),
          );
        await page.getByText(/^Live\. \d+ more matched and are not shown\.$/).waitFor();
        expect(await page.locator('main tbody tr').count()).to.be.within(1, 200);
        await page.getByRole('link', { name: 'Services' }).click();
        await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
      }));

    it('in how the proxy responds to a definition', () =>
      visit(async (page) => {
        await logIn(page, rig.url);
        await page.goto(`${rig.url}/#/manual`);
        await page.getByRole('button', { name: 'Write JSON instead' }).click();
        const bad = { service: 'bad', destinations: [{ [image]: image, servicePath: ['/bad'], port: 80 }] };
        await page.getByLabel('Definition as JSON').fill(JSON.stringify(bad));
        await page.getByRole('button', { name: 'Show what changes' }).click();
        await page.getByText(`destinations.0.${image}`, { exact: true }).waitFor();
        await page.getByRole('alert').getByText(`no field destinations.0.${image}`).waitFor();
        await page.getByRole('button', { name: 'Save' }).click();
        await page.getByRole('alert').getByText(`no field destinations.0.${image}`).waitFor();
        expect(await page.locator('main img').count()).to.equal(0);
      }));
  });

  it('gives no session to a service behind the proxy, and takes none from it', () =>
    visit(async (page) => {
      await logIn(page, rig.url);
      const own = await sessionOf(page);
      expect(own).to.be.a('string');
      hostile.script = 'document.title = document.cookie';
      await page.goto(`${entry()}/hostile`);
      await eventually('the page has run', async () => (await page.title()) === 'other=1');
      expect(JSON.stringify(hostile.seen))
        .to.not.include(own ?? '')
        .and.to.not.include(cookieName);
      expect(await sessionOf(page)).to.equal(own);
      // What a page of another port writes itself goes nowhere either: the cookie is HttpOnly.
      hostile.script = `document.cookie = '${cookieName}=planted; path=/'; document.title = 'done ' + document.cookie`;
      await page.goto(`${entry()}/hostile`);
      await eventually('the page has run', async () => (await page.title()).startsWith('done'));
      expect(await sessionOf(page)).to.equal(own);
      await page.goto(rig.url);
      await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
    }));

  it('is given a session of its own by each login: one that was planted before counts for nothing', () =>
    visit(async (page) => {
      await page.context().addCookies([{ name: cookieName, value: 'planted', url: rig.url }]);
      await logIn(page, rig.url);
      const first = await sessionOf(page);
      expect(first).to.not.equal('planted');
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Admin token').waitFor();
      await logIn(page, rig.url);
      expect(await sessionOf(page)).to.not.equal(first);
      for (const value of ['planted', first]) {
        const headers = { Cookie: `${cookieName}=${value}` };
        expect((await fetch(`${rig.url}/v1/status`, { headers })).status).to.equal(401);
      }
    }));

  it('takes no session again after its logout', () =>
    visit(async (page) => {
      await logIn(page, rig.url);
      const cookies = await page.context().cookies(rig.url);
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Admin token').waitFor();
      await page.context().addCookies(cookies);
      await page.reload();
      await page.getByLabel('Admin token').waitFor();
      expect(await page.getByText('shop').count()).to.equal(0);
    }));

  // Another port of this host is the same site, so the browser sends the cookie; `localhost` is another site.
  for (const [title, host] of [
    ['another port of its host', '127.0.0.1'],
    ['another site', 'localhost'],
  ] as const)
    it(`is neither read nor used by a page of ${title}`, () =>
      visit(async (page) => {
        await logIn(page, rig.url);
        const remove = JSON.stringify({ serviceName: 'shop' });
        const tries = [
          `fetch('${rig.url}/v1/services', { credentials: 'include' }).then((r) => r.text())`,
          `fetch('${rig.url}/v1/services', { credentials: 'include', mode: 'no-cors' }).then((r) => r.type === 'opaque' ? Promise.reject() : r.text())`,
          `fetch('${rig.url}/v1/remove', { method: 'POST', credentials: 'include', headers: { 'Content-Type': 'application/json' }, body: '${remove}' }).then((r) => r.text())`,
          `fetch('${rig.url}/v1/remove', { method: 'POST', credentials: 'include', mode: 'no-cors', body: '${remove}' }).then((r) => r.type === 'opaque' ? Promise.reject() : r.text())`,
          `new Promise((resolve, reject) => { const s = new EventSource('${rig.url}/v1/events', { withCredentials: true }); s.onerror = reject; s.addEventListener('current', resolve); s.addEventListener('changes', resolve); })`,
          `new Promise((resolve, reject) => { const i = new Image(); i.onload = resolve; i.onerror = reject; i.src = '${rig.url}/v1/docker-flow-proxy/remove?serviceName=shop'; })`,
          `new Promise((resolve, reject) => { const f = document.createElement('iframe'); f.src = '${rig.url}/'; f.onload = () => { try { f.contentDocument.title.includes('Swarmgate') ? resolve() : reject(); } catch { reject(); } }; document.body.append(f); })`,
        ];
        hostile.script = `Promise.allSettled([${tries.join(',\n')}]).then((all) => { document.title = all.map((each) => each.status).join(); })`;
        await page.goto(`http://${host}:${hostile.port}/`);
        await eventually('all was tried', async () => (await page.title()).includes('ed'));
        expect(await page.title()).to.equal(tries.map(() => 'rejected').join());
        // A form needs no permission, and the response to it replaces the page.
        for (const [type, field] of [
          ['application/x-www-form-urlencoded', '<input name=serviceName value=shop>'],
          ['text/plain', `<input name='{"serviceName":"shop","x":"' value='"}'>`],
        ]) {
          hostile.script = `document.body.innerHTML = \`<form method=post enctype=${type} action=${rig.url}/v1/remove>${field}</form>\`; document.forms[0].submit()`;
          const refused = page.waitForResponse((response) => response.url() === `${rig.url}/v1/remove`);
          await page.goto(`http://${host}:${hostile.port}/`).catch(() => undefined);
          expect((await refused).status(), type).to.be.oneOf([400, 401, 403]);
        }
        expect((await rig.visit('/shop')).status).to.equal(200);
      }));
});
