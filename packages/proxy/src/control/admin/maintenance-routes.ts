import { Router } from 'express';
import type { AdminParts } from './admin-parts.ts';
import { callerOf, inputOf, maySeeClients, nameOf, optionalNameOf, requireAuthorization, sendOutcome } from './http.ts';
import { MaintenanceChanges } from './maintenance-changes.ts';
import { endpointOf, readMaintenance } from './maintenance-request.ts';
import { maintenanceResponse, withoutAddresses } from './maintenance-view.ts';
import { jsonBody } from './request-body.ts';

/** `GET`, `POST` and `DELETE /v1/maintenance`: of a service, and drains of its endpoints. */
export function maintenanceRoutes(parts: AdminParts): Router {
  const router = Router();
  const maintenance = new MaintenanceChanges(parts);
  const body = [requireAuthorization(parts), ...jsonBody];

  router.get('/v1/maintenance', (request, response) => {
    const reply = maintenanceResponse(parts.follower.served, Date.now());
    const mayShow = maySeeClients(parts, request, response);
    response.json(mayShow ? reply : { ...reply, services: reply.services.map(withoutAddresses) });
  });

  router.post('/v1/maintenance', ...body, async (request, response) => {
    const input = inputOf(request);
    const given = readMaintenance(input, Date.now());
    sendOutcome(response, await maintenance.set(namedIn(input), given, callerOf(request)));
  });

  router.delete('/v1/maintenance', ...body, async (request, response) => {
    const input = inputOf(request);
    sendOutcome(response, await maintenance.end(namedIn(input), endpointOf(input), callerOf(request)));
  });

  return router;
}

function namedIn(input: ReadonlyMap<string, string>) {
  return { service: nameOf(input, 'service'), owner: optionalNameOf(input, 'owner') };
}
