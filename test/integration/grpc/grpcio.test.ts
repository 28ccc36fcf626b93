import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { freePorts } from '../../harness/free-ports.ts';
import { untilResponds } from '../../harness/http.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

/** Debian's own: python3-grpcio is for it. */
const python = '/usr/bin/python3';
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

for (const [workers, router] of [
  [0, 'core'],
  [2, 'core'],
  [0, 'express'],
] as const)
  describe(`grpcio through a proxy, ${workers} workers, the ${router} router`, function () {
    this.timeout(120_000);
    let folder: string;
    let server: ChildProcess;
    let serverPort: string;
    let proxy: SwarmgateProcess;
    let admin: string;
    let plain: number;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'swarmgate-grpc-'));
      server = spawn(python, [script('echo-server.py')], { stdio: ['ignore', 'pipe', 'inherit'] });
      serverPort = String((await once(server.stdout as NodeJS.ReadableStream, 'data'))[0]).trim();
      const [adminPort = 0, clientPort = 0] = await freePorts(2);
      plain = clientPort;
      admin = `http://127.0.0.1:${adminPort}`;
      proxy = startSwarmgate(['standalone'], {
        env: {
          DATA_DIR: folder,
          ADMIN_PORT: String(adminPort),
          DEFAULT_PORTS: String(plain),
          DOCKER_HOST: `unix://${join(folder, 'no-docker.sock')}`,
          WORKERS: String(workers),
          HTTP_ROUTER: router,
        },
      });
      await untilResponds({ url: `${admin}/readyz` }, 200, { withinMs: 60_000 });
    });

    after(async () => {
      await proxy?.remove();
      server?.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    });

    const reconfigure = async (protocol: string) => {
      const service = `serviceName=echo&servicePath=/test.Echo&port=${serverPort}&outboundHostname=127.0.0.1`;
      const url = `${admin}/v1/docker-flow-proxy/reconfigure?${service}&protocol=${protocol}`;
      await untilResponds({ url }, 200);
    };
    const problems = async () => {
      const { problems } = (await (await fetch(`${admin}/v1/problems`)).json()) as { problems: { reason: string }[] };
      return problems.map(({ reason }) => reason);
    };

    it('makes every kind of call', async () => {
      await reconfigure('grpc&checkPath=/');
      const { stdout } = await promisify(execFile)(python, [script('echo-client.py'), String(plain)], {
        timeout: 60_000,
      });
      expect(stdout.trim().split('\n')).to.deep.equal([
        'unary hello 00ff',
        'large 3000000',
        'error FAILED_PRECONDITION no: 100 %',
        'collect a+b',
        'expand a,b,c',
        'chat <0><1><2> 0',
        'no route UNIMPLEMENTED',
        'many 200',
      ]);
      expect(await problems()).not.to.include('wrong-protocol');
    });

    it('names the label where it does not name gRPC', async () => {
      await reconfigure('http1');
      const { status } = await fetch(`http://127.0.0.1:${plain}/test.Echo/Unary`, { method: 'POST' });
      expect(status).to.equal(502);
      await until('the problem', async () => (await problems()).includes('wrong-protocol'));
    });
  });
