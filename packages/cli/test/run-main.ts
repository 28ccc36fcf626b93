import type { CommandIo } from '../src/io.ts';
import { main } from '../src/main.ts';

export interface MainResult {
  out: string;
  error: string;
  code: number;
}

/** Runs a command and collects what it prints, a line end after each text, and its exit code. */
export async function runMain(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  more: Partial<CommandIo> = {},
): Promise<MainResult> {
  const result: MainResult = { out: '', error: '', code: 0 };
  await main(args, {
    env,
    out: (text) => {
      result.out += `${text}\n`;
    },
    error: (text) => {
      result.error += `${text}\n`;
    },
    ...more,
    exit: (code) => {
      result.code = code;
    },
  });
  return result;
}
