import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { onStage } from './conformance/suite.ts';
import type { ScriptedBackend } from './scripted-backend.ts';
import { type MakeServer, makeHttp2Server, type Rig, type RigOptions } from './server-rig.ts';

export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly interims: number[];
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
}

/** One request on a session of Node's client, until its response is whole. */
export function sendHttp2(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: Buffer): Promise<Received> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':authority': 'a.test', ...headers }, { endStream: body === undefined });
    const interims: number[] = [];
    const chunks: Buffer[] = [];
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('headers', (each) => interims.push(Number(each[':status'])));
    stream.on('response', (each) => {
      head = each;
    });
    stream.on('trailers', (each) => {
      trailers = each;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () =>
      resolve({ status: Number(head[':status']), headers: head, interims, body: Buffer.concat(chunks), trailers }),
    );
    if (body !== undefined) stream.end(body);
  });
}

export type Http2Stage = { readonly rig: Rig; readonly backend: ScriptedBackend; readonly session: ClientHttp2Session };

/** A server of HTTP/2 before a scripted backend, with a session to it. */
export function onHttp2(run: (stage: Http2Stage) => Promise<void>, options: Partial<RigOptions> = {}): Promise<void> {
  return onHttp2Of(makeHttp2Server, run, options);
}

/** The same with another server. */
export function onHttp2Of(
  make: MakeServer,
  run: (stage: Http2Stage) => Promise<void>,
  options: Partial<RigOptions> = {},
): Promise<void> {
  return onStage(
    make,
    async ({ rig, backend }) => {
      const session = connect(`http://127.0.0.1:${rig.port}`);
      session.on('error', () => undefined);
      try {
        await run({ rig, backend, session });
      } finally {
        session.destroy();
      }
    },
    options,
  );
}
