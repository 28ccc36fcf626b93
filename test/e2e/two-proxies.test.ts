import { expect } from 'chai';
import { withPage } from '../harness/browser.ts';
import { removeService, updateService } from '../harness/docker.ts';
import { constantLoad, untilReplicasRespond, untilResponds } from '../harness/http.ts';
import type { SecondProxy } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { complaintsOf, logIn } from '../integration/console/console-rig.ts';
import { pathLabels, sharedStack } from './shared-stack.ts';

// One of each router: what holds for the stack's proxy has to hold for one with HTTP_ROUTER=express.
describe('two proxies on one registry, the second one through Express', () => {
  let second: SecondProxy;
  let id: string;

  before(async () => {
    const stack = sharedStack();
    second = await stack.addProxy({ HTTP_ROUTER: 'express' });
    id = await stack.createService('both', { labels: pathLabels('/both') });
  });
  after(async () => {
    await removeService(sharedStack().docker, id);
    await second.remove();
  });

  it('both serve every change', async () => {
    const stack = sharedStack();
    const urls = [stack.httpUrl, second.httpUrl];
    await Promise.all(urls.map((url) => untilResponds({ url: `${url}/both` }, 200)));
    for (let change = 0; change < 10; change += 1) {
      const path = `/both-${change}`;
      await updateService(stack.docker, id, (spec) => ({ ...spec, Labels: pathLabels(path) }));
      await Promise.all(urls.map((url) => untilResponds({ url: `${url}${path}` }, 200)));
    }
    await Promise.all(urls.map((url) => untilResponds({ url: `${url}/both` }, 503)));
  });

  it('fail no request while the service is updated, task by task', async () => {
    const stack = sharedStack();
    const rolling = await stack.createService('rolling', { labels: pathLabels('/rolling'), replicas: 2 });
    try {
      const urls = [stack.httpUrl, second.httpUrl].map((url) => `${url}/rolling`);
      for (const url of urls) await untilReplicasRespond(url, 2);
      const before = new Set(await stack.containers('rolling'));
      const loads = urls.map((url) => constantLoad({ url, ratePerSecond: 50 }));
      await updateService(stack.docker, rolling, ({ TaskTemplate, ...spec }) => ({
        ...spec,
        UpdateConfig: { Parallelism: 1, Order: 'start-first', Delay: 1_000_000_000 },
        TaskTemplate: { ...TaskTemplate, ForceUpdate: 1 },
      }));
      await until(
        'both tasks are new',
        async () => {
          const now = await stack.containers('rolling');
          return now.length === 2 && now.every((container) => !before.has(container));
        },
        { withinMs: 90_000 },
      );
      for (const load of loads) {
        const { sent, failed, failures } = await load.stop();
        expect(sent).to.be.above(50);
        expect(failed, failures.join('; ')).to.equal(0);
      }
    } finally {
      await removeService(stack.docker, rolling);
    }
  });

  it('list each other, and a reconfigure on one responds when the other serves it too', async () => {
    const stack = sharedStack();
    const status = await stack.admin('/v1/status');
    expect(JSON.parse(status.body).replicas, status.body).to.have.length(2);
    const query = new URLSearchParams({
      serviceName: 'shared',
      servicePath: '/shared',
      outboundHostname: `tasks.${stack.fullName('both')}`,
      port: '8080',
    });
    const response = await stack.admin(`/v1/docker-flow-proxy/reconfigure?${query}`);
    expect(JSON.parse(response.body), response.body).to.include({ Message: 'Distributed to all instances' });
    // No waiting here: that the other one serves it is what the response said.
    const served = await untilResponds({ url: `${second.httpUrl}/shared` }, 200, { withinMs: 0 });
    expect(served.status).to.equal(200);
    await stack.admin('/v1/docker-flow-proxy/remove?serviceName=shared');
  });

  it('are used by every view of the console, with one login, and take each change that is made there', async function () {
    this.timeout(300_000);
    const stack = sharedStack();
    const both = stack.fullName('both');
    const untilServed = (path: string) =>
      Promise.all([stack.httpUrl, second.httpUrl].map((url) => untilResponds({ url: `${url}${path}` }, 200)));
    // Two changes, one after the other, are two entries of the history.
    await updateService(stack.docker, id, (spec) => ({ ...spec, Labels: pathLabels('/both-before') }));
    await untilServed('/both-before');
    // A label that is unknown is a problem, and the service is served all the same.
    await updateService(stack.docker, id, (spec) => ({
      ...spec,
      Labels: { ...pathLabels('/both'), 'com.df.servicePathh': '/x' },
    }));
    await untilServed('/both');
    await withPage(async (page) => {
      page.setDefaultTimeout(120_000);
      const complaints = complaintsOf(page);
      await logIn(page, stack.adminUrl, stack.token);
      await page.locator('.connection').getByText('live').waitFor();
      const view = (name: string) => page.getByRole('navigation').getByRole('link', { name }).click();

      await page.getByLabel('Filter').fill(both);
      await page.getByRole('link', { name: both, exact: true }).click();
      await page.getByText('1 of 1 take requests').waitFor();
      await untilResponds({ url: `${stack.httpUrl}/both` }, 200);
      await page.getByRole('row', { name: /^Last minute \d/ }).waitFor();
      await page.getByRole('row', { name: /healthy/ }).waitFor();
      await page.getByText('Labels as they were parsed').click();
      await page.getByText('"kind": "swarm"').waitFor();
      await page
        .getByRole('button', { name: /^Roll back to #/ })
        .first()
        .waitFor();
      await page.getByRole('button', { name: /^Drain of / }).click();
      await page.getByRole('button', { name: /^End the drain of / }).click();
      await page.getByRole('button', { name: /^Drain of / }).waitFor();

      await view('Explain');
      await page.getByLabel('URL').fill(`${stack.httpUrl}/both`);
      await page.getByRole('button', { name: 'Explain' }).click();
      await page.getByRole('heading', { name: `swarm/${both} takes it` }).waitFor();

      await view('Problems');
      // Without its value: that of a misspelt `users` has passwords.
      const problem = page.getByRole('listitem').filter({ hasText: `swarm/${both}` });
      await problem.getByText('there is no label servicePathh; it is ignored').waitFor();
      await problem.getByText('did you mean servicePath?').waitFor();
      expect(await problem.textContent()).to.not.include('/x');

      await view('Live requests');
      await page.getByText('Live.').waitFor();
      await untilResponds({ url: `${stack.httpUrl}/both/seen` }, 200);
      await page
        .getByRole('row', { name: /\/both\/seen/ })
        .first()
        .waitFor();

      await view('Add a service');
      await page.getByLabel('Name').fill('outside');
      await page.getByLabel('Path').fill('/outside');
      await page.getByLabel('Address of the service').fill(`tasks.${both}:8080`);
      await page.getByRole('button', { name: 'Show what changes' }).click();
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Distributed to all instances').waitFor();
      // No waiting here: that the other one serves it is what the page said.
      const outside = { url: `${second.httpUrl}/outside` };
      await untilResponds(outside, 200, { withinMs: 0 });

      await view('Replicas');
      await until('both are listed, none behind', async () => {
        const lines = await page.locator('tbody tr').allTextContents();
        return lines.length === 2 && lines.every((line) => line.includes('none'));
      });

      await view('Certificates');
      await page.getByRole('heading', { name: 'Certificates' }).waitFor();

      await page.goto(`${stack.adminUrl}/#/services/manual/outside`);
      await page.getByRole('button', { name: 'Take down for maintenance' }).click();
      await page.getByRole('button', { name: 'Take outside down' }).click();
      await page.getByText('In maintenance').first().waitFor();
      await untilResponds(outside, 503);

      // The other replica takes the same login, and ends what was begun at the first.
      await page.goto(`${second.adminUrl}/#/maintenance`);
      await page.getByRole('row', { name: /manual\/outside maintenance/ }).waitFor();
      await page.getByRole('button', { name: 'End maintenance of outside' }).click();
      await page.getByRole('heading', { name: 'Every service takes requests' }).waitFor();
      await untilResponds({ url: `${stack.httpUrl}/outside` }, 200);
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Admin token').waitFor();
      await page.goto(stack.adminUrl);
      await page.getByLabel('Admin token').waitFor();
      expect(complaints).to.deep.equal([]);
    });
    await stack.admin('/v1/docker-flow-proxy/remove?serviceName=outside');
  });
});
