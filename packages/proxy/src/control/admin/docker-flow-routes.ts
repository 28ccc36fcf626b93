import { dockerFlowResponse } from '@swarmgate/labels';
import type { ServiceDefinition } from '@swarmgate/registry';
import { isTrue } from '@swarmgate/runtime';
import { Router } from 'express';
import type { AdminParts } from './admin-parts.ts';
import { describeTable } from './describe-table.ts';
import { fromParameters } from './given-definition.ts';
import { callerOf, flagOf, optionalNameOf, requireAuthorization, sendOutcome } from './http.ts';
import { redactDefinition } from './redact-definition.ts';
import { queryOf } from './request-query.ts';

const prefix = '/v1/docker-flow-proxy';

/**
 * Docker Flow's own paths, with its parameters, statuses and shapes. Docker Flow changes by any method, GET among them,
 * so the token is needed whatever the method; its clients send it as `Authorization: Bearer <token>`.
 */
export function dockerFlowRoutes(parts: AdminParts): Router {
  const router = Router();
  const { changes, settings } = parts;
  const authorized = requireAuthorization(parts);

  router.all(`${prefix}/reconfigure`, authorized, async (request, response) => {
    const by = callerOf(request);
    const given = fromParameters(queryOf(request), settings, { by, nowMs: Date.now() });
    const outcome = await changes.reconfigure(given, by);
    const definition = outcome.kind === 'done' ? (outcome.definition ?? given.definition) : given.definition;
    sendOutcome(response, outcome, definition === undefined ? {} : dockerFlowResponse(definition));
  });

  router.all(`${prefix}/remove`, authorized, async (request, response) => {
    const service = optionalNameOf(queryOf(request), 'serviceName');
    if (service === undefined) {
      sendOutcome(response, { kind: 'refused', status: 400, message: 'The serviceName query is mandatory' });
      return;
    }
    sendOutcome(response, await changes.remove(service, callerOf(request)), { ServiceName: service });
  });

  router.all(`${prefix}/reload`, authorized, async (request, response) => {
    const query = queryOf(request);
    const how = { force: flagOf(query, 'force'), owner: optionalNameOf(query, 'owner') };
    const outcome = await changes.reload(how, callerOf(request));
    if (outcome.kind !== 'done' || !isTrue(query.get('fromListener'))) {
      sendOutcome(response, outcome);
      return;
    }
    // Docker Flow's proxy requests all services from its listener. Ours has published them in the registry, which was just read.
    const message = `${outcome.message}; the listener’s services were read from the registry (its notify-services publishes them again)`;
    sendOutcome(response, { ...outcome, message });
  });

  router.get(`${prefix}/ping`, (_request, response) => {
    response.json({ Status: 'OK' });
  });

  // Whole definitions, as /v1/services shows them.
  router.get(`${prefix}/config`, requireAuthorization(parts, 'services'), (request, response) => {
    const isJson = queryOf(request).get('type')?.toLowerCase() === 'json';
    return parts.long.respond(response, (signal) => {
      response.type(isJson ? 'application/json' : 'text/plain');
      const pieces = isJson ? servicesByName(parts) : describeTable(parts);
      return parts.long.sendPieces(response, pieces, signal);
    });
  });

  for (const version of ['v1', 'v2'])
    router.get(`/${version}/test`, (_request, response) => {
      response.json({ Status: 'OK', Message: `Test ${version}` });
    });

  return router;
}

/** One JSON object, a service a piece. */
function* servicesByName({ follower }: AdminParts): Generator<string> {
  // Docker Flow names services without their owner: a manual definition overrides a Swarm's.
  const byName = new Map<string, ServiceDefinition>();
  for (const { definition } of follower.served.services.values())
    if (definition.owner === 'manual' || byName.get(definition.service)?.owner !== 'manual')
      byName.set(definition.service, definition);
  let separator = '{';
  for (const [name, definition] of byName) {
    yield `${separator}${JSON.stringify(name)}:${JSON.stringify(dockerFlowResponse(redactDefinition(definition)))}`;
    separator = ',';
  }
  yield byName.size === 0 ? '{}' : '}';
}
