import type { Worker as ClusterWorker } from 'node:cluster';
import type { OpenChallengeResponses } from '@swarmgate/acme/challenge-responses';
import type { ServiceKey } from '@swarmgate/registry';
import { type FaultOwner, guard, guardPromise, SwarmgateError } from '@swarmgate/runtime';
import type { BlockReport } from '../../express/plugins/block-watch.ts';
import type { ServedService, ServicesChange } from '../../model/served-service.ts';
import type { WorkerView } from '../serving/server.ts';
import { followBlockReports } from './block-reports.ts';
import type { HandedConnection } from './connection-placement.ts';
import { sendable } from './handed-socket.ts';
import type { ControlMessage, StartMessage, WorkerMessage, WorkerMetrics, WorkerReport } from './messages.ts';
import { Backlog, piecesOf } from './services-feed.ts';

/** A worker could not begin to serve. `code` is the reason's own where there is one, as of an entrypoint in use. */
export class WorkerError extends SwarmgateError {}

export interface WorkerProcessOptions {
  readonly start: StartMessage;
  /** Resolves when there are many services, or `firstTable` does: the worker gets what there is then. */
  readonly firstServices: Promise<void>;
  /** Resolves when there is a table: the worker opens its ports then. */
  readonly firstTable: Promise<void>;
  /** What it needs beside services before it opens its ports. */
  readonly first: () => readonly ControlMessage[];
  readonly revision: () => string;
  readonly services: ReadonlyMap<ServiceKey, ServedService>;
  /** Everything but the messages that this class awaits itself. */
  readonly onMessage: (worker: WorkerProcess, message: WorkerMessage, handle: unknown) => void;
  /** A plug-in keeps it from serving, and it is to be replaced. */
  readonly onBlocked: (worker: WorkerProcess, report: BlockReport) => void;
  /** It reported that it cannot be relied on any more. */
  readonly onUnusable: (worker: WorkerProcess, why: string) => void;
  /** Gets what goes wrong with its messages in this process. */
  readonly owner: FaultOwner;
}

type State = 'starting' | 'opening' | 'serving' | 'draining' | 'ended';

const collectWaitMs = 1_000;

/** One worker as the control process sees it. */
export class WorkerProcess {
  readonly #child: ClusterWorker;
  readonly #options: WorkerProcessOptions;
  readonly #serving = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<string>();
  readonly #unacknowledged = new Map<number, { readonly revision: string; readonly resolve: () => void }>();
  readonly #collecting = new Map<number, (metrics: WorkerMetrics) => void>();
  readonly #reporting = new Map<number, () => void>();
  readonly #responding = new Map<number, () => void>();
  #state: State = 'starting';
  #backlog: Backlog | undefined;
  #sending: Promise<void> = Promise.resolve();
  #revision = '';
  #numbers = 0;
  /** Its metrics from the end of its drain, if it sent them. */
  #report: WorkerReport | undefined;
  #lastMetrics: WorkerMetrics = [];

  constructor(child: ClusterWorker, options: WorkerProcessOptions) {
    this.#child = child;
    this.#options = options;
    this.#backlog = new Backlog(options.services.keys());
    const { owner } = options;
    child.on(
      'message',
      guard(owner, (message: WorkerMessage, handle: unknown) => this.#onMessage(message, handle)),
    );
    child.on(
      'error',
      guard(owner, () => this.kill()),
    );
    child.on(
      'exit',
      guard(owner, (code: number, signal: string | null) =>
        this.#onExit(signal === null ? `exit code ${code}` : signal),
      ),
    );
    followBlockReports(child, options.start.blockReportFd, owner, (report) => options.onBlocked(this, report));
    // Awaited only where the caller needs to know; unhandled rejections would end the process.
    this.#serving.promise.catch(() => undefined);
  }

  /** Resolves when its ports are open. @throws WorkerError when they cannot be opened, or it ended before. */
  get serving(): Promise<void> {
    return this.#serving.promise;
  }

  /** Resolves with how it ended: exit code or signal. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  get state(): State {
    return this.#state;
  }

  get report(): WorkerReport | undefined {
    return this.#report;
  }

  /** As of its last response; its final ones once it has drained. */
  get metrics(): WorkerMetrics {
    return this.#lastMetrics;
  }

  get pid(): number {
    return this.#child.process.pid ?? 0;
  }

  view(): WorkerView {
    const { pid } = this;
    const state = this.#state === 'serving' || this.#state === 'draining' ? this.#state : 'starting';
    return { pid, state, revision: this.#revision };
  }

  send(message: ControlMessage): void {
    guardPromise(this.#options.owner, this.#send(message));
  }

  offerConnections(): void {
    this.send({ kind: 'offer-connections' });
  }

  giveConnection({ port, handle }: HandedConnection, onLeft: () => void): void {
    const message: ControlMessage = { kind: 'connection', port };
    const sent = guard(this.#options.owner, (error: Error | null) => {
      if (error === null) onLeft();
    });
    // Without a channel it is about to end. Node drops what waits in a channel that closes, and calls nothing back.
    if (this.#child.isConnected()) this.#child.send(message, sendable(handle), undefined, sent);
  }

  /** Resolves when the worker serves the change, or is none that accepts connections. */
  apply(change: Pick<ServicesChange, 'revision' | 'changes'>): Promise<void> {
    if (this.#backlog !== undefined) {
      this.#backlog.add(change.changes.keys());
      return Promise.resolve();
    }
    if (this.#state === 'ended') return Promise.resolve();
    const counts = this.#state !== 'draining';
    const acknowledged = this.#sendServices(change.revision, piecesOf(change.changes));
    return counts ? acknowledged : Promise.resolve();
  }

  /** Resolves when the worker has the responses, or is none that accepts connections: one that starts gets them first. */
  serveChallenges(responses: OpenChallengeResponses): Promise<void> {
    const number = this.#nextNumber();
    const acknowledged = new Promise<void>((resolve) => this.#responding.set(number, resolve));
    this.send({ kind: 'challenges', number, responses });
    return this.#state === 'serving' || this.#state === 'opening' ? acknowledged : Promise.resolve();
  }

  /** Resolves when the worker has ended; at the latest a little after the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#state !== 'ended') this.#state = 'draining';
    this.#backlog = undefined;
    this.#settle();
    this.send({ kind: 'drain', deadlineMs });
    const timer = setTimeout(
      guard(this.#options.owner, () => this.kill()),
      deadlineMs + 2_000,
    );
    await this.ended;
    clearTimeout(timer);
  }

  kill(): void {
    this.#child.process.kill('SIGKILL');
  }

  /** Its metrics now; those of its last response where it does not respond in time. */
  async collect(): Promise<WorkerMetrics> {
    if (this.#state !== 'serving' && this.#state !== 'draining') return this.#lastMetrics;
    const call = this.#nextNumber();
    const responded = Promise.withResolvers<WorkerMetrics>();
    this.#collecting.set(call, responded.resolve);
    const timer = setTimeout(() => responded.resolve(this.#lastMetrics), collectWaitMs);
    guardPromise(
      this.#options.owner,
      this.ended.then(() => responded.resolve(this.#lastMetrics)),
    );
    this.send({ kind: 'collect', call });
    const metrics = await responded.promise;
    clearTimeout(timer);
    this.#collecting.delete(call);
    return metrics;
  }

  /** Resolves when all numbers that it counted until now have come, or it does not respond in time. */
  async reportNumbers(): Promise<void> {
    if (this.#state !== 'serving' && this.#state !== 'draining') return;
    const call = this.#nextNumber();
    const responded = Promise.withResolvers<void>();
    this.#reporting.set(call, responded.resolve);
    const timer = setTimeout(responded.resolve, collectWaitMs);
    guardPromise(
      this.#options.owner,
      this.ended.then(() => responded.resolve()),
    );
    this.send({ kind: 'report-numbers', call });
    await responded.promise;
    clearTimeout(timer);
    this.#reporting.delete(call);
  }

  #onMessage(message: WorkerMessage, handle: unknown): void {
    switch (message.kind) {
      case 'up':
        guardPromise({ onFault: (error) => this.#failed(error) }, this.#bootstrap());
        return;
      case 'serving':
        this.#report = message.report;
        if (this.#state === 'opening') this.#state = 'serving';
        this.#serving.resolve();
        return;
      case 'failed':
        this.#serving.reject(new WorkerError(message.code, message.message));
        return;
      case 'unusable':
        this.#options.onUnusable(this, message.message);
        return;
      case 'applied':
        if (message.report !== undefined) this.#report = message.report;
        this.#acknowledged(message.number);
        return;
      case 'report':
        this.#report = message.report;
        return;
      case 'metrics':
        this.#lastMetrics = message.metrics;
        this.#collecting.get(message.call)?.(message.metrics);
        return;
      case 'challenges-served':
        this.#responding.get(message.number)?.();
        this.#responding.delete(message.number);
        return;
      case 'numbers-reported':
        this.#reporting.get(message.call)?.();
        return;
      case 'drained':
        this.#lastMetrics = message.metrics;
        return;
      default:
        this.#options.onMessage(this, message, handle);
    }
  }

  /** Everything there is, in pieces, and what changes meanwhile; only then may it open its ports. */
  async #bootstrap(): Promise<void> {
    const { start, firstServices, firstTable, first, revision } = this.#options;
    this.send(start);
    await firstServices;
    for (const message of first()) this.send(message);
    await this.#sendBacklog();
    await firstTable;
    if (this.#backlog?.isEmpty === false) await this.#sendBacklog();
    if (this.#backlog === undefined) return;
    this.#backlog = undefined;
    this.#revision = revision();
    if (this.#state === 'starting') this.#state = 'opening';
    this.send({ kind: 'open' });
  }

  async #sendBacklog(): Promise<void> {
    const { services, revision } = this.#options;
    // None is left once it ends or drains.
    while (this.#backlog !== undefined) {
      const changes = this.#backlog.take(services);
      await this.#send({ kind: 'services', number: 0, last: false, revision: revision(), changes });
      if (this.#backlog?.isEmpty === true) return;
    }
  }

  #sendServices(revision: string, pieces: readonly ServicesChange['changes'][]): Promise<void> {
    const number = this.#nextNumber();
    const acknowledged = new Promise<void>((resolve) => this.#unacknowledged.set(number, { revision, resolve }));
    const sent = this.#sending.then(async () => {
      for (const [at, changes] of pieces.entries())
        await this.#send({ kind: 'services', number, last: at === pieces.length - 1, revision, changes });
    });
    guardPromise({ onFault: (error) => this.#failed(error) }, sent);
    this.#sending = sent.catch(() => undefined);
    return acknowledged;
  }

  /** It did not get what it has to serve. */
  #failed(error: unknown): void {
    this.#options.owner.onFault(error);
    this.kill();
  }

  #acknowledged(number: number): void {
    const found = this.#unacknowledged.get(number);
    if (found === undefined) return;
    this.#unacknowledged.delete(number);
    this.#revision = found.revision;
    found.resolve();
  }

  #send(message: ControlMessage): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#child.isConnected()) resolve();
      // A failure to send shows in its end.
      else this.#child.send(message, () => resolve());
    });
  }

  #onExit(how: string): void {
    this.#state = 'ended';
    this.#backlog = undefined;
    this.#settle();
    this.#serving.reject(new WorkerError('worker-failed', `a worker ended before it served: ${how}`));
    this.#ended.resolve(how);
  }

  /** Resolves all pending waits for a worker that ends. */
  #settle(): void {
    for (const { resolve } of this.#unacknowledged.values()) resolve();
    this.#unacknowledged.clear();
    for (const resolve of this.#responding.values()) resolve();
    this.#responding.clear();
  }

  #nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }
}
