import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StatusResponse } from '@swarmgate/proxy';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { withPage } from '../../harness/browser.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { until } from '../../harness/until.ts';
import { startBetween } from './between.ts';
import { adminToken, logIn, violationsEverywhere } from './console-rig.ts';
import { publishAt, publishedAt, type Replica, type ReplicaPair, startReplicaPair } from './replica-pair.ts';

const withinMs = 60_000;
const authorization = { Authorization: `Bearer ${adminToken}` };

describe('the console of two replicas on one Consul', function () {
  this.timeout(180_000);
  let pair: ReplicaPair;
  let replicas: ReplicaPair['replicas'];
  before(async () => {
    pair = await startReplicaPair();
    replicas = pair.replicas;
  });
  after(() => pair.stop());

  const publish = async (through: Replica, service: string, port?: number) => {
    expect(await publishAt(through, service, port)).to.equal(200);
  };
  const remove = async (through: Replica, serviceName: string) => {
    const response = await fetch(`${through.url}/v1/remove`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${adminToken}` },
      body: JSON.stringify({ serviceName }),
    });
    expect(response.status).to.equal(200);
  };
  /** Of each line: the change that it serves. */
  const changes = async (page: Page) =>
    (await page.locator('tbody tr').evaluateAll((lines) => lines.map((line) => line.children[2]?.textContent))).map(
      (text) => Number(text?.slice(1)),
    );

  it('lists both beside an empty registry, and the first change waits for both', () =>
    withPage(async (page) => {
      const [one, two] = replicas;
      page.setDefaultTimeout(withinMs);
      await logIn(page, one.url);
      await page.goto(`${one.url}/#/replicas`);
      for (const name of ['one', 'two'])
        await page
          .getByRole('row', { name: new RegExp(`^${name}`) })
          .getByText('none', { exact: true })
          .waitFor();
      await page.getByText('empty: nothing is registered yet').waitFor();
      two.process.signal('SIGSTOP');
      const published = publishedAt(one, 'very-first');
      try {
        await page.getByRole('row', { name: /^two/ }).getByText('1 change').waitFor();
      } finally {
        two.process.signal('SIGCONT');
      }
      const { serving = [], waitingFor = [] } = await published;
      expect([...serving, ...waitingFor].map((name) => name.replace(/-\d+$/, ''))).to.have.members(['one', 'two']);
      await page.getByRole('row', { name: /^two/ }).getByText('none', { exact: true }).waitFor();
    }));

  it('shows a change that came through the other arrive at both, and one login is good for both', () =>
    withPage(async (page) => {
      const [one, two] = replicas;
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

  it('shows a replica that is behind while a change arrives, and that it has arrived', () =>
    withPage(async (page) => {
      const [one, two] = replicas;
      page.setDefaultTimeout(withinMs);
      await logIn(page, one.url);
      await page.goto(`${one.url}/#/replicas`);
      const lineOf = (replica: string) => page.getByRole('row', { name: new RegExp(`^${replica}`) });
      await lineOf('two').getByText('none', { exact: true }).waitFor();
      two.process.signal('SIGSTOP');
      const arrives = publish(one, 'arriving');
      await lineOf('two').getByText('1 change', { exact: false }).waitFor();
      await lineOf('one').getByText('none', { exact: true }).waitFor();
      two.process.signal('SIGCONT');
      await lineOf('two').getByText('none', { exact: true }).waitFor();
      await arrives;
    }));

  it('shows which replicas serve what is being saved, and which do not yet', () =>
    withPage(async (page) => {
      const [one, two] = replicas;
      page.setDefaultTimeout(withinMs);
      await publish(one, 'earlier');
      await logIn(page, one.url);
      await page.goto(`${one.url}/#/replicas`);
      await page.getByRole('row', { name: /^two/ }).getByText('none', { exact: true }).waitFor();
      await page.goto(`${one.url}/#/manual`);
      await page.getByLabel('Name').fill('saved');
      await page.getByLabel('Path').fill('/saved');
      await page.getByLabel('Address of the service').fill('10.0.0.7:80');
      await page.getByRole('button', { name: 'Show what changes' }).click();
      two.process.signal('SIGSTOP');
      await page.getByRole('button', { name: 'Save' }).click();
      try {
        await page.getByText(/^Served by 1 of 2 replicas; not yet by two/).waitFor();
      } finally {
        two.process.signal('SIGCONT');
      }
      await page.getByText('Distributed to all instances').waitFor();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }));

  it('warns of a change that a replica does not serve in time, names it, and says what to do next', () =>
    withPage(async (page) => {
      const [one, two] = replicas;
      page.setDefaultTimeout(withinMs);
      await publish(one, 'before');
      await logIn(page, one.url);
      await page.goto(`${one.url}/#/manual`);
      await page.getByLabel('Name').fill('late');
      await page.getByLabel('Path').fill('/late');
      await page.getByLabel('Address of the service').fill('10.0.0.7:80');
      await page.getByRole('button', { name: 'Show what changes' }).click();
      two.process.signal('SIGSTOP');
      try {
        await page.getByRole('button', { name: 'Save' }).click();
        const warning = page.getByRole('alert').filter({ hasText: 'Kept, but not served by every replica yet.' });
        await warning.waitFor();
        const text = (await warning.textContent()) ?? '';
        expect(text).to.match(/^▲ /).and.include('Distributed to 1 of 2 instances, waiting for two-');
        expect(text).to.include('Late: two-').and.include('Restart one that stays behind');
        expect(await violationsEverywhere(page, 'a change that is late')).to.deep.equal([]);
        await warning.getByRole('link', { name: 'Replicas' }).click();
        await page.getByRole('row', { name: /^two/ }).getByText('1 change', { exact: false }).waitFor();
      } finally {
        two.process.signal('SIGCONT');
      }
      await page.getByRole('row', { name: /^two/ }).getByText('none', { exact: true }).waitFor();
    }));

  it('goes on at another replica, and at one that was restarted, with the same login and nothing that is gone', async () => {
    const [one, two] = replicas;
    const portOf = ({ url }: Replica) => Number(new URL(url).port);
    const between = await startBetween(portOf(one));
    const [closed = 0] = await freePorts(1);
    try {
      await withPage(async (page) => {
        page.setDefaultTimeout(withinMs);
        const shows = (service: string) => page.getByRole('link', { name: service, exact: true });
        const isAt = (replica: string) =>
          until(`the page is at ${replica}`, async () =>
            ((await page.locator('.replica').textContent()) ?? '').includes(`· ${replica}`),
          );
        const isLive = () => page.locator('.connection').getByText('live').waitFor();
        await publish(one, 'leaves');
        await logIn(page, between.url);
        await isAt('one');
        await shows('leaves').waitFor();

        between.passTo(closed);
        await page.locator('.connection').getByText('disconnected').waitFor();
        await remove(two, 'leaves');
        await publish(two, 'comes');
        between.passTo(portOf(two));
        await isAt('two');
        await isLive();
        await shows('comes').waitFor();
        await shows('leaves').waitFor({ state: 'detached' });

        await two.process.stop();
        await page.locator('.connection').getByText('disconnected').waitFor();
        await remove(one, 'comes');
        two.process.start();
        await isLive();
        await shows('comes').waitFor({ state: 'detached' });
        await publish(one, 'later');
        await shows('later').waitFor();
      });
    } finally {
      await between.stop();
    }
  });

  it('keeps the login from a service behind workers, and takes none that it sets', async () => {
    const [, two] = replicas;
    const seen: (string | undefined)[] = [];
    const service = createServer((request, response) => {
      seen.push(request.headers.cookie);
      response.setHeader('Set-Cookie', ['swarmgate_session=planted', '__Host-swarmgate_session=planted', 'other=1']);
      response.end();
    }).listen(0, '127.0.0.1');
    await once(service, 'listening');
    try {
      await publish(two, 'behind', (service.address() as AddressInfo).port);
      const headers = { Cookie: 'swarmgate_session=own; other=1; __Host-swarmgate_session=own' };
      for (let time = 0; time < 8; time += 1) {
        const reply = await fetch(`${two.entry}/behind`, { headers });
        expect([reply.status, reply.headers.getSetCookie()]).to.deep.equal([200, ['other=1']]);
      }
      expect(new Set(seen)).to.deep.equal(new Set(['other=1']));
    } finally {
      service.close();
      service.closeAllConnections();
    }
  });

  it('shows at the other replica that one drains while a request is in flight, and when it is gone', async () => {
    const [one, two] = replicas;
    const held = Promise.withResolvers<ServerResponse>();
    const service = createServer((_request, response) => held.resolve(response)).listen(0, '127.0.0.1');
    await once(service, 'listening');
    try {
      await publish(one, 'long', (service.address() as AddressInfo).port);
      await withPage(async (page) => {
        page.setDefaultTimeout(withinMs);
        await logIn(page, one.url);
        await page.goto(`${one.url}/#/replicas`);
        const line = page.getByRole('row', { name: /^two/ });
        await line.getByText('● live', { exact: true }).waitFor();
        const long = fetch(`${two.entry}/long`);
        const response = await held.promise;
        two.process.signal('SIGTERM');
        await line.getByText('▲ draining', { exact: true }).waitFor();
        expect(await violationsEverywhere(page, 'a replica that drains')).to.deep.equal([]);
        const { serving, waitingFor } = await publishedAt(one, 'meanwhile');
        expect([serving?.length, waitingFor]).to.deep.equal([1, []]);
        const status = (await (
          await fetch(`${one.url}/v1/status`, { headers: authorization })
        ).json()) as StatusResponse;
        expect(status.replicas.map(({ draining }) => draining)).to.deep.equal([undefined, true]);
        response.end('whole');
        expect(await (await long).text()).to.equal('whole');
        await line.waitFor({ state: 'detached' });
        await until('the process is at its end', () => two.process.pid === undefined);
        two.process.start();
        await line.getByText('● live', { exact: true }).waitFor();
      });
    } finally {
      service.close();
      service.closeAllConnections();
    }
  });

  it('shows when one is gone', () =>
    withPage(async (page) => {
      const [one, two] = replicas;
      page.setDefaultTimeout(withinMs);
      await logIn(page, one.url);
      await page.goto(`${one.url}/#/replicas`);
      await until('there are two lines', async () => (await page.locator('tbody tr').count()) === 2);
      await two.process.stop();
      await until('there is one line', async () => (await page.locator('tbody tr').count()) === 1);
    }));
});
