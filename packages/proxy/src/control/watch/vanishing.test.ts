import type { ServiceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { decideVanished } from './vanishing.ts';

const keys = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => `swarm/service-${at + from}` as ServiceKey);

describe('judging vanished services', () => {
  const cases = [
    { title: 'nothing vanished', known: 12, left: 12, journalled: 0, otherRegistry: false, removed: 0, held: 0 },
    {
      title: 'all removed by the journal',
      known: 20,
      left: 0,
      journalled: 20,
      otherRegistry: false,
      removed: 20,
      held: 0,
    },
    { title: 'a few by hand', known: 20, left: 17, journalled: 0, otherRegistry: false, removed: 3, held: 0 },
    { title: 'exactly half by hand', known: 20, left: 10, journalled: 0, otherRegistry: false, removed: 10, held: 0 },
    { title: 'more than half of ten', known: 10, left: 4, journalled: 0, otherRegistry: false, removed: 0, held: 6 },
    { title: 'all of nine', known: 9, left: 0, journalled: 0, otherRegistry: false, removed: 9, held: 0 },
    {
      title: 'a stack by the journal, the rest lost',
      known: 30,
      left: 0,
      journalled: 15,
      otherRegistry: false,
      removed: 15,
      held: 15,
    },
    { title: 'one, from another registry', known: 3, left: 2, journalled: 0, otherRegistry: true, removed: 0, held: 1 },
    {
      title: 'one that the other registry itself removed',
      known: 3,
      left: 2,
      journalled: 1,
      otherRegistry: true,
      removed: 1,
      held: 0,
    },
  ];
  it('counts what was lost shortly before: keys deleted one by one are one loss', () => {
    const known = keys(5);
    const read = {
      known,
      present: new Set(known.slice(0, 4)),
      journalled: new Set<ServiceKey>(),
      otherRegistry: false,
    };
    expect(decideVanished({ ...read, recentlyLost: 4 }).hold).to.have.length(0);
    expect(decideVanished({ ...read, recentlyLost: 5 }).hold).to.have.length(1);
  });

  for (const each of cases) {
    it(`${each.title}: ${each.removed} removed, ${each.held} held`, () => {
      const known = keys(each.known);
      const gone = known.slice(each.left);
      const decision = decideVanished({
        known,
        present: new Set(known.slice(0, each.left)),
        journalled: new Set(gone.slice(0, each.journalled)),
        otherRegistry: each.otherRegistry,
      });
      expect(decision.remove).to.have.length(each.removed);
      expect(decision.hold).to.have.length(each.held);
    });
  }
});
