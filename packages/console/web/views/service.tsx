import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { read } from '../api.ts';
import { ChangeResult } from '../change-result.tsx';
import { Chart } from '../chart.tsx';
import { formatBytes, formatMs, formatPercent, formatRate, formatTime } from '../format.ts';
import { Empty, EndpointBadge, Facts, Loading, Outcome, StateBadge, TableBox } from '../parts.tsx';
import { hashOf } from '../route-hash.ts';
import { describeEndpoints, explainUrl, isRedirect } from '../service-rows.ts';
import { loaded, oneService, place, rows, scope, session } from '../store.ts';
import type { Drain, EndpointNumbers, Numbers, ServiceNumbers, Services, StateRoute } from '../types.ts';
import { useChange } from '../use-change.ts';
import { useStreamed } from '../use-streamed.ts';
import { HistoryPart } from './history.tsx';
import { DrainButton, MaintenancePart } from './maintenance-part.tsx';
import { ProblemCard } from './problems.tsx';

const everyMs = 2_000;
/** Ten minutes of readings. */
const mostPoints = 300;

/** One service: what it matches, who serves it, how it does, what it was before. */
export function ServiceView() {
  const [owner = '', service = ''] = place.value.rest;
  const key = `${owner}/${service}`;
  const mayRead = session.value?.mayChange === true;
  const streamed = oneService.value?.service === key ? oneService.value : undefined;
  const [{ value: found, error }, again] = useStreamed(
    streamed,
    mayRead ? key : undefined,
    async () => (await read<Services>('/v1/services', { service, owner, replicas: scope.value })).services[0],
    { everyMs, isReadFirst: true },
  );
  const row = rows.value.find((each) => each.key === key);
  if (row === undefined && loaded.value !== 'all') return <Loading />;
  if (row === undefined)
    return (
      <Empty title={`${key} is not served`}>
        <p>It may have been removed, or was never published.</p>
        <a href={hashOf('services')}>All services</a>
      </Empty>
    );
  const [match] = row.matches;
  const endpoints = endpointsOf(found, row.routes);
  return (
    <section class="service">
      <p>
        <a href={hashOf('services')}>← Services</a>
      </p>
      <h1>
        <bdi>{service}</bdi> <StateBadge state={row.state} />
      </h1>
      <Facts
        facts={[
          ['Owner', owner],
          ['Published by', sourceOf(found)],
          ['Changed', formatTime(found?.definition?.updatedAt)],
          ['Endpoints', describeEndpoints(row.routes, endpoints)],
          ...weightOf(found),
          ...(match === undefined
            ? []
            : ([
                [
                  'Explain',
                  <a key="explain" href={hashOf('explain', [], { url: explainUrl(match) })}>
                    why a request goes here
                  </a>,
                ],
              ] as const)),
        ]}
      />
      {found !== undefined && (
        <MaintenancePart owner={owner} service={service} maintenance={found.maintenance ?? null} onChanged={again} />
      )}
      {row.problems.length > 0 && (
        <ul class="cards">
          {row.problems.map((problem, at) => (
            <ProblemCard key={`${problem.reason}/${at}`} problem={problem} hasRoute={row.routes.length > 0} />
          ))}
        </ul>
      )}
      {error !== undefined && <Outcome kind="error">{error}</Outcome>}
      {found !== undefined && <NumbersPart numbers={found.numbers} />}
      <h2>Matches</h2>
      {match === undefined && (
        <p class="hint">None: no request goes to it. Its problems say why, and how its owner mends that.</p>
      )}
      <ul class="plain-list">
        {row.matches.map((each) => (
          <li key={each}>
            <a href={hashOf('explain', [], { url: explainUrl(each) })}>
              <bdi>{each}</bdi>
            </a>
          </li>
        ))}
      </ul>
      <EndpointsPart
        of={found === undefined ? undefined : { owner, service, drains: found.drains ?? [] }}
        endpoints={endpoints}
        none={noneOf(row.routes)}
        onChanged={again}
      />
      <LabelsPart found={found} />
      {mayRead && <HistoryPart service={service} owner={owner} changedAt={found?.definition?.updatedAt} />}
    </section>
  );
}

function sourceOf(found: ServiceNumbers | undefined): string {
  const source = found?.definition?.source;
  return source === undefined ? '–' : `${source.kind ?? ''}${source.by === undefined ? '' : ` (${source.by})`}`;
}

/** Its share of the requests that other services match, too; nothing where no match is shared by weight. */
function weightOf(found: ServiceNumbers | undefined): readonly (readonly [string, string])[] {
  const weight = found?.definition?.weight;
  return weight === undefined ? [] : [['Weight', String(weight)]];
}

function NumbersPart({ numbers }: { readonly numbers: Numbers | null }) {
  const points = useSignal<readonly (readonly (number | null)[])[]>([[], [], [], [], []]);
  useEffect(() => {
    const window = numbers?.lastMinute;
    const next = [
      Date.now() / 1_000,
      window?.requestsPerSecond ?? 0,
      ((window?.requestsPerSecond ?? 0) * (window?.errorsPercent ?? 0)) / 100,
      window?.p50Ms ?? null,
      window?.p99Ms ?? null,
    ];
    points.value = points.value.map((line, at) => [...line, next[at] ?? null].slice(-mostPoints));
  }, [numbers, points]);
  const [times = [], rate = [], errors = [], p50 = [], p99 = []] = points.value;
  if (numbers === null)
    return (
      <>
        <h2>Traffic</h2>
        <p class="hint">No request came since the proxies started.</p>
      </>
    );
  const { lastMinute, last15Minutes, sinceStart } = numbers;
  const reasons = Object.entries(last15Minutes.reasons).toSorted((a, b) => b[1] - a[1]);
  return (
    <>
      <h2>Traffic</h2>
      <div class="charts">
        <Chart
          title="Requests a second, last minute"
          unit="/s"
          lines={[
            { label: 'all', colour: 'accent' },
            { label: '5xx', colour: 'bad', dash: [4, 3] },
          ]}
          data={[times, rate, errors]}
        />
        <Chart
          title="Latency, last minute"
          unit="ms"
          lines={[
            { label: 'p50', colour: 'accent' },
            { label: 'p99', colour: 'warn', dash: [4, 3] },
          ]}
          data={[times, p50, p99]}
        />
      </div>
      <TableBox title="Figures">
        <table>
          <thead>
            <tr>
              {['', 'Requests', 'Rate', '5xx', 'p50', 'p90', 'p99', 'Sent', 'Received', 'Retries'].map((title) => (
                <th key={title} scope="col" class={title === '' ? 'text' : 'figure'}>
                  {title === '' ? <span class="unseen">Window</span> : title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(
              [
                ['Last minute', lastMinute],
                ['Last 15 minutes', last15Minutes],
                ['Since start', sinceStart],
              ] as const
            ).map(([title, window]) => (
              <tr key={title}>
                <th scope="row">{title}</th>
                <td class="figure">{window.requests}</td>
                <td class="figure">{formatRate(window.requestsPerSecond)}/s</td>
                <td class="figure">{formatPercent(window.errorsPercent)}</td>
                <td class="figure">{formatMs(window.p50Ms)}</td>
                <td class="figure">{formatMs(window.p90Ms)}</td>
                <td class="figure">{formatMs(window.p99Ms)}</td>
                <td class="figure">{formatBytes(window.sentBytes)}</td>
                <td class="figure">{formatBytes(window.receivedBytes)}</td>
                <td class="figure">{window.retries}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      {reasons.length > 0 && (
        <>
          <h3>Responses of the proxy itself, last 15 minutes</h3>
          <ul class="plain-list">
            {reasons.map(([reason, count]) => (
              <li key={reason}>
                <a href={hashOf('live', [], { reason })}>{reason}</a>: {count}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

interface ShownEndpoint extends Omit<EndpointNumbers, 'numbers'> {
  readonly numbers?: Numbers;
}

/** Those that the service has, and those that are gone and had requests; without figures, those of its routes in force. */
function endpointsOf(found: ServiceNumbers | undefined, routes: readonly StateRoute[]): readonly ShownEndpoint[] {
  const plain = new Map(routes.flatMap(({ endpoints }) => endpoints.map((each) => [each.id, each] as const)));
  return found?.endpointNumbers?.filter(({ id }) => id !== '') ?? [...plain.values()];
}

function noneOf(routes: readonly StateRoute[]): string {
  if (isRedirect(routes)) return 'None is needed: requests are redirected to another host.';
  const why = 'None: no task runs, or none is on a network that the proxy shares.';
  return routes.length === 0 ? why : `${why} Requests get 503 no-endpoint.`;
}

function EndpointsPart({
  of,
  endpoints,
  none,
  onChanged,
}: {
  /** Whose endpoints they are, for who may drain them. */
  readonly of: { readonly owner: string; readonly service: string; readonly drains: readonly Drain[] } | undefined;
  readonly onChanged: () => void;
  readonly endpoints: readonly ShownEndpoint[];
  /** Why there is none. */
  readonly none: string;
}) {
  const [outcome, isBusy, run] = useChange(onChanged);
  return (
    <>
      <h2>Endpoints</h2>
      {outcome !== undefined && <ChangeResult outcome={outcome} />}
      {endpoints.length === 0 ? (
        <p class="hint">{none}</p>
      ) : (
        <TableBox title="Endpoints">
          <table>
            <thead>
              <tr>
                {['Endpoint', 'State', 'Address', 'Rate', '5xx', 'p50', 'p99', 'In flight', ''].map((title, at) => (
                  <th key={title} scope="col" class={at < 3 ? 'text' : 'figure'}>
                    {title === '' ? <span class="unseen">Actions</span> : title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {endpoints.map(({ id, host, port, state, health, numbers }) => (
                <tr key={id}>
                  <th scope="row" class="text">
                    <code>{id}</code>
                  </th>
                  <td>
                    <EndpointBadge state={state} health={health} />
                  </td>
                  <td>{host === null ? '–' : `${host}:${port}`}</td>
                  <td class="figure">
                    {numbers === undefined ? '–' : `${formatRate(numbers.lastMinute.requestsPerSecond)}/s`}
                  </td>
                  <td class="figure">
                    {numbers === undefined ? '–' : formatPercent(numbers.lastMinute.errorsPercent)}
                  </td>
                  <td class="figure">{formatMs(numbers?.lastMinute.p50Ms)}</td>
                  <td class="figure">{formatMs(numbers?.lastMinute.p99Ms)}</td>
                  <td class="figure">{numbers?.inFlight ?? '–'}</td>
                  <td>
                    {of !== undefined && host !== null && port !== null && (
                      <DrainButton
                        address={addressOf(host, port)}
                        drain={of.drains.find(
                          ({ endpoint }) => endpoint === host || endpoint === addressOf(host, port),
                        )}
                        isBusy={isBusy}
                        run={(method, query) => run(method, { ...query, owner: of.owner, service: of.service })}
                      />
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
      )}
    </>
  );
}

function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function LabelsPart({ found }: { readonly found: ServiceNumbers | undefined }) {
  if (found?.definition === undefined) return null;
  return (
    <details>
      <summary>Labels as they were parsed</summary>
      <pre>{JSON.stringify(found.definition, null, 2)}</pre>
    </details>
  );
}
