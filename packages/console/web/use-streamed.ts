import { isCut } from './store.ts';
import { type Reading, useReading } from './use-reading.ts';

/**
 * What the stream sends; while it is cut, what is read every `everyMs`.
 * @param key of what is read; `undefined`: it may not be read here
 * @param isReadFirst it is read once where the stream has not sent it yet
 */
export function useStreamed<T>(
  streamed: T | undefined,
  key: string | undefined,
  read: () => Promise<T>,
  { everyMs, isReadFirst = false }: { readonly everyMs: number; readonly isReadFirst?: boolean },
): readonly [Omit<Reading<T>, 'isReading'>, again: () => void] {
  const mustRead = isCut.value || (isReadFirst && streamed === undefined);
  const [reading, again] = useReading(mustRead ? key : undefined, read, isCut.value ? everyMs : undefined);
  const { value, error } = reading.value;
  return [{ value: isCut.value ? (value ?? streamed) : (streamed ?? value), error }, again];
}
