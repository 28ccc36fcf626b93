import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface EndpointPorts {
  /** HTTP/1.1: `/large` is 10 MB, an upgrade becomes a tunnel that is read, all other requests get `ok`. */
  readonly http: number;
  /** Sends back what begins with `ping`, sends without end behind `pull`, reads all else. */
  readonly raw: number;
}

// A process of its own, which ends with its channel.
const ok = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
const largeHead = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n');
const large = Buffer.alloc(1_000_000, 'x');
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

function serve(socket: Socket): void {
  let head = '';
  let ignores = false;
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    if (ignores) return;
    head += bytes.toString('latin1');
    for (let end = head.indexOf('\r\n\r\n'); end !== -1; end = head.indexOf('\r\n\r\n')) {
      const request = head.slice(0, end);
      head = head.slice(end + 4);
      if (request.startsWith('GET /large')) {
        socket.write(largeHead);
        for (let times = 0; times < 10; times++) socket.write(large);
      } else if (/upgrade: websocket/i.test(request)) {
        ignores = true;
        socket.write(switching);
      } else if (request.startsWith('GET ')) socket.write(ok);
      else ignores = true;
    }
  });
}

function serveRaw(socket: Socket): void {
  socket.on('error', () => undefined);
  let isPulled = false;
  const pull = () => {
    while (!socket.destroyed && socket.write(large));
  };
  socket.on('drain', pull);
  socket.on('data', (bytes: Buffer) => {
    const isPing = bytes.length < 100 && bytes.toString('latin1', 0, 4) === 'ping';
    if (isPing) socket.write(bytes);
    else if (!isPulled && bytes.length < 100 && bytes.toString('latin1', 0, 4) === 'pull') {
      isPulled = true;
      pull();
    }
  });
}

const listening = (server: Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', 2_048, () => resolve((server.address() as AddressInfo).port));
  });
const [http, raw] = await Promise.all([
  listening(createServer({ noDelay: true }, serve)),
  listening(createServer({ noDelay: true }, serveRaw)),
]);
process.on('disconnect', () => process.exit(0));
process.send?.({ http, raw } satisfies EndpointPorts);
