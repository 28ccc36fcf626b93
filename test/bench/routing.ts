import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import type { RequestTarget } from '../../packages/proxy/src/model/request-target.ts';
import { createRouteTable } from '../../packages/proxy/src/routing/create-route-table.ts';
import { normalizeHost } from '../../packages/proxy/src/routing/normal-host.ts';
import { isPlainPath, normalizePath } from '../../packages/proxy/src/routing/normal-path.ts';
import { readPath } from '../../packages/proxy/src/routing/path-readings.ts';
import type { RouteTable } from '../../packages/proxy/src/routing/route-table.ts';

/** One measured figure: the median of several runs, with the lowest and the highest. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  /** What the issue allows; absent where nothing is promised. */
  readonly atMost?: number;
}

const SIZES = [100, 10_000, 100_000] as const;
const SMALLEST = SIZES[0];
const ROUNDS = 15;
const LOOKUPS_PER_ROUND = 50_000;

/**
 * What the route table costs. A request brings its host and path as bytes, so a lookup is timed from there: strings
 * created, normalized, looked up. The sizes take turns in short rounds, so that what else the machine
 * does falls on all of them alike, and ratios are made inside a round.
 */
export async function benchRouting(): Promise<readonly Figure[]> {
  const tables = SIZES.map((size) => ({ size, table: tableOf(size), requests: requestsTo(size) }));
  for (const { table, requests, size } of tables) validate(table, requests, size);
  return [...lookups(tables), ...readings(), ...changes(), ...explanations(), await stalls()];
}

interface SizedTable {
  readonly size: number;
  readonly table: RouteTable;
  readonly requests: readonly RequestBytes[];
}

interface RequestBytes {
  readonly host: Buffer;
  readonly path: Buffer;
}

function lookups(tables: readonly SizedTable[]): readonly Figure[] {
  const byBytes = new Map<number, number[]>(SIZES.map((size) => [size, []]));
  const alone = new Map<number, number[]>(SIZES.map((size) => [size, []]));
  for (let round = -3; round < ROUNDS; round += 1) {
    for (const { size, table, requests } of tables) {
      const nsByBytes = nsEach(LOOKUPS_PER_ROUND, (at) => {
        return lookUp(table, requests[at % requests.length] as RequestBytes);
      });
      const targets = requests.map(targetOf);
      const nsAlone = nsEach(LOOKUPS_PER_ROUND, (at) => {
        return table.lookup(targets[at % targets.length] as RequestTarget) !== undefined;
      });
      // The first rounds let the compiler settle.
      if (round < 0) continue;
      byBytes.get(size)?.push(nsByBytes);
      alone.get(size)?.push(nsAlone);
    }
  }
  const figures: Figure[] = [];
  for (const size of SIZES) {
    figures.push(figure(`lookup from the bytes, ${count(size)} routes`, 'ns', byBytes.get(size) ?? [], 1000));
    figures.push(figure(`lookup alone, ${count(size)} routes`, 'ns', alone.get(size) ?? []));
  }
  for (const [size, atMost] of [
    [10_000, 1.5],
    [100_000, 2.5],
  ] as const) {
    const against = `${count(size)} routes, against ${SMALLEST}`;
    figures.push(figure(`lookup from the bytes, ${against}`, '×', ratios(byBytes, size), atMost));
    figures.push(figure(`lookup alone, ${against}`, '×', ratios(alone, size), atMost));
  }
  return figures;
}

/**
 * What it costs that servers read some paths in more than one way: nothing for a path that is read in one, as nearly all are,
 * and a lookup for each further reading of the others.
 */
function readings(): readonly Figure[] {
  const table = tableOf(10_000);
  const target = (path: string): RequestTarget => {
    return { method: 'GET', host: 'shop-5000.example.com', path, port: 80, header: noHeader };
  };
  const without = (raw: string) => {
    const normal = normalizePath(raw);
    return normal.ok && table.lookup(target(normal.path)) !== undefined;
  };
  // As a request over HTTP/2 is decided. Over HTTP/1 the parser of the head knows already that a path is plain.
  const compared = (raw: string) => {
    if (isPlainPath(raw)) return table.lookup(target(raw)) !== undefined;
    const read = readPath(raw, 'keep');
    if (!read.ok) return false;
    const found =
      read.readings.length === 0
        ? table.lookup(target(read.path))
        : table.lookupUnambiguous(target(read.path), read.readings);
    return found !== undefined && found !== 'path-ambiguous';
  };
  const plain = ['/cart/items/17', '/', '/assets/app.4f2a.js', '/2026/01/hello-world'];
  const kinds = [
    ['%2F', '/api/v4/projects/group%2Fname'],
    ['//', '/a//b/c'],
    [';x', '/cart;jsessionid=1/items'],
    ['%2F, // and ;x: 7 readings', '/a%2Fb//c;d/e'],
  ] as const;
  const ratio: number[] = [];
  const times = new Map<string, number[]>(kinds.map(([kind]) => [kind, []]));
  for (let round = -3; round < ROUNDS; round += 1) {
    const runs = [
      () => cpuNsEach(LOOKUPS_PER_ROUND, (at) => without(plain[at % plain.length] as string)),
      () => cpuNsEach(LOOKUPS_PER_ROUND, (at) => compared(plain[at % plain.length] as string)),
    ] as const;
    // What comes second meets a warmer cache: they take turns.
    const first = runs[round & 1 ? 1 : 0]();
    const second = runs[round & 1 ? 0 : 1]();
    const ofKinds = kinds.map(
      ([kind, path]) => [kind, cpuNsEach(LOOKUPS_PER_ROUND / 5, () => compared(path))] as const,
    );
    if (round < 0) continue;
    ratio.push(round & 1 ? first / second : second / first);
    for (const [kind, ns] of ofKinds) times.get(kind)?.push(ns);
  }
  return [
    figure('plain path with its readings looked for, against without, 10,000 routes', '×', ratio, 1.05),
    ...kinds.map(([kind]) => figure(`path with ${kind}, 10,000 routes`, 'ns', times.get(kind) ?? [])),
  ];
}

/** Of times in the same round. */
function ratios(times: ReadonlyMap<number, readonly number[]>, size: number): readonly number[] {
  const smallest = times.get(SMALLEST) ?? [];
  return (times.get(size) ?? []).map((ns, round) => ns / (smallest[round] ?? Number.NaN));
}

function changes(): readonly Figure[] {
  const definitions = definitionsOf(10_000);
  const compile = timesOf(7, () => {
    emptyTable().with(definitions);
  });
  const table = emptyTable().with(definitions);
  const apply = timesOf(200, (round) => {
    table.with(new Map([changed(round)]));
  });
  return [
    figure('compile 10,000 services', 'ms', compile, 400),
    figure('apply one changed service among 10,000', 'ms', apply, 5),
  ];
}

function explanations(): readonly Figure[] {
  const table = tableOf(10_000);
  const requests = requestsTo(10_000).map(targetOf);
  const times = timesOf(100, (round) => {
    table.explain(requests[round % requests.length] as RequestTarget);
  });
  return [figure('explain at 10,000 routes', 'ms', times.slice(20), 5)];
}

/** The longest time that nothing else could run while a table of 10,000 services is swapped 100 times a second. */
async function stalls(): Promise<Figure> {
  let table = tableOf(10_000);
  // What building the table left behind is not the swaps'.
  await pause(500);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const longest: number[] = [];
  for (let run = 0; run < 5; run += 1) {
    delay.enable();
    for (let swap = 0; swap < 100; swap += 1) {
      table = table.with(new Map([changed(run * 100 + swap)]));
      await pause(10);
    }
    delay.disable();
    // The monitor's own timer comes a millisecond late by definition.
    longest.push(Math.max(0, delay.max / 1e6 - 1));
    delay.reset();
  }
  return figure('longest stall at 100 swaps/s of 10,000 services', 'ms', longest, 5);
}

function lookUp(table: RouteTable, { host, path }: RequestBytes): boolean {
  const normalHost = normalizeHost(host.toString('latin1'));
  const normalPath = normalizePath(path.toString('latin1'));
  if (!normalHost.ok || !normalPath.ok) return false;
  const target = { method: 'GET', host: normalHost.host, path: normalPath.path, port: 80, header: noHeader };
  return table.lookup(target) !== undefined;
}

function validate(table: RouteTable, requests: readonly RequestBytes[], size: number): void {
  const missed = requests.filter((request) => !lookUp(table, request)).length;
  if (missed > 0 || table.size !== size) throw new Error(`${missed} requests find no route in a table of ${size}`);
}

const noHeader = () => undefined;

function targetOf({ host, path }: RequestBytes): RequestTarget {
  return { method: 'GET', host: host.toString('latin1'), path: path.toString('latin1'), port: 80, header: noHeader };
}

/** Half by host alone, some by host and path, some under a wildcard, some by path for any host. */
function definition(at: number, path = '/api'): ServiceDefinition {
  const match = [
    { serviceDomain: [`shop-${at}.example.com`] },
    { serviceDomain: [`team-${at}.example.com`], servicePath: [path, '/admin'] },
    { servicePath: [`/service-${at}${path === '/api' ? '' : path}`] },
    { serviceDomain: [`*.site-${at}.example.org`], servicePath: [path] },
    { serviceDomain: [`blog-${at}.example.net`, `www.blog-${at}.example.net`] },
  ][at % 5];
  return {
    version: 1,
    service: `service-${at}`,
    owner: 'swarm',
    source: { kind: 'swarm', swarmId: 's', serviceId: `id-${at}`, versionIndex: 1 },
    updatedAt: '2026-01-01T00:00:00.000Z',
    destinations: [{ index: 0, since: 1, port: 8080, ...match }],
  };
}

function requestTo(at: number): RequestBytes {
  const [host, path] = [
    [`shop-${at}.example.com`, '/cart/items/17'],
    [`team-${at}.example.com`, '/api/v1/users'],
    ['any.example.com', `/service-${at}/v1/users`],
    [`www.site-${at}.example.org`, '/api/v1/users'],
    [`blog-${at}.example.net`, '/2026/01/hello'],
  ][at % 5] as [string, string];
  return { host: Buffer.from(host), path: Buffer.from(path) };
}

function changed(at: number): [ServiceKey, ServiceDefinition] {
  const service = (at * 7) % 10_000;
  return [`swarm/service-${service}`, definition(service, `/api-${at}`)];
}

function definitionsOf(size: number): ReadonlyMap<ServiceKey, ServiceDefinition> {
  return new Map(Array.from({ length: size }, (_, at) => [`swarm/service-${at}` as const, definition(at)]));
}

function emptyTable(): RouteTable {
  return createRouteTable({
    order: 'strict',
    instanceName: 'swarmgate',
    filterInstanceName: false,
  });
}

function tableOf(size: number): RouteTable {
  return emptyTable().with(definitionsOf(size));
}

/** Spread over the whole table; as many different ones for every size, where the size has so many. */
function requestsTo(size: number): readonly RequestBytes[] {
  const different = Math.min(size, 2000);
  return Array.from({ length: 2000 }, (_, at) => requestTo(Math.floor(((at * 617) % different) * (size / different))));
}

function nsEach(times: number, work: (at: number) => boolean): number {
  let found = 0;
  const started = process.hrtime.bigint();
  for (let at = 0; at < times; at += 1) if (work(at)) found += 1;
  const took = Number(process.hrtime.bigint() - started);
  if (found !== times) throw new Error(`${times - found} of ${times} lookups found nothing`);
  return took / times;
}

/** Processor time of this process: what else the machine does falls on a ratio of two short runs by chance. */
function cpuNsEach(times: number, work: (at: number) => boolean): number {
  let found = 0;
  const before = process.cpuUsage();
  for (let at = 0; at < times; at += 1) if (work(at)) found += 1;
  const { user, system } = process.cpuUsage(before);
  if (found !== times) throw new Error(`${times - found} of ${times} lookups found nothing`);
  return ((user + system) * 1_000) / times;
}

function timesOf(rounds: number, work: (round: number) => void): readonly number[] {
  return Array.from({ length: rounds }, (_, round) => {
    const started = performance.now();
    work(round);
    return performance.now() - started;
  });
}

function figure(name: string, unit: string, values: readonly number[], atMost?: number): Figure {
  const sorted = values.toSorted((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const spread = { lowest: sorted[0] ?? Number.NaN, highest: sorted.at(-1) ?? Number.NaN };
  return { name, unit, median, ...spread, ...(atMost === undefined ? {} : { atMost }) };
}

function count(size: number): string {
  return size.toLocaleString('en');
}

/** A Markdown table, as `docs/performance.md` shows it. */
export function showFigures(figures: readonly Figure[]): string {
  const digits = (value: number) =>
    value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2);
  const rows = figures.map(({ name, unit, median, lowest, highest, atMost }) => {
    const promised = atMost === undefined ? '' : `${atMost} ${unit}`;
    return `| ${name} | ${digits(median)} ${unit} | ${digits(lowest)}–${digits(highest)} | ${promised} |`;
  });
  return ['| routing | median | spread | at most |', '|---|---|---|---|', ...rows].join('\n');
}

if (import.meta.main) console.log(showFigures(await benchRouting()));
