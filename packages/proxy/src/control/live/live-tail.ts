import { type FaultOwner, guard } from '@swarmgate/runtime';
import type { AccessRecord } from '../../exchange/access-record.ts';
import { type LiveFilter, type LiveRequest, liveRequestOf, matches } from './live-request.ts';

/** The filter of one stream of live requests, in the process that serves. */
export interface Watch {
  readonly filter: LiveFilter;
  /** Requests at most that one process shows of it in a second; the others are counted. */
  readonly perSecond: number;
}

/** Requests that met the filter since the last batch, and how many more there were. */
export interface LiveBatch {
  readonly requests: readonly LiveRequest[];
  readonly skipped: number;
}

interface Watched extends Watch {
  requests: LiveRequest[];
  skipped: number;
  secondAtMs: number;
  shownInSecond: number;
}

export interface LiveTailOptions {
  /** Called with each batch that is not empty. */
  readonly onBatch: (id: number, batch: LiveBatch) => void;
  /** `LIVE_REQUESTS_QUERY` */
  readonly withQuery: boolean;
  /** Gets what goes wrong with a batch. */
  readonly owner: FaultOwner;
  readonly now?: () => number;
}

const batchEveryMs = 200;

/** Passes requests on to the watches they match, as they end. Without a watch, a request costs one comparison. */
export class LiveTail {
  readonly #options: LiveTailOptions;
  readonly #now: () => number;
  readonly #watches = new Map<number, Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LiveTailOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  offer(record: AccessRecord): void {
    if (this.#watches.size === 0) return;
    for (const watched of this.#watches.values()) if (matches(record, watched.filter)) this.#show(record, watched);
  }

  watch(id: number, watch: Watch): void {
    this.#watches.set(id, { ...watch, requests: [], skipped: 0, secondAtMs: this.#now(), shownInSecond: 0 });
    this.#timer ??= setInterval(
      guard(this.#options.owner, () => this.flush()),
      batchEveryMs,
    ).unref();
  }

  unwatch(id: number): void {
    this.#watches.delete(id);
    if (this.#watches.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Sends the collected requests. Called every 200 ms while there is a watch. */
  flush(): void {
    for (const [id, watched] of this.#watches) {
      const { requests, skipped } = watched;
      if (requests.length === 0 && skipped === 0) continue;
      watched.requests = [];
      watched.skipped = 0;
      this.#options.onBatch(id, { requests, skipped });
    }
  }

  stop(): void {
    this.#watches.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #show(record: AccessRecord, watched: Watched): void {
    const nowMs = this.#now();
    if (nowMs - watched.secondAtMs >= 1_000) {
      watched.secondAtMs = nowMs;
      watched.shownInSecond = 0;
    }
    if (watched.shownInSecond >= watched.perSecond) {
      watched.skipped += 1;
      return;
    }
    watched.shownInSecond += 1;
    watched.requests.push(liveRequestOf(record, new Date(), this.#options.withQuery));
  }
}
