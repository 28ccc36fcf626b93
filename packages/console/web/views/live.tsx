import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { formatMs } from '../format.ts';
import { Empty, TableBox, TableHead } from '../parts.tsx';
import { hashOf } from '../route-hash.ts';
import { isCut, place, session } from '../store.ts';
import type { LiveRequest } from '../types.ts';

const mostLines = 200;

/** Least time between two updates of the list: thousands of requests would be as many. */
const showEveryMs = 100;
/** Where responses are kept until their end, a stream lasts so long. */
const cutForMs = 2_000;

type Stream = 'connecting' | 'open' | 'broken';

/** Requests of this replica as they end: a sample. */
export function LiveView() {
  const { query } = place.value;
  const lines = useSignal<readonly (LiveRequest & { readonly number: number })[]>([]);
  const skipped = useSignal(0);
  const state = useSignal<Stream>('connecting');
  const isPaused = useSignal(false);
  const search = new URLSearchParams(query);
  if (isCut.value) search.set('forMs', String(cutForMs));
  const path = `/v1/requests?${search}`;
  const mayRead = session.value?.mayChange === true;
  const filter = query.toString();
  useEffect(() => {
    // Those of another filter.
    lines.value = [];
    skipped.value = 0;
  }, [filter, lines, skipped]);
  useEffect(() => {
    if (!mayRead) return;
    // The browser connects again by itself when the stream breaks off.
    const source = new EventSource(path);
    source.onopen = () => {
      state.value = 'open';
    };
    source.onerror = () => {
      state.value = source.readyState === EventSource.CLOSED ? 'broken' : 'connecting';
    };
    let ended: LiveRequest[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = () => {
      timer = undefined;
      const from = (lines.value[0]?.number ?? 0) + 1;
      const numbered = ended.map((each, at) => ({ ...each, number: from + at })).toReversed();
      lines.value = [...numbered, ...lines.value].slice(0, mostLines);
      ended = [];
    };
    source.addEventListener('request', ({ data }) => {
      if (isPaused.value) return;
      ended.push(JSON.parse(data) as LiveRequest);
      timer ??= setTimeout(show, showEveryMs);
    });
    source.addEventListener('skipped', ({ data }) => {
      skipped.value += (JSON.parse(data) as { readonly count: number }).count;
    });
    return () => {
      source.close();
      clearTimeout(timer);
    };
  }, [path, mayRead]);
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
          {textOf(state.value)} {skipped.value > 0 && `${skipped.value} more matched and are not shown.`}
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
            <TableHead
              titles={['Time', 'Status', 'Request', 'Service', 'Took', 'Client', 'Reason']}
              figures={['Took']}
            />
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

function textOf(state: Stream): string {
  if (state === 'broken') return 'The stream was refused: too many are open, or the login has ended.';
  // One after the other is opened then.
  if (isCut.value) return 'Every 2 s: something between this page and the proxy holds events back.';
  return state === 'open' ? 'Live.' : 'Connecting …';
}

function LiveLine({ line }: { readonly line: LiveRequest }) {
  const { at, status, method, host, path, service, durationMs, client, reason } = line;
  const [owner = '', name = ''] = service?.split('/') ?? [];
  return (
    <tr>
      <td class="short">{at.slice(11, 23)}</td>
      <td>
        <span class={`badge ${status >= 500 ? 'error' : status >= 400 ? 'warning' : 'ok'}`}>{status}</span>
      </td>
      <td class="request">
        {method} <bdi>{host + path}</bdi>
      </td>
      <td>{service === null ? '–' : <a href={hashOf('services', [owner, name])}>{service}</a>}</td>
      <td class="figure">{formatMs(durationMs)}</td>
      <td class="short">{client}</td>
      <td class="short">{reason ?? ''}</td>
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
