import { createRequire } from 'node:module';
import { Command } from 'commander';
import { addCertificatesCommand } from './commands/certificates.ts';
import { addChangeCommands } from './commands/changes.ts';
import { addCheckCommands } from './commands/check.ts';
import { addConvertCommand } from './commands/convert.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addHistoryCommands } from './commands/history.ts';
import { addMaintenanceCommand } from './commands/maintenance.ts';
import { addProblemsCommand } from './commands/problems.ts';
import { addRoutesCommand } from './commands/routes.ts';
import { addServeCommands } from './commands/serve.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTailCommand } from './commands/tail.ts';
import { addTopCommand } from './commands/top.ts';
import type { CommandIo } from './io.ts';

const { version } = createRequire(import.meta.url)('../package.json') as { readonly version: string };

/** The command line: one file per family of commands. */
export function createProgram(io: CommandIo): Command {
  const program = new Command('swarmgate')
    .description('A reverse proxy for Docker Swarm that configures itself through Consul')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr: (text) => io.error(text.trimEnd()) })
    .showHelpAfterError('(swarmgate --help lists the commands)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 refused or problems found, 2 wrong usage or unreachable.' +
        '\nSettings are read from the environment: docs/environment.md lists them.',
    );
  addServeCommands(program, io);
  addStatusCommand(program, io);
  addTopCommand(program, io);
  addTailCommand(program, io);
  addRoutesCommand(program, io);
  addExplainCommand(program, io);
  addProblemsCommand(program, io);
  addCertificatesCommand(program, io);
  addChangeCommands(program, io);
  addHistoryCommands(program, io);
  addMaintenanceCommand(program, io);
  addCheckCommands(program, io);
  addConvertCommand(program, io);
  return program;
}
