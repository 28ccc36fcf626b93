import { type FaultOwner, guard, guardPromise } from '@swarmgate/runtime';
import type { ConnectionCounts } from './connection-counts.ts';
import type { SocketHandle } from './handed-socket.ts';

/** A worker that does not respond within this time is halted or blocked, and would leave the connection unserved. */
const responseWaitMs = 20;

/** A worker as the placement sees it. */
export interface PlacedWorker {
  readonly state: string;
  /** Resolves when the process has ended. */
  readonly ended: Promise<unknown>;
  /** The response is `takes`. */
  offerConnections(): void;
  /** @param onLeft called when the worker has the connection, or will have; not for one that ends before */
  giveConnection(connection: HandedConnection, onLeft: () => void): void;
}

/** A connection of which nothing has been read. The placement closes the handle once another process has the connection. */
export interface HandedConnection {
  /** Of the entrypoint that accepted it. */
  readonly port: number;
  readonly handle: SocketHandle;
}

interface Place<W> {
  readonly worker: W;
  /** In the counts. */
  readonly at: number;
  given: number;
  /** Connections that it gets with its response. */
  waiting: { readonly connection: HandedConnection; readonly from: W }[];
  /** Connections given to it that have not left this process: others get them where it ends. */
  readonly leaving: Set<HandedConnection>;
  isQueried: boolean;
  /** It did not respond in time, and gets nothing until it does. */
  isLate: boolean;
  timer: NodeJS.Timeout | undefined;
}

/**
 * In the control process: gives each connection that a worker handed over to the one with the fewest, which responds first that it
 * runs. A connection of one that does not goes back to where it came from.
 */
export class ConnectionPlacement<W extends PlacedWorker> {
  readonly #counts: ConnectionCounts;
  readonly #owner: FaultOwner;
  readonly #places = new Map<W, Place<W>>();

  constructor(counts: ConnectionCounts, owner: FaultOwner) {
    this.#counts = counts;
    this.#owner = owner;
  }

  /** The place for a worker that is about to be launched. `undefined`: all are taken, and it keeps what it accepts. */
  free(): number | undefined {
    const taken = new Set([...this.#places.values()].map(({ at }) => at));
    for (let at = 0; at < this.#counts.places; at += 1) if (!taken.has(at)) return at;
    return undefined;
  }

  /** Until it ends. */
  add(worker: W, at: number): void {
    this.#counts.writeOfWorker(at, 0, 0);
    this.#counts.writeOfControl(at, 0, false);
    const none = { given: 0, waiting: [], leaving: new Set<HandedConnection>() };
    this.#places.set(worker, { worker, at, ...none, isQueried: false, isLate: false, timer: undefined });
    guardPromise(
      this.#owner,
      worker.ended.then(() => this.#remove(worker)),
    );
  }

  /** Shows the others whether it serves now. */
  changed(worker: W): void {
    const place = this.#places.get(worker);
    if (place !== undefined) this.#write(place);
  }

  handedOver(from: W, connection: HandedConnection): void {
    this.#counts.read();
    const own = this.#places.get(from);
    // At equal counts it stays.
    let best = own !== undefined && isServing(own) ? own : undefined;
    for (const place of this.#places.values()) {
      if (!isServing(place) || place.isLate) continue;
      if (best === undefined || this.#loadOf(place) < this.#loadOf(best)) best = place;
    }
    // Late or not, a worker that serves is better than none.
    best ??= [...this.#places.values()].find(isServing);
    // Where all drain, it is one of those that were accepted before.
    if (own?.worker.state === 'draining') best ??= own;
    if (best === undefined) connection.handle.close();
    else if (best === own || best.isLate) this.#give(best, connection);
    else {
      best.waiting.push({ connection, from });
      this.#query(best);
    }
  }

  /** The worker responded to `offerConnections`. */
  takes(worker: W): void {
    const place = this.#places.get(worker);
    if (place === undefined) return;
    place.isQueried = false;
    place.isLate = false;
    clearTimeout(place.timer);
    for (const { connection, from } of this.#takeWaiting(place))
      if (isServing(place)) this.#give(place, connection);
      else this.#putBack(from, connection);
  }

  #query(place: Place<W>): void {
    if (place.isQueried) return;
    place.isQueried = true;
    place.worker.offerConnections();
    place.timer = setTimeout(
      guard(this.#owner, () => {
        place.isLate = true;
        for (const { connection, from } of this.#takeWaiting(place)) this.#putBack(from, connection);
      }),
      responseWaitMs,
    );
  }

  /** The worker that handed it over had it already, so that it waits for no other one. */
  #putBack(from: W, connection: HandedConnection): void {
    const place = this.#places.get(from);
    if (place !== undefined && isServing(place)) this.#give(place, connection);
    else this.handedOver(from, connection);
  }

  #give(place: Place<W>, connection: HandedConnection): void {
    place.given += 1;
    this.#write(place);
    place.leaving.add(connection);
    place.worker.giveConnection(connection, () => {
      if (place.leaving.delete(connection)) connection.handle.close();
    });
  }

  #remove(worker: W): void {
    const place = this.#places.get(worker);
    if (place === undefined) return;
    clearTimeout(place.timer);
    this.#places.delete(worker);
    this.#counts.writeOfControl(place.at, 0, false);
    for (const { connection, from } of this.#takeWaiting(place)) this.#putBack(from, connection);
    const leaving = [...place.leaving];
    place.leaving.clear();
    for (const connection of leaving) this.handedOver(worker, connection);
  }

  #takeWaiting(place: Place<W>): Place<W>['waiting'] {
    const { waiting } = place;
    place.waiting = [];
    return waiting;
  }

  #loadOf({ at, waiting }: Place<W>): number {
    return this.#counts.openOf(at) + waiting.length;
  }

  #write(place: Place<W>): void {
    this.#counts.writeOfControl(place.at, place.given, place.worker.state === 'serving');
  }
}

function isServing({ worker }: Place<PlacedWorker>): boolean {
  return worker.state === 'serving';
}
