import type { ChangeResponse, HistoryResponse } from '@swarmgate/proxy';
import type { DefinitionSource, ServiceDefinition } from '@swarmgate/registry';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import type { CommandIo } from '../io.ts';
import { table } from '../output/table.ts';
import { clientFor, type OperatorOptions, operatorCommand, printResponse } from './operator-command.ts';
import { show } from './routes.ts';

interface RollbackOptions extends OperatorOptions {
  readonly to?: string;
  readonly owner?: string;
}

/** Former definitions, rollback to one of them, and restoring a registry that lost its services from a proxy. */
export function addHistoryCommands(program: Command, io: CommandIo): void {
  operatorCommand(program, 'history <service>', 'changes of a service: writer, time and former definitions', [
    'swarmgate history shop',
  ]).action(async (service: string, options: OperatorOptions) => {
    const response = await (await clientFor(options, io)).get('/v1/history', { service });
    if (!printResponse<HistoryResponse>(response, options, io, describeHistory)) return;
    if ((response.body as HistoryResponse).owners.length === 0) io.exit(exitCodes.refused);
  });

  operatorCommand(program, 'rollback <service>', 'restore a former definition of a service', [
    'swarmgate rollback shop',
    'swarmgate rollback shop --to 3',
  ])
    .option('--to <number>', 'number of the entry in the history (default: the newest)')
    .option('--owner <owner>', 'owner, where several publish that name')
    .action(async (service: string, { to, owner, ...options }: RollbackOptions) => {
      const query = { service, ...(to === undefined ? {} : { to }), ...(owner === undefined ? {} : { owner }) };
      const response = await (await clientFor(options, io)).post('/v1/rollback', query);
      printResponse<ChangeResponse>(response, options, io, ({ Message }) => `${service} is rolled back: ${Message}`);
    });

  operatorCommand(program, 'restore', 'write manual services that this proxy still has to a registry that lost them', [
    'swarmgate restore',
  ]).action(async (options: OperatorOptions) => {
    const response = await (await clientFor(options, io)).post('/v1/restore');
    printResponse<ChangeResponse>(response, options, io, ({ Message }) => Message);
  });
}

export function describeHistory({ service, owners }: HistoryResponse): string {
  if (owners.length === 0)
    return `${service} has no history: it is not published and never was (swarmgate routes lists what is served)`;
  return owners
    .map(({ owner, current, entries }) => {
      const rows = entries.map((entry) => [
        String(entry.number),
        entry.replacedAt,
        entry.replacedBy,
        source(entry.definition.source),
        entry.changed.join(' '),
        matches(entry.definition),
      ]);
      const now =
        current === null ? [] : [['now', current.updatedAt, '', source(current.source), '', matches(current)]];
      return `${owner}/${service}\n${table(['NUMBER', 'REPLACED', 'BY', 'CAME FROM', 'CHANGED THEN', 'ROUTES'], [...now, ...rows])}`;
    })
    .join('\n\n');
}

function source(from: DefinitionSource): string {
  return from.kind === 'swarm' ? `Swarm service version ${from.versionIndex}` : `${from.kind} (${from.by})`;
}

function matches({ destinations }: ServiceDefinition): string {
  return destinations
    .map(
      ({ serviceDomain, servicePath, port }) =>
        `${show(serviceDomain ?? ['*'])}${show(servicePath ?? ['/'])}→${port ?? '-'}`,
    )
    .join(' ');
}
