import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Stands between a listener and the engine that everyone shares, so that Docker can be away for one of them only. */
export interface DockerRelay {
  /** For `DOCKER_HOST`. */
  readonly dockerHost: string;
  /** Breaks what is open and refuses what comes, as a stopped daemon does. */
  cut(): Promise<void>;
  /** Leaves everything open and silent, as a partition does. */
  freeze(): void;
  heal(): Promise<void>;
  stop(): Promise<void>;
}

export async function relayDocker(target = '/var/run/docker.sock'): Promise<DockerRelay> {
  const directory = mkdtempSync(join(tmpdir(), 'swarmgate-docker-'));
  const path = join(directory, 'docker.sock');
  const sockets = new Set<Socket>();
  let isFrozen = false;
  let server: Server | undefined;

  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };

  const listen = async () => {
    server = createServer((client) => {
      const engine = connect(target);
      for (const socket of [client, engine]) track(socket);
      client.on('data', (bytes) => isFrozen || engine.write(bytes));
      engine.on('data', (bytes) => isFrozen || client.write(bytes));
      client.on('close', () => engine.destroy());
      engine.on('close', () => client.destroy());
    });
    server.listen(path);
    await once(server, 'listening');
  };

  const cut = async () => {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    const closed = once(closing, 'close');
    closing.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  await listen();
  return {
    dockerHost: `unix://${path}`,
    cut,
    freeze() {
      isFrozen = true;
    },
    async heal() {
      isFrozen = false;
      // What was lost while it was frozen is lost: both sides reconnect.
      await cut();
      await listen();
    },
    async stop() {
      await cut();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
