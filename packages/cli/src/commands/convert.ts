import { UsageError } from '@swarmgate/runtime/errors';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import type { CommandIo } from '../io.ts';
import { traefikArgsAsText } from '../output/check-report.ts';
import { type CheckOptions, readingStacks, stackCommand } from './check.ts';

/** Writes labels of Traefik as labels of our own. */
export function addConvertCommand(program: Command, io: CommandIo): void {
  stackCommand(
    program,
    'convert <file>',
    'the stack file with com.df.* labels that route as its traefik.* labels do; what has no equivalent goes to standard error',
    ['swarmgate convert stack.yml --stack shop > stack.df.yml'],
  ).action(async (file: string, options: CheckOptions) => {
    const { readStack, readText } = await readingStacks();
    const { convertStack } = await import('../compose/convert-stack.ts');
    const { desired: services, traefik } = await readStack([file], options, io);
    if (services.length === 0)
      throw new UsageError(
        'labels-missing',
        `${file}: no service has labels that are read: LABELS=df,traefik reads both families`,
      );
    const { text, unsaid, warnings } = convertStack(readText(file), services);
    io.out(options.json === true ? JSON.stringify({ stack: text, unsaid, warnings }, null, 2) : text.trimEnd());
    for (const { service, what } of unsaid) io.error(`${service}: ${what}`);
    for (const { service, what } of warnings) io.error(`${service}: warning: ${what}`);
    if (traefik !== undefined) io.error(traefikArgsAsText(traefik));
    const isRefused = traefik?.problems.some(({ severity }) => severity === 'error') === true;
    if (unsaid.length > 0 || isRefused) io.exit(exitCodes.refused);
  });
}
