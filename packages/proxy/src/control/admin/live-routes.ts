import { guard, isName } from '@swarmgate/runtime';
import { Router } from 'express';
import type { LiveFilter } from '../live/live-request.ts';
import type { LiveBatch } from '../live/live-tail.ts';
import type { AdminParts } from './admin-parts.ts';
import { requireAuthorization } from './http.ts';
import { BadRequestError, queryOf } from './request-query.ts';

const mostStreams = 16;
const mostWaitingBytes = 256 * 1_024;
const mostPerSecond = 500;
/** Times of a stream, in milliseconds. */
export interface StreamTimes {
  /** Proxies between here and the client close connections that are silent. */
  readonly pingEveryMs: number;
  /** A client that takes nothing of what waits for it for so long is gone, or holds one of few places for nothing. */
  readonly stalledMs: number;
}

const usualTimes: StreamTimes = { pingEveryMs: 15_000, stalledMs: 30_000 };

/** `GET /v1/requests`: requests as they end, as server-sent events. In memory only; bounded for each client and in all. */
export function liveRoutes(parts: AdminParts, times = usualTimes): Router {
  const router = Router();
  let streams = 0;

  router.get('/v1/requests', requireAuthorization(parts, 'live requests'), (request, response) => {
    const query = queryOf(request);
    const filter = readFilter(query);
    const perSecond = wholeNumber(query, 'limit', 1, mostPerSecond) ?? 50;
    if (parts.server.watchRequests === undefined || streams >= mostStreams) {
      response.setHeader('Retry-After', '5');
      response.status(503).json({ Status: 'NOK', Message: `${mostStreams} streams of live requests are open already` });
      return;
    }
    streams += 1;
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    let takenAtMs = performance.now();
    const send = (text: string) => {
      // Nothing waited before: the time begins with this.
      if (response.writableLength === 0) takenAtMs = performance.now();
      response.write(text, () => {
        takenAtMs = performance.now();
      });
    };
    send(': live requests\n\n');
    // Counted until the client can be notified.
    let skipped = 0;
    const workers = Math.max(1, parts.server.workers().length);
    const onBatch = (batch: LiveBatch) => {
      skipped += batch.skipped;
      if (response.writableLength > mostWaitingBytes) {
        skipped += batch.requests.length;
        return;
      }
      const events = batch.requests.map((each) => `event: request\ndata: ${JSON.stringify(each)}\n\n`);
      if (skipped > 0) events.push(`event: skipped\ndata: ${JSON.stringify({ count: skipped })}\n\n`);
      skipped = 0;
      send(events.join(''));
    };
    const unwatch = parts.server.watchRequests({ filter, perSecond: Math.ceil(perSecond / workers) }, onBatch);
    const owner = {
      onFault(error: unknown) {
        parts.logger.error({ err: error }, 'a stream of live requests failed');
        response.destroy();
      },
    };
    const sendPing = guard(owner, () => {
      if (parts.draining()) response.end();
      else if (response.writableLength > 0 && performance.now() - takenAtMs > times.stalledMs) response.destroy();
      else if (response.writableLength <= mostWaitingBytes) send(': ping\n\n');
    });
    const ping = setInterval(sendPing, times.pingEveryMs);
    response.once(
      'close',
      guard(owner, () => {
        streams -= 1;
        clearInterval(ping);
        unwatch();
      }),
    );
  });

  return router;
}

/** @throws BadRequestError */
function readFilter(query: ReadonlyMap<string, string>): LiveFilter {
  const service = query.get('service');
  if (service !== undefined && !isService(service))
    throw new BadRequestError(
      'parameter-invalid',
      'service is not a name, nor an owner and a name with a slash between',
    );
  const minDurationMs = wholeNumber(query, 'minDurationMs', 0, 86_400_000);
  return { service, status: readStatus(query.get('status')), minDurationMs, reason: query.get('reason') };
}

/** Empty, a service, or `<owner>/<service>`. */
function isService(text: string): boolean {
  const parts = text.split('/');
  return text === '' || (parts.length <= 2 && parts.every(isName));
}

function readStatus(given: string | undefined): LiveFilter['status'] {
  if (given === undefined) return undefined;
  if (/^[1-5]xx$/.test(given)) {
    const from = Number(given[0]) * 100;
    return { from, to: from + 99 };
  }
  if (/^[1-5]\d\d$/.test(given)) return { from: Number(given), to: Number(given) };
  throw new BadRequestError('parameter-invalid', 'status is not a status such as 404, nor a class such as 5xx');
}

function wholeNumber(
  query: ReadonlyMap<string, string>,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const given = query.get(name);
  if (given === undefined) return undefined;
  if (/^\d{1,9}$/.test(given) && Number(given) >= least && Number(given) <= most) return Number(given);
  throw new BadRequestError('parameter-invalid', `${name} is not a whole number from ${least} to ${most}`);
}
