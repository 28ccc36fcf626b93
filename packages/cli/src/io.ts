import { printable } from './output/printable.ts';

/** The environment of a command; tests inject their own. */
export interface CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Clears the screen before a table that is shown again and again. Absent where the output is no terminal. */
  readonly clear?: () => void;
  /** Sets the exit code; the process ends with it once nothing is left to do. */
  readonly exit: (code: number) => void;
}

// A reader may close the pipe early, as `| head` does: the rest is dropped, and the command ends normally.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

export const processIo: CommandIo = {
  env: process.env,
  out: (text) => void process.stdout.write(`${printable(text)}\n`),
  error: (text) => void process.stderr.write(`${printable(text)}\n`),
  ...(process.stdout.isTTY ? { clear: () => void process.stdout.write('\u001b[H\u001b[2J') } : {}),
  exit: (code) => {
    process.exitCode = code;
  },
};
