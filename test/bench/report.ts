import { execFile } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { Spread } from './forwarding/statistics.ts';
import type { ForwardingBench, ForwardingResult } from './forwarding.ts';
import type { Figure } from './routing.ts';

const run = promisify(execFile);

/** What the figures were taken on. */
export async function machineLine(): Promise<string> {
  const versions = await Promise.all([
    version('haproxy', ['-v'], /version (\S+)/),
    version('nginx', ['-v'], /nginx\/(\S+)/),
    version('caddy', ['version'], /v?(\d\S+)/),
  ]);
  const [haproxy, nginx, caddy] = versions;
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  return (
    `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${memoryGb} GB, Linux ${release()}; ` +
    `Node ${process.versions.node}, HAProxy ${haproxy}, nginx ${nginx}, Caddy ${caddy}; ${new Date().toISOString().slice(0, 10)}`
  );
}

async function version(program: string, args: readonly string[], pattern: RegExp): Promise<string> {
  try {
    const { stdout, stderr } = await run(program, [...args]);
    return pattern.exec(stdout + stderr)?.[1] ?? '?';
  } catch {
    return 'not installed';
  }
}

export function forwardingSection(bench: ForwardingBench, machine: string): string {
  const lines = [
    `Machine: ${machine}. ${bench.rotations} rotations of one-second slots; median [lowest–highest].`,
    '',
    '| case | proxy | CPU µs/request | × HAProxy | at most | RSS MB | failed |',
    '|---|---|---|---|---|---|---|',
    ...bench.results.map(rowOf),
  ];
  const controls = new Map(bench.results.map((each) => [each.case, each.control]));
  for (const [of, control] of controls)
    if (control !== undefined)
      lines.push(
        '',
        `${of.name}: ${of.processes} processes each; those of the baseline differ by × ${control.toFixed(3)}.`,
      );
  if (bench.missing.length > 0) lines.push('', `Not installed, so not compared: ${bench.missing.join(', ')}.`);
  return lines.join('\n');
}

function rowOf(result: ForwardingResult): string {
  const { subject, cost, ratio, failed } = result;
  const isBaseline = subject === result.case.baseline || subject.startsWith('HAProxy');
  const promised = subject.startsWith('Swarmgate') && !isBaseline ? result.case.atMost : undefined;
  const kept = promised === undefined || ratio === undefined ? '' : ratio.median <= promised ? ' ✓' : ' ✗';
  const cells = [
    result.case.name,
    subject.startsWith('Swarmgate') ? `**${subject}**` : subject,
    shown(cost, 1),
    ratio === undefined ? '–' : isBaseline ? '1' : shown(ratio, 2),
    promised === undefined ? '' : `${promised}${kept}`,
    String(Math.round(result.residentBytes / 2 ** 20)),
    String(failed),
  ];
  return `| ${cells.join(' | ')} |`;
}

function shown({ median, lowest, highest }: Spread, digits: number): string {
  return `${median.toFixed(digits)} [${lowest.toFixed(digits)}–${highest.toFixed(digits)}]`;
}

export function routingSection(figures: readonly Figure[], machine: string): string {
  const rows = figures.map((figure) => {
    const { name, unit, atMost } = figure;
    const promised = atMost === undefined ? '' : `${atMost}${figure.median <= atMost ? ' ✓' : ' ✗'}`;
    return `| ${name} | ${shown(figure, figure.median < 10 ? 2 : 0)} ${unit} | ${promised} |`;
  });
  return [`Machine: ${machine}.`, '', '| what | median [lowest–highest] | at most |', '|---|---|---|', ...rows].join(
    '\n',
  );
}
