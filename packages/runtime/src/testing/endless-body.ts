import { connect } from 'node:net';

/**
 * Sends a call whose client goes on with its body whatever the server responds. Returns the status, 0 without a response, and how
 * much the client could send until its connection was closed: the buffers of the system on both sides are in it.
 * @param head without the empty line at its end; its body is chunked, or has a Content-Length
 */
export function sendEndlessly(
  port: number,
  head: string,
  mostBytes: number,
): Promise<{ readonly status: number; readonly sentBytes: number }> {
  const piece = /\r\nTransfer-Encoding:/i.test(head)
    ? Buffer.from(`10000\r\n${' '.repeat(65_536)}\r\n`)
    : Buffer.alloc(65_536, 0x20);
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    let left = mostBytes;
    const push = () => {
      while (left > 0 && !socket.destroyed) {
        left -= piece.length;
        if (!socket.write(piece)) {
          socket.once('drain', push);
          return;
        }
      }
    };
    let status = 0;
    socket.once('data', (text: string) => {
      status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
    });
    // The client is still sending when the connection is closed.
    socket.on('error', () => undefined);
    socket.once('close', () => resolve({ status, sentBytes: mostBytes - left }));
    socket.write(`${head}\r\n\r\n`);
    push();
  });
}
