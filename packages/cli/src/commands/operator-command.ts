import type { Command } from 'commander';
import type { AdminClient, AdminResponse } from '../admin-client.ts';
import type { Addressee } from '../call-remedy.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandIo } from '../io.ts';
import { describeProblem, type ShownProblem } from '../output/problem.ts';
import { UnreachableError } from '../unreachable-error.ts';

export interface OperatorOptions {
  readonly url?: string | undefined;
  readonly json?: boolean;
}

const urlHelp = {
  proxy: 'admin address of the proxy (default: SWARMGATE_URL, else 127.0.0.1:<ADMIN_PORT>)',
  listener: 'address of a listener’s REST (default: LISTENER_URL, else 127.0.0.1:<LISTENER_PORT>)',
} as const;

/** A command that calls a running process: `--url`, `--json`, and examples in its help. */
export function operatorCommand(
  program: Command,
  nameAndArguments: string,
  description: string,
  examples: readonly string[],
  to: Addressee = 'proxy',
): Command {
  return program
    .command(nameAndArguments)
    .description(description)
    .option('--url <address>', urlHelp[to])
    .option('--json', 'print the response as JSON')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
}

/** The client and the settings are loaded here: help needs neither. */
export async function clientFor(
  options: OperatorOptions,
  io: CommandIo,
  to: Addressee = 'proxy',
): Promise<AdminClient> {
  const { createAdminClient } = await import('../admin-client.ts');
  return createAdminClient({ url: options.url, to, env: io.env });
}

/**
 * Prints the response: as JSON with `--json`, else as `human` formats it. A refusal ends with exit code 1; its text goes to standard
 * error and names what to set for this command, which the JSON has as `remedy`. A change that some replicas do not serve yet is done: the
 * text is followed by a warning on standard error, the JSON has `waitingFor`.
 * @throws UnreachableError where the response is not that of a Swarmgate process
 */
export function printResponse<T>(
  response: AdminResponse,
  options: OperatorOptions,
  io: CommandIo,
  human: (body: T) => string,
): boolean {
  if (!isJson(response)) throw notSwarmgate(response);
  const isFine = response.status < 400;
  if (options.json === true) io.out(JSON.stringify(withRemedy(response), null, 2));
  else if (isFine) {
    io.out(human(response.body as T));
    const late = lateReplicas(response);
    if (late !== undefined) io.error(late);
  } else io.error(refusal(response));
  if (!isFine) io.exit(exitCodes.refused);
  return isFine;
}

/**
 * The body of a response that a command cannot do without.
 * @throws UnreachableError where the call is refused, or the response is not that of a Swarmgate process
 */
export function bodyOf<T>(response: AdminResponse): T {
  if (!isJson(response)) throw notSwarmgate(response);
  if (response.status !== 200)
    throw new UnreachableError('call-refused', `${response.from} refused the call: ${refusal(response)}`);
  return response.body as T;
}

type JsonResponse = AdminResponse & { readonly body: object };

function isJson(response: AdminResponse): response is JsonResponse {
  return typeof response.body === 'object' && response.body !== null;
}

function withRemedy({ body, remedy }: JsonResponse): object {
  return remedy === undefined ? body : { ...body, remedy };
}

/** For a change that was written and has not arrived at every replica in time. */
function lateReplicas({ body }: JsonResponse): string | undefined {
  const { waitingFor = [] } = body as { readonly waitingFor?: readonly string[] };
  if (waitingFor.length === 0) return undefined;
  return `warning: kept, but not served yet by ${waitingFor.join(', ')} → swarmgate status shows when it is; restart a replica that stays behind`;
}

function notSwarmgate({ from, status }: AdminResponse): UnreachableError {
  return new UnreachableError(
    'not-swarmgate',
    `${from} responds with ${status} without JSON: not the admin port (ADMIN_PORT) of a Swarmgate proxy?`,
  );
}

function refusal({ status, body, remedy }: JsonResponse): string {
  const { message, Message, problems } = body as {
    message?: string;
    Message?: string;
    problems?: readonly ShownProblem[];
  };
  const why = message ?? Message ?? JSON.stringify(body);
  const lines = [`refused (${status}): ${why}${remedy === undefined ? '' : ` → ${remedy}`}`];
  for (const problem of problems ?? []) lines.push(`  ${describeProblem(problem)}`);
  return lines.join('\n');
}
