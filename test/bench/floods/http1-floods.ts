import type { Socket } from 'node:net';
import { type Flood, host, keepOpen, open, openSecured, pingPong, pump, upgrade } from './attack.ts';

const kilobytes64 = Buffer.alloc(65_536, 'x');
const get = (path: string, more = host) => `GET ${path} HTTP/1.1\r\n${more}\r\n`;
const nowhere = 'Host: nowhere.example\r\n';
const post = `POST /sink HTTP/1.1\r\n${host}`;
const webSocketFrame = Buffer.from([0x82, 0x81, 1, 2, 3, 4, 5]);

/** On so many connections: something first, then the same again and again. */
const pumped =
  (count: number, piece: Buffer | string, first = '') =>
  ({ plain }: { readonly plain: number }) =>
    keepOpen(
      count,
      () => open(plain),
      (socket) => {
        if (first !== '') socket.write(first);
        pump(socket, piece);
      },
    );

/** Pieces of their own on many connections, in turns. */
export function inTurns(
  count: number,
  make: () => Socket,
  use: (socket: Socket, turn: number) => void,
  pauseMs = 0,
): void {
  const sockets = new Set<Socket>();
  keepOpen(count, make, (socket) => {
    socket.resume();
    socket.once('connect', () => sockets.add(socket));
    socket.once('close', () => sockets.delete(socket));
  });
  let turn = 0;
  const next = () => {
    for (const socket of sockets) use(socket, turn);
    turn += 1;
    if (pauseMs > 0) setTimeout(next, pauseMs);
    else setImmediate(next);
  };
  next();
}

const requests: readonly Flood[] = [
  {
    name: 'honest requests',
    isHonest: true,
    start: ({ plain }) =>
      keepOpen(
        32,
        () => open(plain),
        (socket) => pingPong(socket, get('/'), 'ok'),
      ),
  },
  {
    name: 'one-byte chunks',
    start: pumped(8, '1\r\nx\r\n'.repeat(10_000), `${post}Transfer-Encoding: chunked\r\n\r\n`),
  },
  {
    name: 'heads byte by byte',
    start: ({ plain }) =>
      inTurns(
        200,
        () => open(plain),
        (socket) => socket.write('x'),
      ),
  },
  {
    name: 'heads of many lines without end',
    start: pumped(8, 'X-Header: value\r\n'.repeat(1_000), 'GET / HTTP/1.1\r\n'),
  },
  { name: 'heads of one line without end', start: pumped(8, kilobytes64) },
  { name: 'URLs of 30,000 characters', start: pumped(32, get(`/${'x'.repeat(30_000)}`)) },
  { name: 'heads of 100 fields', start: pumped(32, get('/', `${host}${'X-Y: z\r\n'.repeat(98)}`).repeat(20)) },
  { name: 'pipelined requests, served', start: pumped(32, get('/').repeat(10_000)) },
  { name: 'pipelined requests, no route', start: pumped(32, get('/', nowhere).repeat(10_000)) },
  { name: 'pipelined requests, no route, 500 connections', start: pumped(500, get('/', nowhere).repeat(1_000)) },
];

const connections: readonly Flood[] = [
  {
    name: 'connections opened and reset',
    start: ({ plain }) =>
      keepOpen(
        100,
        () => open(plain),
        (socket) => socket.once('connect', () => socket.resetAndDestroy()),
      ),
  },
  {
    name: 'connections opened and reset; new connections',
    probe: 'HTTP/1.1, new connections',
    start: ({ plain }) =>
      keepOpen(
        100,
        () => open(plain),
        (socket) => socket.once('connect', () => socket.resetAndDestroy()),
      ),
  },
  {
    name: 'a connection for each request',
    start: ({ plain }) =>
      keepOpen(
        100,
        () => open(plain),
        (socket) => socket.end(get('/', `${host}Connection: close\r\n`)).resume(),
      ),
  },
  {
    name: 'silent connections, 2,000',
    start: ({ plain }) =>
      keepOpen(
        2_000,
        () => open(plain),
        (socket) => socket.resume(),
      ),
  },
  {
    name: 'refused upgrades, bytes behind',
    start: pumped(32, kilobytes64, `GET / HTTP/1.1\r\n${upgrade.replace(host, nowhere)}\r\n`),
  },
  { name: 'CONNECT, bytes behind', start: pumped(32, kilobytes64, 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n') },
  {
    name: 'refused bodies that go on',
    start: pumped(32, kilobytes64, `POST / HTTP/1.1\r\n${nowhere}Content-Length: 100000000000\r\n\r\n`),
  },
];

const bodies: readonly Flood[] = [
  { name: 'uploads at full speed', start: pumped(8, kilobytes64, `${post}Content-Length: 100000000000\r\n\r\n`) },
  {
    name: 'slow uploads, 500',
    start: ({ plain }) =>
      inTurns(
        500,
        () => open(plain),
        (socket, turn) =>
          socket.write(turn === 0 || socket.bytesWritten === 0 ? `${post}Content-Length: 1000000\r\n\r\n` : 'x'),
        5,
      ),
  },
  {
    name: 'downloads at full speed',
    start: ({ plain }) =>
      keepOpen(
        8,
        () => open(plain),
        (socket) => socket.resume().write(get('/large').repeat(1_000)),
      ),
  },
  {
    name: 'large responses that are not read, 200',
    start: ({ plain }) =>
      keepOpen(
        200,
        () => open(plain),
        (socket) => socket.pause().write(get('/large')),
      ),
  },
  {
    name: 'WebSocket, tiny frames',
    start: pumped(8, Buffer.concat(Array<Buffer>(10_000).fill(webSocketFrame)), `GET / HTTP/1.1\r\n${upgrade}\r\n`),
  },
  {
    name: 'WebSocket, a frame for each packet',
    start: ({ plain }) =>
      inTurns(
        100,
        () => open(plain),
        (socket) => socket.write(socket.bytesWritten === 0 ? `GET / HTTP/1.1\r\n${upgrade}\r\n` : webSocketFrame),
      ),
  },
  { name: 'tunnels at full speed', start: pumped(8, kilobytes64, `GET / HTTP/1.1\r\n${upgrade}\r\n`) },
];

export const http1Floods: readonly Flood[] = [...requests, ...connections, ...bodies];
export { get, kilobytes64, nowhere, openSecured, post };
