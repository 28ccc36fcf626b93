import { useState } from 'preact/hooks';
import { describeProgress, newestChange, replicasOf } from './replica-positions.ts';
import { status } from './store.ts';

/** Shown while a change is waited for: which replicas serve it already. */
export function BarrierProgress() {
  const now = status.value;
  const [before] = useState(() => (now === undefined ? 0 : newestChange(now)));
  return (
    <p class="hint" role="status">
      {now === undefined
        ? 'The change is being written.'
        : describeProgress({ registry: now.registry, replicas: replicasOf(now) }, before)}
    </p>
  );
}
