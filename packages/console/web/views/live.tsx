import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { formatMs } from '../format.ts';
import { Empty, TableBox, TableHead } from '../parts.tsx';
import { hashOf } from '../route-hash.ts';
import { place, session } from '../store.ts';
import type { LiveRequest } from '../types.ts';

const mostLines = 200;

type Stream = 'connecting' | 'open' | 'broken';

/** Requests of this replica as they end: a sample. */
export function LiveView() {
  const { query } = place.value;
  const lines = useSignal<readonly (LiveRequest & { readonly number: number })[]>([]);
  const skipped = useSignal(0);
  const state = useSignal<Stream>('connecting');
  const isPaused = useSignal(false);
  const search = query.toString();
  const mayRead = session.value?.mayChange === true;
  useEffect(() => {
    if (!mayRead) return;
    let number = 0;
    // The browser connects again by itself when the stream breaks off.
    const source = new EventSource(`/v1/requests${search === '' ? '' : `?${search}`}`);
    source.onopen = () => {
      state.value = 'open';
    };
    source.onerror = () => {
      state.value = source.readyState === EventSource.CLOSED ? 'broken' : 'connecting';
    };
    source.addEventListener('request', ({ data }) => {
      if (isPaused.value) return;
      number += 1;
      lines.value = [{ ...(JSON.parse(data) as LiveRequest), number }, ...lines.value].slice(0, mostLines);
    });
    source.addEventListener('skipped', ({ data }) => {
      skipped.value += (JSON.parse(data) as { readonly count: number }).count;
    });
    return () => source.close();
  }, [search, mayRead]);
  if (!mayRead)
    return (
      <Empty title="Live requests show clients">
        <p>Log in with the admin token to see them.</p>
      </Empty>
    );
  return (
    <section>
      <FilterForm query={query} />
      <p class="bar">
        <span class="hint" role="status">
          {state.value === 'open' ? 'Live.' : state.value === 'connecting' ? 'Connecting …' : 'The stream was refused.'}{' '}
          {skipped.value > 0 && `${skipped.value} more matched and are not shown.`}
        </span>
        <button
          type="button"
          class="quiet"
          aria-pressed={isPaused.value}
          onClick={() => {
            isPaused.value = !isPaused.value;
          }}
        >
          {isPaused.value ? 'Go on' : 'Pause'}
        </button>
        <button
          type="button"
          class="quiet"
          onClick={() => {
            lines.value = [];
          }}
        >
          Clear
        </button>
      </p>
      {lines.value.length === 0 ? (
        <Empty title="No request yet">
          <p>Each appears when it has ended. Requests of other replicas are shown by their own consoles.</p>
        </Empty>
      ) : (
        <TableBox title="Live requests">
          <table>
            <TableHead titles={['Time', 'Status', 'Request', 'Service', 'Took', 'Client', 'Reason']} />
            <tbody>
              {lines.value.map((line) => (
                <LiveLine key={line.number} line={line} />
              ))}
            </tbody>
          </table>
        </TableBox>
      )}
    </section>
  );
}

function LiveLine({ line }: { readonly line: LiveRequest }) {
  const { at, status, method, host, path, service, durationMs, client, reason } = line;
  const [owner = '', name = ''] = service?.split('/') ?? [];
  return (
    <tr>
      <td>{at.slice(11, 23)}</td>
      <td>
        <span class={`badge ${status >= 500 ? 'error' : status >= 400 ? 'warning' : 'ok'}`}>{status}</span>
      </td>
      <td class="request">
        {method} <bdi>{host + path}</bdi>
      </td>
      <td>{service === null ? '–' : <a href={hashOf('services', [owner, name])}>{service}</a>}</td>
      <td class="figure">{formatMs(durationMs)}</td>
      <td>{client}</td>
      <td>{reason ?? ''}</td>
    </tr>
  );
}

const fields = [
  ['service', 'Service', 'shop'],
  ['status', 'Status', '5xx'],
  ['minDurationMs', 'At least, ms', '250'],
  ['reason', 'Reason', 'no-endpoint'],
] as const;

function FilterForm({ query }: { readonly query: URLSearchParams }) {
  const submit = (event: Event) => {
    event.preventDefault();
    const next = new URLSearchParams();
    for (const [name, value] of new FormData(event.currentTarget as HTMLFormElement))
      if (typeof value === 'string' && value.trim() !== '') next.set(name, value.trim());
    location.hash = `/live?${next}`;
  };
  return (
    <form class="bar" onSubmit={submit} key={query.toString()}>
      {fields.map(([name, title, example]) => (
        <label key={name}>
          <span>{title}</span>
          <input name={name} size={14} defaultValue={query.get(name) ?? ''} placeholder={example} />
        </label>
      ))}
      <button type="submit">Filter</button>
    </form>
  );
}
