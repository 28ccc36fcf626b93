import { read } from '../api.ts';
import { ChangeResult } from '../change-result.tsx';
import { useKeptFocus } from '../dialog.tsx';
import { formatTime } from '../format.ts';
import { Empty, Loading, Outcome, TableBox, TableHead } from '../parts.tsx';
import { hashOf } from '../route-hash.ts';
import { maintained, session } from '../store.ts';
import type { MaintainedService, Maintenance } from '../types.ts';
import { useChange } from '../use-change.ts';
import { useStreamed } from '../use-streamed.ts';

const everyMs = 2_000;

interface Line {
  readonly what: string;
  readonly by: string;
  readonly since: string;
  readonly until: string;
  /** Absent: it does not end from here. */
  readonly query?: Readonly<Record<string, string>>;
}

/** Everything that is down by decision: who decided it, until when, and the way back. */
export function MaintenanceView() {
  const [{ value, error }, again] = useStreamed(
    maintained.value,
    'maintenance',
    async () => (await read<{ readonly services: readonly MaintainedService[] }>('/v1/maintenance')).services,
    { everyMs },
  );
  const [outcome, isBusy, run] = useChange(again);
  useKeptFocus(value);
  if (value === undefined) return error === undefined ? <Loading /> : <Outcome kind="error">{error}</Outcome>;
  const mayChange = session.value?.mayChange === true;
  const lines = value.flatMap((each) => linesOf(each).map((line) => ({ ...each, ...line })));
  const ended = value.flatMap((each) => each.ended.map((end) => ({ ...end, ...keyOf(each) })));
  return (
    <section>
      <h1>Maintenance</h1>
      {outcome !== undefined && <ChangeResult outcome={outcome} />}
      {error !== undefined && <Outcome kind="error">{error}</Outcome>}
      {lines.length === 0 ? (
        <Empty title="Every service takes requests">
          <p>
            Take one down from its page: <a href={hashOf('services')}>Services</a>, the service, “Take down for
            maintenance”. Its endpoints are drained there, too.
          </p>
        </Empty>
      ) : (
        <TableBox title="Maintenance">
          <table>
            <TableHead titles={['Service', 'What', 'Set by', 'Since', 'Until', '']} />
            <tbody>
              {lines.map(({ owner, service, published, what, by, since, until, query }) => (
                <tr key={`${owner}/${service}/${what}`}>
                  <th scope="row">
                    {published ? (
                      <a href={hashOf('services', [owner, service])}>
                        <bdi>
                          {owner}/{service}
                        </bdi>
                      </a>
                    ) : (
                      <bdi>
                        {owner}/{service} (not published)
                      </bdi>
                    )}
                  </th>
                  <td>{what}</td>
                  <td>{by}</td>
                  <td>{since}</td>
                  <td>{until}</td>
                  <td>
                    {mayChange && query !== undefined && (
                      <button
                        type="button"
                        class="quiet"
                        aria-disabled={isBusy}
                        onClick={() => void run('DELETE', { ...query, service, owner })}
                      >
                        End
                        <span class="unseen">
                          {' '}
                          {what} of {service}
                        </span>
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
      )}
      {ended.length > 0 && (
        <details>
          <summary>What ended</summary>
          <ul class="plain-list">
            {ended.map(({ key, endpoint, by, since, endedAt, endedBy }) => (
              <li key={`${key}/${endpoint}/${endedAt}`}>
                <bdi>{key}</bdi>
                {endpoint !== undefined && `, ${endpoint}`}: {formatTime(since)} to {formatTime(endedAt)}, set by {by},
                ended by {endedBy}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function keyOf({ owner, service }: Pick<MaintainedService, 'owner' | 'service'>): { readonly key: string } {
  return { key: `${owner}/${service}` };
}

function linesOf({ maintenance, drains }: MaintainedService): readonly Line[] {
  const whole: readonly Line[] =
    maintenance === null
      ? []
      : [
          {
            what: 'maintenance',
            by: authorOf(maintenance),
            since: formatTime(maintenance.since),
            until: maintenance.from === 'label' ? 'its label is taken off' : untilOf(maintenance.until),
            ...(maintenance.from === 'label' ? {} : { query: {} }),
          },
        ];
  return [
    ...whole,
    ...drains.map(({ endpoint, by = '–', since }) => ({
      what: `drain of ${endpoint}`,
      by,
      since: formatTime(since),
      until: 'its task ends',
      query: { endpoint },
    })),
  ];
}

export function authorOf({ from, by = '–' }: Maintenance): string {
  return from === 'label' ? 'a label' : by;
}

export function untilOf(until: string | undefined): string {
  return until === undefined ? 'it is ended' : formatTime(until);
}
