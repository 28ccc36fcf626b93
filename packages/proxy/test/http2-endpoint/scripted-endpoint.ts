import { createServer, type Socket } from 'node:net';
import { clientPreface, Frame } from '../../src/http/http2/frames.ts';
import { parseFrames, settings, settingsAck, type WireFrame } from '../http2-wire.ts';
import { endpointAt } from '../test-context.ts';

/** An endpoint that writes what the test says, frame by frame, right or wrong. */
export interface ScriptedEndpoint {
  readonly port: number;
  readonly frames: (WireFrame & { readonly connection: number })[];
  readonly sockets: Set<Socket>;
  connections: number;
  /** The first bytes to each connection. Default: SETTINGS. */
  greeting: Buffer | undefined;
  onFrame: (frame: WireFrame, socket: Socket, connection: number) => void;
  onConnection: (socket: Socket) => void;
  stop(): Promise<void>;
}

export async function startScriptedEndpoint(): Promise<ScriptedEndpoint> {
  const server = createServer({ noDelay: true });
  const scripted: ScriptedEndpoint = {
    port: 0,
    frames: [],
    sockets: new Set(),
    connections: 0,
    greeting: settings(),
    onFrame: () => undefined,
    onConnection: () => undefined,
    async stop() {
      for (const socket of scripted.sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  server.on('connection', (socket) => {
    const connection = ++scripted.connections;
    scripted.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => scripted.sockets.delete(socket));
    scripted.onConnection(socket);
    if (scripted.greeting !== undefined) socket.write(scripted.greeting);
    let unread = Buffer.alloc(0);
    let begun = false;
    socket.on('data', (bytes: Buffer) => {
      unread = Buffer.concat([unread, bytes]);
      if (!begun) {
        if (unread.length < clientPreface.length) return;
        unread = unread.subarray(clientPreface.length);
        begun = true;
      }
      for (let length = wholeFrame(unread); length > 0; length = wholeFrame(unread)) {
        const [frame] = parseFrames(unread.subarray(0, length));
        unread = unread.subarray(length);
        if (frame === undefined) continue;
        if (frame.type === Frame.settings && frame.flags === 0 && scripted.greeting !== undefined)
          socket.write(settingsAck);
        scripted.frames.push({ ...frame, connection });
        scripted.onFrame(frame, socket, connection);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Object.assign(scripted, { port: address.port });
}

export const http2At = (port: number, id = `127.0.0.1:${port}`) => endpointAt(port, { http2: true, id });

function wholeFrame(bytes: Buffer): number {
  if (bytes.length < 9) return 0;
  const length = 9 + bytes.readUIntBE(0, 3);
  return bytes.length >= length ? length : 0;
}
