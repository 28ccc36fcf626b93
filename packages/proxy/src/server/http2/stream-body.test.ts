import { expect } from 'chai';
import { StreamBody } from './stream-body.ts';

describe('the body of a stream', () => {
  it('keeps copies of what is added, small and large pieces in their order', () => {
    const body = new StreamBody(false, 0);
    const expected: string[] = [];
    // Each byte another than those around it, in its piece and in the next.
    let written = 0;
    for (const length of [10, 20, 5_000, 3, 8, 9, 16_384, 4_096, 4_097, 1]) {
      const piece = Array.from({ length }, () => String.fromCharCode(33 + (written++ % 89))).join('');
      const lent = Buffer.from(`--${piece}--`);
      body.add(lent, 2, 2 + length);
      lent.fill('#');
      expected.push(piece);
    }
    body.end();
    let read = '';
    body.read((bytes, from, to) => {
      read += bytes.toString('latin1', from, to);
    });
    expect(read).to.equal(expected.join(''));
    expect(body.done).to.equal(true);
  });
});
