import dns from 'node:dns';
import type { LookupFunction } from 'node:net';

type Callback = Parameters<LookupFunction>[2];

/**
 * Makes lookups of one name share one thread. The system's resolver takes a thread for every query, as long as a silent DNS
 * server lets it wait, two at a time in a process: queries that are repeated meanwhile would stand in line for hours, and
 * with them those of every other name.
 */
export function sharing(lookup: LookupFunction): LookupFunction {
  const underWay = new Map<string, Callback[]>();
  return (hostname, options, callback) => {
    const key = JSON.stringify([hostname, options.family, options.hints, options.all, options.order, options.verbatim]);
    const known = underWay.get(key);
    if (known !== undefined) {
      known.push(callback);
      return;
    }
    const callbacks = [callback];
    underWay.set(key, callbacks);
    try {
      lookup(hostname, options, (...result) => {
        underWay.delete(key);
        // Each by itself, so that one that throws does not keep the result from the others.
        for (const each of callbacks) queueMicrotask(() => each(...result));
      });
    } catch (error) {
      underWay.delete(key);
      throw error;
    }
  };
}

let shared = false;

/**
 * From now on all lookups of this process are shared, those of libraries too: none of the clients of Consul, Redis and
 * Docker lets its lookups be given to it. Called once, by each program.
 */
export function shareLookups(): void {
  if (shared) return;
  shared = true;
  const original = dns.lookup;
  const lookup = sharing(original as LookupFunction);
  const replacement = (hostname: string, options: unknown, callback?: Callback) => {
    if (typeof options === 'function') lookup(hostname, {}, options as Callback);
    else if (typeof options === 'number') lookup(hostname, { family: options }, callback as Callback);
    else lookup(hostname, (options ?? {}) as dns.LookupOptions, callback as Callback);
  };
  // `promisify` finds there what the result is called.
  for (const symbol of Object.getOwnPropertySymbols(original))
    Object.assign(replacement, { [symbol]: original[symbol as unknown as keyof typeof original] });
  dns.lookup = replacement as unknown as typeof dns.lookup;
}
