import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { read } from '../api.ts';
import { Empty, EndpointBadge, Facts, Outcome, TableBox } from '../parts.tsx';
import { hashOf } from '../route-hash.ts';
import { place } from '../store.ts';
import type { Explanation } from '../types.ts';
import { useReading } from '../use-reading.ts';

/** Which route a request takes, and why every other does not. */
export function ExplainView() {
  const { query } = place.value;
  const url = useSignal(query.get('url') ?? '');
  const method = useSignal(query.get('method') ?? 'GET');
  const headers = useSignal(query.getAll('header').join('\n'));
  const requested = query.get('url') === null ? undefined : query.toString();
  useEffect(() => {
    url.value = query.get('url') ?? '';
    method.value = query.get('method') ?? 'GET';
    headers.value = query.getAll('header').join('\n');
  }, [query, url, method, headers]);
  const [reading] = useReading(requested, () => read<Explanation>(`/v1/explain?${requested}`));
  const submit = (event: Event) => {
    event.preventDefault();
    const next = new URLSearchParams({ url: url.value.trim(), method: method.value.trim() || 'GET' });
    for (const line of headers.value.split('\n')) if (line.trim() !== '') next.append('header', line.trim());
    location.hash = `/explain?${next}`;
  };
  const { value, error } = reading.value;
  return (
    <section>
      <form class="bar" onSubmit={submit}>
        <label class="grow">
          <span>URL</span>
          <input
            required
            value={url.value}
            placeholder="https://shop.example/cart"
            onInput={(event) => {
              url.value = event.currentTarget.value;
            }}
          />
        </label>
        <label>
          <span>Method</span>
          <input
            size={8}
            value={method.value}
            onInput={(event) => {
              method.value = event.currentTarget.value;
            }}
          />
        </label>
        <label class="grow">
          <span>Headers, one a line</span>
          <textarea
            rows={1}
            value={headers.value}
            placeholder="X-Beta: 1"
            onInput={(event) => {
              headers.value = event.currentTarget.value;
            }}
          />
        </label>
        <button type="submit">Explain</button>
      </form>
      {error !== undefined && <Outcome kind="error">{error}</Outcome>}
      {value !== undefined && <ExplanationPart explanation={value} />}
      {requested === undefined && (
        <Empty title="Where does a request go?">
          <p>
            The route that takes it, the steps that it passes, and for each other route the condition that it does not
            meet.
          </p>
        </Empty>
      )}
    </section>
  );
}

function ExplanationPart({ explanation }: { readonly explanation: Explanation }) {
  const { request, winner, byDefault, middleware, answer, candidates, omitted } = explanation;
  return (
    <>
      <h1>
        {winner === null ? (
          <>
            {answer?.status ?? 503} {answer?.reason ?? 'no-route'}
          </>
        ) : (
          <>
            <a href={hashOf('services', [winner.owner, winner.service])}>
              <bdi>
                {winner.owner}/{winner.service}
              </bdi>
            </a>{' '}
            takes it
          </>
        )}
      </h1>
      <Facts
        facts={[
          ['Request', `${request.method} ${request.host}${request.path} on port ${request.port}`],
          ...(winner === null
            ? []
            : ([
                ['Route', byDefault ? `${winner.id} (the default: nothing else matches)` : winner.id],
                ['Steps', middleware.length === 0 ? 'none' : middleware.join(' → ')],
                ...(answer === null ? [] : ([['Responded with', `${answer.status} ${answer.reason}`]] as const)),
              ] as const)),
        ]}
      />
      {winner !== null && (
        <ul class="plain-list">
          {winner.endpoints.map(({ id, host, port, state, health }) => (
            <li key={id}>
              <EndpointBadge state={state} health={health} /> {host}:{port}
            </li>
          ))}
          {answer === null && winner.endpoints.every(({ state }) => state !== 'active') && (
            <li>
              {winner.endpoints.length === 0 ? 'It has no endpoint' : 'None of them takes new requests'}: 503
              no-endpoint.
            </li>
          )}
        </ul>
      )}
      {candidates.length > 0 && (
        <>
          <h2>Why the others do not take it</h2>
          <TableBox title="Other routes">
            <table>
              <thead>
                <tr>
                  <th scope="col">Route</th>
                  <th scope="col">Condition</th>
                  <th scope="col">Because</th>
                </tr>
              </thead>
              <tbody>
                {candidates.map(({ id, owner, service, condition, message }) => (
                  <tr key={id}>
                    <th scope="row">
                      <a href={hashOf('services', [owner, service])}>{id}</a>
                    </th>
                    <td>{condition}</td>
                    <td>{message}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </TableBox>
          {omitted > 0 && <p class="hint">{omitted} more have less in common with the request.</p>}
        </>
      )}
    </>
  );
}
