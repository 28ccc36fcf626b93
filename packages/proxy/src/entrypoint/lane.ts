import type { Socket } from 'node:net';
import type { EntrypointSetting } from '@swarmgate/runtime';

/**
 * Serves client connections. Lanes stand in front of one another: the raw lane serves what it can prove simple and
 * hands a connection, with the bytes read so far, to the next one, which keeps it from then on.
 */
export interface Lane {
  readonly name: 'raw' | 'express';
  /** Takes over a connection (a TLS one is already secured). `firstBytes` were read from it and belong to it. */
  accept(connection: Socket, entrypoint: EntrypointSetting, firstBytes?: Buffer): void;
  /** Answers with `Connection: close` from now on; resolves when no connection is left, or at the deadline. */
  drain(deadlineMs: number): Promise<void>;
}
