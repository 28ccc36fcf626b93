import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { FloodPorts } from './flooded-proxy.ts';
import type { ProbeProtocol } from './probe.ts';

export interface Flood {
  readonly name: string;
  /** What the other client uses meanwhile. Default `HTTP/1.1`. */
  readonly probe?: ProbeProtocol;
  /** Honest clients that use as much as they get: what a flood is compared with. */
  readonly isHonest?: true;
  readonly start: (ports: FloodPorts) => void;
}

/** Where clients of the flood connect from. */
const localAddress = '127.0.0.2';

export function open(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  socket.on('error', () => undefined);
  return socket;
}

export function openSecured(port: number, servername = 'flood.example'): TLSSocket {
  const socket = connectTls({ socket: open(port), servername, rejectUnauthorized: false });
  socket.on('error', () => undefined);
  return socket;
}

/** Keeps so many connections open: one that has closed is opened again. */
export function keepOpen<S extends Socket>(count: number, make: () => S, use: (socket: S) => void): void {
  const one = () => {
    const socket = make();
    use(socket);
    socket.once('close', () => setImmediate(one));
  };
  for (let at = 0; at < count; at++) setTimeout(one, Math.floor(at / 50));
}

/** Writes as fast as the other side takes it. What it sends is read and dropped. */
export function pump(socket: Socket, piece: Buffer | string): void {
  const next = () => {
    if (socket.destroyed) return;
    if (socket.write(piece)) setImmediate(next);
    else socket.once('drain', next);
  };
  socket.resume();
  next();
}

/** The next request follows the response. */
export function pingPong(socket: Socket, text: string, end: string): void {
  let received = '';
  socket.on('data', (bytes: Buffer) => {
    received = (received + bytes.toString('latin1')).slice(-64);
    if (!received.endsWith(end)) return;
    received = '';
    socket.write(text);
  });
  socket.write(text);
}

export const host = 'Host: flood.example\r\n';
export const upgrade = `${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;
