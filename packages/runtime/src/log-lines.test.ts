import { expect } from 'chai';
import { LogLines } from './log-lines.ts';

/** Takes lines, and keeps them until they are read where its reader is slow. */
class Output {
  readonly lines: string[] = [];
  #done: (() => void)[] = [];
  isRead = true;
  writableLength = 0;

  write(text: string, done?: () => void): void {
    if (text !== '') this.lines.push(text);
    if (!this.isRead) this.writableLength += text.length;
    if (done !== undefined) this.#done.push(done);
  }

  read(): void {
    this.writableLength = 0;
    for (const done of this.#done.splice(0)) done();
  }
}

describe('lines on their way to a log', () => {
  let output: Output;
  let lines: LogLines;
  beforeEach(() => {
    output = new Output();
    lines = new LogLines(() => output);
  });
  const dropped = () =>
    output.lines.filter((line) => line.includes('"dropped"')).map((line) => JSON.parse(line).dropped);

  it('are written at once while the reader keeps up', () => {
    for (const line of ['a', 'b', 'c']) lines.write(line);
    expect(output.lines).to.deep.equal(['a', 'b', 'c']);
  });

  it('are handed over one at a time while it does not, and all in order when it goes on', () => {
    output.isRead = false;
    for (const line of ['a', 'b', 'c']) lines.write(line);
    expect(output.lines).to.deep.equal(['a']);
    output.read();
    expect(output.lines).to.deep.equal(['a', 'b']);
    output.isRead = true;
    output.read();
    expect(output.lines).to.deep.equal(['a', 'b', 'c']);
    expect(dropped()).to.deep.equal([]);
  });

  for (const [what, text, kept] of [
    ['10,000 lines', 'x', 10_000],
    ['4 MiB', 'x'.repeat(1_048_576), 4],
  ] as const)
    it(`beyond ${what} are dropped, and counted once in a line when the reader goes on`, () => {
      output.isRead = false;
      lines.write('first');
      for (let at = 0; at < kept + 7; at += 1) lines.write(text);
      output.isRead = true;
      output.read();
      expect(output.lines.filter((line) => line === text)).to.have.length(kept);
      expect(dropped()).to.deep.equal([7]);
      // There is room again, for as many.
      lines.write('next');
      expect(output.lines.at(-1)).to.equal('next');
      expect(dropped()).to.deep.equal([7]);
    });

  it('are all handed over at the end of the process, once', () => {
    output.isRead = false;
    for (const line of ['a', 'b', 'c']) lines.write(line);
    lines.end();
    lines.end();
    expect(output.lines).to.deep.equal(['a', 'b', 'c']);
  });

  it('need no output before the first one', () => {
    let opened = 0;
    const none = new LogLines(() => {
      opened += 1;
      return output;
    });
    none.end();
    expect(opened).to.equal(0);
  });
});
