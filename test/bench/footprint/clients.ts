import { connect, type Socket } from 'node:net';
import { hostOf } from '../forwarding/cases.ts';

export const requestHead = (line: string, more = '') => `${line} HTTP/1.1\r\nHost: ${hostOf(0)}\r\n${more}\r\n`;

// More at once than the queue of a listening port takes would only wait.
const atOnce = 200;

/** Connections that have sent this, each once `isDone` says that what it received is enough. */
export async function openClients(
  port: number,
  count: number,
  sent: string | Buffer,
  isDone: (received: string) => boolean,
): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let from = 0; from < count; from += atOnce) {
    const opening = Array.from({ length: Math.min(atOnce, count - from) }, () => openClient(port, sent, isDone));
    sockets.push(...(await Promise.all(opening)));
  }
  return sockets;
}

function openClient(port: number, sent: string | Buffer, isDone: (received: string) => boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = '';
    const onClose = () => reject(new Error(`a connection closed after ${JSON.stringify(received.slice(0, 200))}`));
    const settle = () => {
      socket.off('data', onData);
      socket.off('close', onClose);
      // What comes from now on stays where it is.
      socket.pause();
      resolve(socket);
    };
    const onData = (piece: Buffer) => {
      received += piece.toString('latin1');
      if (isDone(received)) settle();
    };
    socket.on('error', () => undefined);
    socket.once('close', onClose);
    socket.once('connect', () => {
      socket.write(sent);
      if (isDone('')) settle();
    });
    socket.on('data', onData);
  });
}
