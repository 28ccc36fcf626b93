import { Router } from 'express';
import type { AdminParts } from './admin-parts.ts';
import type { ChangeOutcome } from './change-outcome.ts';
import { fromDocument } from './given-definition.ts';
import { callerOf, flagOf, inputOf, nameOf, optionalNameOf, requireAuthorization, sendOutcome } from './http.ts';
import { redactDefinition } from './redact-definition.ts';
import { jsonBody } from './request-body.ts';

/** `POST /v1/{reconfigure,remove,reload,rollback,restore}`: changes by query or JSON; `POST /v1/check` writes nothing. */
export function changeRoutes(parts: AdminParts): Router {
  const router = Router();
  const { changes } = parts;
  const authorized = requireAuthorization(parts);
  // Authorization comes first: unauthorized clients cannot make the proxy read half a megabyte.
  const body = [authorized, ...jsonBody];

  router.post('/v1/reconfigure', ...body, async (request, response) => {
    const by = callerOf(request);
    const outcome = await changes.reconfigure(fromDocument(request.body, { by, nowMs: Date.now() }), by);
    sendOutcome(response, outcome, definitionOf(outcome));
  });

  // A path of its own: a version that does not know it refuses the call, where a parameter of `reconfigure` would be left aside.
  router.post('/v1/check', ...body, async (request, response) => {
    const by = callerOf(request);
    const outcome = await changes.check(fromDocument(request.body, { by, nowMs: Date.now() }));
    sendOutcome(response, outcome, definitionOf(outcome));
  });

  router.post('/v1/remove', ...body, async (request, response) => {
    const input = inputOf(request);
    const service = optionalNameOf(input, 'serviceName') ?? nameOf(input, 'service');
    sendOutcome(response, await changes.remove(service, callerOf(request)));
  });

  router.post('/v1/reload', ...body, async (request, response) => {
    const input = inputOf(request);
    const how = { force: flagOf(input, 'force'), owner: optionalNameOf(input, 'owner') };
    sendOutcome(response, await changes.reload(how, callerOf(request)));
  });

  router.post('/v1/rollback', ...body, async (request, response) => {
    const input = inputOf(request);
    const service = nameOf(input, 'service');
    const owner = optionalNameOf(input, 'owner');
    const to = input.get('to');
    if (to !== undefined && !/^\d{1,15}$/.test(to)) {
      const message = 'to is not the number of an entry of the history';
      sendOutcome(response, { kind: 'refused', status: 400, message });
      return;
    }
    const outcome = await changes.rollback(
      { service, owner, to: to === undefined ? undefined : Number(to) },
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
