import { guard, SwarmgateError } from '@swarmgate/runtime';
import { linesOf } from '../../http/head-text.ts';
import { HeaderList } from '../../model/header-list.ts';
import { openConnection } from '../../transport/open-connection.ts';
import { type PostResponse, postResponseIn } from './post-response.ts';

/** What a collector made of a batch. */
export type PostOutcome =
  | ({ readonly kind: 'responded' } & PostResponse)
  | { readonly kind: 'failed'; readonly mayRetry: boolean; readonly error: Error };

const readBufferBytes = 65_536;

/**
 * Posts a batch over plain HTTP, on a connection of its own, by a client of its own: neither Node's nor the one that requests
 * go to endpoints with. Code that every request passes would be compiled for both users from the first batch on: Node's
 * client has sockets and writes of other shapes than the proxy's, and the proxy's own has another owner, receiver and request.
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
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? 80 : Number(url.port);
  const { promise, resolve } = Promise.withResolvers<PostOutcome>();
  let text = '';
  const end = (outcome: PostOutcome) => {
    clearTimeout(timer);
    socket.destroy();
    resolve(outcome);
  };
  const fail = (what: string, cause?: unknown) => end({ kind: 'failed', mayRetry: true, error: failure(what, cause) });
  const owner = { onFault: (error: unknown) => fail('its response could not be read', error) };
  const look = (ended: boolean) => {
    const response = postResponseIn(text, ended);
    if (response !== undefined) end({ kind: 'responded', ...response });
    else if (ended) fail('it closed the connection');
  };
  const onBytes = guard(owner, (bytes: Buffer) => {
    text += bytes.toString('latin1');
    look(false);
  });
  const onread = {
    buffer: (): Uint8Array => Buffer.allocUnsafeSlow(readBufferBytes),
    callback: (length: number, bytes: Uint8Array): boolean => {
      onBytes((bytes as Buffer).subarray(0, length));
      return true;
    },
  };
  const socket = openConnection({ host, port, secure: false }, { onread });
  const timer = setTimeout(
    guard(owner, () => fail(`it did not respond within ${timeoutMs} ms`)),
    timeoutMs,
  );
  socket.on(
    'end',
    guard(owner, () => look(true)),
  );
  socket.on('error', (error) => fail('the connection', error));
  socket.on(
    'close',
    guard(owner, () => look(true)),
  );
  socket.write(head + body.toString('latin1'), 'latin1');
  return promise;
}

function failure(what: string, cause?: unknown): SwarmgateError {
  return new SwarmgateError('collector-unreachable', `the collector took no spans: ${what}`, { cause });
}
