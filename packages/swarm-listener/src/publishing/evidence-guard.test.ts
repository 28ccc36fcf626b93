import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { createEvidenceGuard, type EvidenceGuard, type ReceivedEvidence } from './evidence-guard.ts';
import type { RegisteredService } from './registered-services.ts';

const staleHoldMs = 40_000;

describe('the guard of publications', () => {
  let guard: EvidenceGuard;
  let requested: number;
  const registered = new Map<string, RegisteredService>([
    [
      'web',
      {
        definition: {
          version: 1,
          service: 'web',
          owner: 'swarm',
          source: { kind: 'swarm', swarmId: 's1', serviceId: 'id', versionIndex: 100 },
          updatedAt: '2026-01-01T00:00:00.000Z',
          destinations: [],
        },
      },
    ],
  ]);
  const said = (
    highestVersionIndex: number,
    atMs: number,
    more: Partial<ReceivedEvidence & { swarmId: string }> = {},
  ): ReceivedEvidence => ({
    evidence: { swarmId: more.swarmId ?? 's1', highestVersionIndex },
    fromListing: more.fromListing ?? true,
    atMs,
  });
  const listed = (highestVersionIndex: number, atMs: number) =>
    guard.mayPublish(said(highestVersionIndex, atMs), registered, atMs);
  const updated = (highestVersionIndex: number, atMs: number) =>
    guard.mayPublish(said(highestVersionIndex, atMs, { fromListing: false }), registered, atMs);

  beforeEach(() => {
    requested = 0;
    guard = createEvidenceGuard({
      owner: 'swarm',
      logger: silentLogger,
      staleHoldMs,
      onListingNeeded: () => {
        requested += 1;
      },
    });
  });

  it('accepts a state as recent as the registry, from a listing or an event', () => {
    expect(listed(100, 0)).to.equal(true);
    expect(updated(101, 1)).to.equal(true);
    expect(guard.untilHoldEndsMs(1)).to.equal(Number.POSITIVE_INFINITY);
  });

  it('refuses a listing older than the registry, until a newer one comes', () => {
    expect(listed(99, 0)).to.equal(false);
    expect(guard.judgement()).to.deep.equal({ kind: 'stale', registeredVersionIndex: 100 });
    expect(guard.untilHoldEndsMs(1_000)).to.equal(staleHoldMs - 1_000);
    expect(listed(120, 2_000)).to.equal(true);
    expect(guard.judgement()).to.deep.equal({ kind: 'fresh' });
    expect(requested).to.equal(0);
  });

  it('refuses a stale listing of which one part was updated, and requests a listing at once', () => {
    listed(99, 0);
    expect(updated(120, 1_000)).to.equal(false);
    expect(guard.judgement().kind).to.equal('stale');
    expect(requested).to.equal(1);
    expect(listed(120, 1_010)).to.equal(true);
  });

  it('accepts a stale listing that was made after the hold, and requests it when the hold ends', () => {
    listed(99, 0);
    const before = said(99, staleHoldMs - 1);
    expect(guard.mayPublish(before, registered, staleHoldMs - 1)).to.equal(false);
    expect(requested).to.equal(0);
    // The hold is over, but what we have was listed before its end.
    expect(guard.mayPublish(before, registered, staleHoldMs)).to.equal(false);
    expect(requested).to.equal(1);
    expect(listed(99, staleHoldMs + 10)).to.equal(true);
    // What was accepted as lost is not missed again.
    expect(listed(99, staleHoldMs + 20)).to.equal(true);
  });

  it('refuses another Swarm until it was adopted', () => {
    const other = said(500, 0, { swarmId: 's2' });
    expect(guard.mayPublish(other, registered, 0)).to.equal(false);
    expect(guard.judgement()).to.deep.equal({ kind: 'other-swarm', registeredSwarmId: 's1' });
    guard.adopt('s2');
    expect(guard.mayPublish(other, registered, 1)).to.equal(true);
  });
});
