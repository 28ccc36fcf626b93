import { expect } from 'chai';
import { removeService } from '../harness/docker.ts';
import { constantLoad, type Load, untilResponds } from '../harness/http.ts';
import { until } from '../harness/until.ts';
import { sharedStack } from './shared-stack.ts';

interface ShownProblem {
  readonly owner: string;
  readonly service: string;
  readonly reason: string;
  readonly label?: string;
  readonly otherService?: string;
  readonly suggestion?: string;
}

describe('bad input is named, and has no effect on other services', () => {
  const ids: string[] = [];
  let load: Load | undefined;

  before(async () => {
    await deploy('bystander', { 'com.df.servicePath': '/bystander', 'com.df.port': '8080' });
    await untilResponds({ url: `${sharedStack().httpUrl}/bystander` }, 200);
    load = constantLoad({ url: `${sharedStack().httpUrl}/bystander`, ratePerSecond: 50 });
  });
  after(async () => {
    await load?.stop();
    await Promise.all(ids.map((id) => removeService(sharedStack().docker, id)));
  });

  it('a label with a wrong value', async () => {
    await deploy('wrong-value', {
      'com.df.servicePath': '/wrong-value',
      'com.df.port': '8080',
      'com.df.isDefaultBackend': 'maybe',
    });
    const problem = await namesItself('wrong-value', 'label-value-invalid', 'problems/labels/swarm');
    expect(problem.label).to.equal('isDefaultBackend');
  });

  it('a missing port', async () => {
    await deploy('no-port', { 'com.df.servicePath': '/no-port' });
    await namesItself('no-port', 'port-missing', 'problems/labels/swarm');
    await untilResponds({ url: `${sharedStack().httpUrl}/no-port` }, 503);
  });

  it('two services that claim the same route: the first keeps it, the second is reported, and inherits it', async () => {
    const labels = { 'com.df.servicePath': '/claimed', 'com.df.port': '8080' };
    const first = await deploy('first', labels, { MESSAGE: 'first' });
    const url = `${sharedStack().httpUrl}/claimed`;
    await untilResponds({ url }, 200);
    await deploy('second', labels, { MESSAGE: 'second' });
    const problem = await namesItself('second', 'route-conflict', 'problems/routes/swarm');
    expect(problem.otherService).to.equal(`swarm/${sharedStack().fullName('first')}`);
    await untilResponds({ url }, 200, { accept: ({ body }) => JSON.parse(body).message === 'first', withinMs: 0 });

    await removeService(sharedStack().docker, first);
    await untilResponds({ url }, 200, { accept: ({ body }) => JSON.parse(body).message === 'second' });
    await until('the conflict is over', async () => !(await problems()).some(isAbout('second', 'route-conflict')));
  });

  it('a definition that is edited into invalid JSON: the last good one is served on', async () => {
    const stack = sharedStack();
    await deploy('edited', { 'com.df.servicePath': '/edited', 'com.df.port': '8080' });
    await untilResponds({ url: `${stack.httpUrl}/edited` }, 200);
    const key = `services/swarm/${stack.fullName('edited')}`;
    const good = (await stack.consul.get(key)) ?? '';
    // The listener puts a document right that it cannot read, at the latest when it lists the Swarm again: before the
    // edit has been reported everywhere, perhaps. So the edit is repeated; writing an equal value wakes no watch.
    const edit = () => stack.consul.put(key, good.replace('{', '{{'));
    await edit();
    await namesItself('edited', 'document-not-json', 'problems/routes/swarm', edit);
    await untilResponds({ url: `${stack.httpUrl}/edited` }, 200, { withinMs: 0 });
    await stack.consul.put(key, good);
    await until('the problem is over', async () => !(await problems()).some(isAbout('edited', 'document-not-json')));
  });

  it('a foreign key under the prefix: it is reported and left alone', async () => {
    const stack = sharedStack();
    await stack.consul.put('foreign/key', 'mine');
    // The proxies look for such keys every 10 s, one level deep: no watch covers foreign keys.
    const key = `${stack.name}/foreign/`;
    await until('the API names the key', async () => {
      const response = JSON.parse((await stack.admin('/v1/problems')).body) as { keys: readonly { key: string }[] };
      return response.keys.some((each) => each.key.startsWith(key));
    });
    await until('Consul says so under problems/keys', async () => {
      const reported = await stack.consul.keys('problems/keys/');
      const texts = await Promise.all(reported.map((each) => stack.consul.get(each)));
      return texts.some((text) => text?.includes(key));
    });
    await until('the log names it', async () => (await stack.logs('proxy')).includes(key));
    expect((await stack.admin('/metrics')).body).to.match(/^swarmgate_foreign_keys 1$/m);
    expect(await stack.consul.get('foreign/key')).to.equal('mine');
    await stack.consul.delete('foreign/key');
  });

  it('and every other route was served all the time', async () => {
    const report = await load?.stop();
    expect(report?.failures, `of ${report?.sent} requests`).to.deep.equal([]);
  });

  async function deploy(
    name: string,
    labels: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const id = await sharedStack().createService(name, { labels: { 'com.df.notify': 'true', ...labels }, env });
    ids.push(id);
    return id;
  }

  function isAbout(name: string, reason: string) {
    return (problem: ShownProblem) => problem.service === sharedStack().fullName(name) && problem.reason === reason;
  }

  /** In the API, in Consul, in the log and in the metrics. Returns what the API says. `insist` is done before each look. */
  async function namesItself(
    name: string,
    reason: string,
    consulPrefix: string,
    insist: () => Promise<unknown> = async () => undefined,
  ): Promise<ShownProblem> {
    const stack = sharedStack();
    const service = stack.fullName(name);
    const seen = <T>(where: string, look: () => Promise<T | undefined | false>) =>
      until(`${where} ${reason} of ${name}`, async () => {
        await insist();
        return look();
      });
    const shown = await seen('the API shows', async () => (await problems()).find(isAbout(name, reason)));
    await seen('Consul shows', async () => (await stack.consul.get(`${consulPrefix}/${service}`))?.includes(reason));
    await seen('the log shows', async () =>
      (await stack.logs('proxy')).split('\n').some((line) => line.includes(service) && line.includes(reason)),
    );
    await seen('a metric counts', async () =>
      (await stack.admin('/metrics')).body
        .split('\n')
        .some(
          (line) =>
            line.startsWith('swarmgate_problems{') &&
            line.includes(`service="${service}"`) &&
            line.includes(`reason="${reason}"`),
        ),
    );
    return shown;
  }
});

async function problems(): Promise<readonly ShownProblem[]> {
  const response = await sharedStack().admin('/v1/problems');
  return (JSON.parse(response.body) as { readonly problems: readonly ShownProblem[] }).problems;
}
