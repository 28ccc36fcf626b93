import { flushCompileCache } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { createLogger, messageOf, pause, SwarmgateError } from '@swarmgate/runtime';
import { Registry as Metrics } from 'prom-client';
import { ownPorts } from '../../endpoints/own-ports.ts';
import { trustedProxies } from '../../exchange/client-connection.ts';
import { AskedServices } from '../../exchange/services-apart.ts';
import { createLimiters } from '../../middleware/limits/limiters.ts';
import { readCertificate } from '../../server/tls/certificate.ts';
import { CertificateStore } from '../../server/tls/certificate-store.ts';
import { LiveChallenges } from '../../server/tls/live-challenges.ts';
import { type InProcessServer, startInProcessServer } from '../serving/in-process-server.ts';
import { batchOfSlots } from './connection-slots.ts';
import { ControlLink } from './control-link.ts';
import { LeasedConnections } from './leased-connections.ts';
import { createLeasedLimiters } from './leased-limiters.ts';
import type { CertificatesMessage, ControlMessage, StartMessage, WorkerMetrics, WorkerReport } from './messages.ts';
import { RotatingTicketKeys } from './rotating-ticket-keys.ts';
import { UpdateQueue } from './update-queue.ts';

// The control process is on this machine and does little: what it does not answer by then, it will not soon.
const answerWaitMs = 1_000;
const reportEveryMs = 1_000;

/** One worker, from its first message to its end. */
export class Worker {
  readonly #link = new ControlLink();
  readonly #metrics = new Metrics();
  readonly #ticketKeys = new RotatingTicketKeys();
  readonly #intake = new UpdateQueue();
  readonly #ending = new AbortController();
  readonly #apart = new AskedServices((service) => void this.#link.send({ kind: 'ask-apart', service }));
  readonly #challenges = new LiveChallenges();
  #certificates = new CertificateStore();
  #authorities: string | undefined;
  #server: InProcessServer | undefined;
  #reported: WorkerReport | undefined;

  run(): void {
    this.#link.listen((message) => this.#onMessage(message));
    void this.#link.send({ kind: 'up' });
  }

  #onMessage(message: ControlMessage): void {
    switch (message.kind) {
      case 'start':
        this.#authorities = message.clientAuthorities;
        this.#certificates = new CertificateStore(message.settings.defaultCert);
        void this.#serve(message);
        return;
      case 'certificates':
        this.#useCertificates(message);
        return;
      case 'challenges':
        this.#challenges.replace(message.answers);
        void this.#link.send({ kind: 'challenges-served', number: message.number });
        return;
      case 'ticket-keys':
        this.#ticketKeys.rotate(Buffer.from(message.keys));
        return;
      case 'services':
        this.#intake.take(message);
        return;
      case 'open':
        this.#intake.open();
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
        void this.#collect().then((metrics) => this.#link.send({ kind: 'metrics', call: message.call, metrics }));
        return;
      case 'watch':
        this.#server?.liveTail.watch(message.id, message);
        return;
      case 'unwatch':
        this.#server?.liveTail.unwatch(message.id);
        return;
      case 'apart':
        this.#apart.decided(message.service, message.isApart);
        return;
      case 'report-numbers':
        void this.#reportNumbers(message.call);
        return;
      case 'drain':
        void this.#drain(message.deadlineMs);
        return;
    }
  }

  async #serve(start: StartMessage): Promise<void> {
    // For the workers after this one. Done now, because the control process does not wait for this one yet.
    flushCompileCache();
    try {
      const server = await this.#startServer(start);
      this.#server = server;
      this.#intake.follow(async ({ number, last, revision, changes }) => {
        await server.apply({ revision, changes, sequence: 0, registryId: '', rejected: new Map() });
        if (last) void this.#link.send({ kind: 'applied', number, report: this.#changedReport() });
      });
      const report = reportOf(server);
      this.#reported = report;
      await this.#link.send({ kind: 'serving', report });
      await this.#keepReporting();
    } catch (error) {
      const code = error instanceof SwarmgateError ? error.code : 'worker-failed';
      await this.#link.send({ kind: 'failed', code, message: messageOf(error) });
      process.exit(1);
    }
  }

  #startServer(start: StartMessage): Promise<InProcessServer> {
    const { settings, env, entrypoints, host, workers } = start;
    for (const port of start.ownPorts) ownPorts.add(port);
    const logger = createLogger({ level: start.logLevel }).child({ worker: process.pid });
    const limiters = createLeasedLimiters({
      workers,
      alone: createLimiters({ redisUrl: undefined, instance: settings.instanceName, logger }),
      ask: async (limit, key) => {
        const answer = await this.#link.call((call) => ({ kind: 'take-tokens', call, limit, key }), answerWaitMs);
        return answer?.kind === 'tokens' ? answer.tokens : undefined;
      },
    });
    const admission = new LeasedConnections({
      most: settings.maxConnections,
      mostPerAddress: settings.maxConnectionsPerAddress,
      batch: batchOfSlots(settings.maxConnections, workers),
      exempt: trustedProxies(settings.trustedProxies),
      take: async (asked) => {
        const answer = await this.#link.call((call) => ({ kind: 'take-slots', call, ...asked }), answerWaitMs);
        return answer?.kind === 'slots' ? answer.slots : undefined;
      },
      give: (returned) => void this.#link.send({ kind: 'give-slots', ...returned }),
    });
    return startInProcessServer({
      settings,
      logger,
      metrics: this.#metrics,
      env,
      entrypoints,
      ...(host === undefined ? {} : { host }),
      injected: {
        before: thenCompacted(this.#intake.before()),
        limiters,
        admission,
        certificates: this.#certificates,
        challenges: this.#challenges,
        ticketKeys: this.#ticketKeys,
        onEjected: ({ id }, health) => {
          if (health.kind !== 'ejected') return;
          const forMs = Math.max(0, health.untilMs - performance.now());
          void this.#link.send({ kind: 'ejected', endpointId: id, forMs, ejections: health.ejections });
        },
        apart: {
          isApart: (service) => this.#apart.isApart(service),
          forget: (isServed) => this.#apart.forget(isServed),
        },
        onLiveRequests: (id, batch) => void this.#link.send({ kind: 'live-requests', id, batch }),
        onNumbers: (delta) => void this.#link.send({ kind: 'numbers', delta }),
      },
    });
  }

  #useCertificates({ source, certificates }: CertificatesMessage): void {
    // All of a source come together, and a certificate takes a while to be made ready: those that stay are kept.
    const present = new Map(this.#certificates.of(source).map((each) => [each.name, each]));
    const read = certificates.map(({ name, cert, key }) => {
      const known = present.get(name);
      if (known !== undefined && known.cert === cert && known.key === key) return known;
      const found = readCertificate(name, `${cert}\n${key}`, this.#authorities);
      // The control process has read each of them before.
      return found.ok ? found.certificate : undefined;
    });
    this.#certificates.replace(
      source,
      read.filter((each) => each !== undefined),
    );
  }

  async #keepReporting(): Promise<void> {
    while (await pause(reportEveryMs, this.#ending.signal)) {
      const report = this.#changedReport();
      if (report !== undefined) void this.#link.send({ kind: 'report', report });
    }
  }

  #changedReport(): WorkerReport | undefined {
    if (this.#server === undefined) return undefined;
    const report = reportOf(this.#server);
    if (isDeepStrictEqual(report, this.#reported)) return undefined;
    this.#reported = report;
    return report;
  }

  #collect(): Promise<WorkerMetrics> {
    return this.#metrics.getMetricsAsJSON();
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
}

/** Loading leaves behind as much again as it keeps. Given back now, because no request waits for this worker yet. */
async function* thenCompacted<T>(loaded: AsyncIterable<T>): AsyncGenerator<T> {
  yield* loaded;
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

function reportOf(server: InProcessServer): WorkerReport {
  return {
    entrypoints: server.entrypoints(),
    relayProblems: server.relayProblems(),
    names: server.resolvedNames(),
    endpoints: server.endpointsInUse(),
    traffic: server.traffic(),
  };
}
