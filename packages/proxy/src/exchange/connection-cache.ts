import type { Socket } from 'node:net';
import type { EntrypointSetting } from '@swarmgate/runtime';
import { type ConnectionInfo, connectionInfo, type TrustedProxies } from './client-connection.ts';
import { AddedFields } from './upstream-head.ts';

/** What is known of a client's connection, and what was found out on its last request. */
export interface ConnectionCache {
  readonly info: ConnectionInfo;
  readonly added: AddedFields;
  sentHost: string;
  host: string;
}

/** Of all connections of a server. */
interface ConnectionSettings {
  readonly trusted: TrustedProxies;
  readonly publishedPorts?: ReadonlyMap<number, number>;
  readonly viaName: string | undefined;
  readonly writesForwarded: boolean;
}

/** @param viaVersion what `Via` names as the protocol of its requests. Default 1.1 */
export function connectionCacheOf(
  socket: Socket,
  entrypoint: EntrypointSetting,
  { trusted, publishedPorts, viaName, writesForwarded }: ConnectionSettings,
  viaVersion: '1.1' | '2.0' = '1.1',
): ConnectionCache {
  const info = connectionInfo(socket, entrypoint, trusted, publishedPorts);
  const { peerAddress, secure, entryPort, publishedPort: port = entryPort } = info;
  const scheme = secure ? 'https' : 'http';
  const added = new AddedFields(peerAddress, scheme, port, viaName, writesForwarded, viaVersion);
  return { info, added, sentHost: '', host: '' };
}
