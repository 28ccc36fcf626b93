import { type Logger as PinoLogger, pino } from 'pino';
import { LogLines } from './log-lines.ts';
import { standardOutput } from './standard-output.ts';

/** Structured log: one JSON object a line. Fields first, then a sentence. An error is logged as the object, under `err`. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'child'> &
  Partial<Pick<PinoLogger, 'isLevelEnabled'>>;

// Fields of these names are secrets at any place of a log record.
const redactedPaths = ['password', 'token', 'authorization', 'privateKey', '*.password', '*.token', '*.authorization'];

// JSON escapes the characters below U+0020 only. The other controls, line separators and direction marks would still reach
// a terminal, where a client's header could rewrite the line or start a new one.
const unescapedControls = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** All loggers of a process write through it. */
const outputLines = new LogLines(standardOutput);
// Before the output's own end, which writes what it was given.
process.once('exit', () => outputLines.end());

export interface LoggerOptions {
  /** One of pino's levels. Default `info`. */
  readonly level?: string;
  /** Where the lines go. Default: standard output, which holds up nothing: see `LogLines`. */
  readonly destination?: NodeJS.WritableStream;
}

export function createLogger(options: LoggerOptions = {}): Logger {
  const settings = {
    level: options.level ?? 'info',
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactedPaths, censor: '[redacted]' },
    serializers: { err: serializedError },
    hooks: { streamWrite: (line: string) => line.replace(unescapedControls, escaped) },
  };
  return pino(settings, options.destination ?? outputLines);
}

/** Writes nothing: for tests, and for commands whose output is for people. */
export const silentLogger: Logger = createLogger({ level: 'silent' });

/** Pino's own appends the messages of causes, which an error that names its cause in its message would show twice. */
function serializedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const serialized = pino.stdSerializers.err(error);
  const { cause } = error;
  if (cause instanceof Error && error.message.includes(cause.message)) serialized.message = error.message;
  return serialized;
}
