import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

/** A span as it was received, with its attributes as a plain object. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string | undefined;
  readonly traceState?: string | undefined;
  readonly name: string;
  readonly kind: 'server' | 'client';
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/**
 * A status without more; silence; the end of the connection, before or amid the response; a body of any kind; a partial
 * success; or a status with `Retry-After`.
 */
export type CollectorResponse =
  | number
  | 'hang'
  | 'close'
  | 'cut'
  | { readonly body: string }
  | { readonly rejectedSpans: string | number; readonly errorMessage?: string }
  | { readonly status: number; readonly retryAfter: string };

export interface ReceivedBatch {
  readonly headers: IncomingMessage['headers'];
  readonly spans: number;
  /** Common name of the client's certificate, where one was shown. */
  readonly client: string | undefined;
}

/**
 * A collector as strict as OTLP's specification (https://opentelemetry.io/docs/specs/otlp/, JSON encoding of its protobuf
 * schema): knows no field but those, wants ids in hex of the right length, 64-bit numbers as text, attributes once each, and
 * ends after beginnings. A batch with anything else gets 400, which a test sees in `refused`.
 */
export interface OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly resources: Readonly<Record<string, string | number>>[];
  readonly batches: ReceivedBatch[];
  /** When calls came, by `performance.now()`: those of refused batches too. */
  readonly callsAtMs: number[];
  readonly refused: string[];
  /** Connections that ended before TLS was agreed on. */
  failedHandshakes(): number;
  /** What the next batch gets instead of 200; then 200 again. */
  respondNext(...responses: readonly CollectorResponse[]): void;
  stop(): Promise<void>;
}

const hex = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${digits}}$`))
    .refine((id) => !/^0+$/.test(id));
const unsigned = z.string().regex(/^(0|[1-9]\d{0,19})$/);
const attribute = z.strictObject({
  key: z.string().min(1),
  value: z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ intValue: z.string().regex(/^-?\d{1,19}$/) }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ doubleValue: z.number() }),
  ]),
});
const attributes = z
  .array(attribute)
  .refine((all) => new Set(all.map(({ key }) => key)).size === all.length, 'an attribute is there twice');
const span = z
  .strictObject({
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: hex(16).optional(),
    traceState: z.string().max(512).optional(),
    name: z.string().min(1),
    kind: z.union([z.literal(2), z.literal(3)]),
    startTimeUnixNano: unsigned,
    endTimeUnixNano: unsigned,
    attributes,
    status: z.strictObject({ code: z.literal(2).optional() }),
  })
  .refine(({ startTimeUnixNano, endTimeUnixNano }) => BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano))
  .refine(({ startTimeUnixNano }) => BigInt(startTimeUnixNano) > 1_600_000_000_000_000_000n, 'not since the epoch');
const exportRequest = z.strictObject({
  resourceSpans: z
    .array(
      z.strictObject({
        resource: z.strictObject({ attributes }),
        scopeSpans: z.array(
          z.strictObject({
            scope: z.strictObject({ name: z.string().min(1), version: z.string() }),
            spans: z.array(span).min(1),
          }),
        ),
      }),
    )
    .min(1),
});

/**
 * @param secure key and certificate in one file, for TLS
 * @param clientAuthority clients must have a certificate of it
 */
export async function startOtlpReceiver(secure?: string, clientAuthority?: string): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const resources: Record<string, string | number>[] = [];
  const batches: ReceivedBatch[] = [];
  const refused: string[] = [];
  const callsAtMs: number[] = [];
  const responses: CollectorResponse[] = [];
  const take = (body: Buffer, { headers, socket }: IncomingMessage) => {
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'gzip') throw new Error(`content-encoding ${encoding}`);
    const text = (encoding === undefined ? body : gunzipSync(body)).toString('utf8');
    const parsed = exportRequest.parse(JSON.parse(text));
    let count = 0;
    for (const { resource, scopeSpans } of parsed.resourceSpans) {
      resources.push(plain(resource.attributes));
      for (const each of scopeSpans.flatMap((scope) => scope.spans)) {
        count += 1;
        spans.push(received(each));
      }
    }
    const subject = clientAuthority === undefined ? undefined : (socket as TLSSocket).getPeerCertificate().subject.CN;
    batches.push({ headers, spans: count, client: subject === undefined ? undefined : String(subject) });
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      callsAtMs.push(performance.now());
      const reply = responses.shift();
      if (reply === 'hang') return;
      if (reply === 'close') {
        request.socket.destroy();
        return;
      }
      if (reply === 'cut') {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{', () => request.socket.destroy());
        return;
      }
      if (typeof reply === 'number') {
        response.writeHead(reply).end();
        return;
      }
      if (reply !== undefined && 'status' in reply) {
        response.writeHead(reply.status, { 'retry-after': reply.retryAfter }).end();
        return;
      }
      try {
        if (request.method !== 'POST' || request.url !== '/v1/traces')
          throw new Error(`${request.method} ${request.url}`);
        if (request.headers['content-type'] !== 'application/json') throw new Error('not JSON');
        take(Buffer.concat(parts), request);
        response.setHeader('content-type', 'application/json');
        if (reply !== undefined && 'body' in reply) response.end(reply.body);
        else response.end(JSON.stringify(reply === undefined ? {} : { partialSuccess: reply }));
      } catch (error) {
        refused.push(String(error));
        response.writeHead(400).end();
      }
    });
  };
  const server: Server =
    secure === undefined
      ? createServer(onRequest)
      : createSecureServer(
          {
            key: secure,
            cert: secure,
            ...(clientAuthority === undefined ? {} : { ca: clientAuthority, requestCert: true }),
          },
          onRequest,
        );
  let failedHandshakes = 0;
  server.on('tlsClientError', () => {
    failedHandshakes += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    failedHandshakes: () => failedHandshakes,
    url: `${secure === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    resources,
    batches,
    callsAtMs,
    refused,
    respondNext: (...next) => {
      responses.push(...next);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function received(each: z.infer<typeof span>): ReceivedSpan {
  return {
    traceId: each.traceId,
    spanId: each.spanId,
    parentSpanId: each.parentSpanId,
    traceState: each.traceState,
    name: each.name,
    kind: each.kind === 2 ? 'server' : 'client',
    startMs: Number(BigInt(each.startTimeUnixNano) / 1_000n) / 1_000,
    endMs: Number(BigInt(each.endTimeUnixNano) / 1_000n) / 1_000,
    failed: each.status.code === 2,
    attributes: plain(each.attributes),
  };
}

function plain(given: z.infer<typeof attributes>): Record<string, string | number> {
  return Object.fromEntries(
    given.map(({ key, value }) => {
      if ('intValue' in value) return [key, Number(value.intValue)];
      return [key, Object.values(value)[0] as string];
    }),
  );
}
