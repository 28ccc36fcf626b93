import type { Logger } from './logger.ts';
import { createRepeatedLines, type RepeatedLinesOptions } from './repeated-lines.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Fields that tell lines apart. What a client chooses, such as a path or its address, is not among them. */
const tellingFields = [
  'service',
  'reason',
  'endpoint',
  'health',
  'port',
  'name',
  'key',
  'replica',
  'pid',
  'file',
] as const;

export interface RepeatingLogger extends Logger {
  /** Writes the counts that are pending. */
  readonly stop: () => void;
}

/**
 * A logger for what traffic or a failing task repeats: of warnings and errors that have the same sentence, service, reason
 * and endpoint it writes one a second, with the number left out as `repeated`. At level `debug` each is written.
 */
export function createRepeatingLogger(logger: Logger, options: RepeatedLinesOptions = {}): RepeatingLogger {
  const lines = createRepeatedLines(logger, options);
  const counted =
    (level: 'warn' | 'error') =>
    (first: unknown, second?: unknown): void => {
      const fields = typeof first === 'string' ? {} : (first as Fields);
      const message = typeof first === 'string' ? first : String(second ?? '');
      lines.write(level, keyOf(level, fields, message), fields, message);
    };
  return {
    debug: logger.debug.bind(logger),
    info: logger.info.bind(logger),
    child: logger.child.bind(logger),
    warn: counted('warn') as Logger['warn'],
    error: counted('error') as Logger['error'],
    stop: lines.stop,
  };
}

function keyOf(level: string, fields: Fields, message: string): string {
  const reported = tellingFields.map((name) => String(fields[name] ?? ''));
  const { err } = fields;
  const code = err instanceof Error ? ((err as NodeJS.ErrnoException).code ?? err.name) : '';
  return JSON.stringify([level, message, ...reported, code]);
}
