import type { Logger } from './logger.ts';

type Level = 'info' | 'warn' | 'error';
type Fields = Readonly<Record<string, unknown>>;

/**
 * A log for lines that traffic can repeat: at most one line per key and interval. Lines left out are counted, written at
 * level `debug`; the last of them is written when the interval ends, and `repeated` is the number that it stands for.
 */
export interface RepeatedLines {
  /**
   * `key` names what repeats, such as `service reason endpoint`: lines of one key stand for each other.
   * `fields` of the last line win.
   */
  readonly write: (level: Level, key: string, fields: Fields, message: string) => void;
  /** Writes the counts that are pending and forgets all keys. */
  readonly stop: () => void;
}

export interface RepeatedLinesOptions {
  /** Default 1,000. */
  readonly everyMs?: number;
  /** Keys within one interval; further ones share a single line. Default 1,000. */
  readonly maxKeys?: number;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly nowMs?: () => number;
  /** Calls once, later; returns how to cancel. Default `setTimeout` that keeps no process alive. */
  readonly schedule?: (act: () => void, afterMs: number) => () => void;
}

interface Line {
  readonly level: Level;
  readonly fields: Fields;
  readonly message: string;
}

interface Key {
  readonly writtenAtMs: number;
  leftOut: number;
  last: Line;
}

const overflowKey = '\0overflow';

export function createRepeatedLines(logger: Logger, options: RepeatedLinesOptions = {}): RepeatedLines {
  const { everyMs = 1_000, maxKeys = 1_000, nowMs = () => performance.now(), schedule = unreferencedTimeout } = options;
  const keys = new Map<string, Key>();
  let cancel: (() => void) | undefined;

  function put(name: string, line: Line, leftOut: number): void {
    log(line, leftOut);
    keys.delete(name);
    keys.set(name, { writtenAtMs: nowMs(), leftOut: 0, last: line });
    cancel ??= schedule(endOfInterval, everyMs);
  }

  function log({ level, fields, message }: Line, leftOut: number): void {
    logger[level](leftOut === 0 ? fields : { ...fields, repeated: leftOut }, message);
  }

  // Keys stand in the order in which they were written, so the first that is not due ends the search.
  function endOfInterval(): void {
    cancel = undefined;
    for (const [name, key] of [...keys]) {
      if (nowMs() - key.writtenAtMs < everyMs) break;
      if (key.leftOut > 0) put(name, key.last, key.leftOut - 1);
      else keys.delete(name);
    }
    const [next] = keys.values();
    if (next !== undefined) cancel ??= schedule(endOfInterval, Math.max(0, next.writtenAtMs + everyMs - nowMs()));
  }

  return {
    write(level, requested, fields, message) {
      const line = { level, fields, message };
      const name = keys.has(requested) || keys.size < maxKeys ? requested : overflowKey;
      const known = keys.get(name);
      if (known === undefined || nowMs() - known.writtenAtMs >= everyMs) {
        put(name, line, known?.leftOut ?? 0);
        return;
      }
      known.leftOut += 1;
      known.last = line;
      logger.debug(fields, message);
    },
    stop() {
      cancel?.();
      cancel = undefined;
      for (const { leftOut, last } of keys.values()) {
        if (leftOut > 0) log(last, leftOut - 1);
      }
      keys.clear();
    },
  };
}

function unreferencedTimeout(act: () => void, afterMs: number): () => void {
  const timer = setTimeout(act, afterMs).unref();
  return () => clearTimeout(timer);
}
