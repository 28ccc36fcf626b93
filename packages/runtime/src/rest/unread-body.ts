import type { IncomingMessage, ServerResponse } from 'node:http';
import { hasBody } from './read-body.ts';

/** What a client may still send behind the response to its call. The runtime reads a body to its end, however long it is. */
const mostUnreadBytes = 1024 * 1024;
/** And for how long, in milliseconds. */
const longestUnreadMs = 1_000;
const lookEveryMs = 1;

/** Ends connections whose clients go on with a body that no call reads. */
export function endUnreadBodies(): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  return (request, response, next) => {
    if (hasBody(request))
      response.once('finish', () => {
        const { socket } = request;
        const mostBytes = socket.bytesRead + mostUnreadBytes;
        const endAtMs = performance.now() + longestUnreadMs;
        const timer = setInterval(() => {
          const isOver = request.complete || socket.destroyed;
          if (!isOver && socket.bytesRead <= mostBytes && performance.now() < endAtMs) return;
          clearInterval(timer);
          if (!isOver) socket.destroy();
        }, lookEveryMs).unref();
      });
    next();
  };
}
