import { hostname } from 'node:os';
import { contendForLeadership, createSealer, keyLayout, loadSecretsKeys, type Registry } from '@swarmgate/registry';
import {
  createRepeatedLines,
  type LabelFamily,
  type Logger,
  type Running,
  type Settings,
  stopAll,
  type TaskFault,
  Tasks,
} from '@swarmgate/runtime';
import { createUnreadLabels, familiesOf, hasTraefikLabels } from './labels/label-families.ts';
import { isSelected, isSelectionUnclear } from './labels/service-parameters.ts';
import { shownParameters } from './labels/shown-parameters.ts';
import { createTraefikFlags, type TraefikFlagsState } from './labels/traefik-flags.ts';
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
import { createObserver } from './swarm/observer.ts';
import { connectSwarm } from './swarm/swarm-client.ts';
import type { SwarmView } from './swarm/swarm-view.ts';
import { followTraefikFile } from './traefik-file.ts';

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
  /** `LABELS`, and how many services carry `traefik.*` labels, whether these are read or not. */
  readonly labels: {
    readonly read: readonly LabelFamily[];
    readonly traefikServices: number;
    /** The Traefik service whose flags are read, and the equivalent settings. */
    readonly traefik?: { readonly service?: string; readonly settings: readonly string[]; readonly problem?: string };
  };
  /** Control tasks that failed and have not recovered. */
  readonly taskFaults: readonly TaskFault[];
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
  const { settings, registry, logger, signal } = options;
  const owner = settings.swarmName;
  const naming = { notifyLabel: settings.notifyLabel, serviceNamePrefix: settings.serviceNamePrefix };
  const families = familiesOf(settings);
  const describing = { ...naming, includeNodeInfo: settings.includeNodeIpInfo };
  const unusable = createRepeatedLines(logger, { everyMs: 60_000 });
  const client = connectSwarm(settings.dockerHost, {
    onApiVersion: (version) => logApiVersion(logger, version),
    onUnusable: (error) =>
      unusable.write('warn', error.message, { err: error }, 'Docker has an object that cannot be read: it is left out'),
  });
  const { kind } = registry.store;
  const keys = await loadSecretsKeys({ secretsKey: settings.secretsKey, registry: kind, dataDir: settings.dataDir });
  const running: Running[] = [];
  const tasks = new Tasks({ logger });
  const observed = new ObservedSwarm();
  const unread = createUnreadLabels(families.families, logger);
  const metrics = createListenerMetrics();

  const traefikFile =
    families.traefik === undefined || settings.traefikFile === undefined
      ? undefined
      : followTraefikFile(settings.traefikFile, { tasks, logger, onChange: () => observer.requestListing() });
  if (traefikFile !== undefined) running.push(traefikFile);

  const by = `swarm-listener on ${hostname()}`;
  const leadership = contend(options, by);
  running.push(leadership);

  const polling = settings.servicePollingIntervalMs;
  const observer = createObserver({
    client,
    logger,
    signal,
    tasks,
    isSelected: (service) =>
      (families.families.includes('df') && (isSelected(service, naming) || isSelectionUnclear(service, naming))) ||
      // Which of them Traefik takes depends on its flags, which may change.
      (families.traefik !== undefined && hasTraefikLabels(service)),
    resyncIntervalMs: polling === 'off' ? settings.resyncIntervalMs : Math.min(polling, settings.resyncIntervalMs),
    useServiceEvents: settings.useServiceEvents,
    useNodeEvents: settings.useNodeEvents,
  });

  const publisher = createPublisher({
    registry,
    leadership,
    owner,
    by,
    sealer: createSealer(keys),
    logger,
    signal,
    tasks,
    onListingNeeded: () => observer.requestListing(),
    onPublished: metrics.published,
  });
  running.push(publisher);

  const notifier = createNotifier({
    retries: settings.retries,
    retryIntervalMs: settings.retryIntervalMs,
    logger,
    signal,
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
  const stopFollowing = leadership.onChange((state) => dispatcher.setLeading(state.kind === 'leading'));
  running.push({ stop: async () => stopFollowing() });

  const flags =
    families.traefik === undefined ? undefined : createTraefikFlags(settings, settings.traefikFile !== undefined);
  const traefikFlags = (view: SwarmView): TraefikFlagsState | undefined => {
    const before = observed.traefik;
    observed.traefik = flags?.take(view);
    if (observed.traefik !== before) logFlags(logger, observed.traefik);
    return observed.traefik;
  };
  const translator = createTranslator(
    {
      ...naming,
      ...families,
      traefikFlags,
      traefikFile: () => traefikFile?.state(),
      owner,
      separator: settings.separator,
      defaults: settings.defaultLabels,
    },
    {
      onProblems: (service) => logProblems(logger, owner, service),
      onSkipped: ({ id, name }, selection) =>
        logger.debug({ owner, service: name, serviceId: id, reason: selection }, 'the service requests no routes'),
    },
  );
  running.push(observer);
  observer.start((observation) => {
    const { view } = observation;
    const translated = translator.take(observation, new Date());
    observed.view = view;
    observed.services = translated.services;
    if (observation.cause === 'listing') unread.count(view);
    publisher.setDesired({
      ...translated,
      evidence: view,
      fromListing: observation.cause === 'listing',
      ...(observation.eventAtMs === undefined ? {} : { eventAtMs: observation.eventAtMs }),
    });
    dispatcher.see(view);
    leadership.setEligible(true);
  });

  const stopped = new AbortController();
  const livenessCheck = tasks.every('docker-liveness', 1_000, stopped.signal, () => {
    leadership.setEligible(observer.silentMs() < dockerSilentAfterMs);
  });
  running.push({
    async stop() {
      stopped.abort();
      await livenessCheck;
    },
  });

  const ready = () => observed.view !== undefined && publisher.status().reconciled;

  metrics.measure(() => {
    const problems = { error: 0, warning: 0 };
    for (const service of observed.services.values()) for (const { severity } of service.problems) problems[severity]++;
    const { publications, leading } = publisher.status();
    const { delivered, failed } = notifier.counts();
    return {
      isReady: ready(),
      isLeading: leading,
      isDockerAway: observer.state().kind === 'away',
      selectedServices: observed.services.size,
      problems,
      counts: { ...observer.counts(), publications, notifications: delivered, failedNotifications: failed },
    };
  });

  function status(): ListenerStatus {
    const summary = [...observed.services.values()].map(
      ({ name, endpoints, problems }) => [name, { tasks: endpoints.tasks.length, problems: problems.length }] as const,
    );
    return {
      owner,
      ready: ready(),
      docker: observer.state(),
      publishing: publisher.status(),
      services: Object.fromEntries(summary),
      counts: observer.counts(),
      labels: { read: families.families, traefikServices: unread.services(), ...traefikStatus(observed.traefik) },
      taskFaults: tasks.faults(),
    };
  }

  function notifyServices(): void {
    dispatcher.notifyAll();
    observer.requestListing();
  }

  function selectedServices(): readonly Readonly<Record<string, string>>[] {
    const { view } = observed;
    if (view === undefined) return [];
    return [...view.services.values()]
      .filter((service) => isSelected(service, naming))
      .map((service) => shownParameters(serviceParameters(service, view, describing)))
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

  const listener = { ready, status, adopt, notifyServices, taskTerminating: observer.taskTerminating };
  const stop = () => stopAll(running);
  if (settings.listenerPort === 'off') return { ...listener, stop };
  const rest = createListenerRest({
    services: selectedServices,
    nodes: () => [...(observed.view?.nodes.values() ?? [])].map(nodeParameters),
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
    running.push(served);
    return { ...listener, port: served.port, stop };
  } catch (error) {
    await stopAll(running);
    throw error;
  }
}

/** The Swarm as it was last observed. */
class ObservedSwarm {
  view: SwarmView | undefined;
  /** Services that request routes, by published name. */
  services: ReadonlyMap<string, TranslatedService> = new Map();
  /** Absent where `traefik.*` labels are not read. */
  traefik: TraefikFlagsState | undefined;
}

/** `listener TRAEFIK_NETWORK=web`: settings equivalent to the flags. */
function traefikStatus(state: TraefikFlagsState | undefined): Pick<ListenerStatus['labels'], 'traefik'> {
  if (state === undefined || state.kind === 'none') return {};
  if (state.kind === 'unknown') return { traefik: { settings: [], problem: state.problem.message } };
  const settings = state.flags.settings.map(({ of, setting }) => `${of} ${setting}`);
  return { traefik: { service: state.service.name, settings } };
}

function logFlags(logger: Logger, state: TraefikFlagsState | undefined): void {
  if (state?.kind === 'unknown') logger.error({ reason: state.problem.reason }, state.problem.message);
  if (state?.kind !== 'read') return;
  const settingsOf = (process: 'listener' | 'proxy') =>
    state.flags.settings.filter(({ of }) => of === process).map(({ setting }) => setting);
  logger.info(
    { service: state.service.name, listener: settingsOf('listener'), proxy: settingsOf('proxy') },
    'read the flags of Traefik; the settings of the listener hold, those of the proxy are for the operator to set',
  );
}

function logProblems(logger: Logger, owner: string, service: TranslatedService): void {
  for (const { severity, message, ...problem } of service.problems) {
    const line = { owner, service: service.name, ...problem };
    if (severity === 'error') logger.error(line, message);
    else logger.warn(line, message);
  }
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
