import type { Socket } from 'node:net';
import type { EntrypointSetting } from '@swarmgate/runtime';
import type { RequestHead } from '../../http/request-head.ts';
import type { DeadlineSweep } from '../../transport/deadline-sweep.ts';
import type { DecisionRoom } from './decide.ts';
import type { ExchangeRoom } from './http1-exchange.ts';

/** All in milliseconds, but for the rate. */
export interface ClientTimeouts {
  /** A request head may take so long to arrive. */
  readonly headMs: number;
  /** A connection may stay idle so long between requests. */
  readonly keepAliveMs: number;
  /** A client may be silent so long in the middle of its body, or not read what it is sent. */
  readonly clientMs: number;
  /** A client sends at least so much of its body, averaged over `clientMs`. Default 0: any byte will do. */
  readonly bodyBytesPerSecond?: number;
}

export interface ServedConnection {
  drain(): void;
  destroy(): void;
}

/** What all connections of the lane share. */
export interface ConnectionRoom extends ExchangeRoom, DecisionRoom {
  readonly sweep: DeadlineSweep;
  readonly timeouts: ClientTimeouts;
  readonly head: RequestHead;
  readonly draining: boolean;
  readonly handOver: (
    connection: ServedConnection,
    socket: Socket,
    entrypoint: EntrypointSetting,
    bytes: Buffer,
  ) => void;
  readonly forget: (connection: ServedConnection) => void;
}
