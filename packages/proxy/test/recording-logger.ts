import { Writable } from 'node:stream';
import { createLogger, type Logger } from '@swarmgate/runtime';

export type LoggedLine = Readonly<Record<string, unknown>>;

/** A logger of errors whose lines are kept as objects. */
export function recordingLogger(lines: LoggedLine[]): Logger {
  const destination = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      lines.push(JSON.parse(line));
      done();
    },
  });
  return createLogger({ level: 'error', destination });
}
