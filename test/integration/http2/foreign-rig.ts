import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testCertificate } from '../../../packages/proxy/test/test-certificate.ts';
import { programPath } from '../../harness/binary-image.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { untilResponds } from '../../harness/http.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';

/** Debian's own: its packages are for it. */
export const python = '/usr/bin/python3';
export const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Of every service: what `/large` and an upload hold. */
export const large = Buffer.from(Array.from({ length: 256 }, (_, at) => at))
  .toString('latin1')
  .repeat(12_000);

/** Of an upload that a window takes at once. */
export const small = large.slice(0, 30_000);

/** A service behind the proxy, whose path is its name. */
export interface ForeignService {
  readonly name: string;
  readonly protocol: 'http1' | 'h2c' | 'h2';
  /** Says what it got as JSON, and does what the end of the path says. The others serve files, and send uploads back. */
  readonly reports: boolean;
}

export const services: readonly ForeignService[] = [
  { name: 'node', protocol: 'http1', reports: true },
  { name: 'nghttpd', protocol: 'h2c', reports: false },
  { name: 'nghttpd-tls', protocol: 'h2', reports: false },
  { name: 'hyper', protocol: 'h2c', reports: true },
  { name: 'hyper-tls', protocol: 'h2', reports: true },
];

export interface ForeignRig {
  readonly admin: number;
  readonly plain: number;
  readonly secure: number;
  /** Of the proxy, which clients may trust; the names are `localhost` and 127.0.0.1. */
  readonly certificate: string;
  readonly proxy: SwarmgateProcess;
  /** A file that holds `large`. */
  readonly upload: string;
  /** A file that holds `small`. */
  readonly smallUpload: string;
  readonly stop: () => Promise<void>;
}

/** A proxy and services of other authors: node:http, nghttpd and hyper-h2. */
export async function startForeignRig(env: Readonly<Record<string, string>>): Promise<ForeignRig> {
  const folder = mkdtempSync(join(tmpdir(), 'swarmgate-foreign-'));
  const children: ChildProcess[] = [];
  mkdirSync(join(folder, 'certs'), { mode: 0o700 });
  const { pem, cert, key } = await testCertificate(['localhost', '127.0.0.1']);
  const file = (name: string, content: string, encoding: BufferEncoding = 'latin1') => {
    writeFileSync(join(folder, name), content, { mode: 0o600, encoding });
    return join(folder, name);
  };
  file('certs/localhost.pem', pem);
  const both = file('both.pem', pem);
  const certificate = file('cert.pem', cert);
  const keyFile = file('key.pem', key);
  const upload = file('upload', large);
  const smallUpload = file('small-upload', small);
  for (const name of ['nghttpd', 'nghttpd-tls']) {
    mkdirSync(join(folder, name));
    file(`${name}/small`, 'small');
    file(`${name}/large`, large);
  }

  const node = createServer({ maxHeaderSize: 64_000 }, report);
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
  const run = (command: string, args: readonly string[]) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  };
  const hyper = async (...args: readonly string[]) =>
    Number(
      (await once(run(python, [script('hyper-endpoint.py'), ...args]).stdout as NodeJS.ReadableStream, 'data'))[0],
    );
  const [admin = 0, plain = 0, secure = 0, plainFiles = 0, secureFiles = 0] = await freePorts(5);
  // Windows of 1 KB, padding, few streams, and a table of fields that is empty.
  const odd = ['-w10', '-W12', '-b200', '-m10', '-c0', '--echo-upload', '--trailer', 'x-end: of nghttpd', '-d', folder];
  run(programPath('nghttpd'), ['-a', '127.0.0.1', '--no-tls', ...odd, String(plainFiles)]);
  run(programPath('nghttpd'), [
    '-a',
    '127.0.0.1',
    '--echo-upload',
    '-d',
    folder,
    String(secureFiles),
    keyFile,
    certificate,
  ]);
  const ports: Readonly<Record<string, number>> = {
    node: (node.address() as AddressInfo).port,
    nghttpd: plainFiles,
    'nghttpd-tls': secureFiles,
    hyper: await hyper(),
    'hyper-tls': await hyper(both),
  };
  const proxy = startSwarmgate(['standalone'], {
    env: {
      DATA_DIR: folder,
      ADMIN_PORT: String(admin),
      DEFAULT_PORTS: `${plain},${secure}:ssl`,
      DOCKER_HOST: `unix://${join(folder, 'no-docker.sock')}`,
      ACCESS_LOG: 'json',
      ...env,
    },
  });
  await untilResponds({ url: `http://127.0.0.1:${admin}/readyz` }, 200, { withinMs: 60_000 });
  for (const { name, protocol } of services) {
    const labels = `serviceName=${name}&servicePath=/${name}/&port=${ports[name]}&outboundHostname=127.0.0.1&protocol=${protocol}`;
    const url = `http://127.0.0.1:${admin}/v1/docker-flow-proxy/reconfigure?${labels}`;
    await untilResponds({ url }, 200);
    await untilResponds({ url: `http://127.0.0.1:${plain}/${name}/small` }, 200);
  }
  return {
    admin,
    plain,
    secure,
    certificate,
    proxy,
    upload,
    smallUpload,
    async stop() {
      await proxy.remove();
      for (const child of children) child.kill('SIGKILL');
      node.closeAllConnections();
      node.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a client of another author printed. @throws where it ends with an error, reports one, or takes more than 30 s */
export function output(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: 30_000, maxBuffer: 64 * 2 ** 20, encoding: 'latin1' as const };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      // nghttp ends with 0 also where a request failed.
      const isFailed = error !== null || /^\[ERROR\]|requests were not processed/m.test(stderr);
      if (!isFailed) resolve(stdout);
      else
        reject(
          new Error(
            `${command} ${args.join(' ')}: ${error?.message ?? 'reported an error'}\n${stdout.slice(-2_000)}\n${stderr.slice(-2_000)}`,
          ),
        );
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** As hyper-endpoint.py does. */
function report(request: IncomingMessage, response: ServerResponse): void {
  const pieces: Buffer[] = [];
  request.on('data', (bytes: Buffer) => pieces.push(bytes));
  request.on('end', () => {
    const path = request.url?.split('/').at(-1) ?? '';
    if (path === 'large') response.end(Buffer.from(large, 'latin1'));
    else if (path === '204' || path === '304') response.writeHead(Number(path), { 'x-empty': 'yes' }).end();
    else if (path === 'hinted') {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.writeHead(200, { trailer: 'x-end' });
      response.addTrailers({ 'x-end': 'of node' });
      response.end('hinted');
    } else if (path === 'broken') {
      response.writeHead(200, { 'content-length': 10 }).write('half', () => response.destroy());
    } else {
      const raw = request.rawHeaders;
      const headers = raw.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? '']] : []));
      const trailers = Object.entries(request.trailers);
      const body = Buffer.concat(pieces);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ headers, trailers, length: body.length, sha256: digest(body) }));
    }
  });
}

export function digest(bytes: Buffer | string): string {
  return createHash('sha256')
    .update(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    .digest('hex');
}
