import { randomUUID } from 'node:crypto';
import {
  type BarrierReport,
  carrySince,
  type JournalPosition,
  type Registry,
  type ReplicaPresence,
  type Sealer,
  type ServiceChange,
  type ServiceDefinition,
  type ServiceKey,
  serviceKey,
} from '@swarmgate/registry';
import { pause, type Settings } from '@swarmgate/runtime';
import type { Server } from '../serving/server.ts';
import type { ServicesFollower } from '../watch/follow-services.ts';
import type { ReloadRequests } from '../watch/reload-requests.ts';
import { ownerOf, serviceOf } from '../watch/served-services.ts';
import { type Barrier, type ChangeOutcome, describeBarrier, outcomeOfError } from './change-outcome.ts';
import { type ChangePace, paceOf } from './change-pace.ts';
import { ChangesInTurn } from './changes-in-turn.ts';
import type { GivenDefinition } from './given-definition.ts';

export interface ChangesOptions {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly presence: ReplicaPresence;
  readonly follower: ServicesFollower;
  readonly server: Pick<Server, 'table' | 'traffic' | 'workerMetrics'>;
  readonly sealer: Sealer;
  readonly reloads: Pick<ReloadRequests, 'send'>;
  /** This replica has carried out a request for a reload. */
  readonly onReloaded: (id: string) => void;
  /** A change was written at this position. */
  readonly onPublished?: (position: JournalPosition) => void;
  /** Ms since the epoch. Default: the clock. */
  readonly now?: () => number;
  /** When a change may be written. Default: `paceOf` the server. */
  readonly pace?: Pick<ChangePace, 'turn'>;
}

/** How long the registry may take to take a write, in milliseconds. */
const writeTimeoutMs = 10_000;
const mostAttempts = 6;
// How long this replica may take to follow the change that caused a conflict; then it reads the registry in full.
const followsWithinMs = 300;
const followLookEveryMs = 5;

/** Manual changes: written durably under owner `manual`; the response is sent when every live replica serves them. */
export class Changes {
  readonly #options: ChangesOptions;
  readonly #now: () => number;
  readonly #inTurn = new ChangesInTurn();
  readonly #pace: Pick<ChangePace, 'turn'> | undefined;

  constructor(options: ChangesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#pace = options.pace ?? paceOf(options.server);
  }

  /** Adds or replaces the `manual` definition. */
  async reconfigure(given: GivenDefinition, by: string): Promise<ChangeOutcome> {
    if (given.definition === undefined) return { kind: 'rejected', problems: given.problems };
    const { definition } = given;
    const skipped = this.#ofAnotherInstance(definition);
    if (skipped !== undefined) return skipped;
    if (definition.replicas === 0) return await this.remove(definition.service, by);
    const key = serviceKey(definition);
    return await this.#change(definition.service, contentOf(given), async () => {
      const sealed = await this.#sealed(given, definition);
      if (sealed.kind === 'rejected') return sealed;
      const { document, index } = sealed;
      const barrier = await this.publish([change(document, index)], by);
      const conflicts = this.#options.server.table().lostConflicts(key);
      return {
        kind: 'done',
        message: [describeBarrier(barrier), ...conflicts.map(({ message }) => message)].join('; '),
        definition: document,
        problems: [...given.problems, ...conflicts],
        barrier,
      };
    });
  }

  /** What `reconfigure` would come to, conflicts with other services included. Nothing is written. */
  async check(given: GivenDefinition): Promise<ChangeOutcome> {
    if (given.definition === undefined) return { kind: 'rejected', problems: given.problems };
    const { definition } = given;
    const skipped = this.#ofAnotherInstance(definition);
    if (skipped !== undefined) return skipped;
    const { service } = definition;
    if (definition.replicas === 0)
      return { kind: 'done', message: `nothing written: with replicas=0 manual/${service} would be removed` };
    return await this.#attempt(async () => {
      const sealed = await this.#sealed(given, definition);
      if (sealed.kind === 'rejected') return sealed;
      const { document } = sealed;
      const key = serviceKey(document);
      const table = this.#options.server.table().with(new Map([[key, document]]));
      const warnings = this.#publishedByOthers(service).map(
        ({ owner }) => `it would replace what ${owner} publishes, until it is removed`,
      );
      return {
        kind: 'done',
        message: ['nothing written: the definition can be served', ...warnings].join('; '),
        definition: document,
        problems: [...given.problems, ...(table.problems().get(key) ?? [])],
        warnings,
      };
    });
  }

  #ofAnotherInstance({ proxyInstanceName = '' }: ServiceDefinition): ChangeOutcome | undefined {
    const { filterProxyInstanceName, instanceName } = this.#options.settings;
    if (!filterProxyInstanceName || proxyInstanceName === instanceName) return undefined;
    const message = `nothing done: proxyInstanceName is ${JSON.stringify(proxyInstanceName)}, this is ${instanceName}`;
    return { kind: 'done', message };
  }

  /** The document to write, and the index of the one that it replaces. */
  async #sealed(
    given: GivenDefinition,
    definition: ServiceDefinition,
  ): Promise<
    | Extract<ChangeOutcome, { readonly kind: 'rejected' }>
    | { readonly kind: 'sealed'; readonly document: ServiceDefinition; readonly index: number }
  > {
    const previous = this.#manual(serviceKey(definition));
    const replaced = previous.definition ?? this.#publishedByOthers(definition.service)[0];
    const sealed = await this.#options.sealer.seal(definition, given.secrets, previous.definition);
    if (!sealed.ok) return { kind: 'rejected', problems: [...given.problems, ...sealed.problems] };
    return { kind: 'sealed', document: carrySince(sealed.definition, replaced, this.#now()), index: previous.index };
  }

  /** Removes the `manual` definition and names the other owners that publish the name. */
  async remove(service: string, by: string): Promise<ChangeOutcome> {
    return await this.#change(service, 'removal', async () => {
      const others = this.#publishedByOthers(service);
      const wasKnown = this.#options.follower.served.services.has(serviceKey({ owner: 'manual', service }));
      const barrier = await this.publish(
        [{ owner: 'manual', service, definition: { document: null }, endpoints: null, labelProblems: null }],
        by,
      );
      const remarks = others.map(({ owner }) => `${owner} publishes ${service} too, and that stays`);
      if (!wasKnown && others.length === 0) remarks.push(`no service ${service} was registered by hand`);
      return { kind: 'done', message: [describeBarrier(barrier), ...remarks].join('; '), barrier };
    });
  }

  /** Makes every replica read the whole registry again; with `force` they let go of services held without their keys. */
  async reload(
    how: { readonly force: boolean; readonly owner?: string | undefined },
    by: string,
  ): Promise<ChangeOutcome> {
    return await this.#attempt(async () => {
      const { follower, reloads, onReloaded } = this.#options;
      const remarks: string[] = [];
      if (how.force) {
        const { released, stillHeld } = await follower.releaseHeld(how.owner);
        if (released > 0) remarks.push(`${released} held services were let go`);
        for (const owner of stillHeld)
          remarks.push(`services of ${owner} stay held until ${owner} publishes again, or with owner=${owner}`);
      } else await follower.readAgain();
      const id = await reloads.send({ ...how, by }, AbortSignal.timeout(writeTimeoutMs));
      onReloaded(id);
      const barrier = await this.#waitForReload(id);
      return { kind: 'done', message: [describeBarrier(barrier), ...remarks].join('; '), barrier };
    });
  }

  /** Publishes a former version again, as `manual`: a Swarm's own document is its listener's to write. */
  async rollback(
    from: { readonly service: string; readonly owner?: string | undefined; readonly to?: number | undefined },
    by: string,
  ): Promise<ChangeOutcome> {
    const key = serviceKey({ owner: from.owner ?? this.#ownerOfHistory(from.service), service: from.service });
    return await this.#change(from.service, `rollback of ${key} to ${from.to ?? 'newest'}`, async () => {
      const entries = await this.#options.registry.history(key, AbortSignal.timeout(writeTimeoutMs));
      const entry =
        from.to === undefined
          ? entries.toSorted((a, b) => b.number - a.number)[0]
          : entries.find(({ number }) => number === from.to);
      if (entry === undefined) {
        const known = entries.map(({ number }) => number).join(', ');
        const message =
          known === ''
            ? `${key} has no history: nothing of it was replaced yet`
            : `the history of ${key} has no entry ${from.to}: it has ${known}`;
        return { kind: 'refused', status: 404, message };
      }
      const manual = serviceKey({ owner: 'manual', service: from.service });
      const previous = this.#manual(manual);
      const now = this.#now();
      const document = carrySince(
        {
          ...entry.definition,
          owner: 'manual',
          source: { kind: 'rest', by },
          updatedAt: new Date(now).toISOString(),
        },
        previous.definition ?? this.#publishedByOthers(from.service)[0],
        now,
      );
      const barrier = await this.publish([change(document, previous.index)], by);
      const remarks = [`entry ${entry.number} of ${key} is served again`];
      if (ownerOf(key) !== 'manual') remarks.push(`it replaces what ${ownerOf(key)} publishes until it is removed`);
      return {
        kind: 'done',
        message: [describeBarrier(barrier), ...remarks].join('; '),
        definition: document,
        barrier,
      };
    });
  }

  /** Publishes again the `manual` definitions that a lost registry took along and this proxy still serves. */
  async restore(by: string): Promise<ChangeOutcome> {
    return await this.#attempt(async () => {
      const { follower } = this.#options;
      const state = follower.state();
      const isHeadMissing = state.kind === 'holding' && state.reason === 'head-missing';
      const lost = [...follower.served.services.values()].filter(
        ({ key }) => ownerOf(key) === 'manual' && (isHeadMissing || follower.served.held.has(key)),
      );
      if (lost.length === 0) return { kind: 'done', message: 'nothing to restore: no manual service is held' };
      const barrier = await this.publish(
        lost.map(({ definition }) => change(definition, 0)),
        by,
      );
      const names = lost.map(({ definition }) => definition.service).join(', ');
      return { kind: 'done', message: `${describeBarrier(barrier)}; restored ${names}`, barrier };
    });
  }

  /** A change of one `manual` service, after those of it that are under way. `content`: what it is compared by. */
  #change(service: string, content: string, step: () => Promise<ChangeOutcome>): Promise<ChangeOutcome> {
    return this.#inTurn.run(service, content, () => this.#attempt(step, serviceKey({ owner: 'manual', service })));
  }

  /** Decides again after another writer's change of the same service, and gives up after a few times. */
  async #attempt(step: () => Promise<ChangeOutcome>, key?: ServiceKey): Promise<ChangeOutcome> {
    for (let attempt = 1; ; attempt += 1) {
      const { index } = key === undefined ? { index: undefined } : this.#manual(key);
      try {
        return await step();
      } catch (error) {
        const outcome = outcomeOfError(error);
        const isConflict = error instanceof Error && 'code' in error && error.code === 'registry-conflict';
        if (!isConflict || attempt === mostAttempts) return outcome;
        try {
          if (key === undefined || !(await this.#untilFollowed(key, index))) await this.#options.follower.readAgain();
        } catch (failure) {
          return outcomeOfError(failure);
        }
      }
    }
  }

  /** Whether this replica follows the change of another writer within some time, without a full read. */
  async #untilFollowed(key: ServiceKey, index: number | undefined): Promise<boolean> {
    const deadline = AbortSignal.timeout(followsWithinMs);
    do {
      if (this.#manual(key).index !== index) return true;
    } while (await pause(followLookEveryMs, deadline));
    return false;
  }

  /** Writes, and waits until every live replica serves it. @throws RegistryError */
  async publish(changes: readonly ServiceChange[], by: string): Promise<Barrier> {
    await this.#pace?.turn();
    const report = await this.#options.registry.publish(changes, {
      signal: AbortSignal.timeout(writeTimeoutMs),
      by,
      awaited: true,
    });
    this.#options.onPublished?.(report);
    const { presence } = this.#options;
    return await this.#wait(report.sequence, (...bounds) => presence.waitUntilServed(report, ...bounds));
  }

  #waitForReload(id: string): Promise<Barrier> {
    const { presence, follower } = this.#options;
    return this.#wait(follower.served.sequence, (...bounds) =>
      presence.waitUntil(({ reload }) => reload === id, ...bounds),
    );
  }

  /** Waits until every live replica reports it, this one included, whose session may be lost. */
  async #wait(
    sequence: number,
    wait: (timeoutMs: number, signal: AbortSignal) => Promise<BarrierReport>,
  ): Promise<Barrier> {
    const { barrierTimeoutMs } = this.#options.settings;
    try {
      const { serving, waitingFor } = await wait(
        barrierTimeoutMs,
        AbortSignal.timeout(barrierTimeoutMs + writeTimeoutMs),
      );
      return { sequence, serving, waitingFor };
    } catch {
      // The write stands: that the registry went away meanwhile must not look as if nothing was kept.
      return { sequence, serving: [], waitingFor: ['all of them: the registry went away meanwhile'] };
    }
  }

  #manual(key: ServiceKey): { readonly index: number; readonly definition: ServiceDefinition | undefined } {
    const { served } = this.#options.follower;
    return { index: served.registered(key)?.index ?? 0, definition: served.services.get(key)?.definition };
  }

  #publishedByOthers(service: string): readonly ServiceDefinition[] {
    return [...this.#options.follower.served.services.values()]
      .filter(({ key, origin }) => origin !== 'env' && ownerOf(key) !== 'manual' && serviceOf(key) === service)
      .map(({ definition }) => definition);
  }

  #ownerOfHistory(service: string): string {
    const isManual = this.#options.follower.served.services.has(serviceKey({ owner: 'manual', service }));
    return isManual ? 'manual' : (this.#publishedByOthers(service)[0]?.owner ?? 'manual');
  }
}

/** The definition as a text without its times; with secrets beside it one of its own, because nothing compares those. */
function contentOf({ definition, secrets }: GivenDefinition): string {
  if (secrets.passwords.size > 0 || secrets.certificate !== undefined) return randomUUID();
  return JSON.stringify(definition, (name, value) => (name === 'updatedAt' || name === 'since' ? undefined : value));
}

function change(document: ServiceDefinition, index: number): ServiceChange {
  return { owner: document.owner, service: document.service, definition: { document, index } };
}
