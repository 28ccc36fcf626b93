import { guard, guardPromise, type Logger } from '@swarmgate/runtime';
import type { Request, Response } from 'express';
import { callSession } from './admin-session.ts';
import type { StreamPlaces } from './stream-places.ts';

/** Times of a stream, in milliseconds. */
export interface StreamTimes {
  /** Proxies between here and the client close connections that are silent. */
  readonly pingEveryMs: number;
  /** A client that takes nothing of what waits for it for so long is gone, or holds one of few places for nothing. */
  readonly stalledMs: number;
}

export interface EventStreamOptions {
  readonly times: StreamTimes;
  readonly logger: Logger;
  /** The proxy is about to stop. */
  readonly draining: () => boolean;
  /** Sent where nothing else was for a while; `undefined`: not now. */
  readonly ping: () => string | undefined;
  readonly onClose: () => void;
  readonly places: StreamPlaces;
  /** It ends after so long, in milliseconds; absent: not by itself. */
  readonly endAfterMs?: number | undefined;
}

/** A response of server-sent events. */
export interface EventStream {
  /** Aborted when the stream has ended. */
  readonly signal: AbortSignal;
  send(text: string): void;
  /** Sent, and not taken by the client yet. */
  waitingBytes(): number;
  /** Resolves when the client has taken some of it, or the stream has ended. */
  taken(): Promise<void>;
  end(): void;
}

/**
 * Begins a stream: it ends with its client, with the session that it was opened by, with a client that reads nothing, with
 * its place, and with the proxy. `undefined`: there is no place, and the call got 503, or its client is gone already.
 */
export function openEventStream(
  request: Request,
  response: Response,
  options: EventStreamOptions,
): EventStream | undefined {
  const { times, logger, draining, ping, onClose, places, endAfterMs } = options;
  // The session was looked up in the registry meanwhile. `close` is not emitted again, so nothing would end the stream.
  if (response.destroyed) return undefined;
  const release = places.take(request.socket.remoteAddress ?? '', () => response.end());
  if (release === undefined) {
    response.setHeader('Retry-After', '5');
    response.status(503).json({ Status: 'NOK', Message: `${places.most} streams of ${request.path} are open already` });
    return undefined;
  }
  const session = callSession(response);
  const ending = new AbortController();
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
  });
  const owner = {
    onFault(error: unknown) {
      logger.error({ err: error, path: request.path }, 'a stream of events failed');
      response.destroy();
    },
  };
  let takenAtMs = performance.now();
  let next = Promise.withResolvers<void>();
  const taken = () => {
    takenAtMs = performance.now();
    next.resolve();
    next = Promise.withResolvers();
  };
  const send = (text: string) => {
    // The end is there before the client has taken it, and a write behind it would end the process.
    if (response.writableEnded || response.destroyed) return;
    // Nothing waited before: the time begins with this.
    if (response.writableLength === 0) taken();
    response.write(text, taken);
  };
  const look = async () => {
    // Also behind the end: a client that does not take it holds its place.
    if (response.writableLength > 0 && performance.now() - takenAtMs > times.stalledMs) response.destroy();
    else if (draining() || (session !== undefined && !(await session.isValid()))) response.end();
    else {
      const text = ping();
      if (text !== undefined) send(text);
    }
  };
  const timer = setInterval(
    guard(owner, () => guardPromise(owner, look())),
    times.pingEveryMs,
  );
  const lastTimer =
    endAfterMs === undefined
      ? undefined
      : setTimeout(
          guard(owner, () => response.end()),
          endAfterMs,
        );
  response.once(
    'close',
    guard(owner, () => {
      clearInterval(timer);
      clearTimeout(lastTimer);
      ending.abort(new Error('the stream has ended'));
      next.resolve();
      release();
      onClose();
    }),
  );
  if (request.method === 'HEAD') response.end();
  return {
    signal: ending.signal,
    send,
    waitingBytes: () => response.writableLength,
    taken: () => next.promise,
    end: () => response.end(),
  };
}
