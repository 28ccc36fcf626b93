import { Writable } from 'node:stream';
import { createLogger, type Logger } from '@swarmgate/runtime';

export type LoggedLine = Readonly<Record<string, unknown>>;

/** A logger whose errors are kept as objects. Workers that start with its level log nothing. */
export function recordingLogger(lines: LoggedLine[]): Logger & { readonly level: string } {
  const destination = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      lines.push(JSON.parse(line));
      done();
    },
  });
  const logger = createLogger({ level: 'error', destination });
  return {
    level: 'silent',
    debug: logger.debug.bind(logger),
    info: logger.info.bind(logger),
    warn: logger.warn.bind(logger),
    error: logger.error.bind(logger),
    child: logger.child.bind(logger),
  };
}
