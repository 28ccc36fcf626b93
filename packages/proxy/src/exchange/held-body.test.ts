import { expect } from 'chai';
import { takeSpare } from '../transport/spare-buffers.ts';
import { HeldBody } from './held-body.ts';

describe('what is held of a request body', () => {
  const bytesOf = (length: number, at: number) => Buffer.alloc(length, String.fromCharCode(97 + at));

  for (const lengths of [[10], [30_000], [30_000, 20_000], [30_000, 10, 20_000, 5_000], [10, 30_000], [4_096, 4_097]])
    it(`is all of it, in order (${lengths.join(', ')} bytes)`, () => {
      const held = new HeldBody();
      const pieces = lengths.map(bytesOf);
      for (const piece of pieces) {
        const lent = Buffer.concat([Buffer.from('<'), piece, Buffer.from('>')]);
        expect(held.add(lent, 1, 1 + piece.length)).to.equal(true);
        lent.fill('#');
      }
      expect(held.text).to.equal(Buffer.concat(pieces).toString('latin1'));
    });

  it('is 64 KiB at most', () => {
    const held = new HeldBody();
    expect([65_535, 1, 1].map((length) => held.add(Buffer.alloc(length), 0, length))).to.deep.equal([
      true,
      true,
      false,
    ]);
    expect(new HeldBody().add(Buffer.alloc(65_537), 0, 65_537)).to.equal(false);
  });

  it('is in a buffer that is used again once it is released, and only then', () => {
    const held = new HeldBody();
    held.add(bytesOf(30_000, 0), 0, 30_000);
    const other = takeSpare();
    other.fill('#');
    expect(held.text).to.equal('a'.repeat(30_000));
    held.release();
    expect(takeSpare().toString('latin1', 0, 2)).to.equal('aa');
    expect(held.text).to.equal('');
  });
});
