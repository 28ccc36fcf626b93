import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { CallError } from './api.ts';

export interface Reading<T> {
  readonly value: T | undefined;
  readonly error: string | undefined;
  readonly isReading: boolean;
}

/**
 * Reads when `key` changes, and again every `everyMs` where that is set. The last value stays while the next is read, and
 * a response that comes after that of a later call is dropped.
 */
export function useReading<T>(
  key: string | undefined,
  read: () => Promise<T>,
  everyMs?: number,
): [Signal<Reading<T>>, () => void] {
  const reading = useSignal<Reading<T>>({ value: undefined, error: undefined, isReading: key !== undefined });
  const again = useSignal(0);
  useEffect(() => {
    if (key === undefined) {
      reading.value = { value: undefined, error: undefined, isReading: false };
      return;
    }
    let isCurrent = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      reading.value = { ...reading.value, isReading: true };
      try {
        const value = await read();
        if (isCurrent) reading.value = { value, error: undefined, isReading: false };
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        if (isCurrent) reading.value = { ...reading.value, error: error.message, isReading: false };
      }
      if (isCurrent && everyMs !== undefined) timer = setTimeout(() => void run(), everyMs);
    };
    void run();
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [key, again.value, everyMs]);
  return [
    reading,
    () => {
      again.value += 1;
    },
  ];
}
