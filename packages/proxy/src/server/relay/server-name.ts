import type { Socket } from 'node:net';
import { guard } from '@swarmgate/runtime';
import { mostHelloBytes, readClientHello } from './client-hello.ts';

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
    let bytes = Buffer.alloc(0);
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
      bytes = bytes.length === 0 ? Buffer.from(chunk) : Buffer.concat([bytes, chunk]);
      const hello = readClientHello(bytes);
      if (hello.kind === 'hello') settle({ kind: 'read', serverName: hello.serverName, bytes });
      else if (hello.kind === 'not-tls' || bytes.length > mostHelloBytes)
        settle({ kind: 'read', serverName: undefined, bytes });
    });
    const timer = setTimeout(onGone, timeoutMs);
    client.on('data', onData);
    client.once('close', onGone);
    client.once('end', onGone);
    client.resume();
  });
}
