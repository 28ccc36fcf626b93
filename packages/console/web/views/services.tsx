import { computed, signal, useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatMs, formatPercent, formatRate } from '../format.ts';
import { LineSlots } from '../line-slots.ts';
import { Empty, Loading, Spark, StateBadge } from '../parts.tsx';
import { hashOf } from '../route-hash.ts';
import { RowOrder } from '../row-order.ts';
import { Scroller } from '../scroller.tsx';
import {
  curlOf,
  explainUrl,
  filterRows,
  isRedirect,
  type ServiceRow,
  type SortColumn,
  type Sorting,
} from '../service-rows.ts';
import { latencies, loaded, rates, rows, scope, session, status, tick, totals } from '../store.ts';

// Kept while other views are shown.
const filter = signal('');
const sorting = signal<Sorting>({ column: 'rate', descending: true });

const order = new RowOrder();
// Before the filter: a key that is pressed there sorts nothing.
const sorted = computed(() => order.sort(rows.value, sorting.value));

const columns: readonly (readonly [column: SortColumn, title: string, kind: 'text' | 'figure' | 'wide' | 'middle'])[] =
  [
    ['service', 'Service', 'text'],
    ['state', 'State', 'text'],
    ['rate', 'Rate', 'figure'],
    ['errors', '5xx', 'figure'],
    ['p50', 'p50', 'figure'],
    ['p99', 'p99', 'figure'],
    ['endpoints', 'Endpoints', 'figure'],
    ['owner', 'Owner', 'wide'],
    ['problems', 'Problems', 'middle'],
  ];

/** Of one line in CSS pixels: style.css fixes it, so that only those in sight are made. */
const rowHeight = 52;
const beyondSight = 4;

export function ServicesView() {
  const shown = useComputed(() => filterRows(sorted.value, filter.value));
  if (loaded.value === 'nothing') return <Loading />;
  const total = totals.value;
  return (
    <section class="services">
      <div class="bar">
        <label class="filter">
          <span>Filter</span>
          <input
            type="search"
            value={filter.value}
            placeholder="name, host, path, is:down"
            onInput={(event) => {
              filter.value = event.currentTarget.value;
            }}
          />
        </label>
        <span class="hint" role="status">
          {shown.value.length} of {rows.value.length} services
          {loaded.value === 'part' && ', reading …'}
        </span>
        {total !== undefined && (
          <span class="hint total">
            {formatRate(total.requestsPerSecond)}/s · {formatPercent(total.errorsPercent)} 5xx · p99{' '}
            {formatMs(total.p99Ms)}
          </span>
        )}
        {session.value?.mayChange === true && (
          <label class="check">
            <input
              type="checkbox"
              checked={scope.value === 'all'}
              onChange={(event) => {
                scope.value = event.currentTarget.checked ? 'all' : 'replica';
              }}
            />
            figures of all replicas
          </label>
        )}
      </div>
      {rows.value.length === 0 ? <NoServices /> : <ServiceTable rows={shown.value} />}
      <Samples />
    </section>
  );
}

function NoServices() {
  const entry = status.value?.entrypoints[0]?.port;
  return (
    <Empty title="No service is published yet">
      <SwarmStep />
      {entry !== undefined && <p>Its requests come to port {entry} then.</p>}
      <p>
        <a href={hashOf('manual')}>Add a service outside the Swarm</a>
      </p>
    </Empty>
  );
}

/** How a service of the Swarm comes to be served. */
function SwarmStep() {
  return (
    <>
      <p>
        A Swarm service is served once it has the labels <code>com.df.notify=true</code>, <code>com.df.port</code> and{' '}
        <code>com.df.servicePath</code> or <code>com.df.serviceDomain</code>:
      </p>
      <pre>
        docker service update --label-add com.df.notify=true --label-add com.df.servicePath=/shop --label-add
        com.df.port=8080 shop
      </pre>
    </>
  );
}

/** What a newcomer does next, where nothing but the samples of `npm start` is served. */
function Samples() {
  const isSample = rows.value.length > 0 && rows.value.every(({ owner }) => owner === 'sample');
  const entry = status.value?.entrypoints.find(({ secure }) => !secure)?.port;
  if (!isSample || entry === undefined) return null;
  const commands = rows.value.map(({ matches: [match = '*/'] }) => curlOf(match, location.hostname, entry));
  return (
    <div class="next">
      <section class="card">
        <h2>Send them requests</h2>
        <p>These services are samples. Their rates and latencies appear above when requests come:</p>
        <pre>{commands.slice(0, 3).join('\n')}</pre>
      </section>
      <section class="card">
        <h2>Then your own Swarm</h2>
        <p>
          A Swarm on this machine is followed by itself; where there is none, <code>docker swarm init</code> makes one.
        </p>
        <SwarmStep />
        <p>For the nodes of a Swarm, with Consul, in the folder of the repository:</p>
        <pre>{'npm run images\ndocker/create-secrets.sh\ndocker stack deploy -c docker/stack.yml swarmgate'}</pre>
        <p>
          <a href={hashOf('manual')}>Add a service outside the Swarm</a>
        </p>
      </section>
    </div>
  );
}

function ServiceTable({ rows: all }: { readonly rows: readonly ServiceRow[] }) {
  const box = useRef<HTMLElement>(null);
  const top = useSignal(0);
  const height = useSignal(900);
  const slots = useRef(new LineSlots());
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [height]);
  const first = Math.min(all.length, Math.max(0, Math.floor(top.value / rowHeight) - beyondSight));
  const last = Math.min(all.length, Math.ceil((top.value + height.value) / rowHeight) + beyondSight);
  const inSight = all.slice(first, last);
  const focused = document.activeElement?.closest('tr')?.dataset.key;
  const slotOf = slots.current.assign(
    inSight.map(({ key }) => key),
    focused,
  );
  return (
    <Scroller
      title="Services"
      box={box}
      onScroll={(now) => {
        top.value = now;
      }}
    >
      {/* The room of those out of sight. */}
      <div style={{ paddingTop: `${first * rowHeight}px`, paddingBottom: `${(all.length - last) * rowHeight}px` }}>
        <table aria-rowcount={all.length + 1}>
          <colgroup>
            {columns.map(([column, , kind]) => (
              <col key={column} class={`${column} ${kind}`} />
            ))}
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              {columns.map(([column, title, kind]) => (
                <ColumnHead key={column} column={column} title={title} kind={kind} />
              ))}
            </tr>
          </thead>
          <tbody>
            {inSight.map((row, at) => (
              <ServiceLine key={slotOf[at]} row={row} at={first + at + 2} />
            ))}
          </tbody>
        </table>
      </div>
      {all.length === 0 && (
        <Empty title="No service matches">
          <p>
            The filter looks at names, owners, hosts, paths and reasons of problems; <code>is:ok</code>,{' '}
            <code>is:maintenance</code>, <code>is:warning</code>, <code>is:problem</code> and <code>is:down</code>{' '}
            select by state.
          </p>
          <button
            type="button"
            onClick={() => {
              filter.value = '';
            }}
          >
            Clear the filter
          </button>
        </Empty>
      )}
    </Scroller>
  );
}

function ColumnHead({
  column,
  title,
  kind,
}: {
  readonly column: SortColumn;
  readonly title: string;
  readonly kind: string;
}) {
  const { column: current, descending } = sorting.value;
  const isCurrent = current === column;
  const change = () => {
    // Figures are of most interest where they are high.
    const startsHigh = column !== 'service' && column !== 'owner';
    sorting.value = { column, descending: isCurrent ? !descending : startsHigh };
  };
  return (
    <th class={kind} scope="col" aria-sort={isCurrent ? (descending ? 'descending' : 'ascending') : 'none'}>
      <button type="button" class="column" onClick={change}>
        {title}
        <span aria-hidden="true">{isCurrent ? (descending ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </th>
  );
}

function ServiceLine({ row, at }: { readonly row: ServiceRow; readonly at: number }) {
  const { key, owner, service, state, matches, routes, endpoints, endpointsUp, numbers, problems } = row;
  // Drawn again with every reading.
  void tick.value;
  return (
    <tr aria-rowindex={at} data-key={key}>
      <th scope="row" class="text">
        <a href={hashOf('services', [owner, service])}>{service}</a>
        <MatchLink matches={matches} service={service} />
      </th>
      <td class="text">
        <StateBadge state={state} />
      </td>
      <td class="figure rate">
        <Spark figures={rates.of(key)} label={`rate of the last readings of ${service}`} />
        {numbers === undefined ? '–' : `${formatRate(numbers.requestsPerSecond)}/s`}
      </td>
      <td class="figure">{numbers === undefined ? '–' : formatPercent(numbers.errorsPercent)}</td>
      <td class="figure">{formatMs(numbers?.p50Ms)}</td>
      <td class="figure latency">
        <Spark figures={latencies.of(key)} label={`p99 of the last readings of ${service}`} />
        {formatMs(numbers?.p99Ms)}
      </td>
      <td class="figure">
        {endpoints === 0 && (routes.length === 0 || isRedirect(routes)) ? '–' : `${endpointsUp}/${endpoints}`}
      </td>
      <td class="wide">{owner}</td>
      <td class="middle">
        {problems.length === 0 ? '–' : <a href={hashOf('problems', [], { service })}>{problems.length}</a>}
      </td>
    </tr>
  );
}

/** The way to Explain; without a route, to what keeps it from having one. */
function MatchLink({ matches, service }: { readonly matches: readonly string[]; readonly service: string }) {
  const [first, ...more] = matches;
  if (first === undefined)
    return (
      <a class="match" href={hashOf('problems', [], { service })}>
        takes no request
      </a>
    );
  return (
    <a
      class="match"
      href={hashOf('explain', [], { url: explainUrl(first) })}
      title={`Explain where a request for it goes\n${matches.join('\n')}`}
    >
      <bdi>{first}</bdi>
      {more.length > 0 && ` +${more.length}`}
    </a>
  );
}
