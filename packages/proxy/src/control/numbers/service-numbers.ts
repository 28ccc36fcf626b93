import { pause } from '@swarmgate/runtime';
import type { NumbersDelta } from '../../exchange/numbers/exchange-recorder.ts';
import { type RowVisitor, Tally } from '../../exchange/numbers/tally.ts';
import { encodeTally, forEachRow, readRows } from '../../exchange/numbers/tally-codec.ts';
import { inTurns, type Steps, type TakeSteps } from '../steps.ts';
import { WindowCounts } from './window-counts.ts';

/** Spans of time that numbers are shown for. */
export const windowNames = ['lastMinute', 'last15Minutes', 'sinceStart'] as const;
export type WindowName = (typeof windowNames)[number];

/** One window, of every service or of every endpoint of one service. */
export interface Window {
  /** Above 0. The last minute and the last 15 minutes begin with a slot, so they are up to 10 or 60 s longer. */
  readonly seconds: number;
  readonly counts: ReadonlyMap<string, WindowCounts>;
}

export type Windows = Readonly<Record<WindowName, Window>>;

const emptyWindow: Window = { seconds: 1, counts: new Map() };

/** Of a server that counts nothing. */
export const noWindows: Windows = { lastMinute: emptyWindow, last15Minutes: emptyWindow, sinceStart: emptyWindow };

/** What was counted from one time to another. */
interface Slot {
  readonly fromMs: number;
  readonly toMs: number;
  readonly rows: Uint8Array;
}

/** How often serving processes report. */
export const reportEveryMs = 10_000;
const slotMs = 10_000;
const minuteMs = 60_000;
const quarterMs = 15 * minuteMs;
const slotsPerMinute = 6;
// The oldest slots become a minute when the last minute can do without them.
const mostSlots = 2 * slotsPerMinute;

/**
 * What the exchanges of one proxy came to, by service and endpoint, merged over its workers: since the start, and in rings of
 * slots of 10 s and 1 min. A closed slot is one run of bytes for all services: some 25 bytes for each endpoint that had
 * traffic in it, nothing for those that had none.
 */
export class ServiceNumbers {
  readonly #now: () => number;
  readonly #pause: typeof pause;
  readonly #startedMs: number;
  readonly #ids = new Map<string, Map<string, number>>();
  #names: (readonly [service: string, endpoint: string] | undefined)[] = [];
  #total = new Tally();
  #open = new Tally();
  #openedMs: number;
  #slots: Slot[] = [];
  #minutes: Slot[] = [];

  /**
   * @param now milliseconds; only differences count
   * @param wait for tests that have a clock of their own
   */
  constructor(now: () => number = () => performance.now(), wait = pause) {
    this.#now = now;
    this.#pause = wait;
    this.#startedMs = now();
    this.#openedMs = this.#startedMs;
  }

  /** Counts of a serving process since its last report. */
  add(delta: NumbersDelta): void {
    this.advance();
    const ids = Uint32Array.from({ length: delta.names.length / 2 }, (_, at) =>
      this.#idOf(delta.names[2 * at] as string, delta.names[2 * at + 1] as string),
    );
    forEachRow(delta.rows, (id, row, cells, counts) => {
      const own = ids[id] as number;
      this.#total.add(own, row, cells, counts);
      this.#open.add(own, row, cells, counts);
    });
  }

  /** Closes what is over. Called at least once a minute, also where nothing happens. */
  advance(): void {
    const nowMs = this.#now();
    if (nowMs - this.#openedMs < slotMs) return;
    this.#slots.push({ fromMs: this.#openedMs, toMs: nowMs, rows: encodeTally(this.#open) });
    this.#open = new Tally();
    this.#openedMs = nowMs;
    if (this.#slots.length > mostSlots) this.#minutes.push(joined(this.#slots.splice(0, slotsPerMinute)));
    const oldestMs = nowMs - quarterMs;
    while ((this.#minutes[0]?.toMs ?? nowMs) <= oldestMs) this.#minutes.shift();
    while ((this.#slots[0]?.toMs ?? nowMs) <= oldestMs) this.#slots.shift();
  }

  /** Closes slots on time, and every 15 minutes lets go of services and endpoints that are no longer served. */
  async follow(
    served: () => ReadonlyMap<string, ReadonlySet<string>>,
    onForget: (isServed: (service: string) => boolean) => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (let turn = 1; await this.#pause(slotMs, signal); turn += 1) {
      this.advance();
      if (turn % (quarterMs / slotMs) !== 0) continue;
      const present = served();
      this.forget((service, endpoint) => {
        const endpoints = present.get(service);
        return service === '' || (endpoints !== undefined && (endpoint === '' || endpoints.has(endpoint)));
      });
      onForget((service) => service === '' || present.has(service));
    }
  }

  /** By service: `<owner>/<service>`, or empty for requests that no route matched. */
  byService(take: TakeSteps = inTurns): Promise<Windows> {
    return take(this.#windows((service) => service));
  }

  /** Of one service by endpoint id; empty for responses of the proxy itself, and for endpoints that are gone. */
  byEndpoint(service: string, take: TakeSteps = inTurns): Promise<Windows> {
    return take(this.#windows((own, endpoint) => (own === service ? endpoint : undefined)));
  }

  /**
   * Lets go of what is no longer served. Counts of an endpoint that is gone go to the rest of its service. What had requests
   * in the last 15 minutes stays as it is.
   */
  forget(isServed: (service: string, endpoint: string) => boolean): void {
    const recent = new Set<number>();
    const mark = (id: number) => void recent.add(id);
    for (const { rows } of [...this.#minutes, ...this.#slots]) forEachRow(rows, mark);
    this.#open.forEach(mark);
    const kept = new Tally();
    const names: (readonly [string, string] | undefined)[] = [];
    const before = this.#names;
    const gone: number[] = [];
    this.#total.forEach((id, row, cells, counts) => {
      const [service, endpoint] = before[id] as readonly [string, string];
      if (recent.has(id) || isServed(service, endpoint)) {
        names[id] = [service, endpoint];
        kept.add(id, row, cells, counts);
        return;
      }
      gone.push(id);
      if (endpoint === '' || !isServed(service, '')) return;
      const rest = this.#idOf(service, '');
      names[rest] = [service, ''];
      kept.add(rest, row, cells, counts);
    });
    for (const id of gone) {
      if (names[id] !== undefined) continue;
      const [service, endpoint] = before[id] as readonly [string, string];
      const ofService = this.#ids.get(service);
      ofService?.delete(endpoint);
      if (ofService?.size === 0) this.#ids.delete(service);
    }
    this.#names = names;
    this.#total = kept;
  }

  /** Reading takes several turns: what is counted meanwhile may be in it. */
  *#windows(keyOf: (service: string, endpoint: string) => string | undefined): Steps<Windows> {
    this.advance();
    const nowMs = this.#now();
    const names = this.#names;
    const [slots, minutes] = [[...this.#slots], [...this.#minutes]];
    const [open, openedMs, all] = [this.#open, this.#openedMs, this.#total];
    const into = (counts: Map<string, WindowCounts>): RowVisitor => {
      return (id, row, cells, its) => {
        const name = names[id];
        const key = name === undefined ? undefined : keyOf(...name);
        if (key === undefined) return;
        let sum = counts.get(key);
        if (sum === undefined) {
          sum = new WindowCounts();
          counts.set(key, sum);
        }
        sum.add(row, cells, its);
      };
    };
    function* collect(read: readonly Slot[]): Steps<Window> {
      const counts = new Map<string, WindowCounts>();
      const visit = into(counts);
      for (const { rows } of read) yield* readRows(rows, visit);
      yield* open.inPages(visit);
      const fromMs = Math.min(openedMs, ...read.map((each) => each.fromMs));
      return { seconds: secondsFrom(fromMs, nowMs), counts };
    }
    const within = (each: readonly Slot[], ms: number) => each.filter(({ toMs }) => toMs > nowMs - ms);
    const total = new Map<string, WindowCounts>();
    yield* all.inPages(into(total));
    return {
      lastMinute: yield* collect(within(slots, minuteMs)),
      last15Minutes: yield* collect([...within(minutes, quarterMs), ...within(slots, quarterMs)]),
      sinceStart: { seconds: secondsFrom(this.#startedMs, nowMs), counts: total },
    };
  }

  #idOf(service: string, endpoint: string): number {
    let ofService = this.#ids.get(service);
    if (ofService === undefined) {
      ofService = new Map();
      this.#ids.set(service, ofService);
    }
    let id = ofService.get(endpoint);
    if (id === undefined) {
      id = this.#names.length;
      this.#names.push([service, endpoint]);
      ofService.set(endpoint, id);
    }
    return id;
  }
}

function joined(slots: readonly Slot[]): Slot {
  const sum = new Tally();
  for (const { rows } of slots) forEachRow(rows, (id, row, cells, counts) => sum.add(id, row, cells, counts));
  return {
    fromMs: Math.min(...slots.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...slots.map(({ toMs }) => toMs)),
    rows: encodeTally(sum),
  };
}

/** At least a tenth of a second, so that the first request after the start is no rate of thousands. */
function secondsFrom(fromMs: number, nowMs: number): number {
  return Math.max(100, nowMs - fromMs) / 1_000;
}
