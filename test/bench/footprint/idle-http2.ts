import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect as connectPlain, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectSecurely } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../harness/free-ports.ts';
import { hostOf } from '../forwarding/cases.ts';
import { haproxyConfiguration } from '../forwarding/configurations.ts';
import { residentBytes, start } from '../forwarding/process-tree.ts';
import { isInstalled, selfSigned } from '../forwarding/subjects.ts';
import { startSubject } from './subject-process.ts';

interface Measured {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface IdleHttp2 {
  readonly backendPort: number;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly count: number;
}

/** Bytes of memory for each idle connection of HTTP/2 that has had one response: of the proxy, and of what it is compared with. */
export interface IdleBytes {
  readonly clear: number;
  readonly secure: number;
  /** A server of node:tls that does nothing else. */
  readonly bareTls: number;
  /** `undefined`: not installed. */
  readonly haproxy: { readonly clear: number; readonly secure: number } | undefined;
}

export async function idleHttp2Bytes({ backendPort, directory, env, count }: IdleHttp2): Promise<IdleBytes> {
  const pem = selfSigned(directory);
  const secureDirectory = join(directory, 'secure');
  await mkdir(join(secureDirectory, 'certs'), { recursive: true });
  await writeFile(join(secureDirectory, 'certs', 'bench.pem'), await readFile(pem), { mode: 0o600 });
  const ofProxy = (secure: boolean) =>
    startSubject(backendPort, secure ? { ...env, DATA_DIR: secureDirectory, FOOTPRINT_SECURE: 'true' } : env);
  const haproxy = async (secure: boolean): Promise<Measured> => {
    const [port] = (await freePorts(1)) as [number];
    const file = haproxyConfiguration(directory, {
      name: `haproxy-idle-${secure}`,
      port,
      backendPort,
      http2: true,
      ...(secure ? { pem } : {}),
    });
    return started('haproxy', ['haproxy', '-db', '-f', file], port, directory);
  };
  const bare = async (): Promise<Measured> => {
    const [port] = (await freePorts(1)) as [number];
    const script = fileURLToPath(new URL('./bare-tls.ts', import.meta.url));
    return started('bare-tls', [process.execPath, script, String(port), pem], port, directory);
  };
  const clear = await idleBytes(await ofProxy(false), false, count);
  const secure = await idleBytes(await ofProxy(true), true, count);
  const bareTls = await idleBytes(await bare(), true, count);
  const compared = isInstalled('haproxy')
    ? {
        clear: await idleBytes(await haproxy(false), false, count),
        secure: await idleBytes(await haproxy(true), true, count),
      }
    : undefined;
  return { clear, secure, bareTls, haproxy: compared };
}

async function started(name: string, command: readonly string[], port: number, directory: string): Promise<Measured> {
  const running = start(name, command, { core: undefined, directory });
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connectPlain({ port, host: '127.0.0.1' });
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isOpen) return { port, pid: running.pid, stop: () => running.stop() };
    await pause(50);
  }
}

const atOnce = 50;

async function idleBytes(measured: Measured, secure: boolean, count: number): Promise<number> {
  // What the first connections bring up stays: a young generation of 32 MB, stacks, pools.
  const first = await open(measured.port, secure, count);
  await pause(2_000);
  const before = residentBytes(measured.pid);
  const clients = await open(measured.port, secure, count);
  await pause(2_000);
  const after = residentBytes(measured.pid);
  for (const socket of [...first, ...clients]) socket.destroy();
  await measured.stop();
  return (after - before) / count;
}

async function open(port: number, secure: boolean, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const opening = Array.from({ length: Math.min(atOnce, count - sockets.length) }, () => openOne(port, secure));
    sockets.push(...(await Promise.all(opening)));
  }
  return sockets;
}

function openOne(port: number, secure: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = secure
      ? connectSecurely({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false })
      : connectPlain({ port, host: '127.0.0.1' });
    let received = '';
    socket.on(secure ? 'secureConnect' : 'connect', () => socket.write(firstRequest));
    socket.on('error', reject);
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      // The end of the stream may follow in a frame of its own.
      if (!received.includes('ok')) return;
      socket.removeAllListeners('error').on('error', () => undefined);
      resolve(socket);
    });
  });
}

const frame = (type: number, flags: number, stream: number, payload: Buffer) =>
  Buffer.concat([Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream]), payload]);

const authority = Buffer.from(hostOf(0), 'latin1');
/** Preface, SETTINGS and its acknowledgement, and `GET /` with indexed fields and a literal `:authority`. */
const firstRequest = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
  frame(4, 0, 0, Buffer.alloc(0)),
  frame(4, 1, 0, Buffer.alloc(0)),
  frame(1, 5, 1, Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x01, authority.length]), authority])),
]);
