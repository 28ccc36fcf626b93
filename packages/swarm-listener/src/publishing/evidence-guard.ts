import type { Logger } from '@swarmgate/runtime';
import { type Evidence, type Judgement, judgeEvidence } from './listing-guard.ts';
import type { RegisteredService } from './registered-services.ts';

export interface EvidenceGuardOptions {
  readonly owner: string;
  readonly logger: Logger;
  /**
   * A manager that is cut off answers stale lists for some 17 s: one that still lists after this long is taken for the
   * Swarm as it is. In milliseconds.
   */
  readonly staleHoldMs: number;
  /** Asks for a listing at once: what was said before it is not to be relied on. */
  readonly onListingNeeded: () => void;
}

/** What the Swarm said last, and how we came by it. */
export interface Said {
  readonly evidence: Evidence;
  readonly fromListing: boolean;
  /** When it was said, epoch milliseconds. */
  readonly atMs: number;
}

/** Decides whether anything may be published from what the Swarm said, and says why not, once for each reason. */
export interface EvidenceGuard {
  mayPublish(said: Said, present: ReadonlyMap<string, RegisteredService>, nowMs: number): boolean;
  /** Milliseconds until a listing is believed although it is older than what is registered; `Infinity`: none is held. */
  untilHoldEndsMs(nowMs: number): number;
  /** Lets this Swarm take over what another one registered under our owner. */
  adopt(swarmId: string | undefined): void;
  judgement(): Judgement;
}

export function createEvidenceGuard(options: EvidenceGuardOptions): EvidenceGuard {
  const { owner, logger, staleHoldMs, onListingNeeded } = options;
  let judgement: Judgement = { kind: 'fresh' };
  let staleSinceMs: number | undefined;
  let acceptedVersionIndex = 0;
  let adoptedSwarmId: string | undefined;

  function believe(): true {
    judgement = { kind: 'fresh' };
    staleSinceMs = undefined;
    return true;
  }

  return {
    judgement: () => judgement,
    adopt(swarmId) {
      adoptedSwarmId = swarmId;
    },
    untilHoldEndsMs: (nowMs) =>
      staleSinceMs === undefined ? Number.POSITIVE_INFINITY : Math.max(0, staleSinceMs + staleHoldMs - nowMs),
    mayPublish({ evidence, fromListing, atMs }, present, nowMs) {
      const next = judgeEvidence(evidence, present, {
        acceptedVersionIndex,
        ...(adoptedSwarmId === undefined ? {} : { adoptedSwarmId }),
      });
      const isNews = next.kind !== judgement.kind;
      if (next.kind === 'fresh') {
        if (judgement.kind !== 'stale' || fromListing) return believe();
        // The manager that lagged behind told something new; but the rest of what it said is as old as it was.
        onListingNeeded();
        return false;
      }
      judgement = next;
      if (next.kind === 'other-swarm') {
        if (isNews) {
          logger.error(
            { owner, swarmId: evidence.swarmId, registeredSwarmId: next.registeredSwarmId },
            'nothing is published: another Swarm registered its services under this SWARM_NAME; run "swarmgate adopt" ' +
              'if this Swarm replaces it, or give this one another SWARM_NAME',
          );
        }
        return false;
      }
      staleSinceMs ??= nowMs;
      const holdEndsMs = staleSinceMs + staleHoldMs;
      if (fromListing && atMs >= holdEndsMs) {
        acceptedVersionIndex = next.registeredVersionIndex;
        logger.warn(
          { owner },
          "the manager still answers after the stale hold: what it lists is taken for the Swarm's state",
        );
        return believe();
      }
      if (isNews) {
        logger.warn(
          { owner, listed: evidence.highestVersionIndex, registered: next.registeredVersionIndex },
          'nothing is published: the registry knows a newer state of the Swarm than this manager',
        );
      }
      if (nowMs >= holdEndsMs) onListingNeeded();
      return false;
    },
  };
}
