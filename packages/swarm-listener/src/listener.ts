import { hostname } from 'node:os';
import { contendForLeadership, createSealer, keyLayout, loadSecretsKeys, type Registry } from '@swarmgate/registry';
import { type Logger, type Running, type Settings, stopAll } from '@swarmgate/runtime';
import { isSelected, isSelectionUnclear, type Selection } from './labels/service-parameters.ts';
import { shownParameters } from './labels/shown-parameters.ts';
import type { TranslatedService } from './labels/translate-service.ts';
import { createTranslator } from './labels/translator.ts';
import { createNotificationDispatcher } from './notifying/notification-dispatcher.ts';
import { targetsOf } from './notifying/notification-targets.ts';
import { createNotifier } from './notifying/notifier.ts';
import { nodeParameters, serviceParameters } from './notifying/notify-changes.ts';
import { type EligibleLeadership, leadWhileEligible } from './publishing/eligible-leadership.ts';
import { createPublisher } from './publishing/publisher.ts';
import type { PublisherStatus } from './publishing/publishing-state.ts';
import { createListenerMetrics } from './rest/listener-metrics.ts';
import { createListenerRest, serveRest } from './rest/listener-rest.ts';
import { logApiVersion } from './swarm/api-version.ts';
import type { ObserverCounts, ObserverState } from './swarm/observation.ts';
import { type Observer, observeSwarm } from './swarm/observer.ts';
import { connectSwarm } from './swarm/swarm-client.ts';
import type { SwarmService } from './swarm/swarm-objects.ts';
import type { SwarmView } from './swarm/swarm-view.ts';

export interface ListenerOptions {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface ListenerStatus {
  readonly owner: string;
  readonly ready: boolean;
  readonly docker: ObserverState;
  readonly publishing: PublisherStatus;
  /** Services that request routes, by published name. */
  readonly services: Readonly<Record<string, { readonly tasks: number; readonly problems: number }>>;
  readonly counts: ObserverCounts;
}

export interface Listener extends Running {
  /** The whole desired state was registered once. An unreachable Docker or registry later does not revoke it. */
  ready(): boolean;
  status(): ListenerStatus;
  /** Lets this Swarm take over what another one registered under the same owner. Returns the outcome as a sentence. */
  adopt(): string;
  /** Lists the Swarm and sends all notifications again. */
  notifyServices(): void;
  /** A hint from the task's node that its container terminates: no new requests for it, before Swarm reports it. */
  taskTerminating(serviceId: string, taskId: string): void;
  /** Where its REST listens; absent when `LISTENER_PORT` is `off`. */
  readonly port?: number;
}

/** A listener whose Docker has not responded for this long steps down, so that another one can lead. */
const dockerSilentAfterMs = 10_000;

/**
 * Observes one Swarm and, while it leads, publishes what its labels request. Docker and the registry may both be
 * unreachable: the listener retries and loses nothing.
 * @throws UsageError for an invalid DOCKER_HOST or SECRETS_KEY, and what opening the REST port throws
 */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const { settings, registry, logger } = options;
  const owner = settings.swarmName;
  const naming = { notifyLabel: settings.notifyLabel, serviceNamePrefix: settings.serviceNamePrefix };
  const describing = { ...naming, includeNodeInfo: settings.includeNodeIpInfo };
  const client = connectSwarm(settings.dockerHost, { onApiVersion: (version) => logApiVersion(logger, version) });
  const { kind } = registry.store;
  const keys = await loadSecretsKeys({ secretsKey: settings.secretsKey, registry: kind, dataDir: settings.dataDir });
  const running: Running[] = [];
  let view: SwarmView | undefined;
  let services: ReadonlyMap<string, TranslatedService> = new Map();

  const by = `swarm-listener on ${hostname()}`;
  const leadership = contend(options, by);
  running.push(leadership);

  const metrics = createListenerMetrics(measure);
  const publisher = createPublisher({
    registry,
    leadership,
    owner,
    by,
    sealer: createSealer(keys),
    logger,
    signal: options.signal,
    onListingNeeded: () => observer.requestListing(),
    onPublished: metrics.published,
  });
  running.push(publisher);

  const notifier = createNotifier({
    retries: settings.retries,
    retryIntervalMs: settings.retryIntervalMs,
    logger,
    signal: options.signal,
  });
  running.push(notifier);
  const dispatcher = createNotificationDispatcher(
    notifier,
    {
      createService: targetsOf(settings.notifyCreateServiceUrls, settings.notifyCreateServiceMethods),
      removeService: targetsOf(settings.notifyRemoveServiceUrls, settings.notifyRemoveServiceMethods),
      createNode: targetsOf(settings.notifyCreateNodeUrls, settings.notifyCreateNodeMethods),
      removeNode: targetsOf(settings.notifyRemoveNodeUrls, settings.notifyRemoveNodeMethods),
    },
    { ...describing, immediately: settings.notifyImmediately },
  );
  running.push({ stop: async () => stopFollowing() });
  const stopFollowing = leadership.onChange((state) => dispatcher.setLeading(state.kind === 'leading'));

  const translator = createTranslator(
    { ...naming, owner, separator: settings.separator },
    { onProblems: logProblems, onSkipped: logSkipped },
  );
  const polling = settings.servicePollingIntervalMs;
  const observer: Observer = observeSwarm({
    client,
    logger,
    signal: options.signal,
    isSelected: (service) => isSelected(service, naming) || isSelectionUnclear(service, naming),
    resyncIntervalMs: polling === 'off' ? settings.resyncIntervalMs : Math.min(polling, settings.resyncIntervalMs),
    useServiceEvents: settings.useServiceEvents,
    useNodeEvents: settings.useNodeEvents,
    onObservation(observation) {
      view = observation.view;
      const translated = translator.take(observation, new Date());
      services = translated.services;
      publisher.setDesired({
        ...translated,
        evidence: view,
        fromListing: observation.cause === 'listing',
        ...(observation.eventAtMs === undefined ? {} : { eventAtMs: observation.eventAtMs }),
      });
      dispatcher.see(view);
      leadership.setEligible(true);
    },
  });
  running.push(observer);

  const livenessCheck = setInterval(() => {
    const { answeredAtMs } = observer.state();
    leadership.setEligible(answeredAtMs !== undefined && Date.now() - answeredAtMs < dockerSilentAfterMs);
  }, 1_000);
  running.push({ stop: async () => clearInterval(livenessCheck) });

  const ready = () => view !== undefined && publisher.status().reconciled;

  function logProblems(service: TranslatedService): void {
    for (const { severity, message, ...problem } of service.problems) {
      const line = { owner, service: service.name, ...problem };
      if (severity === 'error') logger.error(line, message);
      else logger.warn(line, message);
    }
  }

  function logSkipped({ id, name }: SwarmService, selection: Selection): void {
    logger.debug({ owner, service: name, serviceId: id, reason: selection }, 'the service requests no routes');
  }

  function measure() {
    const problems = { error: 0, warning: 0 };
    for (const service of services.values()) for (const { severity } of service.problems) problems[severity]++;
    const { publications, leading } = publisher.status();
    const { delivered, failed } = notifier.counts();
    return {
      isReady: ready(),
      isLeading: leading,
      isDockerAway: observer.state().kind === 'away',
      selectedServices: services.size,
      problems,
      counts: { ...observer.counts(), publications, notifications: delivered, failedNotifications: failed },
    };
  }

  function status(): ListenerStatus {
    const summary = [...services.values()].map(
      ({ name, endpoints, problems }) => [name, { tasks: endpoints.tasks.length, problems: problems.length }] as const,
    );
    return {
      owner,
      ready: ready(),
      docker: observer.state(),
      publishing: publisher.status(),
      services: Object.fromEntries(summary),
      counts: observer.counts(),
    };
  }

  function notifyServices(): void {
    dispatcher.notifyAll();
    observer.requestListing();
  }

  function selectedServices(): readonly Readonly<Record<string, string>>[] {
    const current = view;
    if (current === undefined) return [];
    return [...current.services.values()]
      .filter((service) => isSelected(service, naming))
      .map((service) => shownParameters(serviceParameters(service, current, describing)))
      .toSorted((left, right) => ((left.serviceName ?? '') < (right.serviceName ?? '') ? -1 : 1));
  }

  function adopt(): string {
    const { judgement, leading } = publisher.status();
    if (judgement.kind !== 'other-swarm') {
      return leading ? 'nothing to adopt' : 'this listener is a standby: call the leader';
    }
    publisher.adopt();
    return `this Swarm takes over the services that ${judgement.registeredSwarmId} registered as ${owner}`;
  }

  let port: number | undefined;
  if (settings.listenerPort !== 'off') {
    const rest = createListenerRest({
      services: selectedServices,
      nodes: () => [...(view?.nodes.values() ?? [])].map(nodeParameters),
      notifyServices,
      status,
      isReady: ready,
      metrics: metrics.registry,
      adopt,
      taskTerminating: observer.taskTerminating,
      access: settings,
    });
    try {
      const served = await serveRest(rest, { host: settings.listenerHost, port: settings.listenerPort }, logger);
      port = served.port;
      running.push(served);
    } catch (error) {
      await stopAll(running);
      throw error;
    }
  }

  return {
    ready,
    status,
    adopt,
    notifyServices,
    taskTerminating: observer.taskTerminating,
    ...(port === undefined ? {} : { port }),
    stop: () => stopAll(running),
  };
}

function contend({ settings, registry, logger }: ListenerOptions, name: string): EligibleLeadership {
  const layout = keyLayout(registry.instance);
  const owner = settings.swarmName;
  const key = layout.leader(owner);
  const heartbeatKey = layout.leaderHeartbeat(owner);
  return leadWhileEligible(
    () => contendForLeadership({ store: registry.store, key, heartbeatKey, name, logger }),
    logger,
  );
}
