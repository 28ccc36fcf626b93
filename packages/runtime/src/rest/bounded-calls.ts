import type { IncomingMessage, RequestListener, ServerOptions, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long a call may take to arrive, in milliseconds, and how often that is looked at. */
export type CallPatience = Pick<ServerOptions, 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval'>;

export const callPatience: CallPatience = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
};

/** A call is at its end then, whatever its client reads, in milliseconds. */
export const longestCallMs = 60_000;

/**
 * Calls under way on one connection. The runtime begins all that it reads at once: a packet of a thousand would hold up
 * everything else of the process, and no client of a REST port sends calls before it has its responses.
 */
const mostPipelined = 16;

/** Closes connections with more calls under way than a client needs. */
export function boundPipelining(reply: RequestListener): RequestListener {
  const underWay = new WeakMap<Duplex, number>();
  return (request, response) => {
    const { socket } = request;
    const count = (underWay.get(socket) ?? 0) + 1;
    // What the same packet holds behind the last one is still parsed.
    if (socket.destroyed || count > mostPipelined) {
      socket.destroy();
      return;
    }
    underWay.set(socket, count);
    response.once('close', () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
    reply(request, response);
  };
}

/** Ends calls that take longer, streams of events apart. */
export function endInTime(
  afterMs = longestCallMs,
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  return (_request, response, next) => {
    const timer = setTimeout(() => {
      if (response.getHeader('Content-Type') !== 'text/event-stream') response.destroy();
    }, afterMs).unref();
    response.once('close', () => clearTimeout(timer));
    next();
  };
}
