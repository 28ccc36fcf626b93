import { isIP } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Problem, ServiceKey } from '@swarmgate/registry';
import type { Settings, TaskFault, Tasks } from '@swarmgate/runtime';
import type { NameState } from '../../endpoints/name-resolution.ts';
import { hasDockerDns } from '../../endpoints/own-networks.ts';
import { Upstreams } from '../../endpoints/upstreams.ts';
import { MaintenanceInForce } from '../../middleware/maintenance/maintenance-in-force.ts';
import type { Route } from '../../model/route.ts';
import type { ServedService, ServicesChange } from '../../model/served-service.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import type { EntrypointView } from '../../server/entrypoint-view.ts';
import { EndpointProblems } from '../serving/endpoint-problems.ts';
import { memory, ResourceProblems } from '../serving/resource-problems.ts';
import type { EndpointView } from '../serving/server.ts';
import { definitionsOf, emptyTable, mergeProblems, OwnNetworks } from '../serving/serving-table.ts';
import type { WorkerReport } from './messages.ts';
import { piecesOf } from './services-feed.ts';

/** What the control process, which serves nothing itself, shows of serving: its own table, and what workers report. */
export class ControlView {
  readonly networks = new OwnNetworks();
  readonly maintenance = new MaintenanceInForce();
  readonly #services = new Map<ServiceKey, ServedService>();
  readonly #names = new ReportedNames();
  readonly #upstreams: Upstreams;
  readonly #unreachable: EndpointProblems;
  readonly #reports: () => readonly WorkerReport[];
  readonly #resources = new ResourceProblems([memory()]);
  #table: RouteTable;
  #revision = '';

  constructor(settings: Settings, reports: () => readonly WorkerReport[]) {
    this.#reports = reports;
    this.#table = emptyTable(settings);
    this.#upstreams = new Upstreams({
      swarmName: settings.swarmName,
      subnets: () => this.networks.subnets,
      dockerNames: hasDockerDns(),
      names: this.#names,
    });
    this.#unreachable = new EndpointProblems({
      table: () => this.#table,
      upstreams: this.#upstreams,
      addressesAsOf: () => {
        this.#names.learn(this.#reports());
        return `${this.#names.changes} ${this.networks.subnets}`;
      },
    });
  }

  reports(): readonly WorkerReport[] {
    return this.#reports();
  }

  get table(): RouteTable {
    return this.#table;
  }

  get revision(): string {
    return this.#revision;
  }

  /** All that is served, for workers that start. */
  get services(): ReadonlyMap<ServiceKey, ServedService> {
    return this.#services;
  }

  apply(change: ServicesChange): void {
    this.#take(change);
    this.#show(change);
  }

  /**
   * As `apply`, in a turn of the event loop for each piece: the workers that start get their services meanwhile. `services` are
   * those of the change at once; the table has all of them when this resolves.
   */
  async applyInTurns(change: ServicesChange): Promise<void> {
    this.#take(change);
    for (const changes of piecesOf(change.changes)) {
      this.#show({ changes });
      await setImmediate();
    }
  }

  #take(change: ServicesChange): void {
    for (const [key, served] of change.changes) {
      if (served === undefined) this.#services.delete(key);
      else this.#services.set(key, served);
    }
    this.#revision = change.revision;
  }

  #show(change: Pick<ServicesChange, 'changes'>): void {
    this.#upstreams.apply(change.changes);
    this.maintenance.apply(change.changes);
    this.#table = this.#table.with(definitionsOf(change));
    this.#unreachable.apply(change.changes);
  }

  /** Follows the networks of this machine and the names that workers resolve, until the signal aborts. */
  async follow(everyMs: number, signal: AbortSignal, tasks: Tasks): Promise<void> {
    await Promise.all([
      tasks.run('own-networks', signal, () => this.networks.follow(everyMs, signal)),
      tasks.run('unusable-addresses', signal, () => this.#unreachable.follow(everyMs, signal)),
    ]);
  }

  endpointsOf(route: Route): readonly EndpointView[] {
    const reports = this.#reports();
    this.#names.learn(reports);
    return this.#upstreams.view(route).endpoints.map((endpoint) => {
      const known = reports.flatMap(({ endpoints }) => endpoints.filter(({ id }) => id === endpoint.id));
      const kinds = known.map(({ health }) => health);
      const isOut = kinds.some((kind) => kind === 'ejected' || kind === 'failing-checks');
      return {
        endpoint,
        health: isOut ? 'ejected' : kinds.includes('returning') ? 'unknown' : 'healthy',
        outstanding: known.reduce((sum, { outstanding }) => sum + outstanding, 0),
      };
    });
  }

  /** As the workers last reported: within a second or so. */
  outstanding(): ReadonlyMap<string, number> {
    const sum = new Map<string, number>();
    for (const { endpoints } of this.#reports())
      for (const { id, outstanding } of endpoints) sum.set(id, (sum.get(id) ?? 0) + outstanding);
    return sum;
  }

  /** Control tasks of the workers that failed and have not recovered. */
  taskFaults(): readonly TaskFault[] {
    return this.#reports().flatMap(({ taskFaults }) => taskFaults);
  }

  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    const reports = this.#reports();
    this.#names.learn(reports);
    const ofRelays = new Map<ServiceKey, readonly Problem[]>();
    const ofPlugins = new Map<ServiceKey, readonly Problem[]>();
    const ofResources = new Map(this.#resources.problems());
    const ofProtocols = new Map<ServiceKey, readonly Problem[]>();
    for (const { relayProblems, pluginProblems, resourceProblems, protocolProblems } of reports) {
      for (const [key, problems] of relayProblems) if (!ofRelays.has(key)) ofRelays.set(key, problems);
      for (const [key, problems] of protocolProblems) ofProtocols.set(key, problems);
      for (const [key, problems] of resourceProblems) ofResources.set(key, problems);
      for (const [key, problems] of pluginProblems) ofPlugins.set(key, [...(ofPlugins.get(key) ?? []), ...problems]);
    }
    return mergeProblems(ofRelays, ofPlugins, ofProtocols, ofResources, this.#unreachable.problems());
  }

  /** A port is open as long as one worker serves it. */
  entrypoints(): readonly EntrypointView[] {
    const byPort = new Map<number, EntrypointView>();
    for (const { entrypoints } of this.#reports())
      for (const each of entrypoints) if (byPort.get(each.port)?.state !== 'open') byPort.set(each.port, each);
    return [...byPort.values()];
  }
}

/** Names as the workers resolved them: the control process sends no DNS queries for names that it does not forward to. */
class ReportedNames {
  #states: ReadonlyMap<string, NameState> = new Map();
  readonly #literals = new Map<string, NameState>();
  #learnt: readonly WorkerReport[] = [];
  #changes = 0;

  /** How often workers reported anything else than before. */
  get changes(): number {
    return this.#changes;
  }

  learn(reports: readonly WorkerReport[]): void {
    const { length } = this.#learnt;
    if (reports.length === length && reports.every((report, at) => report === this.#learnt[at])) return;
    this.#learnt = reports;
    this.#changes += 1;
    const states = new Map<string, NameState>();
    for (const { names } of reports)
      for (const [name, state] of names) {
        // The same object as long as the state is equal: users compare by identity.
        const before = this.#states.get(name);
        const same = before !== undefined && isDeepStrictEqual(before, state);
        if (states.get(name)?.kind !== 'resolved') states.set(name, same ? before : state);
      }
    this.#states = states;
  }

  resolve(name: string): NameState {
    return this.peek(name);
  }

  peek(name: string): NameState {
    if (isIP(name) === 0) return this.#states.get(name) ?? pending;
    let literal = this.#literals.get(name);
    if (literal === undefined) {
      literal = { kind: 'resolved', addresses: [name] };
      this.#literals.set(name, literal);
    }
    return literal;
  }
}

const pending: NameState = { kind: 'pending' };
