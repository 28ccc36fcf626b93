import type { Socket } from 'node:net';
import type { EntrypointSetting } from '@swarmgate/runtime';

/** Serves client connections of one protocol. */
export interface ProtocolServer {
  /** Connections of clients that are open. */
  readonly open: number;
  /** Takes over a connection (a TLS one is already secured). `firstBytes` were read from it and belong to it. */
  accept(connection: Socket, entrypoint: EntrypointSetting, firstBytes?: Buffer): void;
  /** Responds with `Connection: close` from now on; resolves when no connection is left, or at the deadline. */
  drain(deadlineMs: number): Promise<void>;
}
