import type { Leadership, LeadershipState } from '@swarmgate/registry';
import type { Logger } from '@swarmgate/runtime';

/**
 * A leadership that is contended for only while this listener is eligible: one that loses the Swarm steps down, so that a
 * connected listener can lead, and contends again once it is connected.
 */
export interface EligibleLeadership extends Leadership {
  /** Idempotent: only a change acts. */
  setEligible(isEligible: boolean): void;
}

/** @param contend begins to contend; stopping what it returns releases the lock. */
export function leadWhileEligible(contend: () => Leadership, logger: Logger): EligibleLeadership {
  const listeners = new Set<(state: LeadershipState) => void>();
  let current: Leadership | undefined;
  let state: LeadershipState = { kind: 'standby' };
  let isRequired = false;
  let isStopped = false;
  let releasing: Promise<void> | undefined;

  const become = (next: LeadershipState) => {
    if (next.kind === 'standby' && state.kind === 'standby') return;
    state = next;
    for (const listener of [...listeners]) listener(next);
  };

  const begin = () => {
    // Contending again before the former lock is released would run into that lock.
    if (!isRequired || isStopped || current !== undefined || releasing !== undefined) return;
    current = contend();
    current.onChange(become);
  };

  const release = async (leadership: Leadership) => {
    try {
      await leadership.stop();
    } catch (error) {
      logger.warn({ err: error }, 'cannot release the leadership; its session expires by itself');
      become({ kind: 'standby' });
    }
    releasing = undefined;
    begin();
  };

  const end = () => {
    if (current === undefined) return;
    releasing = release(current);
    current = undefined;
  };

  return {
    state: () => state,
    onChange(listener) {
      listeners.add(listener);
      listener(state);
      return () => listeners.delete(listener);
    },
    setEligible(isEligible) {
      if (isEligible === isRequired) return;
      isRequired = isEligible;
      if (isEligible) begin();
      else end();
    },
    async stop() {
      isStopped = true;
      end();
      await releasing;
    },
  };
}
