import { useSignal } from '@preact/signals';
import { formatTime } from '../format.ts';
import { Empty, Loading } from '../parts.tsx';
import { hashOf } from '../route-hash.ts';
import { keyProblems, loaded, place, problems, rows } from '../store.ts';
import type { Problem } from '../types.ts';

/** Cards that are made at first: a label that thousands of services share is wrong thousands of times. */
const mostAtOnce = 200;

/** What is wrong, at which service, and how its owner mends it. */
export function ProblemsView() {
  const service = place.value.query.get('service');
  const shown = problems.value.filter((each) => service === null || each.service === service);
  const keys = service === null ? keyProblems.value : [];
  const most = useSignal(mostAtOnce);
  const routed = new Set(rows.value.filter(({ routes }) => routes.length > 0).map(({ key }) => key));
  if (shown.length + keys.length === 0 && loaded.value !== 'all') return <Loading />;
  if (shown.length + keys.length === 0)
    return (
      <Empty title={service === null ? 'No problems' : `No problem of ${service}`}>
        <p>Every definition is served as it is written.</p>
        {service !== null && <a href={hashOf('problems')}>Show all services</a>}
      </Empty>
    );
  return (
    <section>
      <h1>
        {shown.length + keys.length} {shown.length + keys.length === 1 ? 'problem' : 'problems'}
        {service !== null && ` of ${service}`}
      </h1>
      {service !== null && <a href={hashOf('problems')}>Show all services</a>}
      <ul class="cards">
        {shown.slice(0, most.value).map((problem, at) => (
          <ProblemCard
            key={`${problem.owner}/${problem.service}/${problem.reason}/${at}`}
            problem={problem}
            hasRoute={loaded.value !== 'all' || routed.has(`${problem.owner}/${problem.service}`)}
          />
        ))}
        {keys.map(({ key, reason, message, suggestion }) => (
          <li key={key} class="card warning">
            <h2>
              <code>{key}</code>
            </h2>
            <p>{message}</p>
            <p class="mend">{suggestion}</p>
            <p class="hint">{reason}</p>
          </li>
        ))}
      </ul>
      {shown.length > most.value && (
        <button
          type="button"
          onClick={() => {
            most.value += mostAtOnce;
          }}
        >
          Show {Math.min(mostAtOnce, shown.length - most.value)} more
        </button>
      )}
    </section>
  );
}

/** @param hasRoute without one the service takes no request, however harmless the problem is called */
export function ProblemCard({ problem, hasRoute }: { readonly problem: Problem; readonly hasRoute: boolean }) {
  const { owner, service, severity, reason, message, label, value, suggestion, since } = problem;
  return (
    <li class={`card ${severity}`}>
      <h2>
        <span class={`badge ${severity}`}>
          <span aria-hidden="true">{severity === 'error' ? '■' : '▲'}</span> {severity}
        </span>{' '}
        <a href={hashOf('services', [owner, service])}>
          {owner}/{service}
        </a>
      </h2>
      <p>{message}</p>
      {!hasRoute && (
        <p>
          <strong>The service takes no request.</strong>
        </p>
      )}
      {label !== undefined && (
        <p>
          <code>
            {label}
            {value !== undefined && `=${value}`}
          </code>
        </p>
      )}
      {suggestion !== undefined && <p class="mend">{suggestion}</p>}
      <p class="hint">
        {reason}
        {since !== undefined && `, since ${formatTime(since)}`}
      </p>
    </li>
  );
}
