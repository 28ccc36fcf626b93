import { expect } from 'chai';
import { endsSoonMs, renewalByLifetimeMs, renewalInWindowMs, renewalPollMs } from './renewal-time.ts';

const dayMs = 86_400_000;
const life = (days: number) => ({ notBeforeMs: 0, notAfterMs: days * dayMs });

describe('the moment of renewal', () => {
  const byLifetime = [
    [90, 60],
    [45, 30],
    [10, 20 / 3],
    [9.99, 4.995],
    [6, 3],
    [1, 0.5],
  ] as const;
  for (const [days, at] of byLifetime)
    it(`is ${at.toFixed(2)} days into a life of ${days}`, () => {
      expect(renewalByLifetimeMs(life(days)) / dayMs).to.be.closeTo(at, 1e-6);
    });

  it('lies in the window of the CA, where the random number says', () => {
    const window = { startMs: 10 * dayMs, endMs: 12 * dayMs };
    for (const [random, day] of [
      [0, 10],
      [0.25, 10.5],
      [1, 12],
    ] as const)
      expect(renewalInWindowMs(window, life(90), random) / dayMs).to.equal(day);
  });

  it('is never in the last tenth of the life, whatever the CA says', () => {
    const window = { startMs: 100 * dayMs, endMs: 120 * dayMs };
    expect(renewalInWindowMs(window, life(90), 0.5) / dayMs).to.equal(81);
  });

  it('is requested as often as the CA requests, from a minute to a day, every 6 h by default', () => {
    const cases = [
      [undefined, dayMs / 4],
      [0, 60_000],
      [3_600_000, 3_600_000],
      [9 * dayMs, dayMs],
    ] as const;
    for (const [requested, wait] of cases) expect(renewalPollMs(requested)).to.equal(wait);
  });

  it('is late 14 days before the end, or a third of a short life', () => {
    expect(endsSoonMs(life(90)) / dayMs).to.equal(76);
    expect(endsSoonMs(life(6)) / dayMs).to.equal(4);
  });
});
