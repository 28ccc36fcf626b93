import { authorizeChange, guardPromise } from '@swarmgate/runtime';
import { type Request, type Response, Router } from 'express';
import { changeEvents, currentEvent, resetEvent, versionOf } from '../live/item-events.ts';
import { type ItemKind, type ItemName, type ItemVersions, itemKinds } from '../live/item-versions.ts';
import type { StateSource } from '../live/state-source.ts';
import type { AdminParts } from './admin-parts.ts';
import { hasSession } from './admin-session.ts';
import { type EventStream, openEventStream, type StreamTimes } from './event-stream.ts';
import { callOf } from './http.ts';
import { choiceOf, queryOf } from './request-query.ts';
import { StreamPlaces } from './stream-places.ts';

const mostStreams = 32;
/** What waits for one client; the next event is made when it has taken this. */
const mostWaitingBytes = 64 * 1_024;
const usualTimes: StreamTimes = { pingEveryMs: 3_000, stalledMs: 30_000 };
/** After a stream that broke off, in milliseconds: the browser waits that long. */
const retryMs = 2_000;

const open: readonly ItemKind[] = ['status', 'keys', 'services', 'problems', 'openMaintenance'];
/** What `ADMIN_READ` does not open, as in `GET /v1/services`. */
const all: readonly ItemKind[] = itemKinds.filter((kind) => kind !== 'openMaintenance');
/** A client gets these of the service that it named. */
const ofOneService: readonly ItemKind[] = ['documents', 'details'];

/**
 * `GET /v1/events`: the state, then its changes, as server-sent events. A client that comes back with `Last-Event-ID` (or
 * `after`, for a page that opens a new stream) gets what changed since.
 */
export function eventRoutes(parts: AdminParts, times = usualTimes, keptMs?: number): Router {
  const router = Router();
  const places = new StreamPlaces({ most: mostStreams, ...(keptMs === undefined ? {} : { keptMs }) });

  router.get('/v1/events', (request, response) => {
    const query = queryOf(request);
    const scope = choiceOf(query, 'replicas', ['replica', 'all'], 'replica');
    const after = request.get('last-event-id') ?? query.get('after');
    const feed = parts.feeds[scope];
    let unsubscribe = () => {};
    let client: Client | undefined;
    const stream = openEventStream(request, response, {
      times,
      places,
      logger: parts.logger,
      draining: parts.draining,
      ping: () => client?.ping(),
      onClose() {
        unsubscribe();
        client?.wake();
      },
    });
    if (stream === undefined) return;
    stream.send(`retry: ${retryMs}\n\n`);
    const kinds = kindsFor(parts, request, response);
    const service = kinds.has('details') ? query.get('service') : undefined;
    client = new Client({ feed, stream, kinds, service, after });
    unsubscribe = feed.subscribe(() => client?.wake(), service);
    const owner = {
      onFault(error: unknown) {
        if (!stream.signal.aborted) parts.logger.error({ err: error }, 'a stream of events failed');
        response.destroy();
      },
    };
    guardPromise(owner, client.follow(parts.long));
  });

  return router;
}

function kindsFor({ settings }: AdminParts, request: Request, response: Response): ReadonlySet<ItemKind> {
  const may = hasSession(request, response) || authorizeChange(settings.adminToken, callOf(request)).kind === 'allowed';
  return new Set(may ? all : open);
}

interface ClientOptions {
  readonly feed: StateSource;
  readonly stream: EventStream;
  readonly kinds: ReadonlySet<ItemKind>;
  /** `<owner>/<service>` whose documents and details it gets. */
  readonly service: string | undefined;
  /** Id of the last event that it had from an earlier stream. */
  readonly after: string | undefined;
}

/** One stream: the version that its client is at, and the round of events that brings it to the next. */
class Client {
  readonly #feed: StateSource;
  readonly #stream: EventStream;
  readonly #kinds: ReadonlySet<ItemKind>;
  readonly #service: string | undefined;
  #items: ItemVersions;
  #version: number;
  #mustReset: boolean;
  #isCurrent = false;
  #isFirst = true;
  #changed = Promise.withResolvers<void>();

  constructor({ feed, stream, kinds, service, after }: ClientOptions) {
    this.#feed = feed;
    this.#stream = stream;
    this.#kinds = kinds;
    this.#service = service;
    this.#items = feed.items;
    this.#version = versionOf(feed.items, after);
    this.#mustReset = this.#version === 0;
  }

  wake(): void {
    this.#changed.resolve();
  }

  /** Nothing waits and nothing is new: the client is notified. */
  ping(): string | undefined {
    return this.#isCurrent && this.#stream.waitingBytes() === 0
      ? currentEvent(this.#items, this.#version)
      : ': ping\n\n';
  }

  async follow(long: AdminParts['long']): Promise<void> {
    const { signal } = this.#stream;
    while (!signal.aborted) {
      this.#changed = Promise.withResolvers();
      await long.inSlices(this.#round(), signal);
      await this.#changed.promise;
      if (this.#feed.isStopped) this.#stream.end();
    }
  }

  /** Sends what is newer, an event a step, and waits where the client does not take it. */
  *#round(): Generator<Promise<void> | undefined, void> {
    if (this.#items !== this.#feed.items) {
      this.#items = this.#feed.items;
      this.#version = 0;
      this.#mustReset = true;
    }
    // Before the first look is done, what is there is not all.
    const { isWhole } = this.#feed;
    const target = this.#items.version;
    let names = this.#items.since(this.#version, this.#kinds);
    if (names === undefined || this.#mustReset) {
      this.#stream.send(resetEvent);
      names = this.#items.since(0, this.#kinds) ?? [];
      this.#mustReset = false;
      this.#isCurrent = false;
    }
    names = this.#ofItsService(names);
    for (const event of changeEvents(this.#items, names)) {
      this.#stream.send(event);
      yield this.#stream.waitingBytes() > mostWaitingBytes ? this.#stream.taken() : undefined;
    }
    this.#version = target;
    const wasCurrent = this.#isCurrent;
    this.#isCurrent = isWhole;
    if (this.#isCurrent && (names.length > 0 || !wasCurrent)) this.#stream.send(currentEvent(this.#items, target));
  }

  /** The service may be another than that of the stream which it goes on from: nothing of it counts as known at first. */
  #ofItsService(names: readonly ItemName[]): readonly ItemName[] {
    const others = names.filter(({ kind }) => !ofOneService.includes(kind));
    const name = this.#service;
    if (name === undefined) return others;
    const own = this.#isFirst
      ? ofOneService.map((kind) => ({ kind, name })).filter((item) => this.#items.textOf(item) !== undefined)
      : names.filter((item) => ofOneService.includes(item.kind) && item.name === name);
    this.#isFirst = false;
    return [...own, ...others];
  }
}
