import type { AccessRecord } from '../access-record.ts';
import { bucketOf } from './latency-buckets.ts';
import { cellOfStatus, retriesCell, rowsPerPage, TallyPage, type TallyRow } from './tally.ts';
import { encodeTally } from './tally-codec.ts';

/** Counts since the last call, to be added to the totals of the proxy. */
export interface NumbersDelta {
  /** Service and endpoint of row 0, of row 1, and so on, alternately. The service is empty where no route matched. */
  readonly names: readonly string[];
  /** See `encodeTally`. */
  readonly rows: Uint8Array;
}

interface Page {
  readonly names: string[];
  readonly counts: TallyPage;
}

/** One service at one endpoint. Those of a service are a list, because most have few. */
interface Leaf {
  readonly endpoint: string;
  readonly counts: TallyPage;
  readonly at: number;
  readonly row: TallyRow;
  next: Leaf | undefined;
}

// Longer lists get a map beside them.
const mostInList = 8;

/**
 * Counts exchanges by service and endpoint, in the process that serves them. Holds only what was counted since `take`, so a
 * worker's memory follows the services with traffic in the last seconds, not all that there are.
 */
export class ExchangeRecorder {
  #services = new Map<string, Leaf>();
  #longLists = new Map<string, Map<string, Leaf>>();
  #pages: Page[] = [];

  observe(record: AccessRecord): void {
    const { counts, at, row } = this.#leafOf(record.route?.key ?? '', record.endpoint?.id ?? '');
    row.sentBytes += record.sentBytes;
    row.receivedBytes += record.receivedBytes;
    // Maintenance is no failure: it is in no status class, and its reason is counted.
    counts.count(at, cellOfStatus(record.reason === 'maintenance' ? 0 : record.status));
    // An upgraded connection lasts as long as its client keeps it: no latency.
    if (record.status !== 101) counts.count(at, bucketOf(record.durationMs));
    if (record.retries > 0) counts.count(at, retriesCell, record.retries);
    if (record.reason !== undefined) row.countReason(record.reason);
  }

  /** Everything that was counted since the last call, in pieces that are made as they are taken. */
  take(): Iterable<NumbersDelta> {
    const pages = this.#pages;
    this.#services = new Map();
    this.#longLists = new Map();
    this.#pages = [];
    return encoded(pages);
  }

  #leafOf(service: string, endpoint: string): Leaf {
    const first = this.#services.get(service);
    let length = 0;
    for (let leaf = first; leaf !== undefined; leaf = leaf.next) {
      if (leaf.endpoint === endpoint) return leaf;
      length += 1;
      if (length > mostInList) return this.#inLongList(service, endpoint, first as Leaf);
    }
    return this.#append(service, endpoint, first);
  }

  #inLongList(service: string, endpoint: string, first: Leaf): Leaf {
    let byEndpoint = this.#longLists.get(service);
    if (byEndpoint === undefined) {
      byEndpoint = new Map();
      for (let leaf: Leaf | undefined = first; leaf !== undefined; leaf = leaf.next)
        byEndpoint.set(leaf.endpoint, leaf);
      this.#longLists.set(service, byEndpoint);
    }
    let leaf = byEndpoint.get(endpoint);
    if (leaf === undefined) {
      leaf = this.#append(service, endpoint, first);
      byEndpoint.set(endpoint, leaf);
    }
    return leaf;
  }

  #append(service: string, endpoint: string, first: Leaf | undefined): Leaf {
    let page = this.#pages.at(-1);
    if (page === undefined || page.names.length === 2 * rowsPerPage) {
      page = { names: [], counts: new TallyPage() };
      this.#pages.push(page);
    }
    const at = page.names.length / 2;
    page.names.push(service, endpoint);
    const leaf: Leaf = { endpoint, counts: page.counts, at, row: page.counts.row(at), next: undefined };
    if (first === undefined) this.#services.set(service, leaf);
    else {
      leaf.next = first.next;
      first.next = leaf;
    }
    return leaf;
  }
}

function* encoded(pages: Page[]): Generator<NumbersDelta> {
  for (let page = pages.shift(); page !== undefined; page = pages.shift())
    yield { names: page.names, rows: encodeTally(page.counts) };
}
