import type { ConnectionInfo } from './client-connection.ts';
import type { AddedLines } from './upstream-head.ts';

/** What is known of a client's connection, and what was found out on its last request. */
export interface ConnectionCache {
  readonly info: ConnectionInfo;
  readonly added: AddedLines;
  sentHost: string;
  host: string;
}
