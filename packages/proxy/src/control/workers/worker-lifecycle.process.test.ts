import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Agent, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ServiceKey } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import { until } from '../../../test/until.ts';
import { get, isAlive, Load, servedAt, startWorkerRig, type WorkerRig } from '../../../test/worker-rig.ts';
import type { ServedService } from '../../model/served-service.ts';
import { prepareClusterServer } from './cluster-server.ts';

/** Established connections of clients at this port that a process has. */
function connectionsOf(pid: number, port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n')) {
    const [, address, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === '01' && address?.endsWith(local) === true) inodes.add(`socket:[${inode}]`);
  }
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      return false;
    }
  }).length;
}

/** Without a turn of the event loop: what this process hands over meanwhile would not be counted. */
function stop(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  const endsAtMs = performance.now() + 5_000;
  while (!/^State:\tT/m.test(readFileSync(`/proc/${pid}/status`, 'latin1')) && performance.now() < endsAtMs);
}

describe('the life of workers', function () {
  // Real processes: each takes a second to start on a busy machine.
  this.timeout(90_000);
  let rig: WorkerRig;
  const waiting: ServerResponse[] = [];

  // Errors that no guard contains cannot come from outside: a signal throws one in a worker.
  const nodeOptions = process.env.NODE_OPTIONS;
  const throws = "process.on('SIGUSR2',()=>{throw(new(Error)('broken'))})";

  before(async () => {
    process.env.NODE_OPTIONS = `${nodeOptions ?? ''} --import=data:text/javascript,${throws}`;
    rig = await startWorkerRig({
      backend: (request, response) => {
        if (request.url === '/held') waiting.push(response);
        else response.end('fine');
      },
    });
    // More than one message carries, so that a worker that starts has to wait for the rest.
    const many = new Map<ServiceKey, ServedService | undefined>();
    for (let at = 0; at < 600; at += 1)
      many.set(
        `manual/many-${at}`,
        servedAt(`manual/many-${at}`, { port: rig.backendPort, servicePath: [`/m-${at}`] }),
      );
    await rig.apply(many);
    await rig.put('manual/all', {});
  });
  after(async () => {
    if (nodeOptions === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = nodeOptions;
    await rig.stop();
  });

  const pids = () => rig.serving().map(({ pid }) => pid);
  const replacedBy = async (old: readonly number[]) => {
    await until(() => pids().length === 2 && pids().every((pid) => !old.includes(pid)), 'new workers', 60_000);
  };

  it('allocates as it would without what the images set for the control process', () => {
    for (const pid of pids()) {
      const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      expect(variables).to.include('MALLOC_ARENA_MAX=1');
      expect(variables.filter((each) => each.startsWith('MALLOC_MMAP_THRESHOLD_'))).to.deep.equal([]);
    }
  });

  it('has its share of the connections that stay open, and takes the others’ only where they do not respond', async () => {
    const [one = 0, other = 0] = pids();
    const count = 20;
    const clients = () => Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const serve = async (agents: readonly Agent[]) => {
      const responses = await Promise.all(agents.map((agent) => rig.get('/m-599', { agent })));
      expect(responses.filter(({ status }) => status !== 200)).to.deep.equal([]);
    };
    // In rounds: a worker that a busy machine keeps from its processor for 20 ms gives back what it was handed, and gets more of what comes later.
    const spread = [clients(), clients(), clients()];
    for (const round of spread) await serve(round);
    const held = [one, other].map((pid) => connectionsOf(pid, rig.port));
    expect(held[0] ?? 0).to.be.within(count * spread.length * 0.3, count * spread.length * 0.7, held.join(' '));
    const all = clients();
    await rig.only(one, () => serve(all));
    expect(connectionsOf(one, rig.port)).to.equal((held[0] ?? 0) + count);
    for (const agent of [...spread.flat(), ...all]) agent.destroy();
  });

  it('loses no connection that it was given and had not got when it is killed: others serve it, or it is closed', async () => {
    for (let round = 0; round < 3; round += 1) {
      let unserved = 0;
      const [killed = 0] = pids();
      const agents = Array.from({ length: 150 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
      let ended = 0;
      const responses = agents.map(async (agent) => {
        const { status } = await rig.get('/m-599', { agent });
        ended += 1;
        if (status !== 200) unserved += 1;
      });
      // In the middle of handing them over.
      await until(() => ended > 10, 'the first responses');
      stop(killed);
      const had = connectionsOf(killed, rig.port);
      process.kill(killed, 'SIGKILL');
      await until(() => ended === agents.length, 'every client to have a response or an end', 20_000);
      await Promise.all(responses);
      expect(unserved, `had ${had} of ${agents.length}`).to.be.at.most(had);
      expect(connectionsOf(process.pid, rig.port), 'those that the control process has').to.equal(0);
      for (const agent of agents) agent.destroy();
      await until(() => pids().length === 2 && !pids().includes(killed), 'another worker', 60_000);
    }
  });

  it('ends with a crash, and another takes over with all services, while the others serve on', async () => {
    const [crashing = 0, staying = 0] = pids();
    const ends = await rig.metric('swarmgate_worker_ends_total');
    process.kill(crashing, 'SIGKILL');
    for (let at = 0; at < 20; at += 1) expect((await rig.get('/m-599')).status).to.equal(200);
    await until(() => pids().length === 2 && !pids().includes(crashing), 'another worker', 60_000);
    const fresh = pids().find((pid) => pid !== staying) ?? 0;
    for (const path of ['/m-0', '/m-599', '/'])
      expect((await rig.only(fresh, () => rig.get(path))).status).to.equal(200);
    expect((await rig.metric('swarmgate_worker_ends_total')) - ends).to.equal(1);
    const revisions = new Set(rig.server.workers().map(({ revision }) => revision));
    expect(revisions.size).to.equal(1);
  });

  it('is replaced without a failed request where an error in it passes every guard: it serves until another does', async () => {
    const ends = await rig.metric('swarmgate_worker_ends_total');
    const [unusable = 0, staying = 0] = pids();
    const load = new Load(rig.port, { keepAlive: 4, perRequest: 2 });
    await load.more(50);
    for (let at = 0; at < 3; at += 1) process.kill(unusable, 'SIGUSR2');
    const replaced = () => pids().length === 2 && !pids().includes(unusable) && pids().includes(staying);
    await until(replaced, 'another worker in its place', 60_000);
    await load.more(50);
    await load.stop();
    expect([...load.failures]).to.deep.equal([]);
    // One replacement for three such errors, and none for the end of the one that drained.
    await until(() => rig.server.workers().length === 2, 'the other one to have drained', 60_000);
    expect(pids()).to.include(staying);
    expect((await rig.metric('swarmgate_worker_ends_total')) - ends).to.equal(1);
  });

  it('leaves the port open when all of them crash: who connects meanwhile is served by the next', async () => {
    const old = pids();
    for (const pid of old) process.kill(pid, 'SIGKILL');
    const responses = await Promise.all(Array.from({ length: 10 }, () => rig.get('/')));
    // Those that a dying worker had accepted are lost with it; none is refused.
    expect(responses.filter(({ status }) => status === 'ECONNREFUSED')).to.deep.equal([]);
    expect((await rig.get('/m-599')).status).to.equal(200);
    await replacedBy(old);
  });

  it('ends one by one without a failed request when they are replaced', async () => {
    const old = pids();
    const before = await rig.metric('swarmgate_requests_total');
    const load = new Load(rig.port, { keepAlive: 6, perRequest: 3 });
    await load.more(50);
    expect(await rig.server.restartWorkers?.()).to.equal(2);
    await load.more(50);
    await load.stop();
    expect(pids().filter((pid) => old.includes(pid))).to.deep.equal([]);
    expect([...load.failures]).to.deep.equal([]);
    // What the old ones counted is not lost with them.
    expect((await rig.metric('swarmgate_requests_total')) - before).to.equal(load.responded);
  });

  it('ends, when the proxy drains, after what was in flight', async () => {
    const responding = rig.get('/held');
    await until(() => waiting.length === 1, 'the request at the backend');
    const draining = rig.server.drain(10_000);
    await until(() => rig.server.workers().every(({ state }) => state === 'draining'), 'the drain');
    waiting[0]?.end('late');
    expect((await responding).text).to.equal('late');
    await draining;
    expect(rig.server.workers()).to.deep.equal([]);
    expect((await rig.get('/')).status).to.equal('ECONNREFUSED');
  });

  it('begins with the first routes: clients cannot connect before, and every worker has them before it accepts', async () => {
    const env = { WORKERS: '2', DATA_DIR: rig.dataDir };
    const options = () => ({
      settings: readSettings('proxy', { env }),
      logger: silentLogger,
      metrics: new Metrics(),
      env,
      entrypoints: [{ port: 0, secure: false }],
      host: '127.0.0.1',
    });
    const server = await prepareClusterServer(options());
    try {
      // By the time that others serve, who began after them, these could.
      const later = await prepareClusterServer(options());
      await later.open();
      await later.stop();
      const [entrypoint] = server.entrypoints();
      expect(entrypoint).to.include({ state: 'closed', reason: 'it opens with the first routes' });
      const port = entrypoint?.port ?? 0;
      expect((await get(port, '/', undefined)).status).to.equal('ECONNREFUSED');
      const key: ServiceKey = 'manual/all';
      const changes = new Map([[key, servedAt(key, { port: rig.backendPort })]]);
      await server.apply({ revision: 'r1', sequence: 1, registryId: 'x', changes, rejected: new Map() });
      const opening = server.open();
      const statuses = new Set<number | string>();
      while (server.workers().filter(({ state }) => state === 'serving').length < 2) {
        const { status } = await get(port, '/', undefined);
        if (status !== 'ECONNREFUSED') statuses.add(status);
      }
      await opening;
      statuses.add((await get(port, '/', undefined)).status);
      expect([...statuses]).to.deep.equal([200]);
    } finally {
      await server.stop();
    }
  });

  it('does not begin where a port is in use, and the error says which', async () => {
    const other = createServer();
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const { port } = other.address() as AddressInfo;
    const env = { WORKERS: '1', DATA_DIR: rig.dataDir };
    const starting = prepareClusterServer({
      settings: readSettings('proxy', { env }),
      logger: silentLogger,
      metrics: new Metrics(),
      env,
      entrypoints: [{ port, secure: false }],
      host: '127.0.0.1',
    });
    const error = await starting.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    other.close();
    expect(error).to.have.property('code', 'entrypoint-in-use');
    expect(error).to.have.property('message').that.includes(String(port));
  });

  it('ends with its control process, so that the ports are free', async () => {
    const file = fileURLToPath(new URL('../../../test/worker-control.ts', import.meta.url));
    const control = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(control.stdout, 'data')) as [Buffer];
    const said = JSON.parse(line.toString()) as { port: number; pids: number[]; dataDir: string };
    expect(said.pids).to.have.length(2);
    expect((await get(said.port, '/', undefined)).status).to.equal(200);
    control.kill('SIGKILL');
    await until(() => said.pids.every((pid) => !isAlive(pid)), 'the workers to end', 60_000);
    const refused = connect(said.port, '127.0.0.1');
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).to.equal('ECONNREFUSED');
    await rm(said.dataDir, { recursive: true, force: true });
  });
});
