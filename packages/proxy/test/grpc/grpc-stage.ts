import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { endpointAt } from '../test-context.ts';

/** Messages are bytes: the proxy never looks into them. */
const raw = (value: Buffer) => value;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: raw,
  requestDeserialize: raw,
  responseSerialize: raw,
  responseDeserialize: raw,
});
export const echoService = {
  Unary: method('Unary', false, false),
  Collect: method('Collect', true, false),
  Expand: method('Expand', false, true),
  Chat: method('Chat', true, true),
} satisfies ServiceDefinition;

/** A server of `@grpc/grpc-js`, on a port of its own. */
export async function startGrpcServer(implementation: UntypedServiceImplementation, port = 0) {
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  server.addService(echoService, implementation);
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    ),
  );
  return {
    port: bound,
    endpoint: endpointAt(bound, { http2: true }),
    /** GOAWAY, then the end of each call. */
    drain: () => new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
    stop: () => server.forceShutdown(),
  };
}

/** Client retries are off: what the proxy does not repeat fails. */
export function grpcClient(port: number): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.enable_retries': 0,
    'grpc.max_receive_message_length': -1,
    'grpc.default_authority': 'shop.example',
  });
}

export interface CallResult {
  readonly code: number;
  readonly details: string;
  readonly message: string | undefined;
  /** Initial and trailing metadata. */
  readonly head: Metadata;
  readonly trailers: Metadata;
}

export function unary(
  client: Client,
  request: string | Buffer,
  {
    metadata = new Metadata(),
    deadlineMs,
    path = echoService.Unary.path,
  }: { metadata?: Metadata; deadlineMs?: number; path?: string } = {},
): Promise<CallResult> {
  return new Promise((resolve) => {
    let head = new Metadata();
    let result: { code: number; details: string; message: string | undefined } | undefined;
    let trailers: Metadata | undefined;
    const settle = () => {
      if (result !== undefined && trailers !== undefined) resolve({ ...result, head, trailers });
    };
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    const call = client.makeUnaryRequest(path, raw, raw, Buffer.from(request), metadata, options, (error, value) => {
      result = { code: error?.code ?? 0, details: error?.details ?? '', message: value?.toString('latin1') };
      settle();
    });
    call.on('metadata', (each: Metadata) => {
      head = each;
    });
    call.on('status', (status) => {
      trailers = status.metadata;
      settle();
    });
  });
}
