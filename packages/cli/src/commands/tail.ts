import type { LiveRequest } from '@swarmgate/proxy';
import { UsageError } from '@swarmgate/runtime';
import type { Command } from 'commander';
import type { CommandIo } from '../io.ts';
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
      const stream = await clientFor(options, io).events('/v1/requests', query as Record<string, string>);
      if (stream.kind === 'refused') {
        printResponse(stream.response, options, io, () => '');
        return;
      }
      let shown = 0;
      for await (const { event, data } of stream.events) {
        if (event === 'skipped' && options.json !== true) io.error(describeSkipped(data));
        if (event !== 'request') continue;
        io.out(options.json === true ? data : describeRequest(JSON.parse(data) as LiveRequest));
        shown += 1;
        if (shown >= most) return;
      }
    });
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
