import type { ConnectionInfo } from './client-connection.ts';
import type { AddedFields } from './upstream-head.ts';

/** What is known of a client's connection, and what was found out on its last request. */
export interface ConnectionCache {
  readonly info: ConnectionInfo;
  readonly added: AddedFields;
  sentHost: string;
  host: string;
}
