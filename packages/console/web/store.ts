import { computed, effect, signal } from '@preact/signals';
import { CallError, read } from './api.ts';
import { FigureHistory } from './history-ring.ts';
import { readHash } from './route-hash.ts';
import type { ServiceRow } from './service-rows.ts';
import { StateStream } from './state-stream.ts';
import { StreamedState } from './streamed-state.ts';
import type {
  Certificates,
  KeyProblem,
  MaintainedService,
  Problem,
  Route,
  RowNumbers,
  ServiceNumbers,
  Services,
  Session,
  StateChanges,
  Status,
} from './types.ts';

/** What all views share. Each value is replaced as a whole, and keeps its last state while the proxy does not respond. */
export const place = signal(readHash(location.hash));
export const session = signal<Session | undefined>(undefined);
export const status = signal<Status | undefined>(undefined);
export const rows = signal<readonly ServiceRow[]>([]);
export const problems = signal<readonly Problem[]>([]);
export const keyProblems = signal<readonly KeyProblem[]>([]);
/** The last minute of all services; `undefined` where this page may not read figures. */
export const totals = signal<RowNumbers | undefined>(undefined);
/** The next three are what the stream sends; views that show them read them while it is cut. */
export const maintained = signal<readonly MaintainedService[] | undefined>(undefined);
export const certificates = signal<Certificates | undefined>(undefined);
/** The service that `watched` names. */
export const oneService = signal<ServiceNumbers | undefined>(undefined);
/** `<owner>/<service>` that is shown in full. */
export const watched = computed(() => {
  const { view, rest } = place.value;
  return view === 'services' && rest.length >= 2 ? `${rest[0]}/${rest[1]}` : undefined;
});
/** The stream is cut: what is shown has been read. */
export const isCut = signal(false);
export const scope = signal<'replica' | 'all'>('all');
/** How much of the state is here: a list of thousands comes in parts. */
export const loaded = signal<'nothing' | 'part' | 'all'>('nothing');
/** `live`: changes come by themselves. `polling`: they are read again and again, because a proxy in between holds events back. */
export const connection = signal<'connecting' | 'live' | 'polling' | 'disconnected'>('connecting');
/** Why the last reading failed; `undefined` where it did not. */
export const failure = signal<CallError | undefined>(undefined);
/** Counts up with the figures: sparklines are drawn then. */
export const tick = signal(0);
export const rates = new FigureHistory();
/** p99 in milliseconds; 0 where there was no request. */
export const latencies = new FigureHistory();

const pollEveryMs = 2_000;
/** With more services a reading moves hundreds of kilobytes. */
const manyServices = 2_000;
const pollEveryMsOfMany = 5_000;
const figuresEveryMs = 2_000;
/** Least time between two updates of what is shown. */
const showEveryMs = 100;
/** Where the stream was refused or cut, it is tried again after this time. */
const streamAgainMs = 30_000;

const stream = new StateStream({
  open: (url) => new EventSource(url),
  onReset() {
    incoming = new StreamedState();
    if (states.services.size === 0) states = incoming;
  },
  onChanges: take,
  onCurrent() {
    states = incoming;
    loaded.value = 'all';
    isLive();
    isCut.value = false;
    show();
    noteFigures();
  },
  onTrouble(trouble) {
    if (trouble === 'interrupted') {
      connection.value = 'connecting';
      void readSession();
      return;
    }
    void fallBack();
  },
  schedule(run, ms) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  nowMs: () => performance.now(),
});

let states = new StreamedState();
/** What the stream sends; other than `states` while it sends all again, so that the list does not shrink meanwhile. */
let incoming = states;
let showTimer: ReturnType<typeof setTimeout> | undefined;
let shownAtMs = Number.NEGATIVE_INFINITY;
let ratesAtMs = Number.NEGATIVE_INFINITY;
let pollTimer: ReturnType<typeof setTimeout> | undefined;
let streamTimer: ReturnType<typeof setTimeout> | undefined;

export function start(): void {
  addEventListener('hashchange', () => {
    place.value = readHash(location.hash);
  });
  document.addEventListener('visibilitychange', () => {
    // A browser opens six connections to a host: pages out of sight take none of them.
    if (document.visibilityState !== 'visible') {
      pauseAll();
      return;
    }
    openStream();
    void refresh();
  });
  let isFirst = true;
  effect(() => {
    // Another scope, or service, is another stream.
    void [scope.value, watched.value];
    if (isFirst) isFirst = false;
    else if (stream.isOpen) stream.open(scope.value, watched.value);
  });
  void begin();
}

/** The stream is refused without a login: it is opened where the session may read, or is not known. */
async function begin(): Promise<void> {
  await readSession();
  if (session.value?.mayRead !== false) openStream();
}

/** Reads the session again, and goes on with the state. `force`: now, whatever was tried last. */
export async function refresh(force = false): Promise<void> {
  await readSession();
  if (session.value?.mayRead !== true) return;
  if (connection.value === 'polling') await poll();
  else if (!stream.isOpen || (force && connection.value === 'disconnected')) openStream();
}

function openStream(): void {
  clearTimeout(streamTimer);
  if (document.visibilityState === 'visible') stream.open(scope.value, watched.value);
}

function pauseAll(): void {
  stream.close();
  clearTimeout(pollTimer);
  clearTimeout(streamTimer);
}

/** What is held belongs to another login. */
function forget(): void {
  pauseAll();
  stream.forget();
  states = new StreamedState();
  incoming = states;
  loaded.value = 'nothing';
  isCut.value = false;
  connection.value = 'connecting';
  status.value = undefined;
  totals.value = undefined;
  keyProblems.value = [];
  show();
}

/** `false`: this proxy does not respond, or not as it should. */
async function readSession(): Promise<boolean> {
  try {
    const before = session.value;
    const now = await read<Session>('/v1/session');
    session.value = now;
    failure.value = undefined;
    if (before !== undefined && (before.mayRead !== now.mayRead || before.mayChange !== now.mayChange)) {
      forget();
      if (now.mayRead) openStream();
    }
    if (!now.mayRead) pauseAll();
    return true;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    failure.value = error;
    connection.value = 'disconnected';
    return false;
  }
}

function isLive(): void {
  connection.value = 'live';
  failure.value = undefined;
  clearTimeout(pollTimer);
}

/** No stream can be opened now: the state is polled, and the stream tried again later. */
async function fallBack(): Promise<void> {
  const responds = await readSession();
  if (responds && session.value?.mayRead !== true) return;
  streamTimer = setTimeout(openStream, responds ? streamAgainMs : pollEveryMs);
  if (!responds) return;
  isCut.value = true;
  await poll();
}

async function poll(): Promise<void> {
  clearTimeout(pollTimer);
  try {
    await readAll();
    if (connection.value !== 'live') connection.value = 'polling';
    failure.value = undefined;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    failure.value = error;
    connection.value = error.status === 0 ? 'disconnected' : 'polling';
    if (error.status === 401 || error.status === 403) await readSession();
  }
  if (document.visibilityState !== 'visible' || connection.value === 'live' || session.value?.mayRead !== true) return;
  pollTimer = setTimeout(() => void poll(), states.services.size > manyServices ? pollEveryMsOfMany : pollEveryMs);
}

async function readAll(): Promise<void> {
  const mayCount = session.value?.mayChange === true;
  const [now, table, found, counted] = await Promise.all([
    read<Status>('/v1/status'),
    read<{ readonly routes: readonly Route[] }>('/v1/routes'),
    read<{ readonly problems: readonly Problem[]; readonly keys: readonly KeyProblem[] }>('/v1/problems'),
    mayCount ? read<Services>('/v1/services', { fields: 'numbers', replicas: scope.value }) : undefined,
  ]);
  const next = new StreamedState();
  const keyOf = ({ owner, service }: { readonly owner: string; readonly service: string }) => `${owner}/${service}`;
  for (const [key, routes] of Map.groupBy(table.routes, keyOf)) next.services.setRoutes(key, routes);
  for (const [key, ofOne] of Map.groupBy(found.problems, keyOf)) next.services.setProblems(key, ofOne);
  for (const { service, numbers } of counted?.services ?? [])
    if (numbers !== null) next.services.setNumbers(service, numbers.lastMinute);
  // The stream may have come back meanwhile.
  if (connection.value === 'live') return;
  stream.forget();
  states = next;
  incoming = next;
  status.value = now;
  keyProblems.value = found.keys;
  totals.value = counted?.total.lastMinute;
  loaded.value = 'all';
  show();
  noteFigures();
}

function take(changes: StateChanges): void {
  isLive();
  const now = changes.status?.[''];
  if (now) status.value = now;
  const keys = changes.keys?.[''];
  if (keys) keyProblems.value = keys;
  const total = changes.totals?.[''];
  if (total) totals.value = total;
  incoming.take(changes);
  if (incoming === states) showSoon();
}

function showSoon(): void {
  showTimer ??= setTimeout(show, Math.max(0, shownAtMs + showEveryMs - performance.now()));
}

function show(): void {
  clearTimeout(showTimer);
  showTimer = undefined;
  rows.value = states.services.rows();
  problems.value = states.services.problems();
  states.keepService(watched.value);
  if (!isCut.value) {
    maintained.value = loaded.value === 'all' ? states.maintenance : undefined;
    certificates.value = states.certificates;
    oneService.value = watched.value === undefined ? undefined : states.serviceOf(watched.value);
  }
  if (loaded.value === 'nothing' && rows.value.length > 0) loaded.value = 'part';
  shownAtMs = performance.now();
}

function noteFigures(): void {
  const nowMs = performance.now();
  if (totals.value === undefined || nowMs - ratesAtMs < figuresEveryMs) return;
  ratesAtMs = nowMs;
  const numbers = [...states.services.numbers];
  rates.add(new Map(numbers.map(([key, { requestsPerSecond }]) => [key, requestsPerSecond])));
  latencies.add(new Map(numbers.map(([key, { p99Ms }]) => [key, p99Ms ?? 0])));
  tick.value += 1;
}
