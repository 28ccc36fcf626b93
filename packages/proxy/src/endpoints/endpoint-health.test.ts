import { expect } from 'chai';
import type { EndpointOutcome } from '../model/endpoint.ts';
import {
  afterCheck,
  afterOutcome,
  afterPeerEjection,
  atTime,
  type EndpointHealth,
  newlyMet,
  defaultHealthPolicy as policy,
  shareOf,
} from './endpoint-health.ts';

/** What a series of outcomes makes of an endpoint, one each at the given time. */
function lived(...story: readonly (readonly [atMs: number, outcome: EndpointOutcome])[]): EndpointHealth {
  return story.reduce<EndpointHealth>(
    (health, [atMs, outcome]) => afterOutcome(health, outcome, atMs, policy),
    newlyMet,
  );
}

describe('the health of an endpoint', () => {
  it('is ejected by three failures in a row, of whatever kind', () => {
    expect(lived([0, 'refused'], [1, 'broken']).kind).to.equal('healthy');
    expect(lived([0, 'refused'], [1, 'broken'], [2, 'timed-out'])).to.deep.equal({
      kind: 'ejected',
      untilMs: 2_002,
      ejections: 1,
    });
  });

  it('is ejected at once where it was found gone', () => {
    expect(lived([0, 'unreachable'])).to.deep.equal({ kind: 'ejected', untilMs: 2_000, ejections: 1 });
  });

  it('resets failures with a response, and counts nothing for clients that leave', () => {
    expect(lived([0, 'refused'], [1, 'refused'], [2, 'responded'], [3, 'refused']).kind).to.equal('healthy');
    expect(lived([0, 'refused'], [1, 'refused'], [2, 'abandoned']).kind).to.equal('healthy');
    expect(lived([0, 'refused'], [1, 'refused'], [2, 'abandoned'], [3, 'refused']).kind).to.equal('ejected');
  });

  it('is ejected by the next failure after a peer-reported ejection, and never by the report alone', () => {
    let health = newlyMet;
    for (let reported = 0; reported < 100; reported += 1) health = afterPeerEjection(health, reported, policy);
    expect(health.kind).to.equal('healthy');
    expect(afterOutcome(health, 'refused', 100, policy).kind).to.equal('ejected');
    expect(afterOutcome(health, 'responded', 100, policy)).to.deep.equal(newlyMet);
  });

  it('stays out no longer for what others say', () => {
    expect(afterPeerEjection(ejected, 1_000, policy)).to.deep.equal(ejected);
    expect(afterPeerEjection(ejected, 3_000, policy).kind).to.equal('returning');
  });

  const ejected = lived([0, 'refused'], [0, 'refused'], [0, 'refused']);

  it('returns slowly: a tenth of its share at once, all of it after ten seconds', () => {
    expect(shareOf(ejected, 1_999, policy)).to.equal(0);
    expect(shareOf(ejected, 2_000, policy)).to.equal(0.1);
    expect(shareOf(ejected, 7_000, policy)).to.equal(0.5);
    expect(shareOf(ejected, 12_000, policy)).to.equal(1);
    expect(atTime(ejected, 12_000, policy)).to.deep.equal(newlyMet);
  });

  it('is out twice as long when it fails on its return, a minute at most', () => {
    let health = ejected;
    const lengths: number[] = [];
    let nowMs = 2_000;
    for (let turn = 0; turn < 7; turn += 1) {
      health = afterOutcome(health, 'refused', nowMs, policy);
      if (health.kind !== 'ejected') throw new Error(`it is ${health.kind}`);
      lengths.push(health.untilMs - nowMs);
      nowMs = health.untilMs;
    }
    expect(lengths).to.deep.equal([4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('is not brought back by a late response to a request from before', () => {
    expect(afterOutcome(ejected, 'responded', 100, policy)).to.deep.equal(ejected);
  });

  it('is out by a failed check until a check passes, whatever requests say', () => {
    const failing = afterCheck(newlyMet, false, 0, policy);
    expect(shareOf(failing, 1e9, policy)).to.equal(0);
    expect(afterOutcome(failing, 'responded', 5, policy)).to.deep.equal(failing);
    expect(afterCheck(failing, true, 10, policy)).to.deep.equal({ kind: 'returning', sinceMs: 10, ejections: 0 });
    expect(afterCheck(newlyMet, true, 10, policy)).to.deep.equal(newlyMet);
  });
});
