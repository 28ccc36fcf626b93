import type { StatusResponse } from '@swarmgate/proxy';
import type { Command } from 'commander';
import type { CommandIo } from '../io.ts';
import { age, table } from '../output/table.ts';
import { clientFor, type OperatorOptions, operatorCommand, printResponse } from './operator-command.ts';

export function addStatusCommand(program: Command, io: CommandIo): void {
  operatorCommand(program, 'status', 'state of a proxy and its registry, and what every replica serves', [
    'swarmgate status',
    'swarmgate status --url http://10.0.0.5:8080 --json',
  ]).action(async (options: OperatorOptions) => {
    printResponse<StatusResponse>(await (await clientFor(options, io)).get('/v1/status'), options, io, describeStatus);
  });
}

export function describeStatus(status: StatusResponse): string {
  const readiness = status.draining ? 'draining' : status.ready ? 'ready' : 'not ready';
  const lines = [
    `${status.replica}  ${readiness}, version ${status.version}, since ${status.since}`,
    `registry   ${status.registry.description}, ${describeRegistry(status)}`,
    `serving    ${status.services} services, ${status.routes} routes, ${status.rejected} rejected, ${status.held} held, ${status.problems} problems`,
  ];
  for (const entrypoint of status.entrypoints) {
    const name = `${entrypoint.port}${entrypoint.secure ? ' (TLS)' : ''}`;
    // Absent in responses of older versions.
    const protocols = entrypoint.protocols?.length > 0 ? `: ${entrypoint.protocols.join(', ')}` : '';
    lines.push(
      `entrypoint ${name} ${entrypoint.state === 'open' ? `open${protocols}` : `closed: ${entrypoint.reason}`}`,
    );
  }
  if (status.tokenInPlain !== null && status.tokenInPlain !== undefined)
    lines.push(
      `WARNING    the admin token passed a network in plain text (from ${status.tokenInPlain.from}, ${status.tokenInPlain.at}): set ADMIN_TLS, then replace the token`,
    );
  // Absent in responses of older versions.
  const { services = 0, endpoints = 0 } = status.maintenance ?? {};
  if (services + endpoints > 0)
    lines.push(`maintenance ${services} services, ${endpoints} drained endpoints: swarmgate maintenance lists them`);
  if (status.plugins !== null && status.plugins !== undefined)
    lines.push(`plug-ins   ${describePlugins(status.plugins)}`);
  if (status.workers.length > 0) {
    lines.push(
      '',
      table(
        ['WORKER', 'STATE', 'REVISION'],
        status.workers.map((each) => [String(each.pid), each.state, each.revision]),
      ),
    );
  }
  const replicas = status.replicas.map((each) => [
    each.replica,
    each.draining === true ? 'draining' : 'live',
    servedBy(each, status),
    String(each.routes),
    String(each.rejected),
    each.live === undefined ? '–' : String(each.live.requestsPerSecond),
    each.live === undefined ? '–' : String(each.live.inFlight),
    each.version,
    each.since,
  ]);
  const columns = ['REPLICA', 'STATE', 'SEQUENCE', 'ROUTES', 'REJECTED', 'REQUESTS/S', 'IN FLIGHT', 'VERSION', 'SINCE'];
  lines.push('', table(columns, replicas));
  return lines.join('\n');
}

/** Sequences of two registries say nothing about each other: after a lost one, replicas come over one by one. */
function servedBy(
  { registryId, sequence }: StatusResponse['replicas'][number],
  status: Pick<StatusResponse, 'sequence' | 'registry'>,
): string {
  if (registryId === '' && status.registry.registryId !== '') return `none yet (this one: ${status.sequence})`;
  if (registryId !== status.registry.registryId)
    return `${sequence} of another registry (this one: ${status.sequence})`;
  return sequence === status.sequence ? `${sequence}` : `${sequence} (this one: ${status.sequence})`;
}

function describePlugins({ state, reason, files }: NonNullable<StatusResponse['plugins']>): string {
  const shown = files.map(({ name, fault, suspended }) => {
    if (fault !== undefined) return `${name} (${fault})`;
    return suspended === true ? `${name} (suspended)` : name;
  });
  const all = shown.length === 0 ? 'none' : shown.join(', ');
  switch (state) {
    case 'current':
      return all;
    case 'replacing':
      return `${all}; the files have changed: workers are being replaced`;
    case 'refused':
      return `${all}; the files have changed and cannot be used: ${reason}`;
    case 'restart-needed':
      return `${all}; the files have changed: restart the proxy to use them`;
  }
}

function describeRegistry({ registry: { state }, sequence, ageMs }: StatusResponse): string {
  switch (state.kind) {
    case 'starting':
      return 'not read yet';
    case 'following':
      return `followed, sequence ${sequence}`;
    case 'away':
      if (ageMs === null)
        return `unreachable (${state.error}); no routes were loaded before, and no snapshot is on disk`;
      return `unreachable (${state.error}); serving the routes of ${age(ageMs)} ago, from ${state.from}`;
    case 'holding':
      if (state.held === 0) return 'empty: nothing is registered yet';
      return `${state.held} services held (${state.reason}): swarmgate reload --force drops them`;
  }
}
