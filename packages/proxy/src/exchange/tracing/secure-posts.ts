import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { readRegularFileSync, SwarmgateError } from '@swarmgate/runtime';
import type { PostOutcome } from './post-spans.ts';

/** Files in PEM: what the collector is checked with, and what the proxy shows to it. */
export interface CollectorTls {
  /** Default: the authorities that Node has. */
  readonly authoritiesFile?: string | undefined;
  /** With its chain. Needs `keyFile`. */
  readonly certificateFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

const mostBodyBytes = 64 * 1_024;

/** Posts over TLS by Node's client, which checks certificates as programs of this machine do, on one connection that is kept. */
export class SecurePosts {
  readonly #tls: CollectorTls;
  #agent: Agent | undefined;

  constructor(tls: CollectorTls = {}) {
    this.#tls = tls;
  }

  /** @param headers with all of the body's but its length */
  async post(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
    timeoutMs: number,
  ): Promise<PostOutcome> {
    try {
      this.#agent ??= this.#createAgent();
      return await this.#send(url, headers, body, AbortSignal.timeout(timeoutMs));
    } catch (cause) {
      // Certificates are renewed in place: the next call reads the files again.
      this.stop();
      const error = new SwarmgateError('collector-unreachable', 'the collector took no spans over TLS', { cause });
      return { kind: 'failed', mayRetry: true, error };
    }
  }

  stop(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  /** @throws Error naming a file that cannot be read or used */
  #createAgent(): Agent {
    const { authoritiesFile, certificateFile, keyFile } = this.#tls;
    return new Agent({
      keepAlive: true,
      maxSockets: 1,
      ...(authoritiesFile === undefined ? {} : { ca: readRegularFileSync(authoritiesFile) }),
      ...(certificateFile === undefined ? {} : { cert: readRegularFileSync(certificateFile) }),
      ...(keyFile === undefined ? {} : { key: readRegularFileSync(keyFile) }),
    });
  }

  #send(url: URL, headers: Readonly<Record<string, string>>, body: Buffer, signal: AbortSignal): Promise<PostOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<PostOutcome>();
    const options = { method: 'POST', agent: this.#agent, headers: { ...headers, 'content-length': body.length } };
    const sent = request(url, { ...options, signal }, (response) => {
      read(response).then(resolve, reject);
    });
    sent.once('error', reject);
    sent.end(body);
    return promise;
  }
}

async function read(response: IncomingMessage): Promise<PostOutcome> {
  let body = '';
  response.setEncoding('utf8');
  for await (const part of response) if (body.length < mostBodyBytes) body += String(part);
  const { 'retry-after': retryAfter, date } = response.headers;
  return { kind: 'responded', status: response.statusCode ?? 0, body, retryAfter: { retryAfter, date } };
}
