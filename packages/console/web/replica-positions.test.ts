import { expect } from 'chai';
import { describeBehind, describeProgress, describeRegistry, newestChange, replicasOf } from './replica-positions.ts';

describe('how far replicas are, as the console shows it', () => {
  const at = (sequence: number, registryId = 'new') => ({ registryId, sequence });
  const status = { sequence: 4, registry: { registryId: 'new' }, replicas: [at(4), at(5), at(3), at(500, 'lost')] };

  it('is compared with the newest change of the registry in use, whatever replicas of a lost one report', () => {
    expect(newestChange(status)).to.equal(5);
    expect(status.replicas.map((replica) => describeBehind(replica, status))).to.deep.equal([
      '1 change',
      'none',
      '2 changes',
      'serves another registry',
    ]);
  });

  it('is all changes for a replica that was there before the first one, as long as it has read none', () => {
    const first = { ...status, sequence: 1, replicas: [at(1), at(0, '')] };
    expect(first.replicas.map((replica) => describeBehind(replica, first))).to.deep.equal(['none', '1 change']);
    const empty = { sequence: 0, registry: { registryId: '' }, replicas: [at(0, ''), at(0, '')] };
    expect(newestChange(empty)).to.equal(0);
    expect(empty.replicas.map((replica) => describeBehind(replica, empty))).to.deep.equal(['none', 'none']);
    const progress = first.replicas.map((each, number) => ({ ...each, replica: `r${number}` }));
    expect(describeProgress({ registry: first.registry, replicas: progress }, 0)).to.equal(
      'Served by 1 of 2 replicas; not yet by r1.',
    );
  });

  for (const [registry, text] of [
    [{ reachable: true, state: { kind: 'following' } }, 'following'],
    [{ reachable: true, state: { kind: 'holding', held: 3 } }, 'holding'],
    [{ reachable: true, state: { kind: 'holding', held: 0 } }, 'empty: nothing is registered yet'],
    [{ reachable: false, state: { kind: 'away' } }, 'away'],
    [{ reachable: false, state: { kind: 'starting' } }, 'not reached yet (starting)'],
  ] as const)
    it(`is beside a registry that is ${text}`, () => {
      expect(describeRegistry(registry)).to.equal(text);
    });

  it('is, of the one that this page is at, the change that it serves, whatever stands in the registry still', () => {
    const rest = { routes: 0, rejected: 0, version: '', since: '' };
    const replicas = [
      { replica: 'one', ...at(3), ...rest },
      { replica: 'two', ...at(3), ...rest },
    ];
    const sequencesOf = (replica: string, sequence: number) =>
      replicasOf({ ...status, replica, sequence, replicas }).map((each) => each.sequence);
    expect(sequencesOf('one', 4)).to.deep.equal([4, 3]);
    expect(sequencesOf('two', 2)).to.deep.equal([3, 3]);
    expect(sequencesOf('gone', 9)).to.deep.equal([3, 3]);
  });

  for (const [sequences, text] of [
    [[4, 4], 'The change is being written.'],
    [[5, 4, 3], 'Served by 1 of 3 replicas; not yet by r1, r2.'],
    [[6, 5], 'Served by 2 of 2 replicas.'],
  ] as const)
    it(`is, while change 5 is waited for: ${text}`, () => {
      const replicas = sequences.map((sequence, number) => ({ replica: `r${number}`, ...at(sequence) }));
      const lost = { replica: 'lost', ...at(900, 'lost') };
      const draining = { replica: 'draining', ...at(4), draining: true } as const;
      expect(describeProgress({ registry: status.registry, replicas: [...replicas, lost, draining] }, 4)).to.equal(
        text,
      );
    });

  it('is that of the replicas that drain where no other is left', () => {
    const only = { ...at(4), replica: 'r1', draining: true } as const;
    expect(describeProgress({ registry: status.registry, replicas: [only] }, 4)).to.equal(
      'The change is being written.',
    );
    expect(describeProgress({ registry: status.registry, replicas: [{ ...only, sequence: 5 }] }, 4)).to.equal(
      'Served by 1 of 1 replicas.',
    );
  });
});
