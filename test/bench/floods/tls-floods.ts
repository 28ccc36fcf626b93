import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { type Flood, keepOpen, open, openSecured, pingPong, pump } from './attack.ts';
import { get, kilobytes64, nowhere, post } from './http1-floods.ts';

/** What a client sends first. */
function clientHello(servername: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (bytes: Buffer) => resolve(bytes) });
    connectTls({ socket: wire, servername, rejectUnauthorized: false }).on('error', () => undefined);
  });
}

const oneByteRecords = Buffer.concat(Array<Buffer>(10_000).fill(Buffer.from([22, 3, 1, 0, 1, 1])));
/** A ClientHello whose body is said to be 16 KB long, in records of a byte each. */
const helloInRecords = Buffer.concat([Buffer.from([22, 3, 1, 0, 4, 1, 0, 0x3f, 0xff]), oneByteRecords]);

const overTls: readonly Omit<Flood, 'probe'>[] = [
  {
    name: 'TLS: honest requests',
    isHonest: true,
    start: ({ secure }) =>
      keepOpen(
        32,
        () => openSecured(secure),
        (socket) => pingPong(socket, get('/'), 'ok'),
      ),
  },
  {
    name: 'TLS: whole handshakes',
    start: ({ secure }) =>
      keepOpen(
        32,
        () => openSecured(secure),
        (socket) => socket.once('secureConnect', () => socket.destroy()),
      ),
  },
  {
    name: 'TLS: a ClientHello, then reset',
    start: async ({ secure }) => {
      const hello = await clientHello('flood.example');
      keepOpen(
        64,
        () => open(secure),
        (socket) => socket.once('connect', () => socket.write(hello)).once('data', () => socket.resetAndDestroy()),
      );
    },
  },
  {
    name: 'TLS: a ClientHello in one-byte records',
    start: ({ secure }) =>
      keepOpen(
        64,
        () => open(secure),
        (socket) => pump(socket, helloInRecords),
      ),
  },
  {
    name: 'TLS: no TLS',
    start: ({ secure }) =>
      keepOpen(
        64,
        () => open(secure),
        (socket) => pump(socket, kilobytes64),
      ),
  },
  {
    name: 'TLS: silent connections, 2,000',
    start: ({ secure }) =>
      keepOpen(
        2_000,
        () => open(secure),
        (socket) => socket.resume(),
      ),
  },
  {
    name: 'TLS: a body in one-byte records',
    start: ({ secure }) =>
      keepOpen(
        8,
        () => openSecured(secure),
        (socket) => {
          socket.write(`${post}Content-Length: 100000000000\r\n\r\n`);
          const next = () => {
            for (let at = 0; at < 500 && !socket.writableNeedDrain; at++) socket.write('x');
            if (!socket.destroyed) setImmediate(next);
          };
          socket.once('secureConnect', next);
        },
      ),
  },
  {
    name: 'TLS: pipelined requests, no route',
    start: ({ secure }) =>
      keepOpen(
        32,
        () => openSecured(secure),
        (socket) => pump(socket, get('/', nowhere).repeat(10_000)),
      ),
  },
  {
    name: 'TLS: one-byte chunks',
    start: ({ secure }) =>
      keepOpen(
        8,
        () => openSecured(secure),
        (socket) => {
          socket.write(`${post}Transfer-Encoding: chunked\r\n\r\n`);
          pump(socket, '1\r\nx\r\n'.repeat(10_000));
        },
      ),
  },
  {
    name: 'TLS: uploads at full speed',
    start: ({ secure }) =>
      keepOpen(
        8,
        () => openSecured(secure),
        (socket) => {
          socket.write(`${post}Content-Length: 100000000000\r\n\r\n`);
          pump(socket, kilobytes64);
        },
      ),
  },
  {
    name: 'TLS: refused bodies that go on',
    start: ({ secure }) =>
      keepOpen(
        8,
        () => openSecured(secure),
        (socket) => {
          socket.write(`POST / HTTP/1.1\r\n${nowhere}Content-Length: 100000000000\r\n\r\n`);
          pump(socket, kilobytes64);
        },
      ),
  },
  {
    name: 'TLS: downloads at full speed',
    start: ({ secure }) =>
      keepOpen(
        8,
        () => openSecured(secure),
        (socket) => socket.resume().write(get('/large').repeat(1_000)),
      ),
  },
];

export const tlsFloods: readonly Flood[] = overTls.map((flood) => ({ ...flood, probe: 'TLS' }));

const overRelays: readonly Omit<Flood, 'probe'>[] = [
  {
    name: 'relay: honest requests',
    isHonest: true,
    start: ({ relay }) =>
      keepOpen(
        32,
        () => open(relay),
        (socket) => pingPong(socket, 'ping', 'ping'),
      ),
  },
  {
    name: 'relay: uploads at full speed',
    start: ({ relay }) =>
      keepOpen(
        8,
        () => open(relay),
        (socket) => pump(socket, kilobytes64),
      ),
  },
  {
    name: 'relay: downloads at full speed',
    start: ({ relay }) =>
      keepOpen(
        8,
        () => open(relay),
        (socket) => socket.resume().write('pull'),
      ),
  },
  {
    name: 'relay: connections opened and reset',
    start: ({ relay }) =>
      keepOpen(
        100,
        () => open(relay),
        (socket) => socket.once('connect', () => socket.resetAndDestroy()),
      ),
  },
  {
    name: 'relay: silent connections, 2,000',
    start: ({ relay }) =>
      keepOpen(
        2_000,
        () => open(relay),
        (socket) => socket.resume(),
      ),
  },
  {
    name: 'relay by name: a ClientHello in one-byte records',
    start: ({ named }) =>
      keepOpen(
        64,
        () => open(named),
        (socket) => pump(socket, helloInRecords),
      ),
  },
  {
    name: 'relay by name: a name without a route',
    start: async ({ named }) => {
      const hello = await clientHello('nowhere.example');
      keepOpen(
        100,
        () => open(named),
        (socket) => socket.once('connect', () => socket.write(hello)).resume(),
      );
    },
  },
];

export const relayFloods: readonly Flood[] = overRelays.map((flood) => ({ ...flood, probe: 'relay' }));
