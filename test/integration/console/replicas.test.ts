import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { buildConsole } from '../../../packages/console/build.mjs';
import { withPage } from '../../harness/browser.ts';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';
import { adminToken, logIn } from './console-rig.ts';

const withinMs = 60_000;

interface Replica {
  readonly process: SwarmgateProcess;
  readonly url: string;
  readonly entry: string;
}

describe('the console of two replicas on one Consul', function () {
  this.timeout(180_000);
  let consul: RunningConsul;
  const replicas: Replica[] = [];
  before(async () => {
    await buildConsole();
    consul = await startConsul();
    for (const name of ['one', 'two']) {
      const [admin, entry] = await freePorts(2);
      const env = {
        CONSUL_HTTP_ADDR: consul.address,
        ADMIN_TOKEN: adminToken,
        ADMIN_PORT: String(admin),
        DEFAULT_PORTS: String(entry),
        WORKERS: '0',
        HOSTNAME: name,
      };
      const url = `http://127.0.0.1:${admin}`;
      replicas.push({ process: startSwarmgate(['proxy'], { env }), url, entry: `http://127.0.0.1:${entry}` });
    }
    for (const { url } of replicas)
      await until(`a proxy is ready at ${url}`, () =>
        fetch(`${url}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      );
  });
  after(async () => {
    for (const { process } of replicas) await process.remove();
    await consul.remove();
  });

  const publish = async (through: Replica, service: string) => {
    const destinations = [{ servicePath: [`/${service}`], outboundHostname: '127.0.0.1', port: 9 }];
    const response = await fetch(`${through.url}/v1/reconfigure`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${adminToken}` },
      body: JSON.stringify({ service, destinations }),
    });
    expect(response.status).to.equal(200);
  };
  /** Of each line: the change that it serves. */
  const changes = async (page: Page) =>
    (await page.locator('tbody tr').evaluateAll((lines) => lines.map((line) => line.children[2]?.textContent))).map(
      (text) => Number(text?.slice(1)),
    );

  it('shows a change that came through the other arrive at both, and one login is good for both', () =>
    withPage(async (page) => {
      const [one, two] = replicas as [Replica, Replica];
      page.setDefaultTimeout(withinMs);
      await publish(one, 'first');
      await logIn(page, one.url);
      await page.goto(`${one.url}/#/replicas`);
      await until('there are two lines', async () => (await page.locator('tbody tr').count()) === 2);
      const [before = 0] = await changes(page);
      await publish(two, 'second');
      await until('both serve the next change', async () => {
        const now = await changes(page);
        return now.length === 2 && now.every((each) => each === before + 1);
      });
      await page.getByRole('link', { name: 'Services' }).click();
      await page.getByRole('link', { name: 'second', exact: true }).waitFor();
      // A cookie is for the host, whatever the port: each replica takes the other's login.
      await page.goto(two.url);
      await page.getByRole('link', { name: 'first', exact: true }).waitFor();
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Admin token').waitFor();
      await page.goto(one.url);
      await page.getByLabel('Admin token').waitFor();
    }));

  it('shows when one is gone', () =>
    withPage(async (page) => {
      const [one, two] = replicas as [Replica, Replica];
      page.setDefaultTimeout(withinMs);
      await logIn(page, one.url);
      await page.goto(`${one.url}/#/replicas`);
      await until('there are two lines', async () => (await page.locator('tbody tr').count()) === 2);
      await two.process.stop();
      await until('there is one line', async () => (await page.locator('tbody tr').count()) === 1);
    }));
});
