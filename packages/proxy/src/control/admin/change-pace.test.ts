import { expect } from 'chai';
import { until } from '../../../test/until.ts';
import { ChangePace, paceOf } from './change-pace.ts';
import { Changes, type ChangesOptions } from './changes.ts';

/** Changes at a clock of the test's own, each with its number. */
function changes() {
  const begun: number[] = [];
  const clock = { nowMs: 5_000 };
  const requests = { perSecond: 500 };
  const pace = new ChangePace(
    () => (requests.perSecond * clock.nowMs) / 1_000,
    () => clock.nowMs,
  );
  clock.nowMs += 1_000;
  let calls = 0;
  const call = (count: number) => {
    for (let at = 0; at < count; at += 1) {
      const number = calls++;
      void pace.turn().then(() => begun.push(number));
    }
  };
  return { begun, clock, requests, call };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the pace of changes', () => {
  it('lets the first 400 begin as they come, and a hundred a second of the others, those first that came first', async () => {
    const { begun, clock, call } = changes();
    call(400);
    call(150);
    await turn();
    expect(begun).to.have.length(400);
    clock.nowMs += 10;
    // The time of one has come, and that is not the newest.
    call(1);
    await until(() => begun.length > 400, 'the first that waits');
    await turn();
    expect(begun).to.have.length(401);
    clock.nowMs += 1_000;
    await until(() => begun.length > 401, 'the next');
    await turn();
    expect(begun).to.have.length(501);
    clock.nowMs += 500;
    await until(() => begun.length > 501, 'the rest');
    expect(begun).to.deep.equal(Array.from({ length: 551 }, (_, at) => at));
  });

  it('lets as many begin at once again behind a pause, and no more', async () => {
    const { begun, clock, call } = changes();
    call(400);
    await turn();
    clock.nowMs += 60_000;
    call(410);
    await turn();
    expect(begun).to.have.length(800);
    clock.nowMs += 1_000;
    await until(() => begun.length === 810, 'the rest');
  });

  it('holds nothing up where few requests or none are served', async () => {
    const { begun, clock, requests, call } = changes();
    requests.perSecond = 0;
    call(5_000);
    await turn();
    expect(begun).to.have.length(5_000);
    clock.nowMs += 10;
    call(1);
    await turn();
    expect(begun).to.have.length(5_001);
  });

  it('is for a proxy that serves in its own process', () => {
    const traffic = () => ({ requests: 1, inFlight: 0 });
    expect(paceOf({ traffic })).to.be.instanceOf(ChangePace);
    expect(paceOf({ traffic, workerMetrics: async () => [] })).to.equal(undefined);
  });

  it('is waited for before a change is written', async () => {
    const gate = Promise.withResolvers<void>();
    const steps: string[] = [];
    const changes = new Changes({
      settings: { barrierTimeoutMs: 1_000 },
      registry: { publish: async () => ({ sequence: steps.push('written') }) },
      presence: { waitUntilServed: async () => ({ serving: ['one'], waitingFor: [] }) },
      pace: { turn: () => gate.promise },
    } as unknown as ChangesOptions);
    const published = changes.publish([], 'ann');
    await turn();
    steps.push('its turn');
    gate.resolve();
    expect(await published).to.deep.include({ serving: ['one'] });
    expect(steps).to.deep.equal(['its turn', 'written']);
  });
});
