import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';

const head = (line: string, more = '') => `${line} HTTP/1.1\r\nHost: soak.example\r\n${more}\r\n`;

/** Clients of every kind, good and bad, each of which has gone when its promise resolves. */
export const clients: Readonly<Record<string, (port: number) => Promise<void>>> = {
  'send several requests on one connection': (port) =>
    onSocket(port, async (socket) => {
      for (let at = 0; at < 5; at++) {
        socket.write(head('GET /a'));
        await until(socket, 'fine');
      }
    }),
  'send a body': (port) =>
    onSocket(port, async (socket) => {
      socket.write(`${head('POST /a', 'Content-Length: 40000\r\n')}${'x'.repeat(40_000)}`);
      await until(socket, 'fine');
    }),
  'leave in the middle of a response': (port) =>
    onSocket(port, async (socket) => {
      socket.write(head('GET /endless'));
      await until(socket, 'HTTP/1.1 200');
    }),
  'leave in the middle of their body': (port) =>
    onSocket(port, async (socket) => {
      socket.write(`${head('POST /a', 'Content-Length: 1000000\r\n')}half`);
      await new Promise((resolve) => setImmediate(resolve));
    }),
  'leave before their response': (port) =>
    onSocket(port, async (socket) => {
      socket.write(head('GET /silent'));
      await new Promise((resolve) => setImmediate(resolve));
    }),
  'send half a head': (port) => onSocket(port, async (socket) => void socket.write('GET /a HTT')),
  'send what is not HTTP': (port) =>
    onSocket(port, async (socket) => {
      socket.write('\0\0\0\r\n\r\n');
      await until(socket, 'HTTP/1.1 400');
    }),
  'request what does not exist': (port) =>
    onSocket(port, async (socket) => {
      socket.write(head('GET /nowhere'));
      await until(socket, 'HTTP/1.1 503');
    }),
  'use a WebSocket and close it': async (port) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
    await once(socket, 'open');
    socket.send('hello');
    await once(socket, 'message');
    const closed = once(socket, 'close');
    socket.close(1000);
    await closed;
  },
  'use a WebSocket and vanish': async (port) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
    await once(socket, 'open');
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    socket.terminate();
    await closed;
  },
};

async function onSocket(port: number, act: (socket: Socket) => Promise<void>): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  try {
    await act(socket);
  } finally {
    const closed = socket.closed ? undefined : once(socket, 'close');
    socket.destroy();
    await closed;
  }
}

function until(socket: Socket, expected: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = '';
    const onData = (piece: Buffer) => {
      received += piece.toString('latin1');
      if (!received.includes(expected)) return;
      socket.off('data', onData);
      socket.off('close', onClose);
      resolve();
    };
    const onClose = () => reject(new Error(`closed before ${expected} came: ${JSON.stringify(received)}`));
    socket.on('data', onData);
    socket.once('close', onClose);
  });
}
