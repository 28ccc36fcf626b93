import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { createRegistry } from '../src/create-registry.ts';
import { keyLayout } from '../src/journal/key-layout.ts';
import { RegistryError } from '../src/registry-error.ts';
import { contendForLeadership } from '../src/session/leadership.ts';
import { announceReplica } from '../src/session/presence.ts';
import { ReplicaBarrier } from '../src/session/replica-barrier.ts';
import type { KeyValueStore, StoredValue } from '../src/store/key-value-store.ts';
import { definitionOf } from './sample-definition.ts';

/** How long each task is watched. */
const watchedMs = 500;
// Backoff begins at 50 to 100 ms and doubles, and one attempt is at most six calls: far more than half a second needs.
const mostCalls = 100;

type Responses = Partial<Record<keyof KeyValueStore, (...parameters: unknown[]) => unknown>>;

const fails = () => Promise.reject(RegistryError.of('registry-unreachable', 'the disk is full'));
const lockedBy = (session: string): StoredValue => ({ key: 'edge/leader/swarm', value: '{}', index: 7, session });
const headOf = (sequence: number): StoredValue => ({
  key: 'edge/head',
  value: JSON.stringify({ version: 1, registryId: 'r', sequence, changes: [] }),
  index: 7,
});
const lists: Responses = {
  get: async () => headOf(1),
  list: async () => ({ index: 7, data: [] }),
  keys: async () => ({ index: 7, data: [] }),
};

/**
 * Stores that never let a task succeed. Each responds at once, in a microtask: a retry without a pause would keep the event
 * loop from turning, and this test from ending.
 */
const stores: readonly (readonly [string, Responses])[] = [
  ['fails every call', {}],
  ['takes reads and fails writes', { ...lists, waitForKey: async () => ({ index: 7, data: undefined }) }],
  ['refuses every transaction', { ...lists, ...sessions(), transact: refused }],
  [
    'shows a lock that stays with a session which has ended',
    {
      ...lists,
      ...sessions(),
      transact: refused,
      waitForKey: async () => ({ index: 7, data: lockedBy('s1') }),
      get: async () => lockedBy('s1'),
    },
  ],
  ['responds to every read and fails every blocking query', lists],
  [
    'goes back and forth between two states',
    {
      ...lists,
      get: alternating(
        () => headOf(1),
        () => headOf(2),
      ),
      waitForKey: alternating(
        () => ({ index: 8, data: headOf(2) }),
        () => ({ index: 5, data: headOf(1) }),
      ),
      waitForNames: alternating(
        () => ({ index: 8, data: [] }),
        () => ({ index: 5, data: [] }),
      ),
    },
  ],
  ['loses every session at once', { ...lists, ...sessions(), renewSession: async () => false, transact: accepted }],
];

function sessions(): Responses {
  return { createSession: async () => 's1', destroySession: async () => undefined, renewSession: async () => true };
}

async function refused() {
  return { ok: false, failed: [0], reason: 'refused' };
}

async function accepted() {
  return { ok: true, written: new Map() };
}

function alternating<T>(...responses: readonly (() => T)[]): () => Promise<T> {
  let requested = 0;
  return async () => {
    requested += 1;
    return (responses[requested % responses.length] as () => T)();
  };
}

type Task = (store: KeyValueStore, signal: AbortSignal) => Promise<unknown>;

const layout = keyLayout('edge');
const tasks: readonly (readonly [string, Task])[] = [
  [
    'following',
    async (store, signal) => {
      for await (const _ of createRegistry({ store, instance: 'edge' }).follow({ signal }));
    },
  ],
  [
    'leadership',
    async (store, signal) => {
      const leadership = contendForLeadership({
        store,
        key: layout.leader('swarm'),
        heartbeatKey: layout.leaderHeartbeat('swarm'),
        name: 'test',
        logger: silentLogger,
        heartbeatMs: 50,
        silenceMs: 100,
      });
      await ended(signal);
      await leadership.stop();
    },
  ],
  [
    'presence',
    async (store, signal) => {
      const presence = announceReplica({
        store,
        layout,
        replica: 'one',
        version: '1',
        logger: silentLogger,
        ttlMs: 90,
      });
      presence.report({ registryId: 'r', sequence: 1, routes: 0, rejected: 0 });
      await ended(signal);
      await presence.stop();
    },
  ],
  [
    'the barrier',
    (store, signal) => {
      const own = () => ({
        replica: 'one',
        registryId: 'r',
        sequence: 0,
        routes: 0,
        rejected: 0,
        version: '',
        since: '',
      });
      const rest = { isWritten: () => true, lostMs: 60_000, betweenRetriesMs: 100 };
      return new ReplicaBarrier({ store, layout, own, ...rest }).wait(({ sequence }) => sequence >= 5, 60_000, signal);
    },
  ],
  [
    'publishing',
    (store, signal) => {
      const definition = { document: definitionOf('swarm', 'web') };
      return createRegistry({ store, instance: 'edge' }).publish([{ owner: 'swarm', service: 'web', definition }], {
        by: 'test',
        signal,
      });
    },
  ],
];

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** The calls that a task makes within `watchedMs`. The process stands still for ever if one of its loops does not pause. */
async function callsOf(task: Task, responses: Responses): Promise<number> {
  let calls = 0;
  const store = new Proxy({} as KeyValueStore, {
    get: (_, name) => {
      if (name === 'description') return 'a test';
      return (...parameters: unknown[]) => {
        calls += 1;
        // A loop in microtasks would never let the timer below fire: it is stopped here, and counted.
        if (calls > 20 * mostCalls) return new Promise(() => {});
        return (responses[name as keyof KeyValueStore] ?? fails)(...parameters);
      };
    },
  });
  const stopping = new AbortController();
  const running = task(store, stopping.signal).catch(() => undefined);
  // Time itself is tested: the calls within a span are counted, and no event marks its end.
  await new Promise((resolve) => setTimeout(resolve, watchedMs));
  const counted = calls;
  stopping.abort();
  // A stopped loop (above) cannot end.
  if (counted <= 20 * mostCalls) await running;
  return counted;
}

describe('control tasks on a store that never lets them succeed', () => {
  const calls = new Map<string, Promise<number>>();

  before(async () => {
    // All at the same time: each has a store of its own.
    for (const [what, responses] of stores)
      for (const [name, task] of tasks) calls.set(`${name} ${what}`, callsOf(task, responses));
    await Promise.all(calls.values());
  });

  for (const [what] of stores)
    for (const [name] of tasks)
      it(`${name} makes few calls on one that ${what}`, async () => {
        expect(await calls.get(`${name} ${what}`)).to.be.within(1, mostCalls);
      });
});
