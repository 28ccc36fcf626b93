import { expect } from 'chai';
import { UnreadBytes } from './unread-bytes.ts';

describe('unread bytes', () => {
  it('are those that were appended and not taken, whatever the pieces', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let run = 0; run < 200; run += 1) {
      const unread = new UnreadBytes();
      let expected = '';
      const held: [Buffer, string][] = [];
      for (let step = 0; step < 40; step += 1) {
        if (random(3) > 0) {
          const piece = Buffer.from(String(random(1_000_000)).repeat(1 + random(20)));
          unread.append(piece);
          expected += piece.toString();
        } else if (unread.bytes !== undefined) {
          const taken = random(unread.length + 1);
          // A slice that was handed out stays what it was.
          held.push([unread.bytes.subarray(unread.at, unread.at + taken), expected.slice(0, taken)]);
          unread.takeTo(unread.at + taken);
          expected = expected.slice(taken);
        }
        expect(unread.rest().toString()).to.equal(expected);
        expect(unread.length).to.equal(expected.length);
      }
      for (const [slice, text] of held) expect(slice.toString()).to.equal(text);
    }
  });

  it('move a few times where they come byte by byte', () => {
    const unread = new UnreadBytes();
    const places = new Set<ArrayBufferLike | undefined>();
    for (let at = 0; at < 1_000; at += 1) {
      unread.append(Buffer.from('x'));
      unread.keep();
      places.add(unread.bytes?.buffer);
    }
    expect(unread.length).to.equal(1_000);
    expect(places.size).to.be.at.most(12);
  });

  it('are those of a piece until they are kept, and then a copy of what is left', () => {
    const unread = new UnreadBytes();
    const lent = Buffer.from('taken and left');
    unread.append(lent);
    expect(unread.bytes).to.equal(lent);
    unread.takeTo(10);
    unread.keep();
    lent.fill('#');
    expect(unread.rest().toString()).to.equal('left');
  });

  it('wait in a buffer that no other has until they are taken and settled', () => {
    const kept = (letter: string) => {
      const unread = new UnreadBytes();
      unread.append(Buffer.alloc(50_000, letter));
      unread.keep();
      return unread;
    };
    const [first, taken] = [kept('a'), kept('b')];
    taken.takeTo(20_000);
    for (const each of [first, taken]) each.settle();
    const next = kept('c');
    expect([first, taken, next].map((each) => `${each.rest()}`.replace(/(.)\1*/g, '$1'))).to.deep.equal([
      'a',
      'b',
      'c',
    ]);
    expect([first, taken, next].map(({ length }) => length)).to.deep.equal([50_000, 30_000, 50_000]);
    const buffer = next.bytes?.buffer;
    next.takeTo(50_000);
    next.settle();
    next.settle();
    const [one, another] = [kept('d'), kept('e')];
    expect(one.bytes?.buffer).to.equal(buffer);
    expect(another.bytes?.buffer).not.to.equal(buffer);
  });

  it('leave what may be in use to no other when they are cleared', () => {
    const unread = new UnreadBytes();
    unread.append(Buffer.alloc(50_000, 'a'));
    const used = unread.rest();
    unread.clear();
    unread.settle();
    const next = new UnreadBytes();
    next.append(Buffer.alloc(50_000, 'b'));
    next.keep();
    expect(used.includes('b')).to.equal(false);
  });

  for (const [what, pieces, mayHold] of [
    ['the first piece', ['GET'], true],
    ['a piece without a line end behind another', ['GET', ' / HTTP'], false],
    ['a piece with one', ['GET / HTTP/1.1', '\r\n'], true],
    ['so many bytes that the head is too long', ['GET ', '/'.repeat(96)], true],
    ['one byte less', ['GET ', '/'.repeat(95)], false],
  ] as const)
    it(`${mayHold ? 'may hold a head' : 'hold no more of a head than before'}: ${what}`, () => {
      const unread = new UnreadBytes();
      const chunks = pieces.map((text) => Buffer.from(text));
      for (const chunk of chunks) unread.append(chunk);
      expect(unread.mayHoldHead(chunks.at(-1) ?? Buffer.alloc(0), 100)).to.equal(mayHold);
    });
});
