import { UsageError } from '@swarmgate/runtime';
import Docker from 'dockerode';
import { type ApiVersion, chooseApiVersion } from './api-version.ts';
import { eventFilters, linesOf, parseEventLine } from './docker-events.ts';
import { parseList, parseNetwork, parseNode, parseService, parseTask } from './parse-objects.ts';
import { SwarmError, statusOf, toSwarmError } from './swarm-error.ts';
import type { SwarmEvent, SwarmNetwork, SwarmNode, SwarmService, SwarmTask } from './swarm-objects.ts';

/** The reads of Docker's API that the listener needs. Every call rejects with a `SwarmError`. */
export interface SwarmClient {
  /** The engine's address, for logs. */
  readonly description: string;
  /** The Swarm's id. @throws `swarm-unavailable` where the engine is no manager. */
  swarmId(signal: AbortSignal): Promise<string>;
  services(signal: AbortSignal): Promise<readonly SwarmService[]>;
  /** `undefined`: the engine responds with 404, or with what cannot be read as a service. */
  service(id: string, signal: AbortSignal): Promise<SwarmService | undefined>;
  /** Tasks of these services, in every state unless `desiredRunning`. */
  tasks(of: TaskQuery, signal: AbortSignal): Promise<readonly SwarmTask[]>;
  nodes(signal: AbortSignal): Promise<readonly SwarmNode[]>;
  networks(signal: AbortSignal): Promise<readonly SwarmNetwork[]>;
  /** Resolves when the stream is open. Iterating throws a `SwarmError` when the stream breaks. */
  events(signal: AbortSignal): Promise<AsyncIterable<SwarmEvent>>;
}

export interface TaskQuery {
  readonly serviceIds: readonly string[];
  readonly desiredRunning?: boolean;
}

/** A partitioned manager does not refuse requests, it hangs: so every read has a deadline. */
const requestTimeoutMs = 5_000;
/** Ids in one query string, well below the engine's limit for a request line. */
const idsPerQuery = 100;

export interface SwarmClientOptions {
  /** Called when requests begin to name another API version than before. */
  readonly onApiVersion?: (version: ApiVersion) => void;
  /** Called for each object of a list that cannot be read, and for a service that cannot: they are left out. */
  readonly onUnusable?: (error: SwarmError) => void;
}

/** @param dockerHost `unix://…`, `tcp://…`; default `/var/run/docker.sock`. @throws UsageError `docker-host-invalid` */
export function connectSwarm(dockerHost: string | undefined, options: SwarmClientOptions = {}): SwarmClient {
  const docker = new Docker(connectionOf(dockerHost));
  const modem = docker.modem as unknown as DockerModem;
  const description = dockerHost ?? 'unix:///var/run/docker.sock';
  let isVersionKnown = false;
  let lastUsed: string | undefined;

  const onUnusable = options.onUnusable ?? (() => undefined);
  const listOf = <T>(response: unknown, parseOne: (item: unknown) => T) => parseList(response, parseOne, onUnusable);
  const tasksOf = (response: unknown, ids: readonly string[]) =>
    parseList(response, parseTask, onUnusable, ids.length === 1);

  async function agreeOnVersion(abortSignal: AbortSignal): Promise<void> {
    modem.version = undefined;
    const engine = await engineVersion(modem, abortSignal);
    const used = chooseApiVersion(engine);
    const before = lastUsed;
    modem.version = used === undefined ? undefined : `v${used}`;
    lastUsed = used ?? 'unversioned';
    isVersionKnown = true;
    if (before !== lastUsed) options.onApiVersion?.({ used, engine });
  }

  const read = async <T>(tried: string, signal: AbortSignal, call: (abortSignal: AbortSignal) => Promise<T>) => {
    const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]);
    try {
      if (!isVersionKnown) await agreeOnVersion(abortSignal);
      return await call(abortSignal);
    } catch (error) {
      throw toSwarmError(error, `${tried} (${description})`);
    }
  };

  return {
    description,
    swarmId: (signal) =>
      read("read the Swarm's identity", signal, async (abortSignal) => {
        return swarmIdOf(await (docker as unknown as InfoWithOptions).info({ abortSignal }));
      }),
    services: (signal) =>
      read('list services', signal, async (abortSignal) =>
        listOf(await docker.listServices({ abortSignal }), parseService),
      ),
    service: (id, signal) =>
      read(`inspect service ${id}`, signal, async (abortSignal) => {
        try {
          return parseService(await docker.getService(id).inspect({ abortSignal }));
        } catch (error) {
          if (statusOf(error) === 404) return undefined;
          if (!(error instanceof SwarmError) || error.code !== 'docker-answer-unusable') throw error;
          // As in a list, where it is left out.
          onUnusable(error);
          return undefined;
        }
      }),
    tasks: (of, signal) =>
      read('list tasks', signal, async (abortSignal) => {
        const found: SwarmTask[] = [];
        for (let from = 0; from < of.serviceIds.length; from += idsPerQuery) {
          const filters = {
            service: of.serviceIds.slice(from, from + idsPerQuery),
            ...(of.desiredRunning ? { 'desired-state': ['running'] } : {}),
          };
          found.push(...(await tasksMatching(docker, filters, abortSignal, tasksOf)));
        }
        return found;
      }),
    nodes: (signal) =>
      read('list nodes', signal, async (abortSignal) => listOf(await docker.listNodes({ abortSignal }), parseNode)),
    networks: (signal) =>
      read('list networks', signal, async (abortSignal) =>
        listOf(await docker.listNetworks({ filters: { scope: ['swarm'] }, abortSignal }), parseNetwork),
      ),
    events: async (signal) => {
      try {
        // Only opening has a deadline: the stream itself is silent for as long as nothing happens.
        const opening = new AbortController();
        const timer = setTimeout(
          () => opening.abort(new Error(`no response within ${requestTimeoutMs} ms`)),
          requestTimeoutMs,
        );
        try {
          const abortSignal = AbortSignal.any([signal, opening.signal]);
          // The engine behind a new stream may be another one than before: an upgrade, or another manager.
          await agreeOnVersion(abortSignal);
          const stream = await docker.getEvents({ filters: JSON.stringify(eventFilters()), abortSignal });
          return eventsOf(stream as unknown as AsyncIterable<Uint8Array>, description);
        } finally {
          clearTimeout(timer);
        }
      } catch (error) {
        throw toSwarmError(error, `open the event stream (${description})`);
      }
    },
  };
}

/** What dockerode's `ping` does not return: the headers. Status codes that are not listed reject. */
interface DockerModem {
  /** Put before every path, such as `v1.41`; `undefined`: paths carry no version. */
  version: string | undefined;
  dial(
    options: object,
    done: (error: unknown, response: { readonly headers: Readonly<Record<string, unknown>>; resume(): void }) => void,
  ): void;
}

/** The `Api-Version` of `/_ping`; `undefined` where the engine, or a filter before it, sends none. */
function engineVersion(modem: DockerModem, abortSignal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const request = { path: '/_ping', method: 'GET', isStream: true, abortSignal, statusCodes: { 200: true } };
    modem.dial(request, (error, response) => {
      if (error) {
        reject(error);
        return;
      }
      response.resume();
      const version = response.headers['api-version'];
      resolve(typeof version === 'string' ? version : undefined);
    });
  });
}

/** dockerode takes the option, which its types do not have. */
interface InfoWithOptions {
  info(options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
}

async function tasksMatching(
  docker: Docker,
  filters: Readonly<Record<string, readonly string[]>>,
  abortSignal: AbortSignal,
  tasksOf: (response: unknown, ids: readonly string[]) => readonly SwarmTask[],
): Promise<readonly SwarmTask[]> {
  try {
    const response = await docker.listTasks({ filters: JSON.stringify(filters), abortSignal });
    return tasksOf(response, filters.service ?? []);
  } catch (error) {
    // One service of the filter was removed in between: query each alone, and the missing one has no tasks.
    const ids = filters.service ?? [];
    if (statusOf(error) !== 404) throw error;
    if (ids.length <= 1) return [];
    const each = await Promise.all(
      ids.map((id) => tasksMatching(docker, { ...filters, service: [id] }, abortSignal, tasksOf)),
    );
    return each.flat();
  }
}

function swarmIdOf(info: unknown): string {
  const swarm = (info as { Swarm?: { ControlAvailable?: boolean; LocalNodeState?: string; Cluster?: { ID?: string } } })
    .Swarm;
  const id = swarm?.Cluster?.ID;
  if (swarm?.ControlAvailable && id) return id;
  const state = swarm?.LocalNodeState ?? 'unknown';
  throw new SwarmError(
    'swarm-unavailable',
    state === 'active'
      ? 'this node is a worker: the listener needs a manager (placement constraint node.role == manager)'
      : `this engine is not in a Swarm (state ${state}): run "docker swarm init"`,
  );
}

async function* eventsOf(stream: AsyncIterable<Uint8Array>, description: string): AsyncGenerator<SwarmEvent, void> {
  try {
    for await (const line of linesOf(stream)) {
      const event = parseEventLine(line);
      if (event !== undefined) yield event;
    }
  } catch (error) {
    throw toSwarmError(error, `follow Docker's events (${description})`);
  }
  throw new SwarmError('docker-unreachable', `Docker closed the event stream (${description})`);
}

/** dockerode reads DOCKER_HOST by itself: the explicit `undefined` gives the setting precedence. */
function connectionOf(dockerHost: string | undefined): Docker.DockerOptions {
  const host = dockerHost ?? 'unix:///var/run/docker.sock';
  if (host.startsWith('unix://')) return { host: undefined, socketPath: host.slice('unix://'.length) } as object;
  const url = URL.canParse(host) ? new URL(host) : undefined;
  if (url === undefined || !['tcp:', 'http:', 'https:'].includes(url.protocol)) {
    throw new UsageError('docker-host-invalid', `DOCKER_HOST=${host}: expected unix:///path or tcp://host:port`);
  }
  // Docker's convention: port 2376 is TLS, 2375 is not.
  const secure = url.protocol === 'https:' || url.port === '2376';
  return {
    host: url.hostname,
    port: url.port === '' ? (secure ? 2376 : 2375) : Number(url.port),
    protocol: secure ? 'https' : 'http',
  };
}
