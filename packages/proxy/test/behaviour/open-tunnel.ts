import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer as createSecureServer, type TLSSocket } from 'node:tls';
import type { RawConnection } from '../behaviour-rig.ts';
import { testCertificate } from '../test-certificate.ts';
import { endpointAt } from '../test-context.ts';
import type { Suite } from './suite.ts';

export const switching = (protocol: string) =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;

export const offer = (path: string, protocol = 'tcp', more = '') =>
  `POST ${path} HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${more}\r\n`;

/** Collects what comes over a socket, as latin1. */
export function collect(socket: Socket): { text: string; ended: boolean; closed: boolean; error: string | undefined } {
  const seen = { text: '', ended: false, closed: false, error: undefined as string | undefined };
  socket.on('data', (bytes: Buffer) => {
    seen.text += bytes.toString('latin1');
  });
  socket.on('end', () => {
    seen.ended = true;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    seen.error = error.code;
  });
  socket.on('close', () => {
    seen.closed = true;
  });
  return seen;
}

/** Calls back with what stands behind the request's head, once the head is there. */
export function afterHead(socket: Socket, then: (head: string, rest: string) => void): void {
  let text = '';
  const onData = (bytes: Buffer) => {
    text += bytes.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) return;
    socket.off('data', onData);
    then(text.slice(0, end + 4), text.slice(end + 4));
  };
  socket.on('data', onData);
}

export const digestOf = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex');

/** Text whose every 16 characters say where they belong. */
export const numbered = (bytes: number, mark: string) =>
  Array.from({ length: bytes / 16 }, (_, at) => `${mark}${String(at).padStart(14, '.')}\n`).join('');

export const bodyOf = (response: string) => response.slice(response.indexOf('\r\n\r\n') + 4);

export interface OpenTunnel {
  readonly client: RawConnection;
  readonly id: string;
  readonly endpoint: Socket;
  /** What the endpoint received behind the request. */
  readonly atEndpoint: ReturnType<typeof collect>;
  readonly atClient: ReturnType<typeof collect>;
}

/** A tunnel whose 101 has arrived at the client. */
export async function openTunnel(suite: Suite, path = '/t', early = '', secure = false): Promise<OpenTunnel> {
  let endpoint: Socket | undefined;
  let atEndpoint: ReturnType<typeof collect> | undefined;
  const onConnection = (socket: Socket) =>
    afterHead(socket, (_head, rest) => {
      endpoint = socket;
      atEndpoint = collect(socket);
      atEndpoint.text = rest;
      socket.write(switching('tcp'));
    });
  const address = secure ? await secureBackend(suite, onConnection) : await suite.rig.rawBackend(onConnection);
  suite.rig.route(path.slice(1), { endpoints: [address] });
  const client = suite.rig.connect();
  const atClient = collect(client.socket);
  client.send(offer(path) + early);
  await client.until('\r\n\r\n');
  if (endpoint === undefined || atEndpoint === undefined) throw new Error('a 101 without an endpoint');
  return { client, endpoint, atEndpoint, atClient, id: address.id };
}

async function secureBackend(suite: Suite, onConnection: (socket: TLSSocket) => void) {
  const { cert, key } = await testCertificate(['endpoint.example']);
  const server = createSecureServer({ cert, key, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  return { ...endpointAt(await suite.rig.listen(server)), secure: true };
}
