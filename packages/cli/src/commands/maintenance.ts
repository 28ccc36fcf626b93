import { readFileSync } from 'node:fs';
import type { MaintenanceResponse } from '@swarmgate/proxy';
import { messageOf, UsageError } from '@swarmgate/runtime/errors';
import type { Command } from 'commander';
import type { CommandIo } from '../io.ts';
import { printable } from '../output/printable.ts';
import { table } from '../output/table.ts';
import { clientFor, type OperatorOptions, operatorCommand, printResponse } from './operator-command.ts';

interface MaintenanceOptions extends OperatorOptions {
  readonly owner?: string;
  readonly endpoint?: string;
  readonly for?: string;
  readonly until?: string;
  readonly message?: string;
  readonly page?: string;
  readonly retryAfter?: string;
  readonly except?: string;
}

interface ChangeResponse {
  readonly Message: string;
}

const path = '/v1/maintenance';

/** `maintenance`: takes services down and drains endpoints; without a service lists all. */
export function addMaintenanceCommand(program: Command, io: CommandIo): void {
  operatorCommand(
    program,
    'maintenance [service] [on|off|status]',
    'take a service down for maintenance, or drain one of its endpoints; without a service: list all',
    [
      'swarmgate maintenance',
      'swarmgate maintenance shop on --for 30m --message "Back at ten." --except 10.0.0.0/8',
      'swarmgate maintenance shop on --until 2026-01-02T03:04:05Z --page maintenance.html',
      'swarmgate maintenance shop off',
      'swarmgate maintenance shop on --endpoint 10.0.1.5:8080 --for 5m',
      'swarmgate maintenance shop status --json',
    ],
  )
    .option('--owner <owner>', 'whose service (default: every owner that publishes the name)')
    .option('--endpoint <address>', 'drain this endpoint instead, or end its drain; without a port: every port of it')
    .option('--for <time>', 'end after 90s, 30m, 2h or 1d; of an endpoint: end its open tunnels then')
    .option('--until <time>', 'end at this time of ISO 8601')
    .option('--message <text>', 'one sentence for clients')
    .option('--page <file>', 'HTML for clients that prefer it')
    .option('--retry-after <seconds>', 'Retry-After (default: what is left until the end, else 120)')
    .option('--except <networks>', 'clients that reach the service meanwhile, by comma')
    .action(async (service: string | undefined, action: string | undefined, options: MaintenanceOptions) => {
      const client = await clientFor(options, io);
      switch (service === undefined ? 'status' : (action ?? 'status')) {
        case 'status': {
          const response = await client.get(path);
          printResponse<MaintenanceResponse>(response, options, io, (body) => describeMaintenance(body, service));
          return;
        }
        case 'on': {
          const response = await client.post(path, {}, { service, ...given(options) });
          const what =
            options.endpoint === undefined ? `${service} is in maintenance` : `${options.endpoint} is drained`;
          printResponse<ChangeResponse>(response, options, io, ({ Message }) => `${what}: ${Message}`);
          return;
        }
        case 'off': {
          const { owner, endpoint } = options;
          const query = { service: service ?? '', ...(owner && { owner }), ...(endpoint && { endpoint }) };
          const response = await client.delete(path, query);
          const what = endpoint === undefined ? `${service} takes requests` : `${endpoint} takes requests`;
          printResponse<ChangeResponse>(response, options, io, ({ Message }) => `${what}: ${Message}`);
          return;
        }
        default:
          throw new UsageError('action-unknown', `${JSON.stringify(action)} is none of on, off, status`);
      }
    });
}

function given({ owner, endpoint, until, message, except, retryAfter, page, ...options }: MaintenanceOptions) {
  return {
    ...(owner === undefined ? {} : { owner }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(options.for === undefined ? {} : { for: options.for }),
    ...(until === undefined ? {} : { until }),
    ...(message === undefined ? {} : { message }),
    ...(except === undefined ? {} : { except }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(page === undefined ? {} : { page: readPage(page) }),
  };
}

export function describeMaintenance({ services }: MaintenanceResponse, service?: string): string {
  const meant = services.filter((each) => service === undefined || each.service === service);
  const rows = meant.flatMap(({ owner, service: name, published, maintenance, drains }) => {
    const whose = `${owner}/${name}${published ? '' : ' (not published)'}`;
    const whole =
      maintenance === null
        ? []
        : [[whose, 'maintenance', maintenance.by ?? 'label', maintenance.since ?? '–', maintenance.until ?? '–']];
    return [
      ...whole,
      ...drains.map(({ endpoint, by, since, tunnelsUntil }) => [
        whose,
        `drain of ${endpoint}`,
        by ?? '–',
        since,
        tunnelsUntil === undefined ? '–' : `tunnels: ${tunnelsUntil}`,
      ]),
    ];
  });
  if (rows.length === 0)
    return service === undefined
      ? 'no service is in maintenance, and no endpoint is drained'
      : `${service} takes requests, and none of its endpoints is drained`;
  return table(
    ['SERVICE', 'WHAT', 'BY', 'SINCE', 'UNTIL'],
    rows.map((row) => row.map(printable)),
  );
}

function readPage(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError('file-unreadable', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
