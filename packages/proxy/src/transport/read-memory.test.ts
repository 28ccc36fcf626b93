import { expect } from 'chai';
import { ReadMemory, readMemory } from './read-memory.ts';

const mebibyte = 1_048_576;

describe('memory of what clients send', () => {
  it('is collected each time that 4 MiB have been read, behind the turn that read them', () => {
    const later: (() => void)[] = [];
    let collections = 0;
    const memory = new ReadMemory(
      () => {
        collections += 1;
      },
      (act) => later.push(act),
    );
    for (let piece = 0; piece < 63; piece += 1) memory.count(65_536);
    expect(later).to.have.length(0);
    memory.count(65_536);
    expect([later.length, collections]).to.deep.equal([1, 0]);
    for (const act of later) act();
    expect(collections).to.equal(1);
    for (let piece = 0; piece < 128; piece += 1) memory.count(65_536);
    expect(later).to.have.length(3);
  });

  it('is free in a turn behind the one that read it', async () => {
    const read = () => readMemory.count(new ArrayBuffer(65_536).byteLength);
    for (let piece = 0; piece < 64; piece += 1) read();
    const there = process.memoryUsage().arrayBuffers;
    await new Promise((resolve) => setImmediate(resolve));
    expect(there - process.memoryUsage().arrayBuffers).to.be.at.least(2 * mebibyte);
  });
});
