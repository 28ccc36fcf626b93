import { exitCodes } from './exit-codes.ts';
import { printable } from './output/printable.ts';

/** The operator's terminal, as large as it is at the time. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Clears it before a table that is shown again and again. */
  clear(): void;
}

/** The environment of a command; tests inject their own. */
export interface CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Absent where the output is no terminal. */
  readonly screen?: Screen;
  /** Aborted when the reader of the output has closed its pipe. Commands without an end of their own end then. */
  readonly readerGone?: AbortSignal;
  /** Sets the exit code; the process ends with it once nothing is left to do. */
  readonly exit: (code: number) => void;
}

const readerGone = new AbortController();
// A reader may close the pipe early, as `| head` does: the rest is dropped, and the command ends normally. On a full disk it
// ends with a failure, and a long-lived one goes on.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = exitCodes.refused;
    if (stream !== process.stdout) return;
    if (error.code !== 'EPIPE') process.stderr.write(`swarmgate: the output cannot be written: ${error.message}\n`);
    readerGone.abort();
  });

const terminal: Screen = {
  get columns() {
    return process.stdout.columns;
  },
  get rows() {
    return process.stdout.rows;
  },
  clear: () => void process.stdout.write('\u001b[H\u001b[2J'),
};

export const processIo: CommandIo = {
  env: process.env,
  out: (text) => void process.stdout.write(`${printable(text)}\n`),
  error: (text) => void process.stderr.write(`${printable(text)}\n`),
  ...(process.stdout.isTTY ? { screen: terminal } : {}),
  readerGone: readerGone.signal,
  exit: (code) => {
    process.exitCode = code;
  },
};
