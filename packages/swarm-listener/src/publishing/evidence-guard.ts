import type { Logger } from '@swarmgate/runtime';
import { type Evidence, type Judgement, judgeEvidence } from './listing-guard.ts';
import type { RegisteredService } from './registered-services.ts';

export interface EvidenceGuardOptions {
  readonly owner: string;
  readonly logger: Logger;
  /**
   * A partitioned manager returns stale lists for about 17 s: a listing that arrives later than this is accepted although
   * the registry holds a newer state. In milliseconds.
   */
  readonly staleHoldMs: number;
  /** Requests a listing at once: the state read so far is not reliable. */
  readonly onListingNeeded: () => void;
}

/** The last state of the Swarm, and how it was read. */
export interface ReceivedEvidence {
  readonly evidence: Evidence;
  readonly fromListing: boolean;
  /** When it was read, in the milliseconds of `nowMs`: a clock that is set must not lengthen a hold. */
  readonly atMs: number;
}

/** Decides whether the state of the Swarm may be published, and logs each reason against it once. */
export interface EvidenceGuard {
  mayPublish(received: ReceivedEvidence, present: ReadonlyMap<string, RegisteredService>, nowMs: number): boolean;
  /** Milliseconds until a stale listing is accepted; `Infinity`: none is waiting. */
  untilHoldEndsMs(nowMs: number): number;
  /** Lets this Swarm take over the services that another Swarm registered under the same owner. */
  adopt(swarmId: string | undefined): void;
  judgement(): Judgement;
}

export function createEvidenceGuard(options: EvidenceGuardOptions): EvidenceGuard {
  const { owner, logger, staleHoldMs, onListingNeeded } = options;
  let judgement: Judgement = { kind: 'fresh' };
  let staleSinceMs: number | undefined;
  let acceptedVersionIndex = 0;
  let adoptedSwarmId: string | undefined;

  function accept(): true {
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
        if (judgement.kind !== 'stale' || fromListing) return accept();
        // The lagging manager delivered something new, but the rest of its listing is as old as before.
        onListingNeeded();
        return false;
      }
      judgement = next;
      if (next.kind === 'other-swarm') {
        if (isNews) {
          logger.error(
            { owner, swarmId: evidence.swarmId, registeredSwarmId: next.registeredSwarmId },
            'not publishing: another Swarm registered its services under this SWARM_NAME; run "swarmgate adopt" if this ' +
              'Swarm replaces it, or set another SWARM_NAME',
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
          'the manager still responds after the stale hold; its listing is accepted as the state of the Swarm',
        );
        return accept();
      }
      if (isNews) {
        logger.warn(
          { owner, listed: evidence.highestVersionIndex, registered: next.registeredVersionIndex },
          'not publishing: the registry holds a newer state of the Swarm than this manager',
        );
      }
      if (nowMs >= holdEndsMs) onListingNeeded();
      return false;
    },
  };
}
