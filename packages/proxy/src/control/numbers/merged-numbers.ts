import type { Steps } from '../steps.ts';
import { type WindowName, type Windows, windowNames } from './service-numbers.ts';
import { WindowCounts, type WindowNumbers } from './window-counts.ts';

/** What passed through for one service or endpoint. */
export interface ShownNumbers {
  /** Requests on their way to an endpoint or back. */
  readonly inFlight: number;
  /** The last 60 to 70 s. */
  readonly lastMinute: WindowNumbers;
  /** The last 15 to 16 minutes. */
  readonly last15Minutes: WindowNumbers;
  /** Since the replica started, or since the endpoint's first request to it. */
  readonly sinceStart: WindowNumbers;
}

/** Adds up the windows of several replicas. Rates are added, because the windows of replicas differ in length. */
export class MergedNumbers {
  readonly #parts: readonly Windows[];

  constructor(parts: readonly Windows[]) {
    this.#parts = parts;
  }

  /** All that had requests since the start. */
  keys(): ReadonlySet<string> {
    return new Set(this.#parts.flatMap(({ sinceStart }) => [...sinceStart.counts.keys()]));
  }

  of(key: string, inFlight: number): ShownNumbers {
    return this.#show((name) => this.#parts.map((part) => this.#partOf(part, name, key)), inFlight);
  }

  /** Of one window only, at a third of the cost. */
  window(key: string, name: WindowName): WindowNumbers {
    return summed(this.#parts.map((part) => this.#partOf(part, name, key)));
  }

  /** All keys together. */
  *total(inFlight: number): Steps<ShownNumbers> {
    const sums = new Map<WindowName, { readonly counts: WindowCounts; readonly seconds: number }[]>();
    for (const name of windowNames) {
      const ofName: { readonly counts: WindowCounts; readonly seconds: number }[] = [];
      sums.set(name, ofName);
      for (const { [name]: window } of this.#parts) {
        const sum = new WindowCounts();
        ofName.push({ counts: sum, seconds: window.seconds });
        for (const counts of window.counts.values()) {
          sum.merge(counts);
          yield;
        }
      }
    }
    return this.#show((name) => sums.get(name) ?? [], inFlight);
  }

  requests(key: string, name: WindowName): number {
    return this.#parts.reduce((sum, part) => sum + (part[name].counts.get(key)?.requests ?? 0), 0);
  }

  #partOf(part: Windows, name: WindowName, key: string): WindowPart {
    return { counts: part[name].counts.get(key), seconds: part[name].seconds };
  }

  #show(partsOf: (name: WindowName) => readonly WindowPart[], inFlight: number): ShownNumbers {
    const shown = Object.fromEntries(windowNames.map((name) => [name, summed(partsOf(name))])) as Record<
      WindowName,
      WindowNumbers
    >;
    return { inFlight, ...shown };
  }
}

interface WindowPart {
  readonly counts: WindowCounts | undefined;
  readonly seconds: number;
}

function summed(parts: readonly WindowPart[]): WindowNumbers {
  const sum = new WindowCounts();
  let perSecond = 0;
  for (const { counts, seconds } of parts) {
    if (counts === undefined) continue;
    sum.merge(counts);
    perSecond += counts.requests / seconds;
  }
  return sum.numbers(perSecond);
}
