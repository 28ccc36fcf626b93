import type { Socket } from 'node:net';
import { guard } from '@swarmgate/runtime';
import { ClientHelloReader, mostHelloBytes } from './client-hello.ts';

export type ServerNameResult =
  | { readonly kind: 'read'; readonly serverName: string | undefined; readonly bytes: Buffer }
  /** The connection closed, or its ClientHello did not arrive in time. */
  | { readonly kind: 'gone' };

/**
 * Reads the server name of a ClientHello. The result holds all bytes read, for the next reader of the connection.
 * Rejects with a fault.
 */
export function readServerName(client: Socket, timeoutMs: number): Promise<ServerNameResult> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const reader = new ClientHelloReader();
    const leave = () => {
      clearTimeout(timer);
      client.off('data', onData);
      client.off('close', onGone);
      client.off('end', onGone);
      client.pause();
    };
    const settle = (result: ServerNameResult) => {
      leave();
      resolve(result);
    };
    const owner = {
      onFault(error: unknown) {
        leave();
        reject(error);
      },
    };
    const onGone = guard(owner, () => settle({ kind: 'gone' }));
    const onData = guard(owner, (chunk: Buffer) => {
      pieces.push(chunk);
      length += chunk.length;
      const hello = reader.read(chunk);
      if (hello.kind === 'incomplete' && length <= mostHelloBytes) return;
      const serverName = hello.kind === 'hello' ? hello.serverName : undefined;
      settle({ kind: 'read', serverName, bytes: Buffer.concat(pieces) });
    });
    const timer = setTimeout(onGone, timeoutMs);
    client.on('data', onData);
    client.once('close', onGone);
    client.once('end', onGone);
    client.resume();
  });
}
