import { messageOf, SwarmgateError } from '@swarmgate/runtime/errors';
import { shareLookups } from '@swarmgate/runtime/shared-lookups';
import { CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { type CommandIo, processIo } from './io.ts';
import { createProgram } from './program.ts';

/** Runs one command line. Never rejects: a failure is a message on standard error and an exit code. */
export async function main(args: readonly string[], io: CommandIo = processIo): Promise<void> {
  shareLookups();
  try {
    await createProgram(io).parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has written its message already; --help is no error.
      io.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.unusable);
      return;
    }
    io.error(`swarmgate: ${messageOf(error)}`);
    io.exit(error instanceof SwarmgateError ? exitCodes.unusable : exitCodes.refused);
  }
}
