import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { reset } from '../../src/transport/reset.ts';
import { PatternCheck, patternOf } from './pattern.ts';
import { type BytePlan, pause, piecesOf, randomOf, uploadOf } from './plan.ts';

/** What one end of a tunnel has got. */
export interface TunnelOutcome {
  readonly bytes: number;
  readonly fault: string | undefined;
  /** `whole`: the other side's half-close came. */
  readonly end: 'whole' | 'error';
  readonly error: string;
}

export type TunnelSide = 'client' | 'endpoint';

/** What a side sends, and what it expects: the response's pattern comes from the endpoint. */
export function tunnelSideOf(plan: BytePlan, side: TunnelSide) {
  const response = { body: plan.id, bytes: plan.sizeBytes };
  const request = { body: uploadOf(plan.id), bytes: plan.uploadBytes };
  return side === 'client' ? { sends: request, expects: response } : { sends: response, expects: request };
}

/** Sends and checks on a socket of which all that follows is the tunnel's. Each side ends by itself, behind all it sends. */
export function runTunnelEnd(socket: Socket, plan: BytePlan, side: TunnelSide, first: Buffer): Promise<TunnelOutcome> {
  const { sends, expects } = tunnelSideOf(plan, side);
  const check = new PatternCheck(expects.body);
  const random = randomOf(plan.seed + (side === 'client' ? 2 : 1));
  const isSlow = plan.reading === 'slow';
  const cutAt = side === 'endpoint' && plan.ends === 'reset' ? plan.cutAt : -1;
  const send = async () => {
    for (const [from, to] of piecesOf(random, cutAt === -1 ? sends.bytes : cutAt)) {
      socket.write(patternOf(sends.body, from, to));
      if (plan.writing !== 'whole') await pause(random, plan.writing === 'slow');
      while (socket.writableNeedDrain && !socket.destroyed) await pause(random, true);
      if (socket.destroyed) return;
    }
    await pause(random, false);
    if (cutAt === -1) socket.end();
    else reset(socket);
  };
  return new Promise((resolve) => {
    const done = (end: TunnelOutcome['end'], error = '') =>
      resolve({ bytes: check.bytes, fault: check.fault, end, error });
    const onData = (bytes: Buffer) => {
      check.add(bytes);
      if (!isSlow || random() > 0.3) return;
      socket.pause();
      const goOn = () => void socket.resume();
      pause(random, true).then(goOn, goOn);
    };
    if (first.length > 0) onData(first);
    socket.on('data', onData);
    socket.on('end', () => done('whole'));
    socket.on('error', (error) => done('error', String(error)));
    socket.on('close', () => done('error', 'closed'));
    void send();
  });
}

/** RFC 6455, section 1.3. */
const acceptOf = (key: string) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
const key = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Calls back with the head that comes first, and what stands behind it. */
function onceHead(socket: Socket, act: (head: string, rest: Buffer) => void): void {
  let read = Buffer.alloc(0);
  const onData = (bytes: Buffer) => {
    read = Buffer.concat([read, bytes]);
    const end = read.indexOf('\r\n\r\n');
    if (end === -1) return;
    socket.off('data', onData);
    act(read.toString('latin1', 0, end), read.subarray(end + 4));
  };
  socket.on('data', onData);
}

/** A WebSocket's handshake (RFC 6455, section 4.1), then the tunnel. */
export function tunnelBySocket(socket: Socket, path: string, plan: BytePlan): Promise<TunnelOutcome> {
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => resolve({ bytes: 0, fault: undefined, end: 'error', error: String(error) }));
    onceHead(socket, (head, rest) => {
      const isOpen = head.startsWith('HTTP/1.1 101 ') && head.includes(acceptOf(key));
      if (isOpen) runTunnelEnd(socket, plan, 'client', rest).then(resolve, reject);
      else resolve({ bytes: 0, fault: `no tunnel: ${head}`, end: 'error', error: head });
    });
  });
}

/** An endpoint's side of such a handshake. */
export function acceptTunnel(
  socket: Socket,
  planOf: (path: string) => BytePlan,
  onEnd: (plan: BytePlan, end: TunnelOutcome) => void,
): void {
  socket.on('error', () => undefined);
  onceHead(socket, (head, rest) => {
    const plan = planOf(head.split(' ')[1] ?? '');
    const accept = acceptOf(/^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? '');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    void runTunnelEnd(socket, plan, 'endpoint', rest).then((end) => onEnd(plan, end));
  });
}
