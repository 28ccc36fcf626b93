import { json, Router } from 'express';
import type { AdminParts } from './admin-parts.ts';
import type { ChangeOutcome } from './change-outcome.ts';
import { fromDocument } from './given-definition.ts';
import { callerOf, inputOf, isTrue, requireAuthorization, sendOutcome } from './http.ts';
import { redactDefinition } from './redact-definition.ts';

/** A value in the registry stays below this, so nothing larger can be meant. */
const largestBodyBytes = 512 * 1024;

/** `POST /v1/{reconfigure,remove,reload,rollback,restore}`: our own changes, by query or JSON. */
export function changeRoutes(parts: AdminParts): Router {
  const router = Router();
  const { changes } = parts;
  const authorized = requireAuthorization(parts);
  // Authorization comes first: nobody else may make us read half a megabyte.
  const body = [authorized, json({ limit: largestBodyBytes })];

  router.post('/v1/reconfigure', ...body, async (request, response) => {
    const by = callerOf(request);
    const outcome = await changes.reconfigure(fromDocument(request.body, { by, nowMs: Date.now() }), by);
    sendOutcome(response, outcome, definitionOf(outcome));
  });

  router.post('/v1/remove', ...body, async (request, response) => {
    const input = inputOf(request);
    const service = input.get('service') ?? input.get('serviceName');
    sendOutcome(
      response,
      service === undefined || service === ''
        ? { kind: 'refused', status: 400, message: 'service is not set' }
        : await changes.remove(service, callerOf(request)),
    );
  });

  router.post('/v1/reload', ...body, async (request, response) => {
    const input = inputOf(request);
    const how = { force: isTrue(input.get('force')), owner: input.get('owner') };
    sendOutcome(response, await changes.reload(how, callerOf(request)));
  });

  router.post('/v1/rollback', ...body, async (request, response) => {
    const input = inputOf(request);
    const service = input.get('service') ?? '';
    const to = input.get('to');
    if (service === '' || (to !== undefined && !/^\d+$/.test(to))) {
      const message = service === '' ? 'service is not set' : 'to is not the number of an entry of the history';
      sendOutcome(response, { kind: 'refused', status: 400, message });
      return;
    }
    const outcome = await changes.rollback(
      { service, owner: input.get('owner'), to: to === undefined ? undefined : Number(to) },
      callerOf(request),
    );
    sendOutcome(response, outcome, definitionOf(outcome));
  });

  router.post('/v1/restore', ...body, async (request, response) => {
    sendOutcome(response, await changes.restore(callerOf(request)));
  });

  return router;
}

function definitionOf(outcome: ChangeOutcome): object {
  return outcome.kind === 'done' && outcome.definition !== undefined
    ? { definition: redactDefinition(outcome.definition) }
    : {};
}
