import {
  carrySince,
  type Leadership,
  type LeadershipState,
  type Registry,
  RegistryError,
  type Sealer,
  type ServiceChange,
  type ServiceDefinition,
} from '@swarmgate/registry';
import { backoffMs, createWake, type Logger, messageOf, type Running } from '@swarmgate/runtime';
import type { TranslatedService } from '../labels/translate-service.ts';
import { createEvidenceGuard } from './evidence-guard.ts';
import { type DesiredService, planPublication } from './plan.ts';
import type { PublisherStatus, Wanted } from './publishing-state.ts';
import {
  followedOf,
  followRegistered,
  type Registered,
  type RegisteredService,
  servicesOf,
  withOwnWrites,
  withUncertain,
} from './registered-services.ts';

export interface PublisherOptions {
  readonly registry: Registry;
  readonly leadership: Leadership;
  readonly owner: string;
  /** Who, for the history. */
  readonly by: string;
  readonly sealer: Sealer;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /**
   * A manager that is cut off answers stale lists for some 17 s: one that still lists after this long is taken for the
   * Swarm as it is. In milliseconds, default 40_000.
   */
  readonly staleHoldMs?: number;
  /** Asks for a listing at once: what was said before it is not to be relied on. */
  readonly onListingNeeded?: () => void;
  /** Called after each publication that wrote something, with the milliseconds since the event behind it. */
  readonly onPublished?: (services: number, sinceEventMs: number | undefined) => void;
}

export interface Publisher extends Running {
  want(wanted: Wanted): void;
  /** Lets this Swarm take over what another one registered under our owner. */
  adopt(): void;
  status(): PublisherStatus;
}

const defaultStaleHoldMs = 40_000;

/**
 * Makes registered equal desired, for ever. Level-triggered: it holds the last desired state, not events, so whatever
 * fails is planned anew from what is true then.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { registry, owner, logger, staleHoldMs = defaultStaleHoldMs, onListingNeeded = () => {} } = options;
  const guard = createEvidenceGuard({ owner, logger, staleHoldMs, onListingNeeded });
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const wake = createWake();
  const written = new Map<string, ServiceDefinition>();
  /** What we tried to write last where nobody knows whether it was written. */
  const attempted = new Map<string, ServiceDefinition>();

  let wanted: (Wanted & { readonly atMs: number }) | undefined;
  let dirty: 'all' | Set<string> = new Set();
  let eventAtMs: number | undefined;
  let registered: Registered = { kind: 'unknown' };
  let leading: LeadershipState = { kind: 'standby' };
  let reconciled = false;
  let failure: string | undefined;
  let publications = 0;
  let inFlight = 0;

  const stopListening = options.leadership.onChange((state) => {
    leading = state;
    if (state.kind === 'leading') {
      // Whoever led before may have written anything since we did.
      written.clear();
      attempted.clear();
      markDirty('all');
    }
    wake.wake();
  });

  function markDirty(names: 'all' | ReadonlySet<string>): void {
    if (names === 'all' || dirty === 'all') dirty = 'all';
    else for (const name of names) dirty.add(name);
  }

  const countOf = (names: 'all' | ReadonlySet<string>) =>
    names === 'all' ? Math.max(1, wanted?.services.size ?? 0) : names.size;

  async function followRegistry(): Promise<void> {
    for await (const change of registry.follow({ signal })) {
      registered = followRegistered(registered, change, owner);
      if (change.kind === 'delta' || change.kind === 'unreachable') continue;
      const isAnother =
        change.kind === 'head-missing' || change.cause === 'other-registry' || change.cause === 'index-backwards';
      // What we wrote is gone with the registry we knew: what stands there now is no hand edit of it.
      if (isAnother) {
        written.clear();
        attempted.clear();
      }
      // A hand edit, or somebody who wants to look, is no reason to write.
      if (change.kind === 'snapshot' && (change.cause === 'hand-edit' || change.cause === 'requested')) continue;
      markDirty('all');
      wake.wake();
    }
  }

  /** Dates and sealed secrets come from what is registered, so this is the last step before the plan. */
  async function complete(
    service: TranslatedService,
    present: ReadonlyMap<string, RegisteredService>,
  ): Promise<DesiredService> {
    const plain = { name: service.name, endpoints: service.endpoints, problems: service.problems };
    if (service.definition === undefined) return plain;
    const held = present.get(service.name)?.definition;
    // Where a write failed half way, the follower's last word still dates the match.
    const known = held === 'uncertain' ? followedOf(registered, service.name) : held;
    const previous = written.get(service.name) ?? known;
    // Not when we translated: what a former leader dated a moment later than that would be taken for a date of the future,
    // and each change of the leader would write definitions anew.
    const attempt = attempted.get(service.name);
    const dated = carrySince(service.definition, previous, Date.now(), attempt);
    if (service.secrets.passwords.size === 0 && service.secrets.certificate === undefined) {
      return { ...plain, definition: dated };
    }
    const sealed = await options.sealer.seal(dated, service.secrets, attempt ?? previous);
    return sealed.ok
      ? { ...plain, definition: sealed.definition }
      : { ...plain, problems: [...plain.problems, ...sealed.problems] };
  }

  async function reconcile(state: Wanted, scope: 'all' | ReadonlySet<string>, fence: Fence): Promise<void> {
    const names = scope === 'all' ? state.services.keys() : scope;
    const present = servicesOf(registered);
    const services = new Map<string, DesiredService>();
    for (const name of names) {
      const service = state.services.get(name);
      if (service !== undefined) services.set(name, await complete(service, present));
    }
    const changes = planPublication({ owner, services, scope }, present, written);
    for (const { service, definition } of changes)
      if (definition?.document) attempted.set(service, definition.document);
    if (changes.length > 0 || registered.kind === 'empty') await publish(changes, fence);
    for (const { service } of changes) attempted.delete(service);
    for (const name of scope === 'all' ? written.keys() : scope) if (!services.has(name)) written.delete(name);
    for (const [name, { definition }] of services) if (definition !== undefined) written.set(name, definition);
  }

  async function publish(changes: readonly ServiceChange[], fence: Fence): Promise<void> {
    const publication = { signal: fence.signal, by: options.by, fence: { key: fence.key, session: fence.session } };
    try {
      const { sequence } = await registry.publish(changes, publication);
      registered = withOwnWrites(registered, changes, sequence);
    } catch (error) {
      registered = withUncertain(
        registered,
        changes.map(({ service }) => service),
      );
      const isRefused = error instanceof RegistryError && error.code === 'registry-refused';
      if (!isRefused || changes.length <= 1) throw error;
      // One service that does not fit costs only itself: each goes alone.
      for (const change of changes) {
        try {
          const { sequence } = await registry.publish([change], publication);
          registered = withOwnWrites(registered, [change], sequence);
        } catch (refusal) {
          if (!(refusal instanceof RegistryError) || refusal.code !== 'registry-refused') throw refusal;
          logger.error({ owner, service: change.service }, `${change.service} is not published: ${refusal.message}`);
        }
      }
    }
    publications++;
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const state = wanted;
      const scope = dirty;
      const isIdle = scope !== 'all' && scope.size === 0;
      if (state === undefined || leading.kind !== 'leading' || registered.kind === 'unknown' || isIdle) {
        await wake.wait(Number.POSITIVE_INFINITY, signal);
        continue;
      }
      if (!guard.mayPublish(state, servicesOf(registered), Date.now())) {
        const leftMs = guard.untilHoldEndsMs(Date.now());
        await wake.wait(leftMs > 0 ? leftMs : Number.POSITIVE_INFINITY, signal);
        continue;
      }
      const since = eventAtMs;
      dirty = new Set();
      eventAtMs = undefined;
      inFlight = countOf(scope);
      try {
        const before = publications;
        await reconcile(state, scope, { ...leading.fence, signal: leading.signal });
        if (failure !== undefined) logger.info({ owner }, 'publishing again');
        failures = 0;
        failure = undefined;
        if (scope === 'all') reconciled = true;
        if (publications > before) {
          options.onPublished?.(scope === 'all' ? state.services.size : scope.size, since && Date.now() - since);
        }
      } catch (error) {
        markDirty(scope);
        if (signal.aborted) return;
        const reason = messageOf(error);
        if (failure !== reason) logger.warn({ owner }, `cannot publish, the desired state waits: ${reason}`);
        failure = reason;
        await wake.wait(backoffMs(failures++, 100, 5_000), signal);
      } finally {
        inFlight = 0;
      }
    }
  }

  const running = Promise.all([run(), followRegistry()]);
  return {
    want(next) {
      wanted = { ...next, atMs: Date.now() };
      eventAtMs ??= next.eventAtMs;
      markDirty(next.changed);
      wake.wake();
    },
    adopt() {
      guard.adopt(wanted?.evidence.swarmId);
      markDirty('all');
      wake.wake();
    },
    status: () => ({
      leading: leading.kind === 'leading',
      reconciled: reconciled || (leading.kind === 'standby' && registered.kind === 'known'),
      registry: registered.kind,
      judgement: guard.judgement(),
      ...(failure === undefined ? {} : { failure }),
      publications,
      waiting: countOf(dirty) + inFlight,
    }),
    async stop() {
      stopListening();
      stopping.abort();
      wake.wake();
      await running;
    },
  };
}

interface Fence {
  readonly key: string;
  readonly session: string;
  /** Aborts when leadership is lost. */
  readonly signal: AbortSignal;
}
