import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { AcmeError } from './acme-error.ts';

export interface HttpsOptions {
  /** PEM of further authorities for the CA's own TLS certificate (`ACME_CA_FILE`). Default: Node's own list. */
  readonly ca?: string;
  /** For one request, from connecting to the last byte, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  readonly userAgent: string;
}

export interface HttpsResponse {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: string;
}

export interface HttpsRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  readonly body?: string;
  readonly contentType?: string;
}

/** A chain of ten certificates is 30 KB; more than this is no ACME. */
const mostBodyBytes = 1_048_576;

/** Requests to one CA over connections that are kept. Redirects are not followed: ACME has none. */
export class HttpsClient {
  readonly #options: HttpsOptions & { readonly timeoutMs: number };
  readonly #agent: Agent;

  constructor(options: HttpsOptions) {
    this.#options = { timeoutMs: 30_000, ...options };
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 16,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    });
  }

  /** @throws AcmeError `acme-unreachable`; an aborted call rejects with the signal's reason */
  async send(required: HttpsRequest, signal: AbortSignal): Promise<HttpsResponse> {
    signal.throwIfAborted();
    const what = `${required.method} ${required.url}`;
    const within = AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)]);
    try {
      return await this.#exchange(required, within);
    } catch (error) {
      signal.throwIfAborted();
      throw AcmeError.unreachable(what, within.aborted ? timedOut(this.#options.timeoutMs) : error);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #exchange({ method, url, body, contentType }: HttpsRequest, signal: AbortSignal): Promise<HttpsResponse> {
    return new Promise((resolve, reject) => {
      const headers: Record<string, string | number> = { 'user-agent': this.#options.userAgent };
      if (body !== undefined) headers['content-length'] = Buffer.byteLength(body);
      if (contentType !== undefined) headers['content-type'] = contentType;
      const sent = request(url, { method, headers, agent: this.#agent, signal }, (response) => {
        readBody(response).then((text) => resolve(responseOf(response, text)), reject);
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }
}

function responseOf(response: IncomingMessage, body: string): HttpsResponse {
  return {
    status: response.statusCode ?? 0,
    header: (name) => {
      const value = response.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    body,
  };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBodyBytes) throw new Error(`the response is larger than ${mostBodyBytes} bytes`);
    chunks.push(chunk);
  }
  if (!response.complete) throw new Error('the response broke off');
  return Buffer.concat(chunks).toString('utf8');
}

function timedOut(timeoutMs: number): Error {
  return new Error(`no complete response within ${timeoutMs} ms`);
}
