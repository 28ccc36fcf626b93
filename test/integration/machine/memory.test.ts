import { expect } from 'chai';
import { freePorts } from '../../harness/free-ports.ts';
import { type MemoryGroup, makeMemoryGroup } from '../../harness/memory-group.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

const megabyte = 2 ** 20;
const limit = 1_024 * megabyte;

/** A proxy with two workers in a control group as containers have one, whose memory is used up by something else. */
describe('a container whose memory runs out', function () {
  this.timeout(180_000);
  let group: MemoryGroup;
  let standalone: SwarmgateProcess;
  let admin: number;
  let entry: number;

  before(async () => {
    group = makeMemoryGroup(limit);
    [admin = 0, entry = 0] = await freePorts(2);
    standalone = startSwarmgate(['standalone'], {
      env: {
        ADMIN_PORT: String(admin),
        DEFAULT_PORTS: String(entry),
        WORKERS: '2',
        DOCKER_HOST: 'unix:///nowhere/docker.sock',
      },
      through: group.through,
    });
    await until('it is ready', () => standalone.log().includes('Swarmgate is ready.'), { withinMs: 120_000 });
  });
  after(async () => {
    await standalone?.remove();
    group?.remove();
  });

  const served = async () => {
    const response = await fetch(`http://127.0.0.1:${entry}/hello`);
    await response.arrayBuffer();
    return response.status;
  };
  const view = async <T>(path: string) => (await (await fetch(`http://127.0.0.1:${admin}${path}`)).json()) as T;
  const reasons = async () =>
    (await view<{ readonly problems: readonly { readonly reason: string }[] }>('/v1/problems')).problems.map(
      ({ reason }) => reason,
    );
  const serving = async () =>
    (
      await view<{ readonly workers: readonly { readonly pid: number; readonly state: string }[] }>('/v1/status')
    ).workers
      .filter(({ state }) => state === 'serving')
      .map(({ pid }) => pid);

  it('is reported before the limit, costs a worker that is replaced, and no more', async () => {
    expect(await reasons()).to.not.include('memory-low');
    const before = await serving();
    expect(before).to.have.length(2);

    await group.take(0.94 * limit - group.usedBytes());
    await until('it is reported', async () => (await reasons()).includes('memory-low'), { withinMs: 20_000 });
    await until('it is logged', () => standalone.log().includes('nearly all of its memory (1024 MB)'), {
      withinMs: 20_000,
    });
    expect(standalone.log()).not.to.include('crashed');
    for (let times = 0; times < 20; times += 1) expect(await served()).to.equal(200);

    await group.take(limit - group.usedBytes() + 16 * megabyte);
    await until('a worker is ended by the kernel', () => standalone.log().includes('a worker crashed; it is replaced'));
    group.giveBack();
    // The connection of a request may have been the ended worker's: it is made again, as every client does.
    await until('requests are served', async () => (await served().catch(() => 0)) === 200);
    for (let times = 0; times < 20; times += 1) expect(await served()).to.equal(200);
    await until('two workers serve', async () => (await serving()).length === 2, { withinMs: 60_000 });
    const after = await serving();
    expect(
      after.filter((pid) => before.includes(pid)),
      'workers that went on',
    ).to.have.length.within(0, 1);
    await until('it is over', async () => !(await reasons()).includes('memory-low'), { withinMs: 20_000 });
  });
});
