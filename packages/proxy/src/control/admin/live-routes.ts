import { isName } from '@swarmgate/runtime';
import { Router } from 'express';
import type { LiveFilter } from '../live/live-request.ts';
import type { LiveBatch } from '../live/live-tail.ts';
import type { AdminParts } from './admin-parts.ts';
import { openEventStream, type StreamTimes } from './event-stream.ts';
import { requireAuthorization } from './http.ts';
import { BadRequestError, queryOf } from './request-query.ts';
import { StreamPlaces } from './stream-places.ts';

const mostStreams = 16;
const mostWaitingBytes = 256 * 1_024;
const mostPerSecond = 500;
/** How long a stream lasts that ends by itself, in milliseconds; its client opens the next at once. */
const shortest = 500;
const longest = 60_000;
const retryMs = 100;
const usualTimes: StreamTimes = { pingEveryMs: 15_000, stalledMs: 30_000 };

/** `GET /v1/requests`: requests as they end, as server-sent events. In memory only; bounded for each client and in all. */
export function liveRoutes(parts: AdminParts, times = usualTimes): Router {
  const router = Router();
  const places = new StreamPlaces({ most: mostStreams });

  router.get('/v1/requests', requireAuthorization(parts, 'live requests'), (request, response) => {
    const query = queryOf(request);
    const filter = readFilter(query);
    const perSecond = wholeNumber(query, 'limit', 1, mostPerSecond) ?? 50;
    const endAfterMs = wholeNumber(query, 'forMs', shortest, longest);
    let unwatch = () => {};
    const stream = openEventStream(request, response, {
      times,
      logger: parts.logger,
      draining: parts.draining,
      places,
      ping: () => ((stream?.waitingBytes() ?? 0) <= mostWaitingBytes ? ': ping\n\n' : undefined),
      onClose() {
        unwatch();
      },
      endAfterMs,
    });
    if (stream === undefined) return;
    stream.send(endAfterMs === undefined ? ': live requests\n\n' : `retry: ${retryMs}\n\n`);
    // Counted until the client can be notified.
    let skipped = 0;
    const workers = Math.max(1, parts.server.workers().length);
    const onBatch = (batch: LiveBatch) => {
      skipped += batch.skipped;
      if (stream.waitingBytes() > mostWaitingBytes) {
        skipped += batch.requests.length;
        return;
      }
      const events = batch.requests.map((each) => `event: request\ndata: ${JSON.stringify(each)}\n\n`);
      if (skipped > 0) events.push(`event: skipped\ndata: ${JSON.stringify({ count: skipped })}\n\n`);
      skipped = 0;
      stream.send(events.join(''));
    };
    const watch = { filter, perSecond: Math.ceil(perSecond / workers) };
    unwatch = parts.server.watchRequests?.(watch, onBatch) ?? unwatch;
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
