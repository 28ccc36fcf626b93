import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceDefinition } from '@swarmgate/registry';
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { buildConsole } from '../../../packages/console/build.mjs';
import {
  embeddedRegistry,
  eventually,
  type ProxyUnderTest,
  startProxyUnderTest,
} from '../../../packages/proxy/test/running-proxy.ts';

export const adminToken = 's3cret-of-the-console';

/** A proxy whose console is built, and a service behind it. */
export interface ConsoleRig {
  readonly under: ProxyUnderTest;
  readonly url: string;
  readonly servicePort: number;
  /** Publishes a definition of owner `manual` to the service. */
  publish(service: string, more?: object): Promise<void>;
  /** Removes a definition of owner `manual`. */
  remove(service: string): Promise<void>;
  /** A request to the service, by its path. */
  visit(path: string): Promise<Response>;
  stop(): Promise<void>;
}

/** For a suite with a token: a rig of its own, with these services, there from the first test on. */
export function useConsole(...services: readonly string[]): () => ConsoleRig {
  let rig: ConsoleRig | undefined;
  before(async () => {
    rig = await startConsole({ ADMIN_TOKEN: adminToken });
    for (const service of services) await rig.publish(service);
  });
  after(() => rig?.stop());
  return () => {
    if (rig === undefined) throw new Error('the console is started before the first test');
    return rig;
  };
}

/** @param registered services that stand in the registry before the proxy starts */
export async function startConsole(
  env: Readonly<Record<string, string>> = {},
  registered: (servicePort: number) => readonly ServiceDefinition[] = () => [],
): Promise<ConsoleRig> {
  await buildConsole();
  const service = await startService();
  const { port: servicePort } = service.address() as AddressInfo;
  const dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-console-'));
  const registry = await embeddedRegistry(dataDir);
  const changes = registered(servicePort).map((document) => ({
    owner: document.owner,
    service: document.service,
    definition: { document },
  }));
  if (changes.length > 0) await registry.publish(changes, { by: 'test', signal: AbortSignal.timeout(60_000) });
  const under = await startProxyUnderTest({ replica: 'one', env, registry, dataDir });
  await eventually('the proxy is ready', () => under.proxy.ready());
  const url = `http://127.0.0.1:${under.proxy.admin.port}`;
  const authorization = env.ADMIN_TOKEN === undefined ? {} : { authorization: `Bearer ${env.ADMIN_TOKEN}` };
  return {
    under,
    url,
    servicePort,
    async publish(name, more = {}) {
      const body = JSON.stringify({
        service: name,
        destinations: [{ servicePath: [`/${name}`], outboundHostname: '127.0.0.1', port: servicePort, ...more }],
      });
      const headers = { 'content-type': 'application/json', ...authorization };
      const reply = await under.call('POST', '/v1/reconfigure', { body, headers });
      if (reply.status !== 200) throw new Error(`publishing ${name} failed: ${reply.text}`);
    },
    async remove(name) {
      const body = JSON.stringify({ serviceName: name });
      const headers = { 'content-type': 'application/json', ...authorization };
      const reply = await under.call('POST', '/v1/remove', { body, headers });
      if (reply.status !== 200) throw new Error(`removing ${name} failed: ${reply.text}`);
    },
    visit: (path) => fetch(`http://127.0.0.1:${under.proxy.entrypoints()[0]?.port}${path}`),
    async stop() {
      await under.stop();
      await registry.store.close();
      await rm(dataDir, { recursive: true, force: true });
      service.close();
      service.closeAllConnections();
    },
  };
}

/** Responds to everything with 200, `/…/broken` with 500, and `/…/slow` late. */
function startService(): Promise<Server> {
  const server = createServer((request, response) => {
    response.statusCode = request.url?.endsWith('/broken') === true ? 500 : 200;
    if (request.url?.endsWith('/slow') === true) setTimeout(() => response.end('ok'), 300);
    else response.end('ok');
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** Errors of the page, and what its policy refused. A status that the test requests is written by the browser itself. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) complaints.push(message.text());
  });
  return complaints;
}

/** What axe finds against WCAG 2.2 A and AA in what is shown. */
export async function violationsOf(page: Page): Promise<readonly string[]> {
  // By the debugger, which the page's policy does not bind.
  await page.evaluate(axe.source);
  const found = (await page.evaluate(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })`,
  )) as AxeResults;
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

/** As `violationsOf`, and sideways scrolling of the page: in both themes, on a narrow and a wide screen. */
export async function violationsEverywhere(page: Page, what: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const width of [360, 2_560])
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      const beyond = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      const all = [...(await violationsOf(page)), ...(beyond === 0 ? [] : [`${beyond} px are beyond the screen`])];
      found.push(...all.map((each) => `${what}, ${colorScheme}, ${width} px: ${each}`));
    }
  return found;
}

export async function logIn(page: Page, url: string, token = adminToken): Promise<void> {
  await page.goto(url);
  await page.getByLabel('Admin token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Log out' }).waitFor();
}

/** As `logIn`, before the page was ever opened: nothing of it is in the browser's cache. */
export async function logInBefore(page: Page, url: string): Promise<void> {
  const response = await fetch(`${url}/v1/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token: adminToken }),
  });
  const [name = '', value = ''] = (response.headers.get('set-cookie') ?? '').split(';', 1)[0]?.split('=') ?? [];
  await page.context().addCookies([{ name, value, url, httpOnly: true, sameSite: 'Strict' }]);
}
