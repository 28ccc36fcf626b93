import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';

const program = fileURLToPath(new URL('../../bin/swarmgate.mjs', import.meta.url));

const full = 'is a pipe that is full and not read';
const disk = 'is a full disk';

interface Output {
  readonly stdio: number | 'pipe';
  /** Called when the process runs. */
  readonly onStarted?: (child: ChildProcess) => void;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The status of a GET, or 0 where there is no response. */
function get(port: number, path: string): Promise<number> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path, headers: { host: 'a.test' } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.setTimeout(10_000, () => sent.destroy());
    sent.on('error', () => resolve(0));
    sent.end();
  });
}

describe('a long-lived command whose output', function () {
  this.timeout(120_000);
  let folder: string;
  let child: ChildProcess | undefined;
  const opened: number[] = [];
  const open = (path: string, flags: number) => {
    const fd = openSync(path, flags);
    opened.push(fd);
    return fd;
  };

  let docker: Server;
  let dockerCalls: number;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-output-'));
    dockerCalls = 0;
    docker = createServer((socket) => {
      dockerCalls += 1;
      socket.destroy();
    }).listen(join(folder, 'docker.sock'));
    await once(docker, 'listening');
  });
  afterEach(() => {
    docker.close();
    child?.kill('SIGKILL');
    for (const fd of opened.splice(0)) closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  });

  const outputs: Readonly<Record<string, () => Output>> = {
    [full]: () => {
      const path = join(folder, 'pipe');
      execFileSync('mkfifo', [path]);
      const fd = open(path, constants.O_RDWR | constants.O_NONBLOCK);
      try {
        for (;;) writeSync(fd, Buffer.alloc(4_096));
      } catch (error) {
        expect(error).to.have.property('code', 'EAGAIN');
      }
      // Of its own, as the pipe's blocking mode is shared by all who have this one.
      return { stdio: open(path, constants.O_RDWR) };
    },
    'is a pipe whose reader is gone': () => ({
      stdio: 'pipe',
      onStarted: ({ stdout, stderr }) => {
        stdout?.destroy();
        stderr?.destroy();
      },
    }),
    [disk]: () => ({ stdio: open('/dev/full', constants.O_WRONLY) }),
  };

  async function start(
    args: readonly string[],
    { stdio, onStarted }: Output,
    env = {},
  ): Promise<readonly [number, number]> {
    const [port, admin] = [await freePort(), await freePort()];
    child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', stdio, stdio],
      env: {
        PATH: process.env.PATH ?? '',
        HOME: folder,
        DATA_DIR: folder,
        DEFAULT_PORTS: String(port),
        ADMIN_PORT: String(admin),
        LISTENER_PORT: args[0] === 'listener' ? String(admin) : 'off',
        DOCKER_HOST: `unix://${folder}/docker.sock`,
        ACCESS_LOG: 'json',
        LOG_LEVEL: 'debug',
        WORKERS: '1',
        ...env,
      },
    });
    onStarted?.(child);
    return [port, admin];
  }

  async function endsAtSigterm(): Promise<void> {
    const ended = once(child as ChildProcess, 'exit');
    (child as ChildProcess).kill('SIGTERM');
    const [code, signal] = await ended;
    expect([code, signal]).to.deep.equal([0, null]);
  }

  for (const [what, output] of Object.entries(outputs)) {
    it(`${what} serves on and ends at SIGTERM: proxy`, async () => {
      const [port, admin] = await start(['proxy'], output());
      await until('the proxy to serve', async () => (await get(admin, '/readyz')) === 200);
      // Far more lines than any pipe holds.
      const long = 'x'.repeat(4_000);
      for (let each = 0; each < 300; each += 1) expect(await get(port, `/${each}?${long}`)).to.be.within(404, 503);
      expect(await get(admin, '/healthz')).to.equal(200);
      await endsAtSigterm();
    });

    const others = [
      ['standalone', '/healthz', {}],
      ['listener', '/healthz', { CONSUL_HTTP_ADDR: '127.0.0.1:1' }],
      ['listener --role agent', undefined, { LISTENER_URL: 'http://127.0.0.1:1' }],
    ] as const;
    // They end by the same code, and one announces what it serves.
    for (const [command, path, env] of others.slice(0, { [full]: 3, [disk]: 1 }[what] ?? 0))
      it(`${what} starts and ends at SIGTERM: ${command}`, async () => {
        const [, admin] = await start(command.split(' '), output(), env);
        if (path !== undefined) await until('it to respond', async () => (await get(admin, path)) > 0);
        // It opens no port.
        else await until('it to call Docker', () => dockerCalls > 0);
        await endsAtSigterm();
      });
  }
});
