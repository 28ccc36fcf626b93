import { EventEmitter } from 'node:events';
import type { ClientRequest, RequestOptions } from 'node:http';
import Consul from 'consul';
import { RegistryError } from '../registry-error.ts';

export interface ConsulStoreOptions {
  /** `host:port` or a URL; without a port 8500. */
  readonly address: string;
  readonly token?: string;
  /** Use TLS; an `https:` address implies it. Default false. */
  readonly secure?: boolean;
  /** PEM texts: the authority that signed Consul's certificate, and for mutual TLS our own certificate and key. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Longest time for a call that does not wait, in milliseconds. Default 10_000. */
  readonly timeoutMs?: number;
}

/** What `includeResponse` makes of a response: the response first, then the body where there is one. */
export type ConsulResponse<T> = readonly [{ readonly headers: Readonly<Record<string, string>> }, T?];

/** Options that every call of the package takes; its own typings leave most of them out. */
export interface CallOptions {
  readonly ctx: EventEmitter;
  readonly timeout: number;
  readonly consistent?: boolean;
  readonly index?: string;
  readonly wait?: string;
}

export interface KvItem {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
  readonly Session?: string;
}

export interface TransactionOperation {
  readonly KV: {
    readonly Verb: string;
    readonly Key: string;
    readonly Value?: string;
    readonly Index?: number;
    readonly Session?: string;
  };
}

export interface TransactionResponse {
  readonly Results: readonly { readonly KV: KvItem }[] | null;
  readonly Errors: readonly { readonly OpIndex: number; readonly What: string }[] | null;
}

/** The part of package `consul` that the store uses, with what it resolves to in a call for the whole response. */
export interface ConsulClient {
  readonly kv: {
    get(options: CallOptions & { readonly key: string; readonly recurse?: false }): Promise<ConsulResponse<KvItem>>;
    get(
      options: CallOptions & { readonly key: string; readonly recurse: true; readonly raw: true },
    ): Promise<ConsulResponse<Buffer>>;
    keys(
      options: CallOptions & { readonly key: string; readonly separator?: string },
    ): Promise<ConsulResponse<string[]>>;
  };
  readonly session: {
    create(
      options: CallOptions & {
        readonly name: string;
        readonly ttl: string;
        readonly behavior: string;
        readonly lockdelay: string;
        readonly checks: readonly string[];
      },
    ): Promise<ConsulResponse<{ readonly ID: string }>>;
    renew(options: CallOptions & { readonly id: string }): Promise<ConsulResponse<unknown>>;
    destroy(options: CallOptions & { readonly id: string }): Promise<ConsulResponse<unknown>>;
  };
  readonly transaction: {
    create(
      operations: readonly TransactionOperation[],
      options: CallOptions,
    ): Promise<ConsulResponse<TransactionResponse>>;
  };
  /** The extension points of papi, the HTTP client under the package: before a request is built, before it is sent. */
  _ext(event: 'onCreate' | 'onRequest', extend: (request: PapiRequest, next: () => void) => void): void;
  destroy(): void;
}

interface PapiRequest {
  readonly opts: { readonly name?: string; readonly body?: object };
  transport: { request(options: RequestOptions): ClientRequest };
}

const defaultPort = 8500;

export function connectConsul(options: ConsulStoreOptions): { readonly client: ConsulClient; readonly url: URL } {
  const url = consulUrl(options);
  const tls = Object.fromEntries(
    Object.entries({ ca: options.ca, cert: options.cert, key: options.key }).filter(([, pem]) => pem !== undefined),
  );
  const settings = {
    host: url.hostname,
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    secure: url.protocol === 'https:',
    // At top level, where papi picks them up for each request; `agentOptions` is ignored.
    ...tls,
    ...(options.token === undefined ? {} : { defaults: { token: options.token } }),
  };
  const client = new Consul(settings) as unknown as ConsulClient;
  client._ext('onCreate', (request, next) => {
    // The package sends no `NodeChecks`, and Consul then binds the session to the health of the agent's node: one
    // missed gossip round would end every replica's presence.
    if (request.opts.name === 'session.create' && request.opts.body !== undefined)
      Object.assign(request.opts.body, { NodeChecks: [] });
    next();
  });
  client._ext('onRequest', (request, next) => {
    const { transport } = request;
    request.transport = { request: (options) => failWhenCut(transport.request(options)) };
    next();
  });
  return { client, url };
}

/** papi waits for the end of a response and does not look whether its connection broke: it would wait for the deadline. */
function failWhenCut(request: ClientRequest): ClientRequest {
  return request.once('response', (response) => {
    response.once('close', () => {
      if (!response.complete) request.emit('error', new Error('the response broke off'));
    });
  });
}

/** Runs one call with a deadline and a way to abort it, and classifies its failure. */
export async function callConsul<T>(
  what: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  call: (options: CallOptions) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const ctx = Object.assign(new EventEmitter(), { includeResponse: true });
  const onAbort = () => ctx.emit('cancel');
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await call({ ctx, timeout: timeoutMs });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw consulError(what, error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** HTTP status of a failed call; `undefined` when there was no response. */
export function statusOf(error: unknown): number | undefined {
  return responseOf(error)?.statusCode;
}

export function responseOf(error: unknown): FailedResponse | undefined {
  if (!(error instanceof Error) || !('response' in error)) return undefined;
  return error.response as FailedResponse;
}

export interface FailedResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export function consulError(what: string, error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  const status = statusOf(error);
  const sent = responseOf(error)?.body;
  // A list is requested as bytes, so a refusal comes as bytes too.
  const body = Buffer.isBuffer(sent) ? sent.toString() : sent;
  const said =
    typeof body === 'string' && body !== '' ? body.slice(0, 300) : error instanceof Error ? error.message : '';
  const message = `consul: ${what}: ${status === undefined ? '' : `${status} `}${said}`;
  const cause = withoutResponse(error);
  if (status === 401 || status === 403) return RegistryError.of('registry-denied', message, cause);
  // Below 400 the response itself is broken; 429 means too many calls, 5xx a cluster without a leader: all of these are temporary.
  if (status === undefined || status < 400 || status === 429 || status >= 500) {
    return RegistryError.of('registry-unreachable', message, cause);
  }
  return RegistryError.of('registry-refused', message, cause);
}

/** The package hangs the response on its errors, and with it our request: its headers hold the token. */
function withoutResponse(error: unknown): unknown {
  if (!(error instanceof Error) || responseOf(error) === undefined) return error;
  return new Error(error.message);
}

/** With scheme and port. @throws RegistryError `registry-refused` for an address that is none */
export function consulUrl(options: Pick<ConsulStoreOptions, 'address' | 'secure'>): URL {
  const text = /^[a-z]+:\/\//i.test(options.address) ? options.address : `http://${options.address}`;
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw RegistryError.of('registry-refused', `CONSUL_HTTP_ADDR=${options.address} is neither host:port nor a URL`);
  }
  // WHATWG URLs drop a scheme's own port, and Consul's default is another one.
  if (url.port === '') url.port = /:(80|443)\/?$/.test(text) ? '' : String(defaultPort);
  if (options.secure) url.protocol = 'https:';
  return url;
}
