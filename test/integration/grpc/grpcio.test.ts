import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Metadata, type ServerDuplexStream, type ServerReadableStream, type ServerWritableStream } from '@grpc/grpc-js';
import { expect } from 'chai';
import { grpcClient, startGrpcServer, unary } from '../../../packages/proxy/test/grpc/grpc-stage.ts';
import { testCertificate } from '../../../packages/proxy/test/test-certificate.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { untilResponds } from '../../harness/http.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

/** Debian's own: python3-grpcio is for it. */
const python = '/usr/bin/python3';
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** What steady-client.py prints. */
interface Steady {
  readonly succeeded: number;
  readonly errors: readonly string[];
}

const servers = ['grpcio', 'grpcio over TLS', 'grpc-js'] as const;

for (const [workers, router] of [
  [0, 'core'],
  [2, 'core'],
  [0, 'express'],
] as const)
  describe(`grpcio through a proxy, ${workers} workers, the ${router} router`, function () {
    this.timeout(120_000);
    let folder: string;
    let children: ChildProcess[];
    let ports: Readonly<Record<(typeof servers)[number], number>>;
    let byNode: Awaited<ReturnType<typeof startGrpcServer>>;
    let proxy: SwarmgateProcess;
    let admin: string;
    let plain: number;
    /** Of every grpcio client: in cleartext, and by TLS. */
    let manners: Readonly<Record<'cleartext' | 'TLS', readonly string[]>>;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'swarmgate-grpc-'));
      mkdirSync(join(folder, 'certs'), { mode: 0o700 });
      const { pem, cert } = await testCertificate(['localhost']);
      const file = (name: string, content: string) => {
        writeFileSync(join(folder, name), content, { mode: 0o600 });
        return join(folder, name);
      };
      const both = file('certs/localhost.pem', pem);
      children = [];
      const grpcio = async (...args: readonly string[]) => {
        const server = spawn(python, [script('echo-server.py'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
        children.push(server);
        return Number(String((await once(server.stdout as NodeJS.ReadableStream, 'data'))[0]));
      };
      byNode = await startGrpcServer(echo);
      ports = { grpcio: await grpcio(), 'grpcio over TLS': await grpcio(both), 'grpc-js': byNode.port };
      const [adminPort = 0, clientPort = 0, secure = 0] = await freePorts(3);
      plain = clientPort;
      manners = { cleartext: [String(plain)], TLS: [String(secure), file('cert.pem', cert)] };
      admin = `http://127.0.0.1:${adminPort}`;
      proxy = startSwarmgate(['standalone'], {
        env: {
          DATA_DIR: folder,
          ADMIN_PORT: String(adminPort),
          DEFAULT_PORTS: `${plain},${secure}:ssl`,
          DOCKER_HOST: `unix://${join(folder, 'no-docker.sock')}`,
          WORKERS: String(workers),
          HTTP_ROUTER: router,
        },
      });
      await untilResponds({ url: `${admin}/readyz` }, 200, { withinMs: 60_000 });
    });

    after(async () => {
      await proxy?.remove();
      for (const child of children ?? []) child.kill('SIGKILL');
      byNode?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const reconfigure = async (server: (typeof servers)[number], protocol: string) => {
      const service = `serviceName=echo&servicePath=/test.Echo&port=${ports[server]}&outboundHostname=127.0.0.1`;
      const secured = server === 'grpcio over TLS' ? '&sslVerifyNone=true' : '';
      const url = `${admin}/v1/docker-flow-proxy/reconfigure?${service}&protocol=${protocol}${secured}`;
      await untilResponds({ url }, 200);
    };
    const problems = async () => {
      const { problems } = (await (await fetch(`${admin}/v1/problems`)).json()) as { problems: { reason: string }[] };
      return problems.map(({ reason }) => reason);
    };

    for (const server of servers) {
      for (const manner of ['cleartext', 'TLS'] as const)
        it(`makes every kind of call, in ${manner}, to ${server}`, async () => {
          await reconfigure(server, 'grpc&checkPath=/');
          const { stdout } = await promisify(execFile)(python, [script('echo-client.py'), ...manners[manner]], {
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

      it(`is called by grpc-js: ${server}`, async () => {
        await reconfigure(server, 'grpc');
        const client = grpcClient(plain);
        const metadata = new Metadata();
        metadata.set('key-bin', Buffer.from([1, 0]));
        const [fine, failed] = [await unary(client, 'hello', { metadata }), await unary(client, 'fail')];
        expect([fine.code, fine.message, fine.trailers.get('sum-bin')]).to.deep.equal([
          0,
          'hello',
          [Buffer.from([0, 255])],
        ]);
        expect([failed.code, failed.details]).to.deep.equal([9, 'no: 100 %']);
        client.close();
      });
    }

    if (workers > 0)
      it('fails no unary call while its workers are replaced, each call made once at the server, without retries of the client', async () => {
        await reconfigure('grpcio', 'grpc');
        const direct = grpcClient(ports.grpcio);
        const before = Number((await unary(direct, 'how many')).message);
        const clients = [manners.cleartext, manners.TLS].map((manner) =>
          spawn(python, [script('steady-client.py'), ...manner], { stdio: ['pipe', 'pipe', 'inherit'] }),
        );
        const shown = clients.map(({ stdout }) => text(stdout));
        await Promise.all(clients.map(({ stdout }) => once(stdout, 'data')));
        const response = await fetch(`${admin}/v1/restart-workers`, { method: 'POST' });
        expect([response.status, await response.json()]).to.deep.equal([
          200,
          { Status: 'OK', Message: `${workers} workers were replaced` },
        ]);
        const results: Steady[] = [];
        for (const [at, client] of clients.entries()) {
          client.stdin.end();
          results.push(JSON.parse((await (shown[at] as Promise<string>)).replace('begun\n', '')) as Steady);
        }
        expect(results.flatMap(({ errors }) => errors)).to.deep.equal([]);
        const made = results.reduce((sum, { succeeded }) => sum + succeeded, 0);
        expect(made).to.be.greaterThan(200);
        expect(Number((await unary(direct, 'how many')).message) - before - 1).to.equal(made);
        direct.close();
      });

    it('names the label where it does not name gRPC', async () => {
      await reconfigure('grpcio', 'http1');
      const { status } = await fetch(`http://127.0.0.1:${plain}/test.Echo/Unary`, { method: 'POST' });
      expect(status).to.equal(502);
      await until('the problem', async () => (await problems()).includes('wrong-protocol'));
    });
  });

/** As echo-server.py. */
const echo = {
  Unary: (
    { request }: { readonly request: Buffer },
    done: (error: object | null, value?: Buffer, trailers?: Metadata) => void,
  ) => {
    const trailers = new Metadata();
    trailers.set('sum-bin', Buffer.from([0, 255]));
    if (request.toString() === 'fail') done({ code: 9, details: 'no: 100 %' });
    else done(null, request, trailers);
  },
  Collect: (call: ServerReadableStream<Buffer, Buffer>, done: (error: null, value: Buffer) => void) => {
    const all: string[] = [];
    call.on('data', (piece: Buffer) => all.push(piece.toString()));
    call.on('end', () => done(null, Buffer.from(all.join('+'))));
  },
  Expand: (call: ServerWritableStream<Buffer, Buffer>) => {
    for (const piece of ['a', 'b', 'c']) call.write(Buffer.from(piece));
    call.end();
  },
  Chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
    call.on('data', (piece: Buffer) => call.write(Buffer.from(`<${piece}>`)));
    call.on('end', () => call.end());
  },
};
