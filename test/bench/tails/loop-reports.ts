import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Of one process since the last report. Times in milliseconds. */
export interface LoopReport {
  readonly role: 'main' | 'worker';
  readonly cpuMs: number;
  /** How much later than due a timer ran: what one turn of the event loop took. */
  readonly turns: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    /** The longest of them by the time of the processor: what other processes took is not in it. */
    readonly busiest: number;
  };
  /** Of the garbage collector. */
  readonly pauses: { readonly count: number; readonly totalMs: number; readonly p50: number; readonly max: number };
}

/** What a process of the proxy is started with, so that it and its workers report their event loops into the file. */
export function probed(file: string): Readonly<Record<string, string>> {
  const probe = fileURLToPath(new URL('loop-probe.ts', import.meta.url));
  return { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${probe}`, TAILS_FILE: file };
}

/** Of a process and its workers. Resets what they have noted. @param count how many processes report */
export async function loopReports(pid: number, count: number, file: string): Promise<LoopReport[]> {
  await writeFile(file, '');
  process.kill(pid, 'SIGUSR2');
  const deadline = performance.now() + 5_000;
  for (;;) {
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
    if (lines.length >= count) return lines.map((line) => JSON.parse(line) as LoopReport);
    if (performance.now() > deadline) throw new Error(`${lines.length} of ${count} processes have reported`);
    await pause(10);
  }
}
