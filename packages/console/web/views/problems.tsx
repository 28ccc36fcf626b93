import { Empty, Loading } from '../parts.tsx';
import { hashOf } from '../route-hash.ts';
import { keyProblems, place, problems, routes } from '../store.ts';
import type { Problem } from '../types.ts';

/** What is wrong, at which service, and how its owner mends it. */
export function ProblemsView() {
  const service = place.value.query.get('service');
  const shown = problems.value.filter((each) => service === null || each.service === service);
  const keys = service === null ? keyProblems.value : [];
  if (routes.value === undefined) return <Loading />;
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
        {shown.map((problem, at) => (
          <ProblemCard key={`${problem.owner}/${problem.service}/${problem.reason}/${at}`} problem={problem} />
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
    </section>
  );
}

export function ProblemCard({ problem }: { readonly problem: Problem }) {
  const { owner, service, severity, reason, message, label, value, suggestion } = problem;
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
      {label !== undefined && (
        <p>
          <code>
            {label}
            {value !== undefined && `=${value}`}
          </code>
        </p>
      )}
      {suggestion !== undefined && <p class="mend">{suggestion}</p>}
      <p class="hint">{reason}</p>
    </li>
  );
}
