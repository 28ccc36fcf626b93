import { isName } from '@swarmgate/runtime';
import { z } from 'zod';
import { TallyRow } from '../../exchange/numbers/tally.ts';
import type { Server } from '../serving/server.ts';
import { inTurns, type Steps } from '../steps.ts';
import { inFlightByService, inFlightOfAll } from './in-flight.ts';
import { noWindows, type Window, type WindowName, type Windows, windowNames } from './service-numbers.ts';
import { WindowCounts } from './window-counts.ts';

/** What one replica counted, as it travels to the others: over the registry, or over Redis where `REDIS_URL` is set. */
export interface ReplicaTotals {
  readonly replica: string;
  /** ISO 8601. */
  readonly at: string;
  /** Of all services that had requests since the start of the replica, or only of its busiest. */
  readonly complete: boolean;
  /** Requests and relayed connections that had not finished. */
  readonly inFlight: number;
  /** Lengths of the windows, in seconds. */
  readonly seconds: Readonly<Record<WindowName, number>>;
  /** By service; empty for requests that no route matched. A window without requests is absent. */
  readonly services: Readonly<Record<string, PackedService>>;
}

export type PackedService = { readonly inFlight: number } & {
  readonly [Name in WindowName]?: PackedCounts | undefined;
};

interface PackedCounts {
  /** Cell, count, cell, count, and so on: see `cellOfStatus` and `bucketOf`. */
  readonly cells: readonly number[];
  readonly bytes: readonly [sent: number, received: number];
  readonly reasons?: Readonly<Record<string, number>> | undefined;
}

export interface TotalsOptions {
  readonly replica: string;
  readonly at: string;
  readonly windows: Windows;
  readonly inFlight: number;
  readonly inFlightOf: (service: string) => number;
  /** Services at most, the busiest first. Default all. */
  readonly most?: number;
}

/** Those with most requests in the last minute first, then in the last 15, then since the start. */
export function* busiestFirst({ lastMinute, last15Minutes, sinceStart }: Windows): Steps<readonly string[]> {
  const services: { readonly service: string; readonly requests: readonly [number, number, number] }[] = [];
  const of = ({ counts }: Window, service: string) => counts.get(service)?.requests ?? 0;
  for (const service of sinceStart.counts.keys()) {
    services.push({
      service,
      requests: [of(lastMinute, service), of(last15Minutes, service), of(sinceStart, service)],
    });
    yield;
  }
  services.sort(({ requests: a }, { requests: b }) => b[0] - a[0] || b[1] - a[1] || b[2] - a[2]);
  return services.map(({ service }) => service);
}

export function* totalsOf(options: TotalsOptions): Steps<ReplicaTotals> {
  const { replica, at, windows, inFlight, inFlightOf, most } = options;
  const services = yield* busiestFirst(windows);
  const kept = most === undefined ? services : services.slice(0, most);
  const packed: Record<string, PackedService> = {};
  for (const service of kept) {
    packed[service] = packService(windows, service, inFlightOf(service));
    yield;
  }
  return {
    replica,
    at,
    complete: kept.length === services.length,
    inFlight,
    seconds: {
      lastMinute: windows.lastMinute.seconds,
      last15Minutes: windows.last15Minutes.seconds,
      sinceStart: windows.sinceStart.seconds,
    },
    services: packed,
  };
}

function packService(windows: Windows, service: string, inFlight: number): PackedService {
  const packed: Record<string, unknown> = { inFlight };
  for (const name of windowNames) {
    const counts = windows[name].counts.get(service);
    if (counts !== undefined) packed[name] = pack(counts);
  }
  return packed as unknown as PackedService;
}

/** What this replica counted until now; of its busiest services where `most` is set. */
export async function replicaTotals(server: Server, replica: string, most?: number): Promise<ReplicaTotals> {
  const windows = (await (await server.numbers?.())?.byService()) ?? noWindows;
  const byService = await inTurns(inFlightByService(server));
  const inFlightOf = (service: string) => byService.get(service) ?? 0;
  const inFlight = inFlightOfAll(server);
  const at = new Date().toISOString();
  return inTurns(totalsOf({ replica, at, windows, inFlight, inFlightOf, ...(most === undefined ? {} : { most }) }));
}

/** What can be added to a replica's own windows. */
export function* windowsOf({ seconds, services }: ReplicaTotals): Steps<Windows> {
  function* window(name: WindowName): Steps<Window> {
    const counts = new Map<string, WindowCounts>();
    for (const [service, packed] of Object.entries(services)) {
      const its = packed[name];
      if (its === undefined) continue;
      counts.set(service, unpack(its));
      yield;
    }
    return { seconds: Math.max(0.1, seconds[name]), counts };
  }
  return {
    lastMinute: yield* window('lastMinute'),
    last15Minutes: yield* window('last15Minutes'),
    sinceStart: yield* window('sinceStart'),
  };
}

/** The counts of two documents are the same, whatever their time: the second need not be written. */
export function sameCounts(one: ReplicaTotals, other: ReplicaTotals): boolean {
  return JSON.stringify(one.services) === JSON.stringify(other.services);
}

const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
// A cell's number fits into a byte, so a window has 256 of them at most.
const packedSchema = z.object({
  cells: z.array(count).max(512),
  bytes: z.tuple([count, count]),
  reasons: z.record(z.string().max(64), count).optional(),
});
const totalsSchema = z.object({
  // Shown to operators unchanged.
  replica: z.string().max(128).refine(isName),
  at: z.iso.datetime(),
  complete: z.boolean(),
  inFlight: count,
  seconds: z.object({ lastMinute: count, last15Minutes: count, sinceStart: count }),
  services: z.record(
    z.string().max(256),
    z.object({
      inFlight: count,
      lastMinute: packedSchema.optional(),
      last15Minutes: packedSchema.optional(),
      sinceStart: packedSchema.optional(),
    }),
  ),
});

/** `undefined`: not a document of a replica. Other programs can write to the registry and to Redis, too. */
export function readTotals(text: string): ReplicaTotals | undefined {
  try {
    const parsed = totalsSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function pack(counts: WindowCounts): PackedCounts {
  const { sentBytes, receivedBytes, reasons } = counts.row;
  return {
    cells: counts.pairs().flat(),
    bytes: [sentBytes, receivedBytes],
    ...(reasons === undefined ? {} : { reasons: Object.fromEntries(reasons) }),
  };
}

function unpack({ cells, bytes, reasons = {} }: PackedCounts): WindowCounts {
  const row = new TallyRow();
  [row.sentBytes, row.receivedBytes] = bytes;
  for (const [reason, times] of Object.entries(reasons)) row.countReason(reason, times);
  const counts = new WindowCounts();
  counts.add(
    row,
    cells.filter((_, at) => at % 2 === 0),
    cells.filter((_, at) => at % 2 === 1),
  );
  return counts;
}
