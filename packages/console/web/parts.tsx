import type { ComponentChildren } from 'preact';
import { sparkPoints } from './history-ring.ts';
import { Scroller } from './scroller.tsx';
import type { ServiceState } from './service-rows.ts';
import type { Health } from './types.ts';

const stateTexts: Readonly<Record<ServiceState, readonly [mark: string, text: string]>> = {
  ok: ['●', 'ok'],
  maintenance: ['◆', 'maintenance'],
  warning: ['▲', 'warning'],
  error: ['■', 'problem'],
  down: ['✕', 'down'],
};

/** A state by sign and word, not by colour alone. */
export function StateBadge({ state }: { readonly state: ServiceState }) {
  const [mark, text] = stateTexts[state];
  return (
    <span class={`badge ${state}`}>
      <span aria-hidden="true">{mark}</span> {text}
    </span>
  );
}

export function EndpointBadge({ state, health }: { readonly state: string; readonly health: Health }) {
  const shown = state !== 'active' ? 'warning' : health === 'ejected' ? 'down' : 'ok';
  const text =
    state !== 'active' ? state : health === 'ejected' ? 'ejected' : health === 'healthy' ? 'healthy' : 'active';
  return (
    <span class={`badge ${shown}`}>
      <span aria-hidden="true">{stateTexts[shown][0]}</span> {text}
    </span>
  );
}

export function Spark({ figures, label }: { readonly figures: readonly number[]; readonly label: string }) {
  const points = sparkPoints(figures, 72, 20);
  if (points === undefined) return <span class="spark" />;
  return (
    <svg class="spark" width="72" height="20" viewBox="0 0 72 20" role="img" aria-label={label}>
      <polyline points={points} />
    </svg>
  );
}

/** What stands in the place of a list that has nothing to show, with what to do next. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      Reading …
    </p>
  );
}

export function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const outcomeMarks = { ok: '●', warning: '▲', error: '■' } as const;

/** What became of a change, or of the attempt: by sign and words, not by colour alone. */
export function Outcome({
  kind,
  children,
}: {
  readonly kind: keyof typeof outcomeMarks;
  readonly children: ComponentChildren;
}) {
  return (
    <p class={`banner ${kind}`} role={kind === 'ok' ? 'status' : 'alert'}>
      <span class="mark" aria-hidden="true">
        {outcomeMarks[kind]}
      </span>{' '}
      {children}
    </p>
  );
}

/** A table that may be wider than the page. */
export function TableBox({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <Scroller title={title} kind="plain">
      {children}
    </Scroller>
  );
}

/** The head of a table. An empty title is that of the column of actions. `figures`: titles above figures. */
export function TableHead({
  titles,
  figures = [],
}: {
  readonly titles: readonly string[];
  readonly figures?: readonly string[];
}) {
  return (
    <thead>
      <tr>
        {titles.map((title) => (
          <th key={title} scope="col" class={figures.includes(title) ? 'figure' : undefined}>
            {title === '' ? <span class="unseen">Actions</span> : title}
          </th>
        ))}
      </tr>
    </thead>
  );
}
