import { mkdtemp, rm } from 'node:fs/promises';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect as connectHttp2, constants } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { Registry as Metrics } from 'prom-client';
import { startInProcessServer } from '../../src/control/serving/in-process-server.ts';
import type { Server as ProxyServer } from '../../src/control/serving/server.ts';
import { changeOf, type LabelledService } from '../services-by-labels.ts';

/** A service of a test: counts what it gets, responds as it is set. */
export interface StagedService {
  readonly port: number;
  readonly seen: SeenCall[];
  stop(): Promise<void>;
}

export interface SeenCall {
  readonly method: string;
  readonly url: string;
  /** Flat name, value list, as received. */
  readonly raw: readonly string[];
  header(name: string): string | undefined;
  body: string;
}

export type Response = (call: SeenCall, response: ServerResponse) => void;

export async function startService(reply: Response): Promise<StagedService> {
  const seen: SeenCall[] = [];
  const server = createServer((request, response) => {
    const call = seenCall(request);
    seen.push(call);
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      call.body = Buffer.concat(pieces).toString();
      reply(call, response);
    });
  });
  server.on('upgrade', (request, socket) => {
    seen.push(seenCall(request));
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.on('data', (piece: Buffer) => socket.write(piece));
    socket.on('end', () => socket.end());
  });
  const port = await listen(server);
  return { port, seen, stop: () => close(server) };
}

function seenCall({ method = '', url = '', rawHeaders, headers }: IncomingMessage): SeenCall {
  const header = (name: string) => {
    const value = headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return { method, url, raw: rawHeaders, header, body: '' };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

export type Protocol = 'HTTP/1.1' | 'HTTP/2' | 'upgrade';
export const protocols: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2', 'upgrade'];
export const routers = ['core', 'express'] as const;
export type Router = (typeof routers)[number];

export interface Requested {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Given {
  readonly status: number;
  /** Lower-case names; several values joined by a comma, cookies by a line end. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One proxy with services that labels define, used by every protocol. */
export interface MiddlewareStage {
  readonly port: number;
  readonly records: () => Promise<string>;
  send(protocol: Protocol, host: string, requested?: Requested): Promise<Given>;
  stop(): Promise<void>;
}

export async function startStage(
  routes: readonly LabelledService[],
  router: Router,
  env: Readonly<Record<string, string>> = {},
): Promise<MiddlewareStage> {
  const dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-middlewares-'));
  const given = { DATA_DIR: dataDir, HTTP_ROUTER: router, ...env };
  const metrics = new Metrics();
  const server: ProxyServer = await startInProcessServer({
    settings: readSettings('proxy', { env: given, secretsDir: dataDir }),
    logger: silentLogger,
    metrics,
    env: given,
    entrypoints: [{ port: 0, secure: false }],
    host: '127.0.0.1',
  });
  const [entrypoint] = server.entrypoints();
  const port = entrypoint?.state === 'open' ? Number(/\d+$/.exec(entrypoint.address)?.[0]) : 0;
  await server.apply(await changeOf(routes));
  return {
    port,
    records: () => metrics.metrics(),
    send: (protocol, host, requested = {}) => senders[protocol](port, host, requested),
    async stop() {
      await server.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

const senders: Readonly<Record<Protocol, (port: number, host: string, requested: Requested) => Promise<Given>>> = {
  'HTTP/1.1': sendHttp1,
  'HTTP/2': sendHttp2,
  upgrade: sendUpgrade,
};

function sendHttp1(
  port: number,
  host: string,
  { method = 'GET', path = '/', headers = {}, body }: Requested,
): Promise<Given> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, method, path, headers: { ...headers, host }, agent: false },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: folded(response.rawHeaders),
            body: Buffer.concat(pieces).toString(),
          }),
        );
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

function sendHttp2(
  port: number,
  host: string,
  { method = 'GET', path = '/', headers = {}, body }: Requested,
): Promise<Given> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.once('error', reject);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: method,
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_AUTHORITY]: host,
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    });
    let status = 0;
    let found: Record<string, string> = {};
    const pieces: Buffer[] = [];
    stream.on('response', (head) => {
      status = Number(head[':status']);
      found = Object.fromEntries(
        Object.entries(head).flatMap(([name, value]) =>
          name.startsWith(':') ? [] : [[name, Array.isArray(value) ? value.join('\n') : String(value)]],
        ),
      );
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.once('error', reject);
    stream.once('end', () => {
      session.close();
      resolve({ status, headers: found, body: Buffer.concat(pieces).toString() });
    });
    stream.end(body);
  });
}

/** Offers the protocol `echo`; what it echoes is the body of the 101. */
function sendUpgrade(
  port: number,
  host: string,
  { method = 'GET', path = '/', headers = {} }: Requested,
): Promise<Given> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.once('error', reject);
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}Connection: Upgrade\r\nUpgrade: echo\r\n\r\n`,
    );
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      const [line = '', ...fields] = text.slice(0, end).split('\r\n');
      const status = Number(line.split(' ')[1]);
      const flat = fields.flatMap((each) => [
        each.slice(0, each.indexOf(':')),
        each.slice(each.indexOf(':') + 1).trim(),
      ]);
      const found = folded(flat);
      const body = text.slice(end + 4);
      if (status === 101) {
        if (body === '') socket.write('ping');
        if (body !== 'ping') return;
      } else if (body.length < Number(found['content-length'] ?? 0)) return;
      socket.destroy();
      resolve({ status, headers: found, body });
    });
    socket.once('close', () => reject(new Error(`closed after: ${text}`)));
  });
}

function folded(flat: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < flat.length; at += 2) {
    const name = (flat[at] as string).toLowerCase();
    const value = flat[at + 1] as string;
    found[name] = found[name] === undefined ? value : `${found[name]}${name === 'set-cookie' ? '\n' : ', '}${value}`;
  }
  return found;
}
