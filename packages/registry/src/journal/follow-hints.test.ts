import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { openRegistryUnderTest, type RegistryUnderTest } from '../../test/embedded-registry.ts';
import { FollowedChanges } from '../../test/followed-changes.ts';
import { observed } from '../../test/observed-store.ts';
import { definitionOf } from '../../test/sample-definition.ts';
import type { HeadHints, ServiceChange } from '../registry.ts';

const options = { by: 'tests', signal: new AbortController().signal };

function changeOf(service: string, port: number): ServiceChange {
  return { owner: 'swarm', service, definition: { document: definitionOf('swarm', service, port) } };
}

describe('following with hints of how far the journal has come', () => {
  let under: RegistryUnderTest;
  let followed: FollowedChanges;
  let hints: HintedSequences;
  /** Calls of the follower, by method. */
  let calls: Map<string, number>;
  /** While it is pending, no blocking query begins. */
  let gate: PromiseWithResolvers<void> | undefined;
  const change = changeOf('a', 81);

  beforeEach(async () => {
    calls = new Map();
    gate = undefined;
    under = await openRegistryUnderTest((store) =>
      observed(store, async (method) => {
        calls.set(method, (calls.get(method) ?? 0) + 1);
        if (method.startsWith('waitFor')) await gate?.promise;
        return undefined;
      }),
    );
    await under.registry.publish([changeOf('a', 80)], options);
    hints = new HintedSequences();
  });

  afterEach(async () => {
    gate?.resolve();
    await followed.stop();
    await under.remove();
  });

  /** A follower that has its snapshot. */
  async function following(): Promise<void> {
    followed = new FollowedChanges(under.registry, { journalGraceMs: 150, headHints: hints });
    await followed.nextOf('snapshot');
    calls.clear();
  }

  /** A follower whose store tells nothing. */
  async function followingHintsAlone(): Promise<void> {
    gate = Promise.withResolvers<void>();
    await following();
  }

  it('looks at the head when it is notified that it moved, before the store tells', async () => {
    await followingHintsAlone();
    const { sequence } = await under.registry.publish([change], options);
    hints.publish(sequence);
    expect(await followed.nextOf('delta')).to.include({ sequence });
  });

  it('looks at the head for a hint that comes too soon after a read, when its time has come', async () => {
    await followingHintsAlone();
    // False ones make the pauses long: then a hint is too soon on every machine.
    await until('four reads', () => {
      hints.publish(1_000_000_000);
      return (calls.get('get') ?? 0) >= 4;
    });
    const { sequence } = await under.registry.publish([change], options);
    hints.publish(sequence);
    expect(await followed.nextOf('delta')).to.include({ sequence });
  });

  it('reads only a few heads for false hints', async () => {
    await following();
    for (let lie = 0; lie < 200; lie += 1) {
      hints.publish(1_000_000_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { sequence } = await under.registry.publish([change], options);
    expect(await followed.nextOf('delta')).to.include({ sequence });
    expect(calls.get('list') ?? 0).to.equal(0);
    // Doubling from 20 ms on: even a machine that takes ten seconds for all this comes to less than ten looks.
    expect(calls.get('get') ?? 0).to.be.within(1, 14);
    expect(followed.waiting).to.deep.equal([]);
  });
});

class HintedSequences implements HeadHints {
  readonly #listeners = new Set<(sequence: number) => void>();

  publish(sequence: number): void {
    for (const listener of this.#listeners) listener(sequence);
  }

  subscribe(listener: (sequence: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
