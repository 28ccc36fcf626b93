import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '@swarmgate/labels';
import { type DynamicText, readDynamicFiles } from '@swarmgate/labels/traefik';
import { type Logger, messageOf, type Running, type Tasks, UsageError } from '@swarmgate/runtime';
import type { TraefikFileState } from './labels/traefik-services.ts';
import { readTraefikFiles, stampOfTraefikFiles } from './traefik-files.ts';

export interface TraefikFile extends Running {
  /** The same object as long as nothing changed. */
  state(): TraefikFileState;
}

/** A file that is mounted is replaced, not written to: watches of the system miss that, so it is looked at. */
const lookEveryMs = 2_000;

/**
 * Reads the file or folder of `TRAEFIK_FILE` and looks for changes. A version that cannot be read is a problem, and the one before it stays.
 * @throws UsageError where the file cannot be read at the start
 */
export function followTraefikFile(
  path: string,
  {
    tasks,
    logger,
    onChange,
  }: { readonly tasks: Pick<Tasks, 'every'>; readonly logger: Logger; readonly onChange: () => void },
): TraefikFile {
  let stamp = '';
  let texts: readonly DynamicText[] | undefined;
  let state: TraefikFileState = { problems: [] };

  function take(next: readonly DynamicText[]): void {
    if (isDeepStrictEqual(next, texts)) return;
    texts = next;
    const read = readDynamicFiles(next);
    if (read.ok) state = { file: read.file, problems: read.file.problems };
    else keep(read.problem);
    const { problems } = state;
    logger.info({ file: path, problems: problems.length }, 'read the dynamic file of Traefik');
  }

  /** The version before stays. */
  function keep(problem: Problem): void {
    state = { ...(state.file === undefined ? {} : { file: state.file }), problems: [problem] };
  }

  function look(): void {
    const before = state;
    try {
      const now = stampOfTraefikFiles(path);
      if (now === stamp) return;
      take(readTraefikFiles(path));
      stamp = now;
    } catch (error) {
      const why = messageOf(error);
      if (stamp === `unreadable: ${why}`) return;
      stamp = `unreadable: ${why}`;
      texts = undefined;
      keep(unreadable(path, why));
    }
    if (state !== before) onChange();
  }

  try {
    stamp = stampOfTraefikFiles(path);
    take(readTraefikFiles(path));
  } catch (error) {
    throw new UsageError('setting-invalid', `TRAEFIK_FILE=${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const stopping = new AbortController();
  const looking = tasks.every('traefik-file', lookEveryMs, stopping.signal, look);
  return {
    state: () => state,
    async stop() {
      stopping.abort();
      await looking;
    },
  };
}

function unreadable(path: string, why: string): Problem {
  return {
    severity: 'error',
    reason: 'traefik-file-unreadable',
    message: `${path} cannot be read: ${why}; the version before it stays`,
    suggestion: 'mount it again, or correct TRAEFIK_FILE',
  };
}
