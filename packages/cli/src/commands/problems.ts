import type { ProblemsResponse, StatusResponse } from '@swarmgate/proxy';
import type { Command } from 'commander';
import type { AdminClient } from '../admin-client.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandIo } from '../io.ts';
import { describeProblem } from '../output/problem.ts';
import { clientFor, type OperatorOptions, operatorCommand, printResponse } from './operator-command.ts';

export function addProblemsCommand(program: Command, io: CommandIo): void {
  operatorCommand(program, 'problems', 'problems of labels, definitions and keys (exit code 1 if there is any)', [
    'swarmgate problems',
    'swarmgate problems --json',
  ]).action(async (options: OperatorOptions) => {
    const client = await clientFor(options, io);
    const response = await client.get('/v1/problems');
    if (!printResponse<ProblemsResponse>(response, options, io, describeProblems)) return;
    const { problems, keys } = response.body as ProblemsResponse;
    const isFollowing = await sayIfNotFollowing(client, io);
    if (problems.length + keys.length > 0 || !isFollowing) io.exit(exitCodes.refused);
  });
}

/** An unreachable registry is no problem of a service, but an operator looks here first. */
async function sayIfNotFollowing(client: AdminClient, io: CommandIo): Promise<boolean> {
  const { status, body } = await client.get('/v1/status');
  const { registry } = body as Partial<StatusResponse>;
  if (status !== 200 || registry === undefined || registry.state.kind === 'following') return true;
  io.error(`the registry (${registry.description}) is not followed: ${registry.state.kind}; see swarmgate status`);
  return false;
}

export function describeProblems({ problems, keys }: ProblemsResponse): string {
  if (problems.length + keys.length === 0) return 'no problems';
  const lines: string[] = [];
  let service = '';
  for (const problem of problems) {
    const here = `${problem.owner}/${problem.service}`;
    if (here !== service) lines.push(here);
    service = here;
    lines.push(`  ${describeProblem(problem)}`);
  }
  for (const key of keys) lines.push(key.key, `  warning: ${key.message} → ${key.suggestion}`);
  return lines.join('\n');
}
