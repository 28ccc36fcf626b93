import { formatDuration, formatRate } from '../format.ts';
import { Facts, Loading, TableBox } from '../parts.tsx';
import { describeBehind, describeRegistry, newestChange, replicasOf } from '../replica-positions.ts';
import { status } from '../store.ts';

/** Every live replica, and how far each is behind the newest change that one of them serves. */
export function ReplicasView() {
  const now = status.value;
  if (now === undefined) return <Loading />;
  return (
    <section>
      <h1>Replicas of {now.instance}</h1>
      <Facts
        facts={[
          ['Registry', now.registry.description],
          ['State', describeRegistry(now.registry)],
          ['Newest change', `#${newestChange(now)}`],
          [
            'Entrypoints',
            now.entrypoints.map(({ port, secure }) => `${port}${secure ? ' (TLS)' : ''}`).join(', ') || 'none',
          ],
        ]}
      />
      <TableBox title="Replicas">
        <table>
          <thead>
            <tr>
              {[
                'Replica',
                'State',
                'Serves change',
                'Behind',
                'Routes',
                'Rejected',
                'Rate',
                'In flight',
                'Version',
                'Up',
              ].map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {replicasOf(now).map((each) => {
              const { replica, sequence, routes, rejected, version, since, draining, live } = each;
              const isOwn = replica === now.replica;
              const isDraining = isOwn ? now.draining : draining === true;
              const state = isDraining ? 'draining' : !isOwn ? 'live' : now.ready ? 'ready' : 'not ready';
              const isWell = state === 'live' || state === 'ready';
              const behind = describeBehind(each, now);
              return (
                <tr key={replica}>
                  <th scope="row">
                    {replica}
                    {isOwn && ' (this one)'}
                  </th>
                  <td>
                    <span class={`badge ${isWell ? 'ok' : 'warning'}`}>
                      <span aria-hidden="true">{isWell ? '●' : '▲'}</span> {state}
                    </span>
                  </td>
                  <td>#{sequence}</td>
                  <td>{behind === 'none' ? behind : <span class="badge warning">▲ {behind}</span>}</td>
                  <td>{routes}</td>
                  <td>{rejected}</td>
                  <td>{live === undefined ? '–' : `${formatRate(live.requestsPerSecond)}/s`}</td>
                  <td>{live?.inFlight ?? '–'}</td>
                  <td>{version}</td>
                  <td>{formatDuration(Date.now() - Date.parse(since))}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </TableBox>
      <p class="hint">Rates of other replicas are known where REDIS_URL is set.</p>
    </section>
  );
}
