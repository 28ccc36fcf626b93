import { execFile } from 'node:child_process';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { HistoryResponse } from '@swarmgate/proxy';
import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { type HostListener, type HostProxy, startHostListener, startHostProxy } from '../../harness/host-processes.ts';
import { send, untilResponds } from '../../harness/http.ts';
import { until } from '../../harness/until.ts';
import { type LabelledServices, startLabelledServices } from './labelled-services.ts';

const run = promisify(execFile);
const command = fileURLToPath(new URL('../../../packages/cli/bin/swarmgate.mjs', import.meta.url));
/** As many as the registry keeps of each service. */
const mostEntries = 10;

/** A service of a real Swarm whose label is changed, the listener that publishes it, and the commands of an operator. */
describe('the history of a service of the Swarm', function () {
  this.timeout(120_000);
  let consul: RunningConsul;
  let services: LabelledServices;
  let listener: HostListener | undefined;
  let proxy: HostProxy | undefined;
  let name: string;
  let beganAt: number;

  before(async () => {
    [consul, services] = await Promise.all([startConsul(), startLabelledServices()]);
    const env = { CONSUL_HTTP_ADDR: consul.address };
    [listener, proxy] = await Promise.all([startHostListener({ ...env, ...services.env }), startHostProxy(env)]);
    beganAt = Date.now();
    name = await services.deploy('reported', { servicePath: '/path-0' });
    await served('/path-0');
  });

  after(async () => {
    await listener?.remove();
    await proxy?.remove();
    await services?.remove();
    await consul?.remove();
  });

  const urlOf = (path: string) => `${proxy?.httpUrl}${path}`;
  const served = (path: string) => untilResponds({ url: urlOf(path) }, 200);
  const setPath = async (path: string) => {
    await services.setLabels(name, { servicePath: path });
    await served(path);
  };
  const swarmgate = async (...args: readonly string[]) => {
    const env = { PATH: process.env.PATH, SWARMGATE_URL: proxy?.adminUrl };
    return (await run(process.execPath, [command, ...args], { env })).stdout;
  };
  const history = async () => {
    const response = await (proxy as HostProxy).admin(`/v1/history?service=${name}`);
    expect(response.status, response.body).to.equal(200);
    return (JSON.parse(response.body) as HistoryResponse).owners;
  };
  const ofTheSwarm = async () => {
    const [first, ...others] = (await history()).filter(({ owner }) => owner === 'swarm');
    expect(others).to.deep.equal([]);
    return first ?? expect.fail('the Swarm has no history of it');
  };
  const pathOf = (definition: HistoryResponse['owners'][number]['current']) => definition?.destinations[0]?.servicePath;

  it('names who changed it, when, and from which labels', async () => {
    await setPath('/path-1');
    await setPath('/path-2');
    const { current, entries } = await ofTheSwarm();
    expect(pathOf(current)).to.deep.equal(['/path-2']);
    expect(entries.map(({ number, definition }) => [number, pathOf(definition)])).to.deep.equal([
      [2, ['/path-1']],
      [1, ['/path-0']],
    ]);
    const [second, first] = entries as [(typeof entries)[number], (typeof entries)[number]];
    for (const { changed } of entries) expect(changed).to.deep.equal(['servicePath']);
    for (const { replacedBy } of entries) expect(replacedBy).to.equal(`swarm-listener on ${hostname()}`);
    const times = [first, second].map(({ replacedAt }) => Date.parse(replacedAt));
    expect([beganAt, ...times, Date.now()]).to.deep.equal([beganAt, ...times, Date.now()].toSorted((a, b) => a - b));
    // The version of the Swarm's service says from which state of its labels each came.
    const versions = [first.definition, second.definition, current].map((definition) =>
      definition?.source.kind === 'swarm' ? definition.source.versionIndex : expect.fail('it is not from the Swarm'),
    );
    expect(new Set(versions).size).to.equal(3);
    expect(versions).to.deep.equal(versions.toSorted((a, b) => a - b));

    const reported = await swarmgate('history', name);
    expect(reported).to.include(`swarm/${name}`);
    const lines = reported.split('\n');
    for (const [number, path, version] of [
      ['2', '/path-1', versions[1]],
      ['1', '/path-0', versions[0]],
    ] as const) {
      const line = lines.find((each) => each.includes(path)) ?? expect.fail(`${path} in ${reported}`);
      expect(line.trim().startsWith(number), line).to.equal(true);
      expect(line)
        .to.include(`swarm-listener on ${hostname()}`)
        .and.include(`Swarm service version ${version}`)
        .and.include('servicePath');
      expect(line).to.match(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
    }
    expect(lines.find((line) => line.includes('/path-2'))?.trim()).to.match(/^now /);
  });

  it('is bounded, however often it changes', async () => {
    for (let n = 3; n <= mostEntries + 3; n += 1) await setPath(`/path-${n}`);
    const { entries } = await ofTheSwarm();
    expect(entries.map(({ number }) => number)).to.deep.equal([13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
    const keys = (await (await fetch(`${consul.url}/v1/kv/swarmgate/history/?keys`)).json()) as readonly string[];
    expect(keys).to.have.length(mostEntries);
  });

  it('gives an old route back, which stays while the Swarm’s own changes', async () => {
    const path = '/path-6';
    expect((await send({ url: urlOf(path) })).status).to.equal(503);
    const { entries } = await ofTheSwarm();
    const entry = entries.find(({ definition }) => pathOf(definition)?.includes(path)) ?? expect.fail(`no ${path}`);
    const said = await swarmgate('rollback', name, '--to', String(entry.number));
    expect(said).to.include(`entry ${entry.number} of swarm/${name} is served again`);
    // The command returns when it is served.
    expect((await send({ url: urlOf(path) })).status).to.equal(200);
    const manual = (await history()).find(({ owner }) => owner === 'manual')?.current;
    expect(pathOf(manual ?? null)).to.deep.equal([path]);
    expect(manual?.source).to.deep.include({ kind: 'rest' });

    // The Swarm's own goes on being published under its name, and is what is served when the rollback is taken back.
    await services.setLabels(name, { servicePath: '/path-14' });
    await until('the listener has published on', async () =>
      pathOf((await ofTheSwarm()).current)?.includes('/path-14'),
    );
    expect((await send({ url: urlOf(path) })).status).to.equal(200);
    await swarmgate('remove', name);
    await served('/path-14');
    expect((await send({ url: urlOf(path) })).status).to.equal(503);
  });
});
