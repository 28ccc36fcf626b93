import { DnsProviderError } from './dns-provider.ts';

export interface JsonCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object;
}

export interface JsonResponse {
  readonly status: number;
  readonly text: string;
  /** `undefined`: no JSON. */
  readonly json: unknown;
}

/** How long a provider may take over one call, in milliseconds. */
const timeoutMs = 60_000;

/** One call to a provider's API. @throws DnsProviderError where there is no response */
export async function sendJson({ method, url, headers, body }: JsonCall, signal: AbortSignal): Promise<JsonResponse> {
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // Credentials go to the address that was configured, and nowhere else.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await response.text();
    return { status: response.status, text, json: parsed(text) };
  } catch (error) {
    signal.throwIfAborted();
    throw DnsProviderError.of(`${method} ${url}: no response`, error);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
