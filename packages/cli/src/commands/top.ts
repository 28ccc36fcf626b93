import type { ServicesResponse } from '@swarmgate/proxy';
import { UsageError } from '@swarmgate/runtime/errors';
import { pause } from '@swarmgate/runtime/lifecycle';
import type { Command } from 'commander';
import type { CommandIo, Screen } from '../io.ts';
import { table } from '../output/table.ts';
import { UnreachableError } from '../unreachable-error.ts';
import { clientFor, type OperatorOptions, operatorCommand, printResponse } from './operator-command.ts';

const orders = ['rate', 'errors', 'p99'] as const;
type Order = (typeof orders)[number];

interface TopOptions extends OperatorOptions {
  readonly sort: string;
  readonly interval: string;
  readonly count?: string;
  readonly lines: string;
  readonly replicas?: boolean;
}

export function addTopCommand(program: Command, io: CommandIo): void {
  operatorCommand(program, 'top', 'the busiest services of the last minute: rate, errors, latency; again and again', [
    'swarmgate top',
    'swarmgate top --sort p99 --replicas',
    'swarmgate top --count 1 --json',
  ])
    .option('--sort <column>', `order: ${orders.join(', ')}`, 'rate')
    .option('--interval <seconds>', 'time between two tables', '2')
    .option('--count <tables>', 'end after so many tables (default: never)')
    .option('--lines <services>', 'services at most', '30')
    .option('--replicas', 'all replicas, not only the one that is queried')
    .action(async (options: TopOptions) => {
      const order = orders.find((each) => each === options.sort);
      if (order === undefined) throw new UsageError('sort-invalid', `--sort takes ${orders.join(', ')}`);
      const intervalMs = 1_000 * positive('--interval', options.interval);
      const most = positive('--lines', options.lines);
      const count = options.count === undefined ? Number.POSITIVE_INFINITY : positive('--count', options.count);
      const client = await clientFor(options, io);
      const query = { fields: 'numbers', ...(options.replicas === true ? { replicas: 'all' } : {}) };
      let isAway = false;
      for (let shown = 0; shown < count; ) {
        const response = await client.get('/v1/services', query).catch((error: unknown) => {
          // Once there was a table, the operator watches a proxy that may restart.
          if (shown === 0 || !(error instanceof UnreachableError)) throw error;
          return error;
        });
        if (response instanceof UnreachableError) {
          if (!isAway) io.error(`${response.message}. Trying again`);
          isAway = true;
        } else {
          isAway = false;
          if (options.json !== true && count > 1) io.screen?.clear();
          const human = (body: ServicesResponse) => describeTop(body, order, most, io.screen);
          if (!printResponse<ServicesResponse>(response, options, io, human)) return;
          shown += 1;
        }
        if (shown < count && !(await pause(intervalMs, io.readerGone))) return;
      }
    });
}

function positive(name: string, given: string): number {
  const value = Number(given);
  if (/^\d+(?:\.\d+)?$/.test(given) && value > 0) return value;
  throw new UsageError('number-invalid', `${name} ${JSON.stringify(given)} is not a number above 0`);
}

/** @param screen which the table fits: names of services are shortened first, then lines are cut */
export function describeTop(
  { replicas, total, services }: ServicesResponse,
  order: Order,
  most: number,
  screen?: Pick<Screen, 'columns' | 'rows'>,
): string {
  const rows = services
    .flatMap(({ service, numbers }) => (numbers === null ? [] : [{ service, ...numbers }]))
    .filter(({ lastMinute, inFlight }) => lastMinute.requests > 0 || inFlight > 0)
    .sort((a, b) => keyOf(b.lastMinute, order) - keyOf(a.lastMinute, order) || (a.service < b.service ? -1 : 1));
  const cells = ({ lastMinute, inFlight }: Pick<ServicesResponse['total'], 'lastMinute' | 'inFlight'>) => [
    lastMinute.requestsPerSecond.toFixed(1),
    `${lastMinute.errorsPercent.toFixed(1)} %`,
    ms(lastMinute.p50Ms),
    ms(lastMinute.p90Ms),
    ms(lastMinute.p99Ms),
    String(inFlight),
    String(lastMinute.retries),
  ];
  const heading = ['SERVICE', 'REQUESTS/S', '5XX', 'P50', 'P90', 'P99', 'IN FLIGHT', 'RETRIES'];
  // Around the services: two headings, the line of all, what is hidden, and the cursor's own line.
  const shown = rows.slice(0, Math.min(most, screen === undefined ? most : Math.max(1, screen.rows - 5)));
  const hidden = rows.length - shown.length;
  const lines = [['all', ...cells(total)], ...shown.map((row) => [row.service, ...cells(row)])];
  return [
    `last minute of ${replicas.map(coverage).join(', ')}`,
    ...(screen === undefined ? table(heading, lines) : fitted(heading, lines, screen.columns)).split('\n'),
    ...(hidden > 0 ? [`${hidden} more (--lines)`] : []),
  ]
    .map((line) => (screen === undefined ? line : cut(line, screen.columns)))
    .join('\n');
}

/** A replica whose figures came by the registry shows its busiest services only. */
function coverage({ replica, services }: ServicesResponse['replicas'][number]): string {
  return services === 'all' ? replica : `${replica} (its ${services} busiest services)`;
}

const leastNameColumns = 12;

function fitted(heading: readonly string[], lines: readonly (readonly string[])[], columns: number): string {
  const widest = (rows: readonly string[]) => Math.max(...rows.map((each) => each.length));
  const whole = table(heading, lines);
  const over = widest(whole.split('\n')) - columns;
  const names = Math.max(leastNameColumns, widest(lines.map(([name = '']) => name)) - over);
  return over <= 0
    ? whole
    : table(
        heading,
        lines.map(([name = '', ...cells]) => [cut(name, names), ...cells]),
      );
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

function keyOf(window: ServicesResponse['total']['lastMinute'], order: Order): number {
  if (order === 'errors') return window.errorsPercent;
  return order === 'p99' ? (window.p99Ms ?? 0) : window.requestsPerSecond;
}

/** Three digits are what a latency with 5 % error has. */
function ms(value: number | null): string {
  if (value === null) return '–';
  return value >= 1_000 ? `${(value / 1_000).toPrecision(3)} s` : `${Number(value.toPrecision(3))} ms`;
}
