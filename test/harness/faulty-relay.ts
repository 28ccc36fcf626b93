import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP relay on loopback that can be slow, silent or away: a network between a process and a part that itself is well. */
export interface FaultyRelay {
  /** The same over its whole life. */
  readonly address: string;
  /** Every chunk, in each direction, comes this much later, in milliseconds. */
  delay(ms: number): void;
  /** Resets what is open and refuses what comes. */
  cut(): Promise<void>;
  /** Leaves everything open and silent, as a partition does; what is sent meanwhile is lost. */
  freeze(): void;
  /** As it was at the start. Connections that were frozen are reset. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

export async function startFaultyRelay(target: string): Promise<FaultyRelay> {
  const [host = '', targetPort = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let delayMs = 0;
  let isFrozen = false;
  let server: Server | undefined;
  let port = 0;

  const pass = (from: Socket, to: Socket) => {
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('data', (chunk) => {
      if (isFrozen) return;
      if (delayMs === 0) to.write(chunk);
      else setTimeout(() => to.writable && !isFrozen && to.write(chunk), delayMs);
    });
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    sockets.add(from);
  };
  const listen = async () => {
    if (server !== undefined) return;
    server = createServer((client) => {
      const upstream = connect(Number(targetPort), host);
      pass(client, upstream);
      pass(upstream, client);
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address === 'object' && address !== null) port = address.port;
  };
  const cut = async () => {
    const closing = server;
    server = undefined;
    const closed = closing === undefined ? undefined : once(closing, 'close');
    closing?.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };

  await listen();
  return {
    address: `127.0.0.1:${port}`,
    delay: (ms) => {
      delayMs = ms;
    },
    cut,
    freeze: () => {
      isFrozen = true;
    },
    heal: async () => {
      delayMs = 0;
      if (isFrozen) await cut();
      isFrozen = false;
      await listen();
    },
    close: cut,
  };
}
