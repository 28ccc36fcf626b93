import { expect } from 'chai';
import {
  appendToHead,
  changesSince,
  differenceOf,
  type Head,
  journalledIndexes,
  mostJournalBytes,
  mostJournalEntries,
  mostJournalKeys,
  newHead,
  parseHead,
  removedKeys,
  revisionOf,
  serializeHead,
} from './head.ts';

/** A head after one transaction for each list; a leading `-` removes. The transactions have the indexes 10, 20, … */
function headAfter(...transactions: readonly (readonly string[])[]): Head {
  return transactions.reduce((head, keys, position) => {
    const put = keys.filter((key) => !key.startsWith('-'));
    const remove = keys.filter((key) => key.startsWith('-')).map((key) => key.slice(1));
    return appendToHead(head, position * 10, { put, remove });
  }, newHead('r1'));
}

describe('journal in head', () => {
  it('survives being written and read', () => {
    const head = headAfter(['a'], ['-a', 'b']);
    expect(parseHead(serializeHead(head))).to.deep.equal(head);
    expect(revisionOf(head)).to.equal('r1:2');
  });

  const withChange = (change: string) => `{"version":1,"registryId":"r","sequence":1,"changes":[${change}]}`;
  const unusable = [
    '',
    'null',
    '{}',
    '[]',
    '{"version":2}',
    '{"version":1,"registryId":"","sequence":0,"changes":[]}',
    '{"version":1,"registryId":"r","sequence":-1,"changes":[]}',
    '{"version":1,"registryId":"r","sequence":1,"changes":{}}',
    withChange('null'),
    withChange('{"sequence":0,"put":[],"remove":[]}'),
    withChange('{"sequence":1.5,"put":[],"remove":[]}'),
    withChange('{"sequence":1,"index":0,"put":[],"remove":[]}'),
    withChange('{"sequence":1,"put":[1],"remove":[]}'),
    withChange('{"sequence":1,"put":[]}'),
  ];
  for (const text of unusable) {
    it(`takes ${JSON.stringify(text)} for no head`, () => expect(parseHead(text)).to.equal(undefined));
  }

  it('returns the last change of each key since a sequence', () => {
    const head = headAfter(['a', 'b'], ['-a'], ['a', '-b']);
    expect([...(changesSince(head, 0) ?? [])]).to.have.deep.members([
      ['a', 'put'],
      ['b', 'remove'],
    ]);
    expect([...(changesSince(head, 1) ?? [])]).to.have.deep.members([
      ['a', 'put'],
      ['b', 'remove'],
    ]);
    expect(changesSince(head, 3)?.size).to.equal(0);
  });

  it('does not explain what it has forgotten, or what has not happened', () => {
    const head = headAfter(...Array.from({ length: mostJournalEntries + 1 }, () => ['a']));
    expect(changesSince(head, 0)).to.equal(undefined);
    expect(changesSince(head, 1)?.size).to.equal(1);
    expect(changesSince(head, head.sequence + 1)).to.equal(undefined);
  });

  const forks = [
    ['of itself', headAfter(['a'], ['b']), 20, undefined],
    ['of what came of it', headAfter(['a'], ['b'], ['c'], ['d']), 40, undefined],
    [
      'of what came of it, beyond the journal',
      headAfter(...Array.from({ length: 300 }, () => ['a'])),
      3_000,
      undefined,
    ],
    ['of an older state', headAfter(['a']), 10, 'index-backwards'],
    ['of a backup that was written again, as often', headAfter(['a'], ['c']), 21, 'index-backwards'],
    ['of another registry', { ...headAfter(['a'], ['b']), registryId: 'r2' }, 20, 'other-registry'],
  ] as const;
  for (const [what, head, headIndex, difference] of forks)
    it(`differs from what was known before, or not: ${what}`, () => {
      const before = { head: headAfter(['a'], ['b']), headIndex: 20 };
      expect(differenceOf({ head, headIndex }, before)).to.equal(difference);
    });

  it('differs from what was known where a backup was written again, more often', () => {
    const before = { head: headAfter(['a'], ['b']), headIndex: 20 };
    const again = ['c', 'd', 'e'].reduce(
      (head, key, at) => appendToHead(head, at === 0 ? 10 : 20 + at, { put: [key], remove: [] }),
      headAfter(['a']),
    );
    expect(again.sequence).to.equal(4);
    expect(differenceOf({ head: again, headIndex: 30 }, before)).to.equal('index-backwards');
  });

  it('stays bounded in transactions, keys and bytes', () => {
    const transactions = Array.from({ length: 300 }, (_, n) =>
      Array.from({ length: 60 }, (_, k) => `services/swarm/s${n}-${k}`),
    );
    const head = headAfter(...transactions);
    const keys = head.changes.flatMap((entry) => entry.put);
    expect(keys.length).to.be.within(1, mostJournalKeys);
    expect(
      serializeHead(headAfter(...transactions.map((some) => some.map((key) => key.padEnd(200, 'x'))))),
    ).to.have.lengthOf.below(mostJournalBytes * 2);
    expect(head.sequence).to.equal(300);
  });

  it('is bounded to the transaction, the key and the byte', () => {
    const kept = (head: Head) => head.changes.length;
    const ofOne = (count: number) => headAfter(...Array.from({ length: count }, (_, n) => [`k${n}`]));
    expect([kept(ofOne(mostJournalEntries)), kept(ofOne(mostJournalEntries + 1))]).to.deep.equal([200, 200]);
    const keys = (count: number) => Array.from({ length: count }, (_, n) => `k${n}`);
    expect(kept(headAfter(keys(mostJournalKeys - 1), ['k']))).to.equal(2);
    expect(kept(headAfter(keys(mostJournalKeys), ['k']))).to.equal(1);
    expect(kept(headAfter(['x'.repeat(mostJournalBytes - 1)], ['k']))).to.equal(2);
    expect(kept(headAfter(['x'.repeat(mostJournalBytes)], ['k']))).to.equal(1);
  });

  it('keeps the newest transaction however large it is', () => {
    const large = Array.from({ length: 60 }, (_, n) => `services/swarm/${'x'.repeat(600)}${n}`);
    expect(headAfter(['a'], large).changes.map((entry) => entry.sequence)).to.deep.equal([2]);
  });

  it('has the index of every transaction it remembers', () => {
    expect([...journalledIndexes(headAfter(['a'], ['b'], ['c']), 30)].toSorted()).to.deep.equal([10, 20, 30]);
  });

  it('names what was removed and not put again', () => {
    expect([...removedKeys(headAfter(['a', 'b'], ['-a', '-b'], ['b']))]).to.deep.equal(['a']);
  });
});
