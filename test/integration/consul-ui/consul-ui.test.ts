import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Page, Response } from 'playwright-core';
import { type PageOptions, withPage } from '../../harness/browser.ts';
import { untilResponds } from '../../harness/http.ts';
import { until } from '../../harness/until.ts';
import { startUiRig, type UiRig } from './ui-rig.ts';

/** Chromium before a proxy's CONSUL_UI_PORT, and a Consul that denies everything by default. */
describe('Consul’s UI behind a proxy', function () {
  this.timeout(120_000);
  let rig: UiRig;
  let swarmDocument: string;

  before(async () => {
    rig = await startUiRig();
    await rig.publish('legacy', {
      servicePath: '/legacy',
      port: String(rig.backendPort),
      outboundHostname: '127.0.0.1',
    });
    const manual = (await rig.get('services/manual/legacy')) ?? '';
    swarmDocument = manual
      .replaceAll('"manual"', '"swarm"')
      .replaceAll('"legacy"', '"shop"')
      .replaceAll('/legacy', '/shop');
    await rig.put('services/swarm/shop', swarmDocument);
    await rig.put('certs/example.com', 'a sealed key');
    await rig.put('acme/account', 'a sealed account');
  });
  after(async () => {
    await rig?.remove();
  });

  afterEach('no token is logged', () => {
    for (const [name, token] of Object.entries(rig.tokens))
      expect(rig.log().includes(token), `${name} token in the log`).to.equal(false);
  });

  const loggedIn = (): PageOptions => ({
    ignoreHTTPSErrors: true,
    credentials: { origin: rig.uiUrl, username: 'ops', password: rig.adminToken },
  });
  const kvPage = (key: string) => `${rig.uiUrl}/ui/dc1/kv/swarmgate/${key}`;

  it('lists keys, shows a document and serves what is edited, under its content security policy, and shows no token', async () => {
    await withPage(async (page) => {
      const seen = watch(page);
      await page.goto(kvPage('services/'));
      await keyLink(page, 'manual').click();
      await keyLink(page, 'legacy').click();
      const edited = (await editorText(page)).replace('"/legacy"', '"/edited"');
      await setEditorText(page, edited);
      await page.getByRole('button', { name: 'Save' }).click();
      await untilResponds({ url: `${rig.proxy.httpUrl}/edited` }, 200);
      expect(await rig.get('services/manual/legacy')).to.include('/edited');
      await until('the change is logged', async () =>
        /"path":"\/v1\/kv\/swarmgate\/services\/manual\/legacy"/.test(rig.log()),
      );
      await seen.settle();
      expect(seen.policyViolations, seen.policyViolations.join('\n')).to.have.length(0);
      expect(seen.count()).to.be.greaterThan(10);
      for (const [name, token] of Object.entries(rig.tokens))
        for (const [what, text] of [...seen.texts, ['the page', await page.content()] as const])
          expect(text.includes(token), `${name} token in ${what}`).to.equal(false);
    }, loggedIn());
  });

  it('reads a Swarm’s document and cannot write it', async () => {
    await withPage(async (page) => {
      await page.goto(kvPage('services/swarm/shop/edit'));
      const text = await editorText(page);
      expect(JSON.parse(text)).to.deep.equal(JSON.parse(swarmDocument));
      await setEditorText(page, text.replace('/shop', '/stolen'));
      const refused = page.waitForResponse(isSave);
      await page.getByRole('button', { name: 'Save' }).click();
      expect((await refused).status()).to.equal(403);
    }, loggedIn());
    expect(await rig.get('services/swarm/shop')).to.equal(swarmDocument);
  });

  it('shows neither certificates nor accounts', async () => {
    await withPage(async (page) => {
      await page.goto(kvPage(''));
      await keyLink(page, 'services').waitFor();
      const names = await page.getByRole('link').allTextContents();
      expect(names.map((name) => name.trim()))
        .to.include('head')
        .and.not.include.oneOf(['certs', 'acme']);
      for (const path of ['/v1/kv/swarmgate/certs/example.com', '/v1/kv/swarmgate/acme/account'])
        expect((await page.goto(`${rig.uiUrl}${path}`))?.status(), path).to.equal(403);
      const all = await page.goto(`${rig.uiUrl}/v1/kv/?recurse`);
      expect(await all?.text())
        .to.include('swarmgate/head')
        .and.not.include('certs/')
        .and.not.include('acme/');
    }, loggedIn());
  });

  it('gives a person who logs in with a token of Consul’s the rights of that token', async () => {
    await withPage(async (page) => {
      await page.goto(`${rig.uiUrl}/ui/`);
      const kept = JSON.stringify({ SecretID: rig.tokens.management });
      await page.evaluate(`localStorage.setItem('consul:token', ${JSON.stringify(kept)})`);
      await page.goto(kvPage('services/swarm/shop/edit'));
      await setEditorText(page, (await editorText(page)).replace('/shop', '/by-a-person'));
      await page.getByRole('button', { name: 'Save' }).click();
      await until('Consul has the edited text', async () =>
        (await rig.get('services/swarm/shop'))?.includes('/by-a-person'),
      );
    }, loggedIn());
    await rig.put('services/swarm/shop', swarmDocument);
  });

  it('requests credentials of a browser without them', async () => {
    await withPage(
      async (page) => {
        const response = await page.request.get(`${rig.uiUrl}/ui/`);
        expect(response.status()).to.equal(401);
        expect(response.headers()['www-authenticate']).to.include('Basic');
      },
      { ignoreHTTPSErrors: true },
    );
  });

  it('refuses every call of another page in a browser that has logged in', async () => {
    const evil = await startEvilSite(rig.uiUrl);
    const before = await rig.writes();
    const refusals = () => rig.log().split('"reason":"foreign-origin"').length - 1;
    try {
      await withPage(async (page) => {
        await page.goto(kvPage('services/'));
        await keyLink(page, 'manual').waitFor();
        const statuses: [string, number][] = [];
        page.context().on('response', (response) => {
          // The UI's own page may still load its icon.
          const isOwn = response.request().headers().referer?.startsWith(rig.uiUrl) === true;
          if (response.url().startsWith(rig.uiUrl) && !isOwn)
            statuses.push([describeCall(response), response.status()]);
        });
        await page.goto(evil.url);
        await page.waitForFunction('window.done === true');
        expect(await page.evaluate('window.read')).to.deep.equal([]);
        for (const [what, status] of statuses) expect(status, what).to.equal(403);
        // Image, script, frame, WebSocket, beacon and five fetches. A browser tells a page's tests of few of them.
        await until('ten calls were refused', async () => refusals() >= 10);
        await page.goto(`${evil.url}form`);
        await until('the form got its response', () => page.url().startsWith(rig.uiUrl));
        expect(await page.content()).to.include('its Origin is not that of this port');
        // A link still opens the UI.
        await page.goto(`${evil.url}link`);
        await page.getByRole('link', { name: 'to the UI' }).click();
        await keyLink(page, 'manual').waitFor();
      }, loggedIn());
    } finally {
      evil.server.closeAllConnections();
      evil.server.close();
    }
    expect(await rig.writes()).to.deep.equal(before);
    expect(rig.log()).to.include('foreign-origin');
  });

  it('is led to by no route, in a worker either', async () => {
    await rig.publish('inward', { servicePath: '/ui', port: String(rig.uiPort), outboundHostname: '127.0.0.1' });
    expect(await rig.proxy.status('/ui/')).to.be.oneOf([502, 503]);
  });

  it('reports that Consul is unreachable, and is back with it', async () => {
    await withPage(async (page) => {
      await rig.consul.stop();
      const away = await page.goto(`${rig.uiUrl}/ui/`);
      expect(away?.status()).to.equal(502);
      expect(await page.textContent('body')).to.include(`Consul at ${rig.consul.address} is unreachable`);
      await rig.consul.start();
      await page.goto(kvPage('services/'));
      await keyLink(page, 'manual').waitFor();
    }, loggedIn());
  });
});

function keyLink(page: Page, name: string) {
  return page.getByRole('link', { name, exact: true });
}

function isSave(response: Response): boolean {
  return response.request().method() === 'PUT' && response.url().includes('/v1/kv/');
}

function describeCall(response: Response): string {
  return `${response.request().method()} ${response.request().resourceType()} ${response.url()}`;
}

interface Seen {
  /** Heads and bodies of responses. */
  readonly texts: readonly (readonly [what: string, text: string])[];
  readonly policyViolations: readonly string[];
  count(): number;
  settle(): Promise<void>;
}

/** Keeps what a page got and what it complained about. */
function watch(page: Page): Seen {
  const texts: [string, string][] = [];
  const policyViolations: string[] = [];
  const reading: Promise<void>[] = [];
  page.on('response', (response) => {
    const read = async () => {
      const body = await response.text().catch(() => '');
      texts.push([response.url(), `${JSON.stringify(await response.allHeaders())}${body}`]);
    };
    reading.push(read());
  });
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) policyViolations.push(message.text());
  });
  return {
    texts,
    policyViolations,
    count: () => reading.length,
    settle: async () => {
      // Blocking queries end with the page only.
      await page.evaluate('window.stop()');
      await Promise.all(reading);
    },
  };
}

/** What Consul's UI hangs its editor on: it draws what fits on the screen, its own model holds the whole text. */
interface Editor {
  readonly CodeMirror: { getValue(): string; setValue(value: string): void };
}

async function editorText(page: Page): Promise<string> {
  const editor = page.locator('.CodeMirror');
  await editor.waitFor();
  return editor.evaluate((element) => (element as unknown as Editor).CodeMirror.getValue());
}

async function setEditorText(page: Page, text: string): Promise<void> {
  const editor = page.locator('.CodeMirror');
  await editor.evaluate((element, value) => (element as unknown as Editor).CodeMirror.setValue(value), text);
}

/** Another site, which knows the address of the UI and tries whatever a page can. */
async function startEvilSite(uiUrl: string): Promise<{ readonly url: string; readonly server: Server }> {
  const key = `${uiUrl}/v1/kv/swarmgate/services/manual/evil`;
  const pages: Readonly<Record<string, string>> = {
    '/': `<!DOCTYPE html><body><script>
      window.read = [];
      const attempt = (call) => Promise.resolve().then(call).then((text) => { if (text) window.read.push(text); }, () => {});
      const element = (tag, more) => new Promise((resolve) => {
        const made = Object.assign(document.createElement(tag), more, { onload: resolve, onerror: resolve });
        document.body.append(made);
        setTimeout(resolve, 3000);
      });
      const text = (response) => response.type === 'opaque' ? '' : response.text();
      const all = { credentials: 'include' };
      Promise.all([
        attempt(() => fetch('${key}', { ...all, method: 'PUT', body: '{}' }).then(text)),
        attempt(() => fetch('${key}', { ...all, method: 'DELETE' }).then(text)),
        attempt(() => fetch('${key}', { ...all, method: 'POST', body: '{}', mode: 'no-cors' }).then(text)),
        attempt(() => fetch('${uiUrl}/v1/kv/swarmgate/head', all).then(text)),
        attempt(() => fetch('${uiUrl}/v1/kv/swarmgate/head', { ...all, mode: 'no-cors' }).then(text)),
        attempt(() => navigator.sendBeacon('${key}', '{}') && undefined),
        attempt(() => new Promise((resolve) => {
          const socket = new WebSocket('${uiUrl.replace('https', 'wss')}/v1/kv/swarmgate/head');
          socket.onopen = () => resolve('a WebSocket');
          socket.onerror = () => resolve('');
        })),
        element('img', { src: '${uiUrl}/v1/kv/swarmgate/head?raw' }),
        element('script', { src: '${uiUrl}/v1/kv/swarmgate/head?raw' }),
        element('iframe', { src: '${uiUrl}/ui/' }),
      ]).then(() => { window.done = true; });
    </script></body>`,
    '/form': `<form method="post" enctype="text/plain" action="${key}"><input name="{&quot;a&quot;:&quot;" value="&quot;}"></form>
      <script>document.forms[0].submit()</script>`,
    '/link': `<a href="${uiUrl}/ui/dc1/kv/swarmgate/services/">to the UI</a>`,
  };
  const server = createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end(pages[request.url ?? ''] ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}
