import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { FloodPorts } from './flooded-proxy.ts';

/** How the measured client reaches the proxy. `new connections`: one for each request. */
export type ProbeProtocol = 'HTTP/1.1' | 'HTTP/1.1, new connections' | 'TLS' | 'HTTP/2' | 'relay';

export interface ProbeOrder {
  readonly protocol: ProbeProtocol;
  readonly ms: number;
  /** Between two requests. */
  readonly everyMs: number;
}

export interface ProbeReport {
  /** Sorted, in milliseconds. */
  readonly tookMs: readonly number[];
  readonly failed: number;
  /** Why, each cause once. */
  readonly causes: readonly string[];
}

/** A connection to the proxy that carries one request at a time. */
interface Carrier {
  /** The proxy has ended it, as it does when it was idle for long: a client takes another one. */
  readonly hasEnded: () => boolean;
  /** Resolves when the response is whole. */
  readonly send: () => Promise<void>;
  readonly close: () => void;
}

// The measured client, a process of its own. Argument: the ports of the proxy. It sends at a rate, whether or not responses have
// come. A request takes the connection that was used last, or one more; beyond `mostConnections` it waits, which counts.
const ports = JSON.parse(process.argv[2] ?? '{}') as FloodPorts;
const mostConnections = 64;
const keptConnections = 8;
/** A response that takes longer has failed: what the rest would take is not waited for. */
const patienceMs = 500;
const request = 'GET /probe HTTP/1.1\r\nHost: probe.example\r\n\r\n';

function over(socket: Socket, text: string, end: string): Carrier {
  let received = '';
  let settle: ((error?: Error) => void) | undefined;
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString('latin1');
    if (received.endsWith(end)) settle?.();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => settle?.(new Error('closed')));
  return {
    hasEnded: () => socket.destroyed || socket.readableEnded,
    close: () => socket.destroy(),
    send: () =>
      new Promise((resolve, reject) => {
        received = '';
        settle = (error) => (error === undefined ? resolve() : reject(error));
        if (socket.destroyed) reject(new Error('closed'));
        else socket.write(text);
      }),
  };
}

function overHttp2(session: ClientHttp2Session): Carrier {
  session.on('error', () => undefined);
  return {
    hasEnded: () => session.closed || session.destroyed,
    close: () => session.destroy(),
    send: () =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': '/probe', ':authority': 'probe.example' });
        stream.resume();
        stream.once('end', resolve);
        stream.once('error', reject);
        stream.once('close', () => reject(new Error('closed')));
      }),
  };
}

const tcp = (port: number) => connect({ port, host: '127.0.0.1', noDelay: true });
const secured = () => connectTls({ socket: tcp(ports.secure), servername: 'probe.example', rejectUnauthorized: false });
const openers: Readonly<Record<ProbeProtocol, () => Carrier>> = {
  'HTTP/1.1': () => over(tcp(ports.plain), request, '\r\n\r\nok'),
  'HTTP/1.1, new connections': () => over(tcp(ports.plain), request, '\r\n\r\nok'),
  TLS: () => over(secured(), request, '\r\n\r\nok'),
  'HTTP/2': () => overHttp2(connectHttp2(`http://127.0.0.1:${ports.plain}`)),
  relay: () => over(tcp(ports.probeRelay), 'ping', 'ping'),
};

const idle = new Map<ProbeProtocol, Carrier[]>();

async function measure({ protocol, ms, everyMs }: ProbeOrder): Promise<ProbeReport> {
  const free = idle.get(protocol) ?? [];
  idle.set(protocol, free);
  const isKept = !protocol.endsWith('new connections');
  const tookMs: number[] = [];
  let failed = 0;
  const causes = new Set<string>();
  let inFlight = 0;
  const waiting: (() => void)[] = [];
  const one = async (dueMs: number) => {
    if (inFlight >= mostConnections) await new Promise<void>((resolve) => waiting.push(resolve));
    inFlight += 1;
    let carrier = free.pop();
    while (carrier?.hasEnded() === true) carrier = free.pop();
    carrier ??= openers[protocol]();
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<void>((_, reject) => {
        timer = setTimeout(() => reject(new Error('late')), patienceMs);
      });
      await Promise.race([carrier.send(), late]);
      if (isKept) free.push(carrier);
      else carrier.close();
    } catch (error) {
      failed += 1;
      causes.add(error instanceof Error ? error.message : String(error));
      carrier.close();
    } finally {
      clearTimeout(timer);
    }
    tookMs.push(performance.now() - dueMs);
    inFlight -= 1;
    waiting.shift()?.();
  };
  const all: Promise<void>[] = [];
  const beganMs = performance.now();
  for (let at = 0; at * everyMs < ms; at++) {
    const waitMs = beganMs + at * everyMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    // A timer of this process that is late is not the proxy's.
    all.push(one(performance.now()));
  }
  await Promise.all(all);
  for (const carrier of free.splice(keptConnections)) carrier.close();
  return { tookMs: tookMs.toSorted((a, b) => a - b), failed, causes: [...causes] };
}

process.on('message', (order: ProbeOrder) => void measure(order).then((report) => process.send?.(report)));
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
