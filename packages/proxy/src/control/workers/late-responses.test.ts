import { expect } from 'chai';
import { LateResponses } from './late-responses.ts';

describe('late responses of a control process', () => {
  it('are acted upon once each, and those of other calls not at all', () => {
    const late = new LateResponses<string>();
    const seen: string[] = [];
    late.expect(1, (response) => seen.push(`1 ${response}`));
    late.expect(2, (response) => seen.push(`2 ${response}`));
    for (const call of [2, 3, 2, 1]) late.take(call, 'slots');
    expect(seen).to.deep.equal(['2 slots', '1 slots']);
  });

  it('are waited for in bounded memory: no further call is made until one has come', () => {
    const late = new LateResponses<string>();
    for (let call = 1; call < 1_000; call += 1) late.expect(call, () => undefined);
    expect(late.isFull).to.equal(false);
    late.expect(1_000, () => undefined);
    expect(late.isFull).to.equal(true);
    late.take(7, 'slots');
    expect(late.isFull).to.equal(false);
  });
});
