import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { benchHost } from './cases.ts';

// The least that a proxy costs on this platform: sockets of node:net, one read and one write a side, a fixed text put before
// the last line of each request, and nothing looked at: no head is parsed, no route looked up, nothing counted or limited,
// no deadline watched. Serves the load of this benchmark only. Arguments: port, `ssl` or `plain`, backend's port, file with
// certificate and key.
const [port, transport, backendPort, pem = ''] = process.argv.slice(2);

const added =
  'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n' +
  `X-Forwarded-Host: ${benchHost}\r\nX-Forwarded-Port: ${port}\r\n` +
  'X-Request-Id: 0123456789abcdef0123456789abcdef\r\nVia: 1.1 bare\r\n\r\n';
const closing = 'Connection: close\r\n';

/** A connection to the backend, with the client whose response it reads. */
interface Upstream {
  readonly socket: Socket;
  client: Client | undefined;
}

interface Client {
  readonly socket: Socket;
  closes: boolean;
}

const idle: Upstream[] = [];

function open(): Upstream {
  const buffer = Buffer.alloc(65_536);
  const upstream: Upstream = {
    client: undefined,
    socket: connect({
      host: '127.0.0.1',
      port: Number(backendPort),
      noDelay: true,
      onread: {
        buffer,
        callback: (length) => {
          const { client } = upstream;
          if (client === undefined) return true;
          upstream.client = undefined;
          idle.push(upstream);
          // The backend's responses to this load come in one piece.
          const text = buffer.toString('latin1', 0, length);
          client.socket.write(text, 'latin1');
          if (client.closes) client.socket.destroy();
          return true;
        },
      },
    }),
  };
  upstream.socket.on('error', () => undefined);
  return upstream;
}

function serve(socket: Socket): void {
  const client: Client = { socket, closes: false };
  socket.on('error', () => undefined);
  socket.on('end', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    const text = bytes.toString('latin1', 0, bytes.length - 2);
    client.closes = text.includes(closing);
    const upstream = idle.pop() ?? open();
    upstream.client = client;
    upstream.socket.write((client.closes ? text.replace(closing, '') : text) + added, 'latin1');
  });
}

const server =
  transport === 'ssl'
    ? createSecureServer({ cert: readFileSync(pem), key: readFileSync(pem), ALPNProtocols: ['http/1.1'] }, serve)
    : createServer({ allowHalfOpen: true, noDelay: true }, serve);
server.listen(Number(port), '127.0.0.1', 4_096);
process.once('SIGTERM', () => process.exit(0));
