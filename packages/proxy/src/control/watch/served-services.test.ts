import type { ServiceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { bad, definition, delta, endpoints, good, type SnapshotGiven, snapshot } from '../../../test/registered.ts';
import { ServedServices } from './served-services.ts';

const many = (count: number): ServiceKey[] => Array.from({ length: count }, (_, at): ServiceKey => `swarm/s${at}`);
const all = (keys: readonly ServiceKey[]) => keys.map((key) => [key, good(definition(key))] as const);

/** So long after the process started; the clock on the wall shows the same unless it was set. */
const at = (uptimeMs: number, epochMs = uptimeMs) => ({ epochMs, uptimeMs });

/** Served services that have settled on these. */
function serving(given: SnapshotGiven): ServedServices {
  const served = new ServedServices([]);
  served.absorb(snapshot({ cause: 'start', ...given }), at(0));
  served.settle();
  served.confirm();
  return served;
}

describe('what is served of what is registered', () => {
  it('gives only the differences', () => {
    const served = serving({ services: all(many(3)) });
    served.absorb(delta(2, [['swarm/s1', good(definition('swarm/s1', '/new'), 7)]]), at(0));
    const { changes, revision } = served.settle();
    expect([...changes.keys()]).to.deep.equal(['swarm/s1']);
    expect(changes.get('swarm/s1')?.definition.destinations[0]?.servicePath).to.deep.equal(['/new']);
    expect(revision).to.equal('r1:2');
  });

  it('finds no difference in a full read of equal documents at other indexes', () => {
    const served = serving({ services: all(many(3)) });
    const again = many(3).map((key) => [key, good(definition(key), 99)] as const);
    served.absorb(snapshot({ services: again, sequence: 2 }), at(0));
    expect(served.settle().changes.size).to.equal(0);
    expect(served.registered('swarm/s1')?.index).to.equal(99);
  });

  it('carries a change again that was not confirmed to be in force', () => {
    const served = serving({ services: [] });
    served.absorb(delta(2, all(['swarm/a'])), at(0));
    served.settle();
    served.absorb(delta(3, all(['swarm/b'])), at(0));
    expect([...served.settle().changes.keys()]).to.deep.equal(['swarm/a', 'swarm/b']);
  });

  it('serves its own services at once, and never mixes them with registered ones', () => {
    const own = { key: 'env/x' as const, definition: definition('env/x'), endpoints: undefined };
    const served = new ServedServices([{ ...own, origin: 'env', addressesFresh: true }]);
    expect([...served.settle().changes.keys()]).to.deep.equal(['env/x']);
    served.absorb(snapshot({ services: [] }), at(0));
    served.settle();
    expect(served.services.has('env/x')).to.equal(true);
  });

  it('reports what of its definitions has no effect, though nothing that is served changes with it', () => {
    const served = serving({ services: all(['swarm/a']) });
    const warning = { severity: 'warning', reason: 'field-unknown', message: 'no such field' } as const;
    const misspelt = { ...good(definition('swarm/a'), 2), warnings: [warning] };
    const key = 'swarm/a' as const;
    served.absorb(snapshot({ services: [[key, misspelt]], sequence: 2, cause: 'hand-edit' }), at(0));
    expect(served.settle().changes.size).to.equal(0);
    expect([...served.warnings]).to.deep.equal([[key, [warning]]]);
    expect(served.rejected.size).to.equal(0);
    served.absorb(delta(3, [[key, good(definition('swarm/a'), 3)]]), at(0));
    expect(served.warnings.size).to.equal(0);
    served.absorb(delta(4, [[key, misspelt]]), at(0));
    served.absorb(delta(5, [[key, undefined]]), at(0));
    expect(served.warnings.size).to.equal(0);
  });

  describe('maintenance', () => {
    const by = { by: 'ann', since: '2026-01-02T03:00:00.000Z' };
    const down = (key: ServiceKey, index = 1) => {
      const [owner = '', service = ''] = key.split('/');
      return { ok: true, index, document: { version: 1, owner, service, maintenance: by } } as const;
    };
    const withDown = (given: SnapshotGiven, ...keys: readonly ServiceKey[]) => {
      const change = snapshot(given);
      const maintenance = new Map(keys.map((key) => [key, down(key)]));
      return { ...change, snapshot: { ...change.snapshot, maintenance } };
    };
    const isDown = (served: ServedServices, key: ServiceKey) => served.services.get(key)?.maintenance !== undefined;

    it('comes and goes as a change of its service alone, and has the index for the next comparison', () => {
      const served = serving({ services: all(many(3)) });
      served.absorb({ ...delta(2, []), maintenance: new Map([['swarm/s1', down('swarm/s1', 7)]]) }, at(0));
      expect([...served.settle().changes.keys()]).to.deep.equal(['swarm/s1']);
      expect(served.maintenanceIndex('swarm/s1')).to.equal(7);
      served.absorb({ ...delta(3, []), maintenance: new Map([['swarm/s1', undefined]]) }, at(0));
      expect([...served.settle().changes.keys()]).to.deep.equal(['swarm/s1']);
      expect(isDown(served, 'swarm/s1')).to.equal(false);
      expect(served.maintenanceIndex('swarm/s1')).to.equal(0);
    });

    it('is no change in a full read of equal documents', () => {
      const served = new ServedServices([]);
      served.absorb(withDown({ services: all(many(3)), cause: 'start' }, 'swarm/s1'), at(0));
      served.settle();
      served.confirm();
      served.absorb(withDown({ services: all(many(3)), sequence: 2 }, 'swarm/s1'), at(0));
      expect(served.settle().changes.size).to.equal(0);
    });

    it('stays over a removal of its service, and holds for the manual service that replaces it', () => {
      const served = new ServedServices([]);
      served.absorb(withDown({ services: all(['swarm/a']), cause: 'start' }, 'swarm/a'), at(0));
      served.absorb(delta(2, [['swarm/a', undefined]]), at(0));
      served.absorb(delta(3, all(['manual/a'])), at(0));
      served.settle();
      expect(isDown(served, 'manual/a')).to.equal(true);
      served.absorb({ ...delta(4, []), maintenance: new Map([['swarm/a', undefined]]) }, at(0));
      expect([...served.settle().changes.keys()]).to.include('manual/a');
      expect(isDown(served, 'manual/a')).to.equal(false);
    });

    it('keeps its last good version where a document cannot be used, and is a problem', () => {
      const served = new ServedServices([]);
      served.absorb(withDown({ services: all(['swarm/a', 'swarm/b']), cause: 'start' }, 'swarm/a'), at(0));
      const unusable = (key: ServiceKey) => new Map([[key, bad()]]) as never;
      served.absorb({ ...delta(2, []), maintenance: unusable('swarm/a') }, at(0));
      served.absorb({ ...delta(3, []), maintenance: unusable('swarm/b') }, at(0));
      const { rejected } = served.settle();
      expect([isDown(served, 'swarm/a'), isDown(served, 'swarm/b')]).to.deep.equal([true, false]);
      expect([...rejected.keys()].sort()).to.deep.equal(['swarm/a', 'swarm/b']);
      served.absorb({ ...delta(4, []), maintenance: new Map([['swarm/a', down('swarm/a', 9)]]) }, at(0));
      expect([...served.settle().rejected.keys()]).to.deep.equal(['swarm/b']);
    });

    it('is held with services that the registry lost', () => {
      const served = new ServedServices([]);
      served.absorb(withDown({ services: all(many(20)), cause: 'start' }, 'swarm/s1'), at(0));
      served.settle();
      served.absorb(snapshot({ services: [], registryId: 'r2' }), at(0));
      served.settle();
      expect(isDown(served, 'swarm/s1')).to.equal(true);
    });
  });

  describe('a document that cannot be used', () => {
    it('is replaced by its last good version', () => {
      const served = serving({ services: all(['swarm/a']) });
      served.absorb(delta(2, [['swarm/a', bad()]]), at(0));
      expect(served.lackingFallback()).to.deep.equal([]);
      const { changes, rejected } = served.settle();
      expect(changes.size).to.equal(0);
      expect(served.services.get('swarm/a')).to.include({ origin: 'last-good' });
      expect(rejected.get('swarm/a')?.map(({ reason }) => reason)).to.deep.equal([
        'document-not-json',
        'last-good-served',
      ]);
    });

    it('is replaced by the history where it never was good here', () => {
      const served = serving({ services: [['swarm/a', bad()]] });
      expect(served.services.has('swarm/a')).to.equal(false);
      expect(served.rejected.get('swarm/a')?.at(-1)?.reason).to.equal('rejected');
      served.setFallback('swarm/a', definition('swarm/a', '/old'));
      expect([...served.settle().changes.keys()]).to.deep.equal(['swarm/a']);
      expect(served.services.get('swarm/a')).to.include({ origin: 'history' });
    });

    it('is served again once it is mended', () => {
      const served = serving({ services: all(['swarm/a']) });
      served.absorb(delta(2, [['swarm/a', bad()]]), at(0));
      served.settle();
      served.absorb(delta(3, [['swarm/a', good(definition('swarm/a', '/mended'), 3)]]), at(0));
      expect(served.settle().rejected.size).to.equal(0);
      expect(served.services.get('swarm/a')).to.include({ origin: 'registry' });
    });

    it('costs a service its task addresses when it is the endpoints document', () => {
      const served = serving({
        services: all(['swarm/a']),
        endpoints: [['swarm/a', good(endpoints('swarm/a'))]],
      });
      served.absorb(delta(2, [], [['swarm/a', bad()]]), at(0));
      served.settle();
      expect(served.services.get('swarm/a')).to.include({ addressesFresh: false });
      expect(served.services.get('swarm/a')?.endpoints?.tasks).to.have.length(1);
    });
  });

  describe('vanished services', () => {
    it('go at once when the journal says so, in any number', () => {
      const served = serving({ services: all(many(20)) });
      served.absorb(snapshot({ services: [], journalled: many(20) }), at(0));
      expect(served.settle().changes.size).to.equal(20);
      expect(served.services.size).to.equal(0);
    });

    it('are held when most vanish without a word, by DNS name only', () => {
      const served = serving({ services: all(many(20)) });
      served.absorb(snapshot({ services: all(many(4)) }), at(5));
      served.settle();
      expect(served.services.size).to.equal(20);
      expect(served.holding).to.deep.equal({ reason: 'mass-loss', sinceMs: 5 });
      expect(served.services.get('swarm/s19')).to.include({ addressesFresh: false });
      expect(served.services.get('swarm/s1')).to.include({ addressesFresh: true });
      expect(served.rejected.get('swarm/s19')?.[0]?.reason).to.equal('held');
    });

    it('are held once most are gone, also when they vanish one by one', () => {
      const keys = many(12);
      const served = serving({ services: all(keys) });
      for (let left = 11; left >= 0; left -= 1)
        served.absorb(snapshot({ services: all(keys.slice(0, left)), sequence: 20 - left }), at(1_000 * (12 - left)));
      served.settle();
      expect(served.services.size).to.equal(6);
      expect(served.holding?.reason).to.equal('mass-loss');
    });

    for (const [title, jumpMs] of [
      ['forward', 3_600_000],
      ['back', -3_600_000],
      ['to and fro', 0],
    ] as const)
      it(`are held once most are gone, though the clock is set ${title} after each`, () => {
        const keys = many(12);
        const served = serving({ services: all(keys) });
        for (let left = 11; left >= 0; left -= 1) {
          const step = 12 - left;
          const setMs = jumpMs === 0 ? (step % 2) * 7_200_000 : step * jumpMs;
          const change = snapshot({ services: all(keys.slice(0, left)), sequence: 20 - left });
          served.absorb(change, at(1_000 * step, 1_000 * step + setMs));
        }
        served.settle();
        expect(served.services.size).to.equal(6);
        expect(served.holding?.reason).to.equal('mass-loss');
      });

    it('are manual edits when they are removed few by few over a long time', () => {
      const keys = many(12);
      const served = serving({ services: all(keys) });
      for (let left = 11; left >= 0; left -= 1)
        served.absorb(snapshot({ services: all(keys.slice(0, left)), sequence: 20 - left }), at(61_000 * (12 - left)));
      served.settle();
      expect(served.services.size).to.equal(0);
    });

    it('stay held however much is published beside them', () => {
      const served = serving({ services: all(many(20)) });
      served.absorb(snapshot({ services: all(many(4)) }), at(0));
      const others = Array.from({ length: 100 }, (_, at): ServiceKey => `swarm/other${at}`);
      served.absorb(snapshot({ services: all([...many(4), ...others]), sequence: 9 }), at(0));
      served.settle();
      expect(served.services.size).to.equal(120);
    });

    it('are the registry’s again when they come back, and go when the journal removes them', () => {
      const served = serving({ services: all(many(20)) });
      served.absorb(snapshot({ services: [] }), at(0));
      served.absorb(delta(5, all(['swarm/s1'])), at(0));
      served.absorb(delta(6, [['swarm/s2', undefined]]), at(0));
      served.settle();
      expect(served.services.get('swarm/s1')).to.include({ origin: 'registry', addressesFresh: true });
      expect(served.services.has('swarm/s2')).to.equal(false);
      expect(served.held.size).to.equal(18);
    });

    it('end the holding when all are back', () => {
      const served = serving({ services: all(many(20)) });
      served.absorb(snapshot({ services: [] }), at(0));
      served.absorb(snapshot({ services: all(many(20)), sequence: 2 }), at(0));
      expect(served.holding).to.equal(undefined);
    });

    it('are never removed for another registry', () => {
      const served = serving({ services: all(['swarm/a', 'manual/b']) });
      served.absorb(snapshot({ services: all(['swarm/c']), registryId: 'r2' }), at(0));
      served.settle();
      expect([...served.services.keys()].sort()).to.deep.equal(['manual/b', 'swarm/a', 'swarm/c']);
      expect(served.holding?.reason).to.equal('other-registry');
      expect([...served.ownersPresent()]).to.deep.equal(['swarm']);
    });

    it('go when they are released', () => {
      const served = serving({ services: all(many(20)) });
      served.absorb(snapshot({ services: [] }), at(0));
      served.settle();
      served.confirm();
      served.release((key) => key !== 'swarm/s3');
      expect(served.settle().changes.size).to.equal(19);
      expect([...served.services.keys()]).to.deep.equal(['swarm/s3']);
    });
  });

  describe('from the disk', () => {
    const kept = (keys: readonly ServiceKey[]) => ({
      registryId: 'r1',
      revision: 'r1:1',
      sequence: 1,
      services: keys.map((key) => ({
        key,
        definition: definition(key),
        endpoints: endpoints(key),
        origin: 'snapshot' as const,
        addressesFresh: true,
      })),
    });

    it('serves what was kept, and changes nothing when the registry holds the same', () => {
      const served = new ServedServices([]);
      served.restore(kept(['swarm/a']), false);
      expect([...served.settle().changes.keys()]).to.deep.equal(['swarm/a']);
      served.confirm();
      expect(served.services.get('swarm/a')).to.include({ origin: 'snapshot', addressesFresh: true });
      const said = { services: all(['swarm/a']), endpoints: [['swarm/a', good(endpoints('swarm/a'))]] as const };
      served.absorb(snapshot({ ...said, cause: 'start', sequence: 4 }), at(0));
      expect(served.settle().changes.size).to.equal(0);
      expect(served.services.get('swarm/a')).to.include({ origin: 'registry' });
    });

    it('uses no address that is too old, until the registry names it again', () => {
      const served = new ServedServices([]);
      served.restore(kept(['swarm/a']), false);
      served.settle();
      served.distrustDisk();
      served.settle();
      expect(served.services.get('swarm/a')).to.include({ addressesFresh: false });
      const said = { services: all(['swarm/a']), endpoints: [['swarm/a', good(endpoints('swarm/a'))]] as const };
      served.absorb(snapshot({ ...said, cause: 'start' }), at(0));
      served.settle();
      expect(served.services.get('swarm/a')).to.include({ addressesFresh: true });
    });

    it('holds what another registry does not know', () => {
      const served = new ServedServices([]);
      served.restore(kept(['swarm/a']), false);
      served.absorb(snapshot({ services: [], registryId: 'r2', cause: 'start' }), at(0));
      served.settle();
      expect(served.services.get('swarm/a')).to.include({ origin: 'last-good', addressesFresh: false });
    });

    it('is the last good version of a document that was spoilt meanwhile', () => {
      const served = new ServedServices([]);
      served.restore(kept(['swarm/a']), false);
      served.absorb(snapshot({ services: [['swarm/a', bad()]], cause: 'start' }), at(0));
      served.settle();
      expect(served.services.get('swarm/a')).to.include({ origin: 'last-good' });
    });
  });

  describe('a person’s definition without endpoints', () => {
    it('leads to those of the service it replaces, and follows them', () => {
      const served = serving({
        services: all(['swarm/a', 'manual/a', 'manual/b']),
        endpoints: [['swarm/a', good(endpoints('swarm/a'))]],
      });
      expect(served.services.get('manual/a')?.endpoints?.owner).to.equal('swarm');
      expect(served.services.get('manual/b')?.endpoints).to.equal(undefined);
      served.absorb(delta(2, [], [['swarm/a', good(endpoints('swarm/a', '10.0.1.6/24'), 8)]]), at(0));
      expect([...served.settle().changes.keys()].sort()).to.deep.equal(['manual/a', 'swarm/a']);
      expect(served.services.get('manual/a')?.endpoints?.tasks[0]?.addresses).to.deep.equal(['10.0.1.6/24']);
    });
  });
});
