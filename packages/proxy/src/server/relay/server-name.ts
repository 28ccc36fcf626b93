import type { Socket } from 'node:net';
import { guard } from '@swarmgate/runtime';
import { type ClientHello, ClientHelloReader, mostHelloBytes } from './client-hello.ts';

/** Why a connection shows no ClientHello: it did not arrive in time, ended before it was whole, or is larger than the bound. */
export type HelloError = 'hello-late' | 'hello-cut' | 'hello-too-large';

type Result =
  | { readonly kind: 'read'; readonly hello: Extract<ClientHello, { kind: 'hello' | 'not-tls' }> }
  | { readonly kind: 'none'; readonly cause: HelloError };

/** With all bytes that were read. */
export type HelloResult = Result & { readonly bytes: Buffer };

/**
 * Reads a ClientHello. The result holds all bytes read, for the next reader of the connection, which is neither paused nor
 * flowing then. Rejects with a fault.
 */
export function readHello(client: Socket, timeoutMs: number): Promise<HelloResult> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const reader = new ClientHelloReader();
    const leave = () => {
      clearTimeout(timer);
      client.off('readable', onReadable);
      client.off('end', onGone);
      client.off('close', onGone);
    };
    const settle = (result: Result) => {
      leave();
      const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
      // The stream takes note of the removed listener only in the next turn of the event loop.
      setImmediate(() => resolve({ ...result, bytes }));
    };
    const owner = {
      onFault(error: unknown) {
        leave();
        reject(error);
      },
    };
    const onGone = guard(owner, () => settle({ kind: 'none', cause: 'hello-cut' }));
    // Not by 'data': stopping it pauses the stream, and TLS, which reads the connection itself, would wait for ever.
    const onReadable = guard(owner, () => {
      const piece: Buffer | null = client.read();
      if (piece === null) return;
      pieces.push(piece);
      length += piece.length;
      const hello = reader.read(piece);
      if (hello.kind === 'too-large' || (hello.kind === 'incomplete' && length >= mostHelloBytes))
        settle({ kind: 'none', cause: 'hello-too-large' });
      else if (hello.kind !== 'incomplete') settle({ kind: 'read', hello });
    });
    const late = guard(owner, () => settle({ kind: 'none', cause: 'hello-late' }));
    const timer = setTimeout(late, timeoutMs);
    client.on('readable', onReadable);
    client.once('end', onGone);
    client.once('close', onGone);
  });
}
