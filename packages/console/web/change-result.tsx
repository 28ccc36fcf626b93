import type { ComponentChildren } from 'preact';
import type { ChangeOutcome } from './change-outcome.ts';
import { Outcome } from './parts.tsx';
import { hashOf } from './route-hash.ts';

/** What came of a change, and what to do next where some replicas do not serve it yet. */
export function ChangeResult({
  outcome: { kind, text, late = [], needsLogin = false },
  children,
}: {
  readonly outcome: ChangeOutcome;
  readonly children?: ComponentChildren;
}) {
  if (kind !== 'late')
    return (
      <Outcome kind={kind}>
        {text}
        {needsLogin && (
          <>
            {': '}
            <a href="#/login">log in</a>
          </>
        )}
        {children}
      </Outcome>
    );
  return (
    <Outcome kind="warning">
      <strong>Kept, but not served by every replica yet.</strong> {text}.{children}
      <span class="line">
        Late: <bdi>{late.join(', ')}</bdi>. Such a replica goes on as before the change, and follows by itself once it
        responds and reaches the registry: <a href={hashOf('replicas')}>Replicas</a> shows when. Restart one that stays
        behind.
      </span>
    </Outcome>
  );
}
