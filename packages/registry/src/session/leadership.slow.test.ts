import { Writable } from 'node:stream';
import { createLogger, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { openRegistryUnderTest, type RegistryUnderTest } from '../../test/embedded-registry.ts';
import { rejection } from '../../test/store-contract.ts';
import type { Leadership, LeadershipState } from '../registry.ts';
import { RegistryError } from '../registry-error.ts';
import { contendForLeadership, type LeadershipOptions } from './leadership.ts';

// The proportions of the real ones, a twentieth as long.
const timing = { heartbeatMs: 50, silenceMs: 400 };

describe('leadership', () => {
  let under: RegistryUnderTest;
  const contending: Leadership[] = [];

  beforeEach(async () => {
    under = await openRegistryUnderTest();
  });

  afterEach(async () => {
    await Promise.all(contending.splice(0).map((each) => each.stop()));
    await under.remove();
  });

  function contend(name: string, times = timing, more: Partial<LeadershipOptions> = {}): Leadership {
    const leadership = contendForLeadership({
      store: under.store,
      key: under.layout.leader('swarm'),
      heartbeatKey: under.layout.leaderHeartbeat('swarm'),
      name,
      logger: silentLogger,
      ...times,
      ...more,
    });
    contending.push(leadership);
    return leadership;
  }

  it('leads when no other replica does, and reports the leader and since when', async () => {
    await leading(contend('listener on node1'));
    const lock = await under.store.get(under.layout.leader('swarm'));
    expect(JSON.parse(lock?.value ?? '')).to.have.property('name', 'listener on node1');
  });

  it('lets one of several lead', async () => {
    const all = [contend('one'), contend('two'), contend('three')];
    await Promise.race(all.map(leading));
    expect(all.filter((each) => each.state().kind === 'leading')).to.have.lengthOf(1);
  });

  it('passes on at once when the leader stops', async () => {
    const first = contend('first');
    await leading(first);
    // Without waiting for the silence of a leader that said goodbye: the test would end before that.
    const second = contend('second', { ...timing, silenceMs: 600_000 });
    await first.stop();
    await leading(second);
    expect(first.state().kind).to.equal('standby');
  });

  it('is taken from a leader that shows no heartbeat, and not before', async () => {
    // A paused process: its session lives, it does nothing.
    const session = await under.store.createSession({ name: 'paused', ttlMs: 10_000, behavior: 'release' });
    await under.write({ kind: 'lock', key: under.layout.leader('swarm'), value: 'paused', session });
    const began = performance.now();
    await leading(contend('standby'));
    expect(performance.now() - began).to.be.at.least(timing.silenceMs - 5);
    expect(await under.store.renewSession(session)).to.equal(false);
  });

  it('refuses the late write of a leader that was replaced, and tells it', async () => {
    const first = contend('first');
    const state = await leading(first);
    await under.store.destroySession(state.fence.session);
    const document = null;
    const late = under.registry.publish([{ owner: 'swarm', service: 'web', definition: { document } }], {
      by: 'first',
      fence: state.fence,
      signal: new AbortController().signal,
    });
    expect(await rejection(late)).to.have.property('code', 'leadership-lost');
    if (!state.signal.aborted) await new Promise((resolve) => state.signal.addEventListener('abort', resolve));
  });

  it('stays with a leader whose session is valid, however long', async () => {
    // Both live in this process: one that stood still for longer than the silence would show no heartbeat either.
    const patient = { heartbeatMs: 50, silenceMs: 1_500 };
    const first = contend('first', patient);
    const { fence } = await leading(first);
    const second = contend('second', patient);
    const began = performance.now();
    for (let index = 0; performance.now() - began < 1.2 * patient.silenceMs; ) {
      const heartbeat = under.layout.leaderHeartbeat('swarm');
      ({ index } = await under.store.waitForKey(heartbeat, index, AbortSignal.timeout(20_000)));
    }
    expect(first.state()).to.have.nested.property('fence.session', fence.session);
    expect(second.state().kind).to.equal('standby');
  });

  it('ends when the registry does not respond for as long as a standby waits', async () => {
    const leadership = contend('cut off');
    const { signal } = await leading(leadership);
    await under.store.close();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    expect(leadership.state().kind).to.equal('standby');
  });

  it('takes back at once what its own session held while the registry was away', async () => {
    // The real store is never away without being closed: everything fails, as when Consul restarts.
    let isAway = false;
    const store = new Proxy(under.store, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value !== 'function') return value;
        return async (...parameters: unknown[]) => {
          if (isAway) throw RegistryError.of('registry-unreachable', 'away');
          return value.apply(target, parameters);
        };
      },
    });
    const lines: string[] = [];
    const destination = new Writable({
      write(line, _encoding, done) {
        lines.push(String(line));
        done();
      },
    });
    const logger = createLogger({ destination });
    const leadership = contend('one', timing, { store, logger });
    const { signal, fence } = await leading(leadership);
    isAway = true;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    isAway = false;
    const again = await leading(leadership);
    expect(again.fence.session).to.not.equal(fence.session);
    // Without waiting for itself to fall silent.
    expect(lines.join('')).to.not.contain('the leader is silent');
    const document = null;
    const late = under.registry.publish([{ owner: 'swarm', service: 'web', definition: { document } }], {
      by: 'the former session',
      fence,
      signal: new AbortController().signal,
    });
    expect(await rejection(late)).to.have.property('code', 'leadership-lost');
  });

  it('calls its listeners at once and on every change until they leave', async () => {
    const leadership = contend('one');
    const seen: string[] = [];
    const leave = leadership.onChange((state) => seen.push(state.kind));
    expect(seen).to.deep.equal(['standby']);
    const { fence } = await leading(leadership);
    leave();
    await under.store.destroySession(fence.session);
    await leadership.stop();
    expect(seen).to.deep.equal(['standby', 'leading']);
  });
});

function leading(leadership: Leadership): Promise<Extract<LeadershipState, { readonly kind: 'leading' }>> {
  return new Promise((resolve) => {
    leadership.onChange((state) => {
      if (state.kind === 'leading') resolve(state);
    });
  });
}
