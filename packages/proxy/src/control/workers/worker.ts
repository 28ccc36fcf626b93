import { flushCompileCache } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import {
  createLogger,
  createRepeatedLines,
  createRepeatingLogger,
  guardPromise,
  type Logger,
  messageOf,
  pause,
  Tasks,
} from '@swarmgate/runtime';
import { MetricsRegistry as Metrics } from '@swarmgate/runtime/prometheus';
import { ownPorts } from '../../endpoints/own-ports.ts';
import { readCertificate } from '../../server/tls/certificate.ts';
import { prepareRequestServer, type RequestServer } from '../serving/request-server.ts';
import { ControlLink } from './control-link.ts';
import { shareEqualTexts } from './equal-texts.ts';
import { isSocketHandle, type SocketHandle, socketOf } from './handed-socket.ts';
import type { CertificatesMessage, ControlMessage, StartMessage, WorkerMetrics, WorkerReport } from './messages.ts';
import { UpdateQueue } from './update-queue.ts';
import { type WorkerDependencies, workerDependencies } from './worker-dependencies.ts';

const reportEveryMs = 1_000;

type LaterMessage = Exclude<ControlMessage, StartMessage>;

/** The process of one worker: begins to serve with its first message. */
export class WorkerProgram {
  readonly #link = new ControlLink(this);
  #worker: Worker | undefined;

  /** Listens to the control process. */
  run(): void {
    // The last guard: an error that passed every other one costs this worker, after it has drained.
    process.on('uncaughtException', (error) => this.onFault(error));
    this.#link.listen((message, handle) => {
      if (message.kind !== 'start') this.#worker?.take(message, handle);
      else {
        this.#worker = new Worker(message, this.#link);
        guardPromise(this, this.#worker.serve());
      }
    });
    this.#link.post({ kind: 'up' });
  }

  /** A message was not taken in full, or an error passed every guard. Never throws. */
  onFault(error: unknown): void {
    if (this.#worker === undefined) end(this.#link, error);
    else this.#worker.unusable(error);
  }
}

const exits = { onFault: () => process.exit(1) };

/** Reports why this worker cannot serve, and ends its process. */
function end(link: ControlLink, error: unknown): void {
  const exit = () => process.exit(1);
  link.failed(error).then(exit, exit);
}

/** One worker that has its settings, to its end. */
class Worker {
  readonly #start: StartMessage;
  readonly #link: ControlLink;
  readonly #logger: Logger;
  readonly #metrics = new Metrics();
  readonly #ending = new AbortController();
  readonly #tasks: Tasks;
  readonly #dependencies: WorkerDependencies;
  readonly #logUnusable: (error: unknown) => void;
  #server: RequestServer | undefined;
  #reported: WorkerReport | undefined;
  #isUnusable = false;

  constructor(start: StartMessage, link: ControlLink) {
    this.#start = start;
    this.#link = link;
    const logger = createLogger({ level: start.logLevel }).child({ worker: process.pid });
    this.#logger = createRepeatingLogger(logger);
    this.#tasks = new Tasks({ logger: this.#logger });
    this.#dependencies = workerDependencies(start, link, new UpdateQueue(), this.#logger, this.#tasks);
    const lines = createRepeatedLines(logger);
    this.#logUnusable = (error) =>
      lines.write('error', messageOf(error), { err: error }, 'an error passed every guard: this worker is replaced');
  }

  take(message: LaterMessage, handle: unknown): void {
    const { challenges, ticketKeys, updates, apart, suspendedPlugins } = this.#dependencies;
    switch (message.kind) {
      case 'offer-connections':
        this.#link.post({ kind: 'takes-connections' });
        return;
      case 'connection':
        if (isSocketHandle(handle)) this.#adopt(handle, message.port);
        return;
      case 'forget':
        this.#server?.forget(new Set(message.services));
        return;
      case 'certificates':
        this.#useCertificates(message);
        return;
      case 'challenges':
        challenges.replace(message.responses);
        this.#link.post({ kind: 'challenges-served', number: message.number });
        return;
      case 'ticket-keys':
        ticketKeys.rotate(Buffer.from(message.keys));
        return;
      case 'services':
        shareEqualTexts(message.changes);
        updates.take(message);
        return;
      case 'open':
        updates.open();
        return;
      case 'ejected':
        this.#server?.eject(message.endpointId, message);
        return;
      case 'checked':
        this.#server?.checked(message.endpointId, message.passed);
        return;
      case 'peer-ejected':
        this.#server?.peerEjected(message.endpointId);
        return;
      case 'collect':
        this.#inBackground('worker-metrics', this.#sendMetrics(message.call));
        return;
      case 'watch':
        this.#server?.liveTail.watch(message.id, message);
        return;
      case 'unwatch':
        this.#server?.liveTail.unwatch(message.id);
        return;
      case 'apart':
        apart.decided(message.service, message.isApart);
        return;
      case 'suspend-plugins':
        suspendedPlugins.replace(message.names);
        return;
      case 'report-numbers':
        this.#inBackground('process-numbers', this.#reportNumbers(message.call));
        return;
      case 'drain':
        guardPromise(exits, this.#drain(message.deadlineMs));
        return;
    }
  }

  /** Serves until the process ends. Rejects where it cannot go on. */
  async serve(): Promise<void> {
    // For the workers after this one. Done now, because the control process does not wait for this one yet.
    flushCompileCache();
    try {
      const server = await this.#open();
      this.#server = server;
      this.#dependencies.updates.follow(
        async ({ number, last, revision, changes }) => {
          await server.apply({ revision, changes });
          if (last) this.#link.post({ kind: 'applied', number, report: this.#changedReport() });
        },
        // What it serves is no longer what the others serve.
        { onFault: (error) => this.unusable(error) },
      );
      const report = this.#report(server);
      this.#reported = report;
      await this.#link.send({ kind: 'serving', report });
    } catch (error) {
      end(this.#link, error);
      return;
    }
    await this.#tasks.run('worker-reports', this.#ending.signal, () => this.#keepReporting());
  }

  /**
   * This worker cannot be relied on any more: the control process replaces it, and it serves until its replacement does.
   * One that has not begun to serve ends at once.
   */
  unusable(error: unknown): void {
    this.#logUnusable(error);
    if (this.#isUnusable) return;
    this.#isUnusable = true;
    if (this.#server !== undefined) this.#link.post({ kind: 'unusable', message: messageOf(error) });
    else end(this.#link, error);
  }

  async #open(): Promise<RequestServer> {
    const { settings, env, entrypoints, host } = this.#start;
    for (const port of this.#start.ownPorts) ownPorts.add(port);
    const where = host === undefined ? {} : { host };
    const options = { settings, logger: this.#logger, metrics: this.#metrics, env, entrypoints, ...where };
    const server = await prepareRequestServer(options, this.#dependencies);
    await server.open();
    return server;
  }

  #adopt(handle: SocketHandle, port: number): void {
    this.#dependencies.share?.took();
    if (this.#server === undefined) handle.close();
    else this.#server.adopt(socketOf(handle), port);
  }

  #useCertificates({ source, certificates }: CertificatesMessage): void {
    const { certificates: store, clientAuthorities } = this.#dependencies;
    // All of a source come together, and a certificate takes a while to be made ready: those that stay are kept.
    const present = new Map(store.of(source).map((each) => [each.name, each]));
    const read = certificates.map(({ name, cert, key }) => {
      const known = present.get(name);
      if (known !== undefined && known.cert === cert && known.key === key) return known;
      const found = readCertificate(name, `${cert}\n${key}`, clientAuthorities);
      // The control process has read each of them before.
      return found.ok ? found.certificate : undefined;
    });
    store.replace(
      source,
      read.filter((each) => each !== undefined),
    );
  }

  async #keepReporting(): Promise<void> {
    while (await pause(reportEveryMs, this.#ending.signal)) {
      const report = this.#changedReport();
      if (report !== undefined) this.#link.post({ kind: 'report', report });
    }
  }

  #changedReport(): WorkerReport | undefined {
    if (this.#server === undefined) return undefined;
    const report = this.#report(this.#server);
    if (isDeepStrictEqual(report, this.#reported)) return undefined;
    this.#reported = report;
    return report;
  }

  #report(server: RequestServer): WorkerReport {
    return {
      entrypoints: server.entrypoints(),
      relayProblems: server.relayProblems(),
      pluginProblems: server.pluginProblems(),
      resourceProblems: server.resourceProblems(),
      protocolProblems: server.protocolProblems(),
      plugins: server.loadedPlugins(),
      names: server.resolvedNames(),
      endpoints: server.endpointsInUse(),
      traffic: server.traffic(),
      taskFaults: this.#tasks.faults(),
    };
  }

  #collect(): Promise<WorkerMetrics> {
    return this.#metrics.getMetricsAsJSON();
  }

  async #sendMetrics(call: number): Promise<void> {
    await this.#link.send({ kind: 'metrics', call, metrics: await this.#collect() });
  }

  async #reportNumbers(call: number): Promise<void> {
    await this.#server?.reportNumbers();
    await this.#link.send({ kind: 'numbers-reported', call });
  }

  async #drain(deadlineMs: number): Promise<void> {
    this.#ending.abort();
    await this.#server?.drain(deadlineMs);
    await this.#server?.reportNumbers();
    await this.#link.send({ kind: 'drained', metrics: await this.#collect() });
    process.exit(0);
  }

  #inBackground(task: string, work: Promise<void>): void {
    guardPromise(this.#tasks.owner(task), work);
  }
}
