import type { Leadership, LeadershipState } from '@swarmgate/registry';
import { type Logger, messageOf } from '@swarmgate/runtime';

/**
 * A leadership that is contended for only while we may lead: a listener that is cut off from the Swarm steps down, so
 * that one that sees it can lead, and contends again when it sees it itself.
 */
export interface EligibleLeadership extends Leadership {
  /** Call it as often as you like: only changes act. */
  setEligible(isEligible: boolean): void;
}

/** @param contend begins to contend; stopping what it answers releases the lock. */
export function leadWhileEligible(contend: () => Leadership, logger: Logger): EligibleLeadership {
  const listeners = new Set<(state: LeadershipState) => void>();
  let current: Leadership | undefined;
  let state: LeadershipState = { kind: 'standby' };
  let isWanted = false;
  let isStopped = false;
  let releasing: Promise<void> | undefined;

  const become = (next: LeadershipState) => {
    if (next.kind === 'standby' && state.kind === 'standby') return;
    state = next;
    for (const listener of [...listeners]) listener(next);
  };

  const begin = () => {
    // The next contest begins when the last one has released its lock, or it would meet it.
    if (!isWanted || isStopped || current !== undefined || releasing !== undefined) return;
    current = contend();
    current.onChange(become);
  };

  const release = async (leadership: Leadership) => {
    try {
      await leadership.stop();
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'the leadership is not released: its session ends by itself');
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
      if (isEligible === isWanted) return;
      isWanted = isEligible;
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
