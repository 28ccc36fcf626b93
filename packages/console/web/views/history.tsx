import { useSignal } from '@preact/signals';
import { CallError, change, read } from '../api.ts';
import { BarrierProgress } from '../barrier-progress.tsx';
import { type ChangeOutcome, outcomeOf, refusedOutcome } from '../change-outcome.ts';
import { ChangeResult } from '../change-result.tsx';
import { differencesOf, type LabelDifference } from '../definition-diff.ts';
import { Dialog } from '../dialog.tsx';
import { formatTime } from '../format.ts';
import { Outcome } from '../parts.tsx';
import { refresh } from '../store.ts';
import type { History } from '../types.ts';
import { useReading } from '../use-reading.ts';

/** What stood before, what was changed by whom, and the way back. */
export function HistoryPart({
  service,
  owner,
  changedAt,
}: {
  readonly service: string;
  readonly owner: string;
  /** Of what is served; another one is another entry of the history. */
  readonly changedAt: string | undefined;
}) {
  const [reading, again] = useReading(`${owner}/${service} ${changedAt}`, () =>
    read<History>('/v1/history', { service }),
  );
  const outcome = useSignal<ChangeOutcome | undefined>(undefined);
  const confirming = useSignal<number | undefined>(undefined);
  const isBusy = useSignal(false);
  const found = reading.value.value?.owners.find((each) => each.owner === owner);
  const entries = found?.entries ?? [];
  const rollBack = async (to: number) => {
    isBusy.value = true;
    try {
      const response = await change('POST', '/v1/rollback', {}, { service, owner, to: String(to) });
      outcome.value = outcomeOf(response, 'Rolled back.');
      again();
      await refresh(true);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      outcome.value = refusedOutcome(error);
    } finally {
      isBusy.value = false;
      confirming.value = undefined;
    }
  };
  const cancel = () => {
    if (!isBusy.value) confirming.value = undefined;
  };
  return (
    <>
      <h2>History</h2>
      {outcome.value !== undefined && <ChangeResult outcome={outcome.value} />}
      {reading.value.error !== undefined && <Outcome kind="error">{reading.value.error}</Outcome>}
      {found !== undefined && entries.length === 0 && (
        <p class="hint">No former version is kept: nothing of it has been replaced yet.</p>
      )}
      <ol class="cards" reversed>
        {entries.map(({ number, replacedAt, replacedBy, definition }, at) => {
          const next = at === 0 ? found?.current : entries[at - 1]?.definition;
          return (
            <li class="card" key={number}>
              <h3>
                #{number}, replaced {formatTime(replacedAt)} by {replacedBy}
              </h3>
              {next === null || next === undefined ? (
                <p>It was removed then.</p>
              ) : (
                <Differences differences={differencesOf(definition, next)} />
              )}
              <button
                type="button"
                class="quiet"
                onClick={() => {
                  confirming.value = number;
                }}
              >
                Roll back to #{number}
              </button>
              {confirming.value === number && (
                <Dialog title={`Serve #${number} again?`} onCancel={cancel}>
                  <p>This is what changes from what is served now:</p>
                  <Differences differences={differencesOf(found?.current ?? {}, definition)} />
                  {isBusy.value && <BarrierProgress />}
                  <div class="actions">
                    <button type="button" disabled={isBusy.value} onClick={() => void rollBack(number)}>
                      {isBusy.value ? 'Waiting for all replicas …' : `Serve #${number} again`}
                    </button>
                    <button type="button" class="quiet" disabled={isBusy.value} onClick={cancel}>
                      Cancel
                    </button>
                  </div>
                </Dialog>
              )}
            </li>
          );
        })}
      </ol>
    </>
  );
}

export function Differences({ differences }: { readonly differences: readonly LabelDifference[] }) {
  if (differences.length === 0) return <p class="hint">No label differs.</p>;
  return (
    <dl class="diff">
      {differences.map(({ path, before, after }) => (
        <div key={path}>
          <dt>{path}</dt>
          <dd>
            {before !== undefined && (
              <del>
                <span aria-hidden="true">− </span>
                {before}
              </del>
            )}
            {after !== undefined && (
              <ins>
                <span aria-hidden="true">+ </span>
                {after}
              </ins>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
