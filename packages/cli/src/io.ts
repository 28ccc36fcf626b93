import { printable } from './output/printable.ts';

/** What a command may touch of the outside world; tests hand in their own. */
export interface CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Set once; the process ends with it when nothing is left to do. */
  readonly exit: (code: number) => void;
}

// Whoever reads may stop early, as `| head` does: what is left goes nowhere, and the command ends as it would have.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

export const processIo: CommandIo = {
  env: process.env,
  out: (text) => void process.stdout.write(`${printable(text)}\n`),
  error: (text) => void process.stderr.write(`${printable(text)}\n`),
  exit: (code) => {
    process.exitCode = code;
  },
};
