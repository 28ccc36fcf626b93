import { useSignal } from '@preact/signals';
import { BarrierProgress } from '../barrier-progress.tsx';
import { ChangeResult } from '../change-result.tsx';
import { Dialog, useKeptFocus } from '../dialog.tsx';
import { formatTime } from '../format.ts';
import type { Drain, Maintenance } from '../types.ts';
import { type Change, useChange } from '../use-change.ts';
import { authorOf, untilOf } from './maintenance.tsx';

/** Of one service, on its page: takes it down, and shows how long it is. */
export function MaintenancePart({
  service,
  owner,
  maintenance,
  onChanged,
}: {
  readonly service: string;
  readonly owner: string;
  readonly maintenance: Maintenance | null;
  readonly onChanged: () => void;
}) {
  const [outcome, isBusy, run] = useChange(onChanged);
  const form = useMaintenanceForm();
  const named = { service, owner };
  const takeDown = async (event: Event) => {
    event.preventDefault();
    if (await run('POST', { ...named, ...form.given() })) form.isOpen.value = false;
  };
  const cancel = () => {
    if (!isBusy) form.isOpen.value = false;
  };
  useKeptFocus(maintenance === null);
  return (
    <>
      {outcome !== undefined && !form.isOpen.value && <ChangeResult outcome={outcome} />}
      {maintenance !== null && (
        <p class="banner warning" role="status">
          <strong>In maintenance</strong> by {authorOf(maintenance)}
          {maintenance.since !== undefined && `, since ${formatTime(maintenance.since)}`}, until{' '}
          {maintenance.from === 'label' ? 'its label is taken off' : untilOf(maintenance.until)}. Requests get 503 with{' '}
          {maintenance.page === undefined ? 'the message' : 'a page and the message'} “
          <bdi>{maintenance.message ?? 'the service is down for maintenance'}</bdi>”.{' '}
          {maintenance.from === 'operator' && (
            <button type="button" aria-disabled={isBusy} onClick={() => void run('DELETE', named)}>
              {isBusy ? 'Waiting for all replicas …' : 'End the maintenance'}
            </button>
          )}
        </p>
      )}
      {maintenance === null && (
        <p>
          <button
            type="button"
            class="quiet"
            onClick={() => {
              form.isOpen.value = true;
            }}
          >
            Take down for maintenance
          </button>
        </p>
      )}
      {form.isOpen.value && (
        <Dialog title={`Take ${service} down for maintenance?`} onCancel={cancel}>
          <p>Its requests get 503 with the message, on every replica. Those under way end as usual.</p>
          <form class="stack" onSubmit={(event) => void takeDown(event)}>
            {form.fields}
            {outcome?.kind === 'error' && <ChangeResult outcome={outcome} />}
            {isBusy && <BarrierProgress />}
            <div class="actions">
              <button type="submit" disabled={isBusy}>
                {isBusy ? 'Waiting for all replicas …' : `Take ${service} down`}
              </button>
              <button type="button" class="quiet" disabled={isBusy} onClick={cancel}>
                Cancel
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}

function useMaintenanceForm() {
  const isOpen = useSignal(false);
  const lasting = useSignal('30m');
  const message = useSignal('');
  const except = useSignal('');
  const text = (title: string, field: typeof message, placeholder: string) => (
    <label>
      <span>{title}</span>
      <input
        value={field.value}
        placeholder={placeholder}
        onInput={(event) => {
          field.value = event.currentTarget.value;
        }}
      />
    </label>
  );
  const fields = (
    <>
      <label>
        <span>For</span>
        <select
          value={lasting.value}
          onChange={(event) => {
            lasting.value = event.currentTarget.value;
          }}
        >
          {times.map(([value, title]) => (
            <option key={value} value={value}>
              {title}
            </option>
          ))}
        </select>
      </label>
      {text('Message for clients', message, 'the service is down for maintenance')}
      {text('Addresses that may pass', except, '10.0.0.0/8')}
    </>
  );
  const given = () => ({
    ...(lasting.value === '' ? {} : { for: lasting.value }),
    ...(message.value.trim() === '' ? {} : { message: message.value.trim() }),
    ...(except.value.trim() === '' ? {} : { except: except.value.trim() }),
  });
  return { isOpen, fields, given };
}

const times = [
  ['10m', '10 minutes'],
  ['30m', '30 minutes'],
  ['2h', '2 hours'],
  ['1d', '1 day'],
  ['', 'until it is ended'],
] as const;

/** In the row of an endpoint. */
export function DrainButton({
  address,
  drain,
  isBusy,
  run,
}: {
  readonly address: string;
  readonly drain: Drain | undefined;
  readonly isBusy: boolean;
  readonly run: Change;
}) {
  const isDrained = drain !== undefined;
  return (
    <button
      type="button"
      class="quiet"
      aria-disabled={isBusy}
      title={isDrained ? `drained by ${drain.by ?? '–'} ${formatTime(drain.since)}` : 'no new requests, others finish'}
      onClick={() => void run(isDrained ? 'DELETE' : 'POST', { endpoint: drain?.endpoint ?? address })}
    >
      {isDrained ? 'End the drain' : 'Drain'}
      <span class="unseen"> of {address}</span>
    </button>
  );
}
