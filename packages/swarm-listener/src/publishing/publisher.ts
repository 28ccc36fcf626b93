import {
  carrySince,
  type Leadership,
  type LeadershipState,
  type Problem,
  type Registry,
  RegistryError,
  type Sealed,
  type Sealer,
  type ServiceChange,
  type ServiceDefinition,
} from '@swarmgate/registry';
import {
  backoffMs,
  createRepeatedLines,
  createSignal,
  type Logger,
  messageOf,
  pause,
  type Running,
  type Tasks,
} from '@swarmgate/runtime';
import type { TranslatedService } from '../labels/translate-service.ts';
import { createEvidenceGuard } from './evidence-guard.ts';
import { type DesiredService, planPublication } from './plan.ts';
import type { DesiredState, PublisherStatus } from './publishing-state.ts';
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
  /** Name of the writer in the history. */
  readonly by: string;
  readonly sealer: Sealer;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly tasks: Pick<Tasks, 'run'>;
  /** Time that secrets may take to be sealed before the others are published, in milliseconds. Default 1,000. */
  readonly sealWaitMs?: number;
  /** As in `EvidenceGuardOptions`. Default 40,000. */
  readonly staleHoldMs?: number;
  /** Requests a listing at once: the state read so far is not reliable. */
  readonly onListingNeeded?: () => void;
  /** Called after each publication that wrote something, with the milliseconds since the event behind it. */
  readonly onPublished?: (services: number, sinceEventMs: number | undefined) => void;
}

export interface Publisher extends Running {
  setDesired(state: DesiredState): void;
  /** Lets this Swarm take over the services that another Swarm registered under the same owner. */
  adopt(): void;
  status(): PublisherStatus;
}

const defaultStaleHoldMs = 40_000;
/** Services whose secrets take longer to seal, all of a reconciliation together, are published afterwards. */
const sealWaitMs = 1_000;

/**
 * Reconciles the registry with the desired state until it is stopped. Level-triggered: it keeps the last desired state, not
 * events, so a retry plans from the state at that time.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { registry, owner, logger, staleHoldMs = defaultStaleHoldMs, onListingNeeded = () => {} } = options;
  const lines = createRepeatedLines(logger);
  const guard = createEvidenceGuard({ owner, logger, staleHoldMs, onListingNeeded });
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const changed = createSignal();
  const written = new Map<string, ServiceDefinition>();
  /** Definitions of the last attempt whose result is unknown. */
  const attempted = new Map<string, ServiceDefinition>();

  /** Services whose secrets are being sealed: what is registered stays until they are. */
  const sealing = new Map<string, Promise<Sealed>>();

  let required: (DesiredState & { readonly atMs: number }) | undefined;
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
      // The former leader may have written anything since this listener's last write.
      written.clear();
      attempted.clear();
      markDirty('all');
    }
    changed.notify();
  });

  function markDirty(names: 'all' | ReadonlySet<string>): void {
    if (names === 'all' || dirty === 'all') dirty = 'all';
    else for (const name of names) dirty.add(name);
  }

  const countOf = (names: 'all' | ReadonlySet<string>) =>
    names === 'all' ? Math.max(1, required?.services.size ?? 0) : names.size;

  async function followRegistry(): Promise<void> {
    for await (const change of registry.follow({ signal })) {
      registered = followRegistered(registered, change, owner);
      if (change.kind === 'delta' || change.kind === 'unreachable') continue;
      const isAnother =
        change.kind === 'head-missing' || change.cause === 'other-registry' || change.cause === 'index-backwards';
      // Own writes are gone with the former registry: a definition that differs now is not a manual edit.
      if (isAnother) {
        written.clear();
        attempted.clear();
      }
      // A manual edit, or a full read by request, is no reason to write.
      if (change.kind === 'snapshot' && (change.cause === 'hand-edit' || change.cause === 'requested')) continue;
      markDirty('all');
      changed.notify();
    }
  }

  /** Adds dates and sealed secrets, which depend on what is registered: the last step before the plan. */
  async function complete(
    service: TranslatedService,
    present: ReadonlyMap<string, RegisteredService>,
    sealedBy: Promise<undefined>,
  ): Promise<DesiredService> {
    const plain = { name: service.name, endpoints: service.endpoints, problems: service.problems };
    if (service.withdrawn === true) return { ...plain, withdrawn: true };
    if (service.definition === undefined) return plain;
    const stored = present.get(service.name)?.definition;
    // After a write with an unknown result, the last followed definition still dates the match.
    const known = stored === 'uncertain' ? followedOf(registered, service.name) : stored;
    const previous = written.get(service.name) ?? known;
    // Not the time of translation: a former leader's date a moment after that would count as a date in the future, and each
    // change of the leader would rewrite definitions.
    const attempt = attempted.get(service.name);
    const dated = carrySince(service.definition, previous, Date.now(), attempt);
    if (service.secrets.passwords.size === 0 && service.secrets.certificate === undefined) {
      return { ...plain, definition: dated };
    }
    const sealed = await sealInTime(service, dated, attempt ?? previous, sealedBy);
    if (sealed === undefined) return plain;
    return sealed.ok
      ? { ...plain, definition: sealed.definition }
      : { ...plain, problems: [...plain.problems, ...sealed.problems] };
  }

  /** `undefined`: not in time, or an earlier sealing of the service goes on. It is reconciled again afterwards. */
  async function sealInTime(
    { name, secrets }: TranslatedService,
    dated: ServiceDefinition,
    previous: ServiceDefinition | undefined,
    late: Promise<undefined>,
  ): Promise<Sealed | undefined> {
    if (sealing.has(name)) return undefined;
    const work = options.sealer.seal(dated, secrets, previous);
    const inTime = await Promise.race([work, late]);
    if (inTime !== undefined) return inTime;
    sealing.set(name, work);
    const again = () => {
      sealing.delete(name);
      markDirty(new Set([name]));
      changed.notify();
    };
    // The sealer remembers what it has hashed: the next call is short, or fails as this one did.
    work.then(again, again);
    return undefined;
  }

  async function reconcile(state: DesiredState, scope: 'all' | ReadonlySet<string>, fence: Fence): Promise<void> {
    const names = scope === 'all' ? state.services.keys() : scope;
    const present = servicesOf(registered);
    const services = new Map<string, DesiredService>();
    const over = new AbortController();
    const late = pause(options.sealWaitMs ?? sealWaitMs, over.signal).then(() => undefined);
    for (const name of names) {
      const service = state.services.get(name);
      if (service !== undefined) services.set(name, await complete(service, present, late));
    }
    over.abort();
    const changes = planPublication({ owner, services, scope }, present, written);
    logger.debug(
      {
        owner,
        compared: services.size,
        scope: scope === 'all' ? scope : [...scope],
        changes: changes.map(({ service, ...parts }) => ({ service, writes: Object.keys(parts).filter(isPart) })),
        invalid: [...services.values()].filter(({ definition }) => definition === undefined).map(({ name }) => name),
      },
      changes.length === 0 ? 'the registry holds the desired state already' : 'publishing',
    );
    for (const { service, definition } of changes)
      if (definition?.document) attempted.set(service, definition.document);
    const refused =
      changes.length > 0 || registered.kind === 'empty' ? await publish(changes, services, fence) : new Set<string>();
    for (const { service } of changes) attempted.delete(service);
    for (const name of scope === 'all' ? written.keys() : scope) if (!services.has(name)) written.delete(name);
    for (const [name, { definition }] of services)
      if (definition !== undefined && !refused.has(name)) written.set(name, definition);
  }

  /** Returns the services that the registry refused; their owners find out by the problems of the service. */
  async function publish(
    changes: readonly ServiceChange[],
    services: ReadonlyMap<string, DesiredService>,
    fence: Fence,
  ): Promise<ReadonlySet<string>> {
    const publication = { signal: fence.signal, by: options.by, fence: { key: fence.key, session: fence.session } };
    const refused = new Set<string>();
    const write = async (some: readonly ServiceChange[]) => {
      // Awaited first: `registered` moves on while the publication is on its way.
      const position = await registry.publish(some, publication);
      registered = withOwnWrites(registered, some, position);
    };
    try {
      await write(changes);
    } catch (error) {
      registered = withUncertain(
        registered,
        changes.map(({ service }) => service),
      );
      if (!isRefusal(error) || changes.length === 0) throw error;
      // One service that the registry refuses must not stop the others: each is written alone.
      for (const change of changes) {
        const { service } = change;
        try {
          await write([change]);
        } catch (refusal) {
          if (!isRefusal(refusal)) throw refusal;
          refused.add(service);
          lines.write('error', service, { err: refusal, owner, service }, 'the registry refused a service');
          const problems = [...(services.get(service)?.problems ?? []), refusedProblem(refusal)];
          await write([{ owner, service, labelProblems: problems }]);
        }
      }
    }
    publications++;
    return refused;
  }

  let waitingFor: string | undefined;
  function explainWait(reason: string): void {
    if (reason === waitingFor) return;
    waitingFor = reason;
    logger.debug({ owner, reason, waiting: countOf(dirty) }, 'not publishing');
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const state = required;
      const scope = dirty;
      const isIdle = scope !== 'all' && scope.size === 0;
      if (state === undefined || leading.kind !== 'leading' || registered.kind === 'unknown' || isIdle) {
        explainWait(reasonToWait(state !== undefined, leading, registered));
        await changed.wait(Number.POSITIVE_INFINITY, signal);
        continue;
      }
      if (!guard.mayPublish(state, servicesOf(registered), performance.now())) {
        const leftMs = guard.untilHoldEndsMs(performance.now());
        explainWait(`the state of the Swarm is not accepted: ${guard.judgement().kind}`);
        await changed.wait(leftMs > 0 ? leftMs : Number.POSITIVE_INFINITY, signal);
        continue;
      }
      const since = eventAtMs;
      dirty = new Set();
      eventAtMs = undefined;
      waitingFor = undefined;
      inFlight = countOf(scope);
      try {
        const before = publications;
        await reconcile(state, scope, { ...leading.fence, signal: leading.signal });
        if (failure !== undefined) logger.info({ owner }, 'publishing works again');
        failures = 0;
        failure = undefined;
        if (scope === 'all') reconciled = true;
        if (publications > before) {
          options.onPublished?.(scope === 'all' ? state.services.size : scope.size, since && performance.now() - since);
        }
      } catch (error) {
        markDirty(scope);
        if (signal.aborted) return;
        const reason = messageOf(error);
        const log = failure === reason ? 'debug' : 'warn';
        logger[log]({ err: error, owner, attempt: failures }, 'cannot publish; retrying with the latest desired state');
        failure = reason;
        await changed.wait(backoffMs(failures++, 100, 5_000), signal);
      } finally {
        inFlight = 0;
      }
    }
  }

  const running = Promise.all([
    options.tasks.run('publisher', signal, run),
    options.tasks.run('registry-following', signal, followRegistry),
  ]);
  return {
    setDesired(next) {
      required = { ...next, atMs: performance.now() };
      eventAtMs ??= next.eventAtMs;
      markDirty(next.changed);
      changed.notify();
    },
    adopt() {
      guard.adopt(required?.evidence.swarmId);
      markDirty('all');
      changed.notify();
    },
    status: () => ({
      leading: leading.kind === 'leading',
      reconciled: reconciled || (leading.kind === 'standby' && registered.kind === 'known'),
      registry: registered.kind,
      judgement: guard.judgement(),
      ...(failure === undefined ? {} : { failure }),
      publications,
      waiting: countOf(dirty) + inFlight + sealing.size,
    }),
    async stop() {
      stopListening();
      stopping.abort();
      changed.notify();
      await running;
      lines.stop();
    },
  };
}

function isRefusal(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.code === 'registry-refused';
}

function refusedProblem(refusal: RegistryError): Problem {
  return {
    severity: 'error',
    reason: 'registry-refused',
    message: `the registry refused the service, so what is served stays as it was: ${refusal.message}`,
    suggestion: 'use fewer or shorter labels, or split the service into several',
  };
}

const isPart = (name: string) => name !== 'owner';

function reasonToWait(hasState: boolean, leading: LeadershipState, registered: Registered): string {
  if (!hasState) return 'the Swarm was not read yet';
  if (leading.kind !== 'leading') return 'another listener leads, or the registry is unreachable';
  if (registered.kind === 'unknown') return 'the registry was not read yet';
  return 'nothing changed';
}

interface Fence {
  readonly key: string;
  readonly session: string;
  /** Aborts when leadership is lost. */
  readonly signal: AbortSignal;
}
