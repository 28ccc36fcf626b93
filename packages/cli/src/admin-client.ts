import { UsageError } from '@swarmgate/runtime/errors';
import { readSettings, type Settings } from '@swarmgate/runtime/settings';
import fetch, { type Response } from 'node-fetch';
import { type Addressee, remedyFor, remedyWithoutTls, urlVariables } from './call-remedy.ts';
import { secureAgent } from './client-tls.ts';
import { readEvents, type ServerSentEvent } from './server-sent-events.ts';
import { UnreachableError } from './unreachable-error.ts';

export interface AdminResponse {
  /** Address that responded: scheme, host and port. */
  readonly from: string;
  readonly status: number;
  readonly body: unknown;
  /** What to set for this command, where it is not allowed to call at all. */
  readonly remedy?: string;
}

/** The proxy's REST as the operator's commands use it. */
export interface AdminClient {
  readonly url: string;
  get(path: string, query?: Readonly<Record<string, string>>): Promise<AdminResponse>;
  /**
   * Follows a stream of server-sent events until its reader stops, `signal` is aborted, or the proxy ends it.
   * @throws UnreachableError also while events are read: the connection broke, or was silent for too long
   */
  events(path: string, query?: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<EventStream>;
  post(path: string, query?: Readonly<Record<string, string>>, body?: unknown): Promise<AdminResponse>;
  delete(path: string, query?: Readonly<Record<string, string>>): Promise<AdminResponse>;
}

export type EventStream =
  | { readonly kind: 'open'; readonly events: AsyncIterable<ServerSentEvent> }
  | { readonly kind: 'refused'; readonly response: AdminResponse };

export interface AdminClientOptions {
  /**
   * Base address; default for a proxy `SWARMGATE_URL`, else loopback at `ADMIN_PORT`; for a listener `LISTENER_URL`, else
   * loopback at `LISTENER_PORT`.
   */
  readonly url?: string | undefined;
  /** Default `proxy`. */
  readonly to?: Addressee;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Timeout of one call in milliseconds. Default 60,000: longer than any barrier. */
  readonly timeoutMs?: number;
  /** A stream without a byte for so long is broken, in milliseconds. Default 45,000: the proxy pings every 15 s. */
  readonly silenceMs?: number;
}

export function createAdminClient(options: AdminClientOptions): AdminClient {
  const settings = readSettings('cli', { env: options.env });
  const to = options.to ?? 'proxy';
  const base = baseUrl(options.url ?? usualUrl(to, settings));
  const { timeoutMs = 60_000, silenceMs = 45_000 } = options;
  const agent = base.protocol === 'https:' ? { agent: secureAgent(settings, base.hostname) } : {};

  const urlOf = (path: string, query: Readonly<Record<string, string>>) => {
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  };
  const hasToken = settings.adminToken !== undefined && settings.adminToken !== 'none';
  const headersFor = (accept: string): Record<string, string> =>
    hasToken ? { accept, authorization: `Bearer ${settings.adminToken}` } : { accept };
  const responseOf = async (response: Response): Promise<AdminResponse> => {
    const { status, headers } = response;
    const body = parse(await response.text());
    const remedy = remedyFor({ from: base.origin, to, status, reason: headers.get('x-swarmgate-reason'), hasToken });
    return { from: base.origin, status, body, ...(remedy === undefined ? {} : { remedy }) };
  };
  const unreachable = (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    if (isWithoutTls(error))
      return new UnreachableError('proxy-unreachable', remedyWithoutTls(base.origin, to), { cause: error });
    return new UnreachableError(
      'proxy-unreachable',
      isOfCertificate(error)
        ? `the certificate of ${base.origin} is not accepted (${reason}). Its authority: SWARMGATE_CACERT=FILE; its names must include ${base.hostname}`
        : `no response from ${base.origin} (${reason}). Is the ${to} running there? Another address: --url or ${urlVariables[to]}`,
      { cause: error },
    );
  };

  const call = async (method: string, path: string, query: Readonly<Record<string, string>> = {}, body?: unknown) => {
    const url = urlOf(path, query);
    const headers = headersFor('application/json');
    if (body !== undefined) headers['content-type'] = 'application/json';
    try {
      const response = await fetch(url, {
        method,
        headers,
        ...agent,
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return await responseOf(response);
    } catch (error) {
      throw unreachable(error);
    }
  };

  const events = async (
    path: string,
    query: Readonly<Record<string, string>> = {},
    ended = new AbortController().signal,
  ): Promise<EventStream> => {
    // For the response's head, then for each piece: a stream has no end of its own.
    const silence = new Silence(timeoutMs);
    try {
      const response = await fetch(urlOf(path, query), {
        headers: headersFor('text/event-stream'),
        ...agent,
        signal: AbortSignal.any([silence.signal, ended]),
      });
      const { status, body } = response;
      if (status === 200 && body !== null)
        return { kind: 'open', events: eventsOf(body as AsyncIterable<Buffer>, silence, ended) };
      return { kind: 'refused', response: await responseOf(response) };
    } catch (error) {
      throw unreachable(error);
    } finally {
      silence.over();
    }
  };

  async function* eventsOf(body: AsyncIterable<Buffer>, silence: Silence, ended: AbortSignal) {
    try {
      yield* readEvents(silence.watch(body, silenceMs));
    } catch (error) {
      if (!ended.aborted) throw unreachable(error);
    }
  }

  return {
    url: base.origin,
    get: (path, query) => call('GET', path, query),
    events,
    post: (path, query, body) => call('POST', path, query, body),
    delete: (path, query) => call('DELETE', path, query),
  };
}

/** Aborts what has been silent for too long: a connection whose other end has vanished raises no event. */
class Silence {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(firstMs: number) {
    this.#wait(firstMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  over(): void {
    clearTimeout(this.#timer);
  }

  async *watch<T>(pieces: AsyncIterable<T>, mostMs: number): AsyncGenerator<T> {
    this.#wait(mostMs);
    try {
      for await (const piece of pieces) {
        // The reader's own time is no silence.
        this.over();
        yield piece;
        this.#wait(mostMs);
      }
    } finally {
      this.over();
    }
  }

  #wait(mostMs: number): void {
    this.over();
    this.#timer = setTimeout(() => this.#controller.abort(), mostMs);
  }
}

function usualUrl(to: Addressee, { adminUrl, adminPort, adminTls, listenerUrl, listenerPort }: Settings): string {
  if (to === 'proxy') return adminUrl ?? `${adminTls === undefined ? 'http' : 'https'}://127.0.0.1:${adminPort}`;
  return listenerUrl ?? `http://127.0.0.1:${listenerPort === 'off' ? 8080 : listenerPort}`;
}

function baseUrl(given: string): URL {
  const text = given.includes('://') ? given : `http://${given}`;
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new UsageError('url-invalid', `${JSON.stringify(given)} is not an address such as http://127.0.0.1:8080`);
  }
  return new URL(text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Codes of OpenSSL's verification, and of Node's for names. */
function isOfCertificate(error: unknown): boolean {
  return /CERT|UNABLE_TO_VERIFY/.test(String((error as { readonly code?: unknown }).code));
}

/** OpenSSL's codes for a first record that is none of TLS, such as a response of HTTP. */
function isWithoutTls(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return /WRONG_VERSION_NUMBER|PACKET_LENGTH|EPROTO/.test(String(code));
}
