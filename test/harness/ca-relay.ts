import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { RunningPebble } from './pebble.ts';

/** What a request to a CA is for, by Pebble's own paths. */
export type CaRequestKind =
  | 'directory'
  | 'nonce'
  | 'account'
  | 'new-order'
  | 'order'
  | 'authorization'
  | 'challenge'
  | 'finalize'
  | 'certificate'
  | 'renewal-info'
  | 'other';

export interface CaReply {
  readonly status: number;
  readonly type?: string;
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Stands between a client and Pebble: counts, and responds in its place as a CA does on a bad day. */
export interface CaRelay {
  readonly directoryUrl: string;
  /** Requests that came, by kind. */
  readonly counts: ReadonlyMap<CaRequestKind, number>;
  /** Decides over each request; `undefined` passes it on. Called with how often this kind came, from 1, and its path. */
  intercept(
    decide:
      | ((kind: CaRequestKind, count: number, path: string) => Promise<CaReply | undefined> | CaReply | undefined)
      | undefined,
  ): void;
  /** Changes headers of what Pebble returns. */
  rewrite(headers: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

const kinds: readonly (readonly [string, CaRequestKind])[] = [
  ['/dir', 'directory'],
  ['/nonce-plz', 'nonce'],
  ['/sign-me-up', 'account'],
  ['/order-plz', 'new-order'],
  ['/my-order/', 'order'],
  ['/authZ/', 'authorization'],
  ['/chalZ/', 'challenge'],
  ['/finalize-order/', 'finalize'],
  ['/certZ/', 'certificate'],
  ['/draft-ietf-acme-ari', 'renewal-info'],
];

export async function startCaRelay(pebble: RunningPebble): Promise<CaRelay> {
  const { certFile, keyFile } = pebble.serverCertificate;
  const [ca, cert, key] = await Promise.all([readFile(pebble.caFile), readFile(certFile), readFile(keyFile)]);
  const target = new URL(pebble.directoryUrl);
  const agent = new Agent({ ca, keepAlive: true });
  const counts = new Map<CaRequestKind, number>();
  let decide: Parameters<CaRelay['intercept']>[0];
  let rewritten: Readonly<Record<string, string>> = {};

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const kind = kinds.find(([path]) => incoming.url?.startsWith(path))?.[1] ?? 'other';
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const reply = await decide?.(kind, count, incoming.url ?? '');
    if (reply !== undefined) {
      const { status, type, detail = '', headers = {} } = reply;
      outgoing.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
      outgoing.end(
        type === undefined ? detail : JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail, status }),
      );
      incoming.resume();
      return;
    }
    const { port } = target;
    // The Host header stays, so that all URLs of the CA lead here.
    const sent = request(
      { host: 'localhost', port, agent, path: incoming.url, method: incoming.method, headers: incoming.headers },
      (response) => {
        outgoing.writeHead(response.statusCode ?? 502, { ...response.headers, ...rewritten });
        response.pipe(outgoing);
      },
    );
    sent.on('error', () => outgoing.destroy());
    incoming.pipe(sent);
  };
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    directoryUrl: `https://localhost:${port}/dir`,
    counts,
    intercept: (next) => {
      decide = next;
    },
    rewrite: (headers) => {
      rewritten = headers;
    },
    close: async () => {
      server.closeAllConnections();
      agent.destroy();
      await once(server.close(), 'close');
    },
  };
}
