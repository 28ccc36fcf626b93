import { type Logger as PinoLogger, pino } from 'pino';

/** Structured log: one JSON object a line. Fields first, then a sentence. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

// Whatever carries one of these names is a secret wherever it stands in a log record.
const redactedPaths = ['password', 'token', 'authorization', 'privateKey', '*.password', '*.token', '*.authorization'];

export interface LoggerOptions {
  /** One of pino's levels. Default `info`. */
  readonly level?: string;
  /** Where the lines go. Default: standard output, written asynchronously. */
  readonly destination?: NodeJS.WritableStream;
}

export function createLogger(options: LoggerOptions = {}): Logger {
  const settings = {
    level: options.level ?? 'info',
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactedPaths, censor: '[redacted]' },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}

/** Swallows everything: for tests and for commands that speak to a person instead. */
export const silentLogger: Logger = createLogger({ level: 'silent' });
