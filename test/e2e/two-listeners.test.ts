import { expect } from 'chai';
import { removeService, updateService } from '../harness/docker.ts';
import { constantLoad, untilResponds } from '../harness/http.ts';
import { until } from '../harness/until.ts';
import { pathLabels, sharedStack } from './shared-stack.ts';

describe('two listeners', () => {
  let id: string;

  before(async () => {
    id = await sharedStack().createService('steady', { labels: pathLabels('/steady') });
    await untilResponds({ url: `${sharedStack().httpUrl}/steady` }, 200);
  });
  after(async () => {
    await removeService(sharedStack().docker, id);
  });

  it('have one leader; when it is killed the other takes over, and nothing is removed or written twice', async () => {
    const stack = sharedStack();
    const key = `services/swarm/${stack.fullName('steady')}`;
    const killed = await leader();
    // Services of the tests before this one may still be on their way out.
    await until('Consul has what the Swarm has', async () => {
      const names = new Set((await stack.docker.listServices()).map(({ Spec }) => Spec?.Name));
      return (await stack.consul.keys('services/swarm/')).every((each) => names.has(each.split('/').at(-1)));
    });
    const keysBefore = (await stack.consul.keys('services/')).toSorted();
    const textBefore = await stack.consul.get(key);
    const writtenBefore = await stack.consul.modifyIndex(key);
    await using load = constantLoad({ url: `${stack.httpUrl}/steady`, ratePerSecond: 50 });

    await stack.docker.getContainer(killed).kill();
    const tookOver = await until(
      'another listener leads',
      async () => {
        const now = await leader();
        return now !== killed && now;
      },
      { withinMs: 60_000, everyMs: 200 },
    );
    expect(tookOver).to.not.equal(killed);
    expect((await stack.consul.keys('services/')).toSorted()).to.deep.equal(keysBefore);
    expect(await stack.consul.get(key)).to.equal(textBefore);
    expect(await stack.consul.modifyIndex(key), 'the document was not written again').to.equal(writtenBefore);

    // The new leader does the work: a change arrives.
    await updateService(stack.docker, id, (spec) => ({ ...spec, Labels: pathLabels('/steady,/after-takeover') }));
    await untilResponds({ url: `${stack.httpUrl}/after-takeover` }, 200, { withinMs: 60_000 });
    const report = await load.stop();
    expect(report.failures, `of ${report.sent} requests`).to.deep.equal([]);
  });
});

/** Container id of the listener that holds the lock. */
async function leader(): Promise<string> {
  const stack = sharedStack();
  const holder = await until('a listener leads', async () => await stack.consul.lockHolder('leader/swarm'), {
    withinMs: 60_000,
  });
  const containers = await stack.containers('listener');
  const found = containers.find((container) => holder.includes(container.slice(0, 12)));
  if (found === undefined) throw new Error(`${holder} is none of the listeners ${containers.join(', ')}`);
  return found;
}
