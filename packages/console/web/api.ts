import type { ChangeResponse } from './types.ts';

/** A call that was not successful. */
export class CallError extends Error {
  /** 0: the proxy did not respond. */
  readonly status: number;
  readonly reason: string;
  readonly response: ChangeResponse | undefined;

  constructor(status: number, reason: string, message: string, response?: ChangeResponse) {
    super(message);
    this.name = 'CallError';
    this.status = status;
    this.reason = reason;
    this.response = response;
  }
}

const withinMs = 20_000;
/** A change waits until every replica serves it. */
const changeWithinMs = 60_000;

export async function read<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
  const search = new URLSearchParams(query).toString();
  return (await call(`${path}${search === '' ? '' : `?${search}`}`, { signal: AbortSignal.timeout(withinMs) })) as T;
}

export async function change(
  method: 'POST' | 'DELETE',
  path: string,
  body: unknown,
  query: Readonly<Record<string, string>> = {},
): Promise<ChangeResponse> {
  const search = new URLSearchParams(query).toString();
  return (await call(`${path}${search === '' ? '' : `?${search}`}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(changeWithinMs),
  })) as ChangeResponse;
}

async function call(path: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', redirect: 'error', ...init });
  } catch (error) {
    throw new CallError(0, 'unreachable', `this proxy does not respond (${(error as Error).message})`);
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return body;
  const reply = body as (ChangeResponse & { readonly Message?: string }) | undefined;
  throw new CallError(
    response.status,
    response.headers.get('x-swarmgate-reason') ?? String(response.status),
    // Its message is for callers with a token.
    response.status === 401 && path !== '/v1/session'
      ? 'there is no login, or it has ended'
      : (reply?.Message ?? `the proxy responded with ${response.status}`),
    reply,
  );
}
