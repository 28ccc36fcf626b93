import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

const patience = { withinMs: 60_000 };

// `npm start` without its installation: the command as a process, with what it prints for people.
describe('swarmgate standalone', function () {
  // A start takes a second, and ten on a busy machine; some tests start it twice.
  this.timeout(180_000);
  let folder: string;
  let ports: { readonly admin: number; readonly entry: number };
  let standalone: SwarmgateProcess | undefined;
  let consul: RunningConsul | undefined;
  let endpoint: Server | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmgate-standalone-'));
    const [admin = 0, entry = 0] = await freePorts(2);
    ports = { admin, entry };
  });
  afterEach(async () => {
    await standalone?.remove();
    await consul?.remove();
    endpoint?.closeAllConnections();
    endpoint?.close();
    endpoint = undefined;
    standalone = undefined;
    consul = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  /** Only what lets several run on one machine, and no engine that happens to run on it. */
  const environment = () => ({
    DATA_DIR: join(folder, 'data'),
    ADMIN_PORT: String(ports.admin),
    DEFAULT_PORTS: String(ports.entry),
    DOCKER_HOST: `unix://${join(folder, 'no-docker.sock')}`,
  });
  const start = (env: Readonly<Record<string, string>> = {}) => {
    standalone = startSwarmgate(['standalone'], { env: { ...environment(), ...env } });
    return standalone;
  };
  const said = (text: string) => until(`it says ${text}`, () => standalone?.log().includes(text), patience);
  const statusOf = async (port: number, path: string) => {
    const reply = await fetch(`http://127.0.0.1:${port}${path}`);
    await reply.body?.cancel();
    return reply.status;
  };

  it('serves the samples from the embedded registry, by the commands it prints', async () => {
    const { log } = start();
    await said('Stop it with Ctrl-C');
    expect(log()).to.include('Swarmgate is ready.').and.include('embedded in').and.include('samples of examples/');
    expect(log().match(/https?:\/\/\S+/)?.[0], 'the first URL').to.equal(`http://localhost:${ports.admin}/`);
    const commands = [...log().matchAll(/^curl (\S+)/gm)].map(([, url = '']) => url);
    expect(commands).to.have.length.of.at.least(2);
    for (const url of commands) expect(await statusOf(ports.entry, new URL(url).pathname), url).to.equal(200);
    expect(await statusOf(ports.admin, '/readyz')).to.equal(200);
  });

  it('sends services the port of PUBLISHED_PORTS, and logs requests by ACCESS_LOG', async () => {
    const echo = createServer((request, response) => response.end(request.headers['x-forwarded-port']));
    endpoint = echo;
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    start({ PUBLISHED_PORTS: `${ports.entry}:80`, ACCESS_LOG: 'combined' });
    await said('Stop it with Ctrl-C');
    const query = new URLSearchParams({
      serviceName: 'echo',
      servicePath: '/echo',
      port: String((echo.address() as AddressInfo).port),
      outboundHostname: '127.0.0.1',
    });
    await fetch(`http://127.0.0.1:${ports.admin}/v1/docker-flow-proxy/reconfigure?${query}`);
    const headers = { referer: 'https://a.example/', 'user-agent': 'test/1' };
    expect(await (await fetch(`http://127.0.0.1:${ports.entry}/echo?a`, { headers })).text()).to.equal('80');
    await said('"GET /echo?a HTTP/1.1" 200 2 "https://a.example/" "test/1"');
  });

  it('reports at its start, and as a problem, which settings of Docker Flow have no effect', async () => {
    const { log } = start({ EXTRA_FRONTEND: 'http-request deny', MODE: 'swarm' });
    await said('Stop it with Ctrl-C');
    for (const name of ['EXTRA_FRONTEND', 'MODE'])
      expect(log()).to.match(new RegExp(`setting-without-effect.*${name}|${name}.*setting-without-effect`));
    const reply = await fetch(`http://127.0.0.1:${ports.admin}/v1/problems`);
    const { problems } = (await reply.json()) as { readonly problems: readonly { readonly reason: string }[] };
    const found = problems.filter(({ reason }) => reason === 'setting-without-effect');
    // What happens anyway, as MODE=swarm, is no problem.
    expect(found).to.containSubset([{ owner: 'env', service: 'settings', value: 'EXTRA_FRONTEND' }]);
    expect(found).to.have.length(1);
    expect(found[0]).to.have.property('suggestion').that.includes('allowedAddresses');
  });

  it('reports that it waits for a Consul that is unreachable, and goes on when it is back', async () => {
    consul = await startConsul();
    await consul.stop();
    const { log } = start({ CONSUL_HTTP_ADDR: consul.address });
    await said('Stop it with Ctrl-C');
    expect(log()).to.include('Swarmgate is not ready: it serves no route');
    expect(log()).to.include(`consul at ${consul.address}`).and.include('ECONNREFUSED').and.include('CONSUL_HTTP_ADDR');
    expect(log()).not.to.include('Swarmgate is ready.');
    expect(await statusOf(ports.admin, '/readyz')).to.equal(503);

    await consul.start();
    await said('Swarmgate is ready.');
    expect(await statusOf(ports.admin, '/readyz')).to.equal(200);
    expect(await statusOf(ports.entry, '/hello')).to.equal(200);
  });

  it('reports that it serves its stored snapshot where Consul is unreachable at a later start', async () => {
    consul = await startConsul();
    const served = createServer((_request, response) => response.end('kept'));
    endpoint = served;
    const port = await new Promise<number>((resolve) => {
      served.listen(0, '127.0.0.1', () => resolve((served.address() as AddressInfo).port));
    });
    const running = start({ CONSUL_HTTP_ADDR: consul.address });
    await said('Swarmgate is ready.');
    const parameters = `serviceName=kept&servicePath=/kept&port=${port}&outboundHostname=127.0.0.1`;
    expect(await statusOf(ports.admin, `/v1/docker-flow-proxy/reconfigure?${parameters}`)).to.equal(200);
    await running.stop();
    await consul.stop();
    const before = running.log().length;
    running.start();
    await until('it is announced again', () => running.log().slice(before).includes('Stop it with Ctrl-C'), patience);
    const again = running.log().slice(before);
    expect(again).to.include('Swarmgate is ready.').and.include('those last loaded').and.include('is unreachable');
    expect(await statusOf(ports.entry, '/kept')).to.equal(200);
  });

  it('ends at once while it waits', async () => {
    const running = start({ CONSUL_HTTP_ADDR: '127.0.0.1:1' });
    await said('Swarmgate is not ready');
    running.signal('SIGTERM');
    await until('it has ended', () => running.pid === undefined, { withinMs: 20_000 });
  });

  it('ends at once where DATA_DIR cannot be made', async () => {
    const running = start({ DATA_DIR: '/proc/nope' });
    await until('it has ended', () => running.pid === undefined, patience);
    // What a process wrote may come after its end.
    await said('DATA_DIR="/proc/nope": expected a folder');
    await said('name another one');
    expect(existsSync('/proc/nope')).to.equal(false);
  });

  it('ends with the shell that npm start puts around it, which passes no signal on', async () => {
    const script = fileURLToPath(new URL('../../../scripts/start.mjs', import.meta.url));
    // The second command keeps the shell from becoming the first one.
    const shell = spawn('sh', ['-c', '"$0" "$1"; :', process.execPath, script], {
      env: { PATH: process.env.PATH, npm_lifecycle_event: 'start', LOG_LEVEL: 'warn', ...environment() },
      stdio: 'ignore',
      detached: true,
    });
    const admin = `http://127.0.0.1:${ports.admin}/healthz`;
    try {
      await until('it responds', async () => (await fetch(admin)).ok, patience);
      shell.kill('SIGTERM');
      await until('it is gone', () =>
        fetch(admin).then(
          () => false,
          () => true,
        ),
      );
    } finally {
      endGroup(shell.pid);
    }
  });
});

/** Ends what is left of a detached process and all that it started. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing is left, as it should be.
  }
}
