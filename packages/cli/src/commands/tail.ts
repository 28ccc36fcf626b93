import type { LiveRequest } from '@swarmgate/proxy';
import { UsageError } from '@swarmgate/runtime/errors';
import { backoffMs, pause } from '@swarmgate/runtime/lifecycle';
import type { Command } from 'commander';
import type { CommandIo } from '../io.ts';
import type { ServerSentEvent } from '../server-sent-events.ts';
import { UnreachableError } from '../unreachable-error.ts';
import { clientFor, type OperatorOptions, operatorCommand, printResponse } from './operator-command.ts';

interface TailOptions extends OperatorOptions {
  readonly service?: string;
  readonly status?: string;
  readonly minDuration?: string;
  readonly reason?: string;
  readonly limit?: string;
  readonly count?: string;
}

export function addTailCommand(program: Command, io: CommandIo): void {
  operatorCommand(program, 'tail', 'requests of one proxy as they end', [
    'swarmgate tail',
    'swarmgate tail --service shop --status 5xx',
    'swarmgate tail --min-duration 500 --json',
  ])
    .option('--service <name>', 'requests to this service: name, or owner/name')
    .option('--status <status>', 'with this status, or class: 404, 5xx')
    .option('--min-duration <ms>', 'that took at least as long, in milliseconds')
    .option('--reason <reason>', 'that the proxy responded or ended for this reason')
    .option('--limit <requests>', 'requests at most in a second (default 50)')
    .option('--count <requests>', 'end after so many requests (default: never)')
    .action(async ({ service, status, minDuration, reason, limit, count, ...options }: TailOptions) => {
      const given = { service, status, minDurationMs: minDuration, reason, limit };
      const query = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      const most = count === undefined ? Number.POSITIVE_INFINITY : Number(count);
      if (!(most >= 1))
        throw new UsageError('number-invalid', `--count ${JSON.stringify(count)} is not a number above 0`);
      let shown = 0;
      for await (const { event, data } of follow(query as Record<string, string>, options, io)) {
        if (event === 'skipped' && options.json !== true) io.error(describeSkipped(data));
        if (event !== 'request') continue;
        io.out(options.json === true ? data : describeRequest(JSON.parse(data) as LiveRequest));
        shown += 1;
        if (shown >= most) return;
      }
    });
}

/** Events of one stream after the other: once there was one, the operator follows a proxy that may restart. */
async function* follow(
  query: Readonly<Record<string, string>>,
  options: OperatorOptions,
  io: CommandIo,
): AsyncGenerator<ServerSentEvent> {
  const client = await clientFor(options, io);
  let wasOpen = false;
  for (let attempt = 0; ; attempt += 1) {
    const stream = await client.events('/v1/requests', query, io.readerGone).catch((error: unknown) => {
      if (wasOpen && error instanceof UnreachableError) return undefined;
      throw error;
    });
    if (stream?.kind === 'refused' && !(wasOpen && stream.response.status === 503)) {
      printResponse(stream.response, options, io, () => '');
      return;
    }
    if (stream?.kind === 'open') {
      if (wasOpen) io.error(`following ${client.url} again`);
      wasOpen = true;
      attempt = 0;
      try {
        yield* stream.events;
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
      }
      if (io.readerGone?.aborted === true) return;
      io.error(`the stream of ${client.url} ended. Trying again; requests until then are not shown`);
    }
    if (!(await pause(backoffMs(attempt, 250, 5_000), io.readerGone))) return;
  }
}

export function describeRequest(request: LiveRequest): string {
  const { at, status, method, host, path, service, endpoint, durationMs, reason, retries } = request;
  return [
    at.slice(11, 23),
    String(status),
    method.padEnd(4),
    `${host}${path}`,
    service ?? 'no route',
    endpoint === null ? '' : `→ ${endpoint}`,
    `${durationMs} ms`,
    reason ?? '',
    retries > 0 ? `${retries} retries` : '',
  ]
    .filter((part) => part !== '')
    .join('  ');
}

function describeSkipped(data: string): string {
  const { count } = JSON.parse(data) as { readonly count: number };
  return `${count} more matched (--limit)`;
}
