import type { ProblemsAnswer } from '@swarmgate/proxy';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import type { CommandIo } from '../io.ts';
import { describeProblem } from '../output/problem.ts';
import { clientFor, type OperatorOptions, operatorCommand, printAnswer } from './operator-command.ts';

export function addProblemsCommand(program: Command, io: CommandIo): void {
  operatorCommand(
    program,
    'problems',
    'everything that is wrong with labels, definitions and keys (exit code 1 if anything is)',
    ['swarmgate problems', 'swarmgate problems --json'],
  ).action(async (options: OperatorOptions) => {
    const answer = await clientFor(options, io).get('/v1/problems');
    if (!printAnswer<ProblemsAnswer>(answer, options, io, describeProblems)) return;
    const { problems, keys } = answer.body as ProblemsAnswer;
    if (problems.length + keys.length > 0) io.exit(exitCodes.refused);
  });
}

export function describeProblems({ problems, keys }: ProblemsAnswer): string {
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
