import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { get } from 'node:https';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Load } from '../../packages/proxy/test/worker-rig.ts';
import { removeService } from '../harness/docker.ts';
import { untilResponds } from '../harness/http.ts';
import { type DeployedStack, deployStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const run = promisify(execFile);

// docker/stack.entry.yml on a Swarm of one node: the entry holds the host ports, the proxies come and go behind it.
describe('an entry before the proxies', function () {
  this.timeout(600_000);
  let stack: DeployedStack;
  let service: string;
  let port: number;

  before(async () => {
    stack = await deployStack({ entry: true });
    port = Number(new URL(stack.httpUrl).port);
    const labels = { 'com.df.notify': 'true', 'com.df.servicePath': '/', 'com.df.port': '8080' };
    service = await stack.createService('echo', { labels, replicas: 2 });
    await untilResponds({ url: stack.httpUrl }, 200, { withinMs: 120_000 });
  });
  after(async () => {
    if (service !== undefined) await removeService(stack.docker, service);
    await stack?.remove();
  });

  it('loses no request while every proxy is replaced, on kept connections and on new ones', async () => {
    const load = new Load(port, { keepAlive: 8, perRequest: 4 });
    await load.more(200);
    const replaced = await updated();
    await load.more(200);
    await load.stop();
    console.log(`      ${load.responded} requests in an update of ${Math.round(replaced / 1000)} s`);
    expect([...load.failures]).to.deep.equal([]);
  });

  it('passes on Consul’s UI', async () => {
    const headers = { authorization: `Bearer ${stack.token}` };
    const [refused, taken] = await Promise.all([
      fetchSelfSigned(`${stack.consulUiUrl}/v1/catalog/datacenters`, {}),
      fetchSelfSigned(`${stack.consulUiUrl}/v1/catalog/datacenters`, headers),
    ]);
    expect([refused, taken]).to.deep.equal([401, 200]);
  });

  it('sends proxies the addresses of clients', async () => {
    const client = await foreignClient();
    try {
      const { stdout } = await client.curl(`http://${client.host}:${port}/`);
      const { headers } = JSON.parse(stdout) as { readonly headers: Readonly<Record<string, string>> };
      expect(headers['x-forwarded-for']).to.equal(client.address);
    } finally {
      await client.remove();
    }
  });

  it('passes on the REST of a proxy, which serves no connection that goes around the entry', async () => {
    expect((await stack.admin('/v1/status')).status).to.equal(200);
    const around =
      "fetch('http://proxy/').then((response) => console.log(response.status), () => console.log('closed'))";
    expect(await stack.runInside('listener', around)).to.equal('closed');
  });

  /** Replaces the proxies as `docker service update` does; returns how long it took, in milliseconds. */
  const updated = async () => {
    const began = performance.now();
    const former = await stack.containers('proxy');
    const name = stack.fullName('proxy');
    await run('docker', ['service', 'update', '--force', '--detach=true', name]);
    const seen = new Set<number>();
    await until(
      'the proxies are others',
      async () => {
        const now = await stack.containers('proxy');
        seen.add(now.length);
        return now.length === former.length && now.every((id) => !former.includes(id));
      },
      { withinMs: 180_000 },
    );
    // Start-first: both were there for a while.
    expect(Math.max(...seen)).to.equal(former.length + 1);
    return performance.now() - began;
  };
});

/** The status of a page whose certificate no authority signed. */
function fetchSelfSigned(url: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { headers, rejectUnauthorized: false, timeout: 20_000 }, (response) => {
      resolve(response.statusCode);
      response.destroy();
    }).once('error', reject);
  });
}

/** A machine of its own beside this one: a network namespace with an address that no rule of this machine hides. */
async function foreignClient() {
  const name = `sge${randomBytes(2).toString('hex')}`;
  const subnet = `198.18.${randomInt(1, 255)}`;
  const ip = (...args: readonly string[]) => run('ip', [...args]);
  const remove = async () => {
    await ip('netns', 'del', name).catch(() => undefined);
    await ip('link', 'del', `${name}a`).catch(() => undefined);
  };
  try {
    await ip('netns', 'add', name);
    await ip('link', 'add', `${name}a`, 'type', 'veth', 'peer', 'name', `${name}b`, 'netns', name);
    await ip('addr', 'add', `${subnet}.1/24`, 'dev', `${name}a`);
    await ip('link', 'set', `${name}a`, 'up');
    await ip('-n', name, 'addr', 'add', `${subnet}.2/24`, 'dev', `${name}b`);
    await ip('-n', name, 'link', 'set', `${name}b`, 'up');
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    address: `${subnet}.2`,
    host: `${subnet}.1`,
    curl: (url: string) =>
      run('nsenter', [`--net=/var/run/netns/${name}`, 'curl', '--silent', '--max-time', '20', url]),
    remove,
  };
}
