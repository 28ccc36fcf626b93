import { useSignal } from '@preact/signals';
import { CallError, change } from './api.ts';
import { type ChangeOutcome, outcomeOf, refusedOutcome } from './change-outcome.ts';
import { refresh } from './store.ts';

/** Resolves with whether it was done. */
export type Change = (method: 'POST' | 'DELETE', query: Readonly<Record<string, string>>) => Promise<boolean>;

/** Changes the maintenance of a service or the drain of an endpoint; what came of the last one, and whether one is under way. */
export function useChange(onDone: () => void): readonly [ChangeOutcome | undefined, boolean, Change] {
  const outcome = useSignal<ChangeOutcome | undefined>(undefined);
  const isBusy = useSignal(false);
  const run: Change = async (method, query) => {
    // The button stays enabled, because one that is disabled loses the focus.
    if (isBusy.value) return false;
    isBusy.value = true;
    try {
      outcome.value = outcomeOf(await change(method, '/v1/maintenance', {}, query), 'Done.');
      onDone();
      await refresh(true);
      return true;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      outcome.value = refusedOutcome(error);
      return false;
    } finally {
      isBusy.value = false;
    }
  };
  return [outcome.value, isBusy.value, run];
}
