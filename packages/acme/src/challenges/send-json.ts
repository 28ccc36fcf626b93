import { DnsProviderError } from './dns-provider.ts';

export interface JsonCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object;
}

export interface JsonAnswer {
  readonly status: number;
  readonly text: string;
  /** `undefined`: no JSON. */
  readonly json: unknown;
}

/** How long a provider may take over one call, in milliseconds. */
const timeoutMs = 60_000;

/** One call to a provider's API. @throws DnsProviderError where there is no answer */
export async function sendJson({ method, url, headers, body }: JsonCall, signal: AbortSignal): Promise<JsonAnswer> {
  try {
    const answer = await fetch(url, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // Credentials go to the address that was configured, and nowhere else.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await answer.text();
    return { status: answer.status, text, json: parsed(text) };
  } catch (error) {
    signal.throwIfAborted();
    throw DnsProviderError.of(`${method} ${url}: no answer`, error);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
