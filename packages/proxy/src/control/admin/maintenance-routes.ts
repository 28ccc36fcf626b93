import { Router } from 'express';
import type { AdminParts } from './admin-parts.ts';
import { callerOf, inputOf, maySeeClients, nameOf, optionalNameOf, requireAuthorization, sendOutcome } from './http.ts';
import { MaintenanceChanges } from './maintenance-changes.ts';
import { endpointOf, readMaintenance } from './maintenance-request.ts';
import { type MaintainedService, maintainedKeys, maintainedServices, withoutAddresses } from './maintenance-view.ts';
import { jsonBody } from './request-body.ts';

/** `GET`, `POST` and `DELETE /v1/maintenance`: of a service, and drains of its endpoints. */
export function maintenanceRoutes(parts: AdminParts): Router {
  const router = Router();
  const maintenance = new MaintenanceChanges(parts);
  const body = [requireAuthorization(parts), ...jsonBody];

  router.get('/v1/maintenance', (request, response) => {
    const shown = maySeeClients(parts, request, response) ? (each: MaintainedService) => each : withoutAddresses;
    return parts.long.respond(response, async (signal) => {
      const { served } = parts.follower;
      const keys = await parts.long.inSlices(maintainedKeys(served), signal);
      const services = maintainedServices(served, keys, Date.now()).map(shown);
      await parts.long.sendList(response, { revision: served.revision }, 'services', services, signal);
    });
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
