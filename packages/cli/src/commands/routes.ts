import type { RoutesResponse, RouteView } from '@swarmgate/proxy';
import { hostPort } from '@swarmgate/runtime/host-port';
import type { Command } from 'commander';
import type { CommandIo } from '../io.ts';
import { table } from '../output/table.ts';
import { clientFor, type OperatorOptions, operatorCommand, printResponse } from './operator-command.ts';

export function addRoutesCommand(program: Command, io: CommandIo): void {
  operatorCommand(program, 'routes', 'the routes in matching order: the first match serves the request', [
    'swarmgate routes',
    'swarmgate routes --service shop --json',
  ])
    .option('--service <name>', 'only the routes of this service')
    .action(async (options: OperatorOptions & { service?: string }) => {
      const response = await (await clientFor(options, io)).get('/v1/routes');
      const { body } = response;
      // Filtered here, so that --json and the table show the same.
      const shown =
        options.service !== undefined && isRoutes(body)
          ? { ...response, body: { ...body, routes: body.routes.filter(({ service }) => service === options.service) } }
          : response;
      printResponse<RoutesResponse>(shown, options, io, describeRoutes);
    });
}

export function describeRoutes({ routes }: RoutesResponse): string {
  if (routes.length === 0) return 'no routes';
  return table(
    ['SERVICE', 'OWNER', 'CONDITIONS', 'PROTOCOL', 'ENDPOINTS'],
    routes.map((route) => [route.service, route.owner, conditions(route), protocol(route), endpoints(route)]),
  );
}

function conditions(route: RouteView): string {
  const parts = Object.entries(route.conditions).map(([label, value]) => `${label}=${show(value)}`);
  return parts.length === 0 ? '(any)' : parts.join(' ');
}

/** As the label has it; absent in responses of older versions. */
function protocol({ upstream }: RouteView): string {
  return upstream.protocol ?? '';
}

function endpoints(route: RouteView): string {
  if (route.redirectToHost !== undefined) return `redirect to ${route.redirectToHost}`;
  if (route.blockedBy !== undefined) return `503: ${route.blockedBy} is not supported`;
  if (route.endpoints.length === 0) return 'none';
  return route.endpoints
    .map(
      (each) =>
        `${hostPort(each.host, each.port)}${each.state === 'draining' ? ' (draining)' : each.health === 'ejected' ? ' (ejected)' : ''}`,
    )
    .join(', ');
}

export function show(value: unknown): string {
  if (Array.isArray(value)) return value.map(show).join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function isRoutes(body: unknown): body is RoutesResponse {
  return typeof body === 'object' && body !== null && Array.isArray((body as { routes?: unknown }).routes);
}
