import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { readTraefikArgs } from '@swarmgate/labels';
import type { RoutesResponse, ServicesResponse } from '@swarmgate/proxy';
import { messageOf, readSettings, UsageError } from '@swarmgate/runtime';
import { familiesOf } from '@swarmgate/swarm-listener';
import type { Command } from 'commander';
import { UnreachableError } from '../admin-client.ts';
import { type DesiredService, desiredServices } from '../compose/desired-services.ts';
import { type Effects, effectsOf } from '../compose/effects.ts';
import { type ComposeFile, mergeCompose, readCompose } from '../compose/read-compose.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandIo } from '../io.ts';
import { checkAsGithub, checkAsText, diffAsText, traefikArgsAsText } from '../output/check-report.ts';
import { clientFor, type OperatorOptions } from './operator-command.ts';

export interface CheckOptions extends OperatorOptions {
  readonly traefikArgs?: string;
  readonly stack?: string;
  readonly format?: string;
}

/** Checks stack files before they are deployed, by the listener's rules and the proxy's route table. */
export function addCheckCommands(program: Command, io: CommandIo): void {
  stackCommand(
    program,
    'check <files...>',
    'problems of the labels of stack files, and the routes whose requests they would take; needs no engine',
    [
      'swarmgate check stack.yml',
      'swarmgate check stack.yml stack.prod.yml --stack shop --url http://10.0.0.5:8080',
      'swarmgate check stack.yml --format github',
      'swarmgate check stack.yml --traefik-args traefik.args',
    ],
  )
    .option('--format <format>', 'text, json or github (annotations of a workflow)', 'text')
    .action(async (files: string[], options: CheckOptions) => {
      const format = options.json === true ? 'json' : (options.format ?? 'text');
      if (!['text', 'json', 'github'].includes(format)) {
        throw new UsageError('format-invalid', `--format ${format}: expected text, json or github`);
      }
      const traefik = options.traefikArgs === undefined ? undefined : readTraefikArgs(readText(options.traefikArgs));
      const desired = readDesired(files, options, io);
      // Without an address the labels alone are checked; an address that does not respond is an error.
      const isCompared = options.url !== undefined || io.env.SWARMGATE_URL !== undefined;
      const effects = isCompared ? await effectsOn(desired, files, options, io) : undefined;
      const flags = traefik === undefined ? {} : { traefik };
      if (format === 'json') io.out(JSON.stringify({ services: desired, effects: effects ?? null, ...flags }, null, 2));
      else io.out(format === 'github' ? checkAsGithub(desired, effects) : checkAsText(desired, effects));
      if (traefik !== undefined && format === 'text') io.out(traefikArgsAsText(traefik));
      if (desired.some(hasErrors) || traefik?.problems.some(({ severity }) => severity === 'error') === true)
        io.exit(exitCodes.refused);
    });

  stackCommand(program, 'diff <files...>', 'routes that a deployment of stack files would add, change and remove', [
    'swarmgate diff stack.yml --stack shop',
  ]).action(async (files: string[], options: CheckOptions) => {
    const desired = readDesired(files, options, io);
    const effects = await effectsOn(desired, files, options, io);
    const rejected = desired.filter(hasErrors).map(({ name }) => name);
    io.out(options.json === true ? JSON.stringify({ ...effects, rejected }, null, 2) : diffAsText(effects, rejected));
    if (rejected.length > 0) io.exit(exitCodes.refused);
  });
}

function hasErrors({ problems }: DesiredService): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

export function stackCommand(
  program: Command,
  nameAndArguments: string,
  description: string,
  examples: readonly string[],
): Command {
  return program
    .command(nameAndArguments)
    .description(description)
    .option(
      '--stack <name>',
      'name the stack is deployed under (default: its "name", else the folder of the first file)',
    )
    .option(
      '--traefik-args <file>',
      'flags or environment of the Traefik service, one a line: its entrypoints and constraints hold, and the settings that say the same are printed',
    )
    .option('--url <address>', 'admin address of the proxy to compare with')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
}

export function readDesired(files: readonly string[], options: CheckOptions, io: CommandIo): readonly DesiredService[] {
  const merged = readFiles(files, io);
  const settings = readSettings('cli', { env: { ...environmentOf(options), ...io.env } });
  return desiredServices(merged, {
    stack: stackName(files, options, merged),
    notifyLabel: settings.notifyLabel,
    serviceNamePrefix: settings.serviceNamePrefix,
    separator: settings.separator,
    defaults: settings.defaultLabels,
    ...familiesOf(settings),
    owner: settings.swarmName,
    nowMs: Date.now(),
  });
}

/** What Traefik's flags say, as the listener's environment would. */
function environmentOf({ traefikArgs }: CheckOptions): Record<string, string> {
  if (traefikArgs === undefined) return {};
  const { settings } = readTraefikArgs(readText(traefikArgs));
  const ofListener = settings.filter(({ of }) => of === 'listener').map(({ setting }) => setting);
  return Object.fromEntries(
    ofListener.map((setting) => [setting.replace(/=.*$/s, ''), setting.replace(/^[^=]*=/, '')]),
  );
}

function readFiles(files: readonly string[], io: CommandIo): ComposeFile {
  return mergeCompose(files.map((file) => readCompose(file, readText(file), io.env)));
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError('file-unreadable', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function stackName(files: readonly string[], { stack }: CheckOptions, { name }: ComposeFile): string {
  return stack ?? name ?? basename(dirname(resolve(files[0] ?? '.')));
}

async function effectsOn(
  desired: readonly DesiredService[],
  files: readonly string[],
  options: CheckOptions,
  io: CommandIo,
): Promise<Effects> {
  const client = clientFor(options, io);
  const [services, routes] = await Promise.all([client.get('/v1/services'), client.get('/v1/routes')]);
  if (services.status !== 200 || routes.status !== 200) {
    throw new UnreachableError(
      'not-swarmgate',
      `${client.url} answers ${services.status}: not the admin port of a Swarmgate proxy?`,
    );
  }
  const { order } = routes.body as RoutesResponse;
  const registered = (services.body as ServicesResponse).services.flatMap(({ definition }) => definition ?? []);
  const settings = readSettings('cli', { env: io.env });
  const prefix = `${settings.serviceNamePrefix}${stackName(files, options, readFiles(files, io))}_`;
  return effectsOf(
    registered,
    desired.flatMap(({ definition }) => (definition === undefined ? [] : [definition])),
    {
      order,
      instanceName: settings.instanceName,
      isOfStack: ({ owner, service }) =>
        owner === settings.swarmName && service.startsWith(prefix) && !desired.some(({ name }) => name === service),
    },
  );
}
