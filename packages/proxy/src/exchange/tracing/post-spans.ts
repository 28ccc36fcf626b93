import { SwarmgateError } from '@swarmgate/runtime';
import { linesOf } from '../../http/head-text.ts';
import { HeaderList } from '../../model/header-list.ts';
import { openSingleExchange } from '../../transport/single-exchange.ts';

/** Fields of a response that say when to send again. */
export interface RetryAfter {
  readonly retryAfter: string | undefined;
  readonly date: string | undefined;
}

/** What a collector made of a batch. */
export type PostOutcome =
  | { readonly kind: 'responded'; readonly status: number; readonly body: string; readonly retryAfter: RetryAfter }
  | { readonly kind: 'failed'; readonly mayRetry: boolean; readonly error: Error };

const mostBodyBytes = 64 * 1_024;

/**
 * Posts a batch over plain HTTP, on a connection of its own, as requests go to endpoints. Node's client would do the same, but
 * its sockets and writes are of other shapes than the proxy's: code of Node that every request passes would be compiled for
 * both from the first batch on, and each request would cost 5 to 9 % more.
 * @param headers with all of the body's but its length
 */
export function postSpans(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  timeoutMs: number,
): Promise<PostOutcome> {
  const fields = new HeaderList(['Host', url.host]);
  for (const [name, value] of Object.entries(headers)) fields.set(name, value);
  fields.set('Content-Length', String(body.length));
  fields.set('Connection', 'close');
  const lines = linesOf(fields);
  if (lines === undefined)
    return Promise.resolve({
      kind: 'failed',
      mayRetry: false,
      error: failure('a header of the calls is not sendable'),
    });
  const head = `POST ${url.pathname}${url.search} HTTP/1.1\r\n${lines}\r\n`;
  const firstBytes = body.toString('latin1');
  const request = { method: 'POST', head, chunked: false, firstBytes, whole: true, trailers: '', upgrade: '' } as const;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? 80 : Number(url.port);
  const collector = { id: url.host, host, port, secure: false, state: 'active' } as const;
  return new Promise((resolve) => {
    const fail = (what: string, cause?: unknown) =>
      end({ kind: 'failed', mayRetry: true, error: failure(what, cause) });
    const { channel, close } = openSingleExchange(collector, timeoutMs, () => fail('its connection failed'));
    const timer = setTimeout(() => fail(`it did not respond within ${timeoutMs} ms`), timeoutMs);
    let status = 0;
    let retryAfter: RetryAfter = { retryAfter: undefined, date: undefined };
    let text = '';
    const end = (outcome: PostOutcome) => {
      clearTimeout(timer);
      close();
      resolve(outcome);
    };
    const take = (bytes: Buffer, from: number, to: number, complete: boolean) => {
      if (text.length < mostBodyBytes) text += bytes.toString('utf8', from, to);
      if (complete) end({ kind: 'responded', status, body: text, retryAfter });
      return false;
    };
    channel.send(request, timeoutMs, {
      wantsPayload: true,
      onInterim: () => {},
      onHead: (received, bytes, _framing, from, to, complete) => {
        status = received.status;
        retryAfter = { retryAfter: received.header('retry-after'), date: received.header('date') };
        return take(bytes, from, to, complete);
      },
      onBody: take,
      onUpgrade: () => fail('it changed the protocol'),
      onBroken: (fault) => fail(`the connection: ${fault.kind}`, 'error' in fault ? fault.error : undefined),
      onWritable: () => {},
      onConnected: () => {},
      onSilence: () => {},
      onFault: (error) => fail('its response could not be read', error),
    });
  });
}

function failure(what: string, cause?: unknown): SwarmgateError {
  return new SwarmgateError('collector-unreachable', `the collector took no spans: ${what}`, { cause });
}
