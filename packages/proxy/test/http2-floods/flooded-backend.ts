import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

// A process of its own. Responds to every GET, with a large body where the path says so, and reads all else without a response.
const large = Buffer.concat([
  Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n'),
  Buffer.alloc(1_000_000, 'x'),
]);
const small = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

const server = createServer((socket: Socket) => {
  let rest = '';
  // Behind the head of another method its body comes, which is not looked at: this process is not what is flooded.
  let ignores = false;
  socket.on('data', (bytes: Buffer) => {
    if (ignores) return;
    rest += bytes.toString('latin1');
    for (let end = rest.indexOf('\r\n\r\n'); end !== -1; end = rest.indexOf('\r\n\r\n')) {
      const head = rest.slice(0, end);
      rest = rest.slice(end + 4);
      if (head.startsWith('GET /large')) socket.write(large);
      else if (head.startsWith('GET ')) socket.write(small);
      else {
        ignores = true;
        return;
      }
    }
  });
  socket.on('error', () => undefined);
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
