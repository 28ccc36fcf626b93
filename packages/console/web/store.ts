import { computed, signal } from '@preact/signals';
import { CallError, read } from './api.ts';
import { RateHistory } from './history-ring.ts';
import { readHash } from './route-hash.ts';
import { serviceRows } from './service-rows.ts';
import type { KeyProblem, Problem, Route, Services, Session, Status } from './types.ts';

/** What all views share. Each value is replaced as a whole, and keeps its last state while the proxy does not respond. */
export const place = signal(readHash(location.hash));
export const session = signal<Session | undefined>(undefined);
export const status = signal<Status | undefined>(undefined);
export const routes = signal<readonly Route[] | undefined>(undefined);
export const problems = signal<readonly Problem[]>([]);
export const keyProblems = signal<readonly KeyProblem[]>([]);
export const services = signal<Services | undefined>(undefined);
export const scope = signal<'replica' | 'all'>('all');
/** Why the last reading failed; `undefined` where it did not. */
export const failure = signal<CallError | undefined>(undefined);
/** Counts up with every reading of the numbers: sparklines are drawn then. */
export const tick = signal(0);
export const rates = new RateHistory();

export const rows = computed(() => serviceRows(routes.value ?? [], services.value?.services ?? [], problems.value));

const everyMs = 2_000;
/** With more services a reading moves hundreds of kilobytes. */
const manyServices = 2_000;
const everyMsOfMany = 5_000;
/** Endpoints change without a new revision. */
const routesEveryMs = 10_000;

let routesReadAtMs = Number.NEGATIVE_INFINITY;
let revisionRead: string | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let reading: Promise<void> | undefined;

export function start(): void {
  addEventListener('hashchange', () => {
    place.value = readHash(location.hash);
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void refresh();
  });
  void refresh();
}

/** Reads now, and from then on again and again while the page is visible. */
export function refresh(force = false): Promise<void> {
  if (force) routesReadAtMs = Number.NEGATIVE_INFINITY;
  reading ??= readAll().finally(() => {
    reading = undefined;
    clearTimeout(timer);
    if (document.visibilityState !== 'visible') return;
    timer = setTimeout(() => void refresh(), (routes.value?.length ?? 0) > manyServices ? everyMsOfMany : everyMs);
  });
  return reading;
}

async function readAll(): Promise<void> {
  try {
    session.value = await read<Session>('/v1/session');
    if (!session.value.mayRead) {
      failure.value = undefined;
      return;
    }
    const [now, counted] = await Promise.all([read<Status>('/v1/status'), readNumbers()]);
    const isOld = performance.now() - routesReadAtMs > routesEveryMs;
    if (now.revision !== revisionRead || isOld || routes.value === undefined) await readRoutes(now.revision);
    status.value = now;
    if (counted !== undefined) takeNumbers(counted);
    failure.value = undefined;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    failure.value = error;
  }
}

async function readRoutes(revision: string): Promise<void> {
  const startedMs = performance.now();
  const [table, found] = await Promise.all([
    read<{ readonly routes: readonly Route[] }>('/v1/routes'),
    read<{ readonly problems: readonly Problem[]; readonly keys: readonly KeyProblem[] }>('/v1/problems'),
  ]);
  routes.value = table.routes;
  problems.value = found.problems;
  keyProblems.value = found.keys;
  routesReadAtMs = startedMs;
  revisionRead = revision;
}

/** `undefined` where this page may not read what shows clients: the overview has no figures then. */
async function readNumbers(): Promise<Services | undefined> {
  if (session.value?.mayChange !== true) return undefined;
  return await read<Services>('/v1/services', { fields: 'numbers', replicas: scope.value });
}

function takeNumbers(counted: Services): void {
  rates.add(
    new Map(counted.services.map(({ service, numbers }) => [service, numbers?.lastMinute.requestsPerSecond ?? 0])),
  );
  services.value = counted;
  tick.value += 1;
}
