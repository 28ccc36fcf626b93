import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pause } from '@swarmgate/runtime';
import { expect } from 'chai';
import { until } from '../../../test/until.ts';
import { get, isAlive, type LocalResponse, listening } from '../../../test/worker-rig.ts';

const file = fileURLToPath(new URL('../../../test/worker-control.ts', import.meta.url));

interface Started {
  readonly port: number;
  readonly pids: readonly number[];
  readonly dataDir: string;
}

describe('workers whose control process is halted', function () {
  this.timeout(90_000);
  let backend: Server;
  let control: ChildProcess | undefined;
  let started: Started;
  const agents: Agent[] = [];

  before(async () => {
    // In a process that is not halted.
    backend = await listening(createServer((_request, response) => response.end('fine')));
  });
  after(async () => {
    backend.closeAllConnections();
    await new Promise((resolve) => backend.close(resolve));
  });
  afterEach(async () => {
    for (const agent of agents.splice(0)) agent.destroy();
    control?.kill('SIGKILL');
    try {
      await until(() => started.pids.every((pid) => !isAlive(pid)), 'the workers to end', 20_000);
    } finally {
      for (const pid of started.pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
    }
    await rm(started.dataDir, { recursive: true, force: true });
  });

  const start = async (env: Readonly<Record<string, string>>) => {
    const args = [file, JSON.stringify(env), String((backend.address() as AddressInfo).port)];
    control = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(control.stdout as NonNullable<typeof control.stdout>, 'data')) as [Buffer];
    started = JSON.parse(line.toString()) as Started;
  };
  const halted = async <T>(act: () => Promise<T>) => {
    control?.kill('SIGSTOP');
    try {
      return await act();
    } finally {
      control?.kill('SIGCONT');
    }
  };
  /** On a connection that stays open. */
  const open = (): Promise<LocalResponse> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    return get(started.port, '/', agent);
  };
  const closeAll = () => {
    for (const agent of agents.splice(0)) agent.destroy();
  };
  const statuses = (responses: readonly LocalResponse[]) => responses.map(({ status }) => status);

  it('serve clients within the limit of connections, and no place is lost when it goes on', async () => {
    await start({ WORKERS: '1', MAX_CONNECTIONS: '3' });
    for (let round = 0; round < 2; round += 1) {
      const served = await halted(() => Promise.all([open(), open(), open()]));
      expect(statuses(served)).to.deep.equal([200, 200, 200]);
      closeAll();
    }
    const full = async () => {
      const responses = await Promise.all([open(), open(), open(), open()]);
      closeAll();
      return statuses(responses).filter((status) => status === 200).length;
    };
    // Three each time: what was granted too late has been given back, and nothing was given back that was not taken.
    await until(async () => (await full()) === 3, 'as many as the limit is', 20_000);
    expect(await full()).to.be.at.most(3);
  });

  it('keep connections that are more than their share: one is on its way at most, and is served when it goes on', async () => {
    await start({ WORKERS: '2' });
    const responses: Promise<LocalResponse>[] = [];
    let served = 0;
    await halted(async () => {
      for (let at = 0; at < 30; at += 1) {
        const response = open().then((each) => {
          served += 1;
          return each;
        });
        responses.push(response);
        // One after the other, but for those that are not served.
        await Promise.race([response, pause(100)]);
      }
      await until(() => served >= 26, 'nearly all are served', 20_000);
    });
    expect(new Set(statuses(await Promise.all(responses)))).to.deep.equal(new Set([200]));
  });

  it('end when it is killed, also where a connection is on its way to it', async () => {
    await start({ WORKERS: '2' });
    await halted(async () => {
      let served = 0;
      const count = () => {
        served += 1;
      };
      for (let at = 0; at < 6; at += 1) open().then(count, count);
      await until(() => served > 0, 'the first to be served');
      control?.kill('SIGKILL');
      await until(() => started.pids.every((pid) => !isAlive(pid)), 'the workers to end', 10_000);
    });
  });
});
