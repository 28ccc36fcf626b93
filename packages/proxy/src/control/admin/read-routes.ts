import { changedLabels } from '@swarmgate/labels';
import { type HistoryEntry, type ReplicaStatus, type ServiceDefinition, serviceKey } from '@swarmgate/registry';
import { Router } from 'express';
import type { AdminParts } from './admin-parts.ts';
import { isTimeout, outcomeOfError } from './change-outcome.ts';
import { viewForeignKey, viewProblems } from './collect-problems.ts';
import { explain, readExplainQuery } from './explain.ts';
import { nameOf, requireAuthorization, sendOutcome } from './http.ts';
import { countMaintenance } from './maintenance-view.ts';
import { redactDefinition } from './redact-definition.ts';
import { queryOf, searchParametersOf } from './request-query.ts';
import type {
  HistoryEntryView,
  ProblemsResponse,
  RoutesResponse,
  RouteView,
  StatusResponse,
} from './response-bodies.ts';
import { shared } from './shared-response.ts';
import { viewRoute } from './view-route.ts';

/** How long the registry may take to list the live replicas, in milliseconds: the status must respond without it. */
const replicasTimeoutMs = 1_000;

/** `GET /v1/{status,routes,problems,explain,history}`. */
export function readRoutes(parts: AdminParts): Router {
  const router = Router();
  const { follower, server, registry, settings, long } = parts;
  const { served } = follower;

  // It lists the replicas in the registry.
  const status = shared(() => statusOf(parts));
  router.get('/v1/status', async (_request, response) => {
    response.json(await status());
  });

  router.get('/v1/routes', (_request, response) =>
    long.respond(response, (signal) => {
      const head: Omit<RoutesResponse, 'routes'> = { revision: served.revision, order: settings.order };
      const viewed = mapped(server.table().routes(), (route): RouteView => viewRoute(route, parts));
      return long.sendList(response, head, 'routes', viewed, signal);
    }),
  );

  router.get('/v1/problems', (_request, response) =>
    long.respond(response, async (signal) => {
      const problems = await long.inSlices(parts.problems(), signal);
      const keys = served.foreignKeys.map(viewForeignKey);
      const head: Omit<ProblemsResponse, 'problems'> = { revision: served.revision, keys };
      await long.sendList(response, head, 'problems', viewProblems(problems), signal);
    }),
  );

  router.get('/v1/explain', requireAuthorization(parts, 'explain'), async (request, response) => {
    const read = readExplainQuery(searchParametersOf(request), server, settings.encodedSlash);
    if (!read.ok) {
      sendOutcome(response, { kind: 'refused', status: 400, message: read.message });
      return;
    }
    await long.respond(response, async (signal) => {
      const { candidates, ...head } = await long.inSlices(explain(read, parts), signal);
      await long.sendList(response, head, 'candidates', candidates, signal);
    });
  });

  router.get('/v1/history', requireAuthorization(parts, 'history'), async (request, response) => {
    const service = nameOf(queryOf(request), 'service');
    const owners = new Set(['manual', settings.swarmName, ...served.ownersPresent()]);
    const signal = AbortSignal.timeout(10_000);
    await long
      .respond(response, async (gone) => {
        const all: OwnedHistory[] = [];
        for (const owner of [...owners].sort()) {
          const key = serviceKey({ owner, service });
          const current = served.services.get(key)?.definition;
          const entries = (await registry.history(key, signal)).toSorted((a, b) => b.number - a.number);
          if (current !== undefined || entries.length > 0) all.push({ owner, current, entries });
        }
        response.type('application/json');
        await long.sendPieces(response, historyInPieces(service, all), gone);
      })
      .catch((error: unknown) => {
        if (isTimeout(error)) throw error;
        sendOutcome(response, outcomeOfError(error));
      });
  });

  return router;
}

interface OwnedHistory {
  readonly owner: string;
  readonly current: ServiceDefinition | undefined;
  /** Newest first. */
  readonly entries: readonly HistoryEntry[];
}

/** A `HistoryResponse`, with one definition in each piece. */
function* historyInPieces(service: string, owners: readonly OwnedHistory[]): Generator<string> {
  yield `{"service":${JSON.stringify(service)},"owners":[`;
  let separator = '';
  for (const { owner, current, entries } of owners) {
    const shown = current === undefined ? null : redactDefinition(current);
    yield `${separator}{"owner":${JSON.stringify(owner)},"current":${JSON.stringify(shown)},"entries":[`;
    separator = ',';
    for (const [at, entry] of entries.entries()) {
      // Before secrets are removed: a changed password must be reported, too.
      const next = at === 0 ? current : entries[at - 1]?.definition;
      const changed = next === undefined ? [] : changedLabels(entry.definition, next);
      const view: HistoryEntryView = { ...entry, changed, definition: redactDefinition(entry.definition) };
      yield (at === 0 ? '' : ',') + JSON.stringify(view);
    }
    yield ']}';
  }
  yield ']}';
}

export async function statusOf(parts: Omit<AdminParts, 'changes' | 'metrics' | 'feeds'>): Promise<StatusResponse> {
  const { follower, server, registry, replica } = parts;
  const { served } = follower;
  const state = follower.state();
  const asOfMs = follower.asOfMs();
  let problems = 0;
  for (const ofOne of (await parts.long.inSlices(parts.problems())).values()) problems += ofOne.length;
  return {
    version: replica.version,
    replica: replica.name,
    instance: registry.instance,
    since: replica.since,
    ready: parts.ready(),
    draining: parts.draining(),
    registry: {
      kind: registry.store.kind,
      description: registry.store.description,
      reachable: state.kind === 'following' || state.kind === 'holding',
      registryId: served.registryId,
      state,
    },
    revision: served.revision,
    sequence: served.sequence,
    ageMs: asOfMs === undefined ? null : state.kind === 'following' ? 0 : Math.max(0, Date.now() - asOfMs),
    services: served.services.size,
    routes: server.table().size,
    rejected: served.rejected.size,
    held: served.held.size,
    problems: problems + served.foreignKeys.length,
    maintenance: await parts.long.inSlices(countMaintenance(served, Date.now())),
    entrypoints: server.entrypoints().map((each) => ({ ...each, protocols: protocolsOf(each.port, parts.settings) })),
    adminTls: parts.transport.secure,
    tokenInPlain: parts.transport.plainTokens.last(),
    workers: server.workers(),
    plugins: server.plugins?.() ?? null,
    replicas: (await replicasOf(parts)).map((each) => {
      const live = parts.trafficOf(each.replica);
      return live === undefined ? each : { ...each, live };
    }),
  };
}

function protocolsOf(
  port: number,
  { defaultPorts, bindPorts, http2 }: AdminParts['settings'],
): StatusResponse['entrypoints'][number]['protocols'] {
  if (![...defaultPorts, ...bindPorts].some((each) => each.port === port)) return [];
  return http2 === false ? ['HTTP/1.1'] : ['HTTP/1.1', 'HTTP/2'];
}

function* mapped<T, V>(items: Iterable<T>, view: (item: T) => V): Generator<V> {
  for (const item of items) yield view(item);
}

async function replicasOf({
  presence,
  replica,
  follower,
  server,
  draining,
}: Pick<AdminParts, 'presence' | 'replica' | 'follower' | 'server' | 'draining'>): Promise<readonly ReplicaStatus[]> {
  try {
    return await presence.list(AbortSignal.timeout(replicasTimeoutMs));
  } catch {
    // The registry is unreachable, which another field reports; this replica's own state is known without it.
    const { served } = follower;
    const { registryId, sequence } = served;
    const { name, version, since } = replica;
    return [
      {
        replica: name,
        registryId,
        sequence,
        routes: server.table().size,
        rejected: served.rejected.size,
        version,
        since,
        ...(draining() ? { draining: true } : {}),
      },
    ];
  }
}
