import { expect } from 'chai';
import { StreamBody } from './stream-body.ts';

describe('the body of a stream', () => {
  it('keeps copies of what is added, small and large pieces in their order', () => {
    const body = new StreamBody(false, 0);
    const expected: string[] = [];
    for (const [at, length] of [10, 20, 5_000, 3, 16_384, 4_096, 4_097, 1].entries()) {
      const letter = String.fromCharCode(97 + at);
      const lent = Buffer.from(`--${letter.repeat(length)}--`);
      body.add(lent, 2, 2 + length);
      lent.fill('#');
      expected.push(letter.repeat(length));
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
