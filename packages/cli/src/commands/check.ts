import type { TraefikArgs } from '@swarmgate/labels/traefik';
import type { RoutesResponse, ServicesResponse } from '@swarmgate/proxy';
import { UsageError } from '@swarmgate/runtime/errors';
import type { Command } from 'commander';
import type { DesiredService } from '../compose/desired-services.ts';
import type { Effects } from '../compose/effects.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandIo } from '../io.ts';
import { checkAsGithub, checkAsText, diffAsText, traefikArgsAsText } from '../output/check-report.ts';
import { bodyOf, clientFor, type OperatorOptions } from './operator-command.ts';
import type { StackOptions } from './read-stack.ts';

export interface CheckOptions extends OperatorOptions, StackOptions {
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
      const { readStack } = await readingStacks();
      const { desired, traefik } = await readStack(files, options, io);
      // Without an address the labels alone are checked; an address that does not respond is an error.
      const isCompared = options.url !== undefined || io.env.SWARMGATE_URL !== undefined;
      const effects = isCompared ? await effectsOn(desired, files, options, io) : undefined;
      const flags = traefik === undefined ? {} : { traefik };
      if (format === 'json') io.out(JSON.stringify({ services: desired, effects: effects ?? null, ...flags }, null, 2));
      else io.out(format === 'github' ? checkAsGithub(desired, effects) : checkAsText(desired, effects));
      if (traefik !== undefined && format === 'text') io.out(traefikArgsAsText(traefik));
      if (desired.some(hasErrors) || isRefused(traefik)) io.exit(exitCodes.refused);
    });

  stackCommand(program, 'diff <files...>', 'routes that a deployment of stack files would add, change and remove', [
    'swarmgate diff stack.yml --stack shop',
    'swarmgate diff stack.yml --stack shop --swarm',
  ]).action(async (files: string[], options: CheckOptions) => {
    const { readStack } = await readingStacks();
    const { desired, traefik } = await readStack(files, options, io);
    const effects = await effectsOn(desired, files, options, io);
    const rejected = desired.filter(hasErrors).map(({ name }) => name);
    const flags = traefik === undefined ? {} : { traefik };
    if (options.json === true) io.out(JSON.stringify({ ...effects, rejected, ...flags }, null, 2));
    else io.out(diffAsText(effects, rejected));
    if (traefik !== undefined && options.json !== true) io.out(traefikArgsAsText(traefik));
    if (rejected.length > 0 || isRefused(traefik)) io.exit(exitCodes.refused);
  });
}

/** Loaded by the commands that read stacks alone: it brings all labels and their schemas along. */
export function readingStacks() {
  return import('./read-stack.ts');
}

function hasErrors({ problems }: DesiredService): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

function isRefused(traefik: TraefikArgs | undefined): boolean {
  return traefik?.problems.some(({ severity }) => severity === 'error') === true;
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
      'flags or environment of the Traefik service, one a line: its entrypoints and constraints hold, and the equivalent settings are printed',
    )
    .option(
      '--traefik-service [name]',
      'the same of the Traefik service in the Swarm at DF_DOCKER_HOST; without either, of a Traefik in the files. Implies --swarm',
    )
    .option('--swarm', 'names in labels of Traefik of the other services in that Swarm count, such as middlewares')
    .option('--url <address>', 'admin address of the proxy to compare with')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
}

async function effectsOn(
  desired: readonly DesiredService[],
  files: readonly string[],
  options: CheckOptions,
  io: CommandIo,
): Promise<Effects> {
  const client = await clientFor(options, io);
  const [services, routes] = await Promise.all([client.get('/v1/services'), client.get('/v1/routes')]);
  const { order } = bodyOf<RoutesResponse>(routes);
  const registered = bodyOf<ServicesResponse>(services).services.flatMap(({ definition }) => definition ?? []);
  const { readFiles, stackName } = await readingStacks();
  const { effectsOf } = await import('../compose/effects.ts');
  const { readSettings } = await import('@swarmgate/runtime/settings');
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
