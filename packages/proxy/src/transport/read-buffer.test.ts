import { expect } from 'chai';
import { ReadBuffer } from './read-buffer.ts';

describe('the buffers that endpoint connections read into', () => {
  /** A read as Node makes it: into the buffer that was given last. */
  class Connection {
    readonly buffers = new ReadBuffer();
    #into = this.buffers.next() as Buffer;

    read(text: string, copies: boolean): { readonly buffer: Buffer; readonly length: number } {
      const length = this.#into.write(text);
      return { buffer: this.buffers.take(this.#into, length, copies), length };
    }

    turn(): void {
      this.#into = (this.buffers.next() as Buffer | undefined) ?? this.#into;
    }
  }

  it('are one for all connections whose receivers copy', () => {
    const [a, b] = [new Connection(), new Connection()];
    const first = a.read('one', true).buffer;
    a.turn();
    expect(b.read('two', true).buffer).to.equal(first);
    expect(a.read('three', true).buffer).to.equal(first);
  });

  it('are of a connection alone for a receiver that may keep bytes, from its first read on', () => {
    const [a, b] = [new Connection(), new Connection()];
    const kept = a.read('one', false);
    a.turn();
    b.read('two', true);
    expect(kept.buffer.toString('latin1', 0, kept.length)).to.equal('one');
    const next = a.read('three', false).buffer;
    expect(next, 'none was in use').to.equal(kept.buffer);
  });

  it('are replaced while bytes of them are in use', () => {
    const a = new Connection();
    const kept = a.read('one', false);
    a.buffers.keep(kept.buffer);
    a.turn();
    const next = a.read('two', false);
    expect(next.buffer).to.not.equal(kept.buffer);
    expect(kept.buffer.toString('latin1', 0, kept.length)).to.equal('one');
  });

  it('change with the receiver, and the connection keeps its own for the next one that needs it', () => {
    const a = new Connection();
    const own = a.read('one', false).buffer;
    a.turn();
    expect(a.read('two', true).buffer, 'read before it was known').to.equal(own);
    a.turn();
    const shared = a.read('three', true).buffer;
    expect(shared).to.not.equal(own);
    a.turn();
    const again = a.read('four', false);
    expect([again.buffer === own, again.buffer.toString('latin1', 0, again.length)]).to.deep.equal([true, 'four']);
  });

  it('count shares of 128 KiB, and a response begins a whole one', () => {
    const buffers = new ReadBuffer();
    expect([buffers.endsShare(65_536), buffers.endsShare(65_535)]).to.deep.equal([false, false]);
    buffers.beginShare();
    expect([1, 2, 3, 4].map(() => buffers.endsShare(65_536))).to.deep.equal([false, true, false, true]);
  });

  it('are not lent to a receiver that keeps bytes although it said that it copies', () => {
    const a = new Connection();
    const { buffer } = a.read('one', true);
    expect(() => a.buffers.keep(buffer)).to.throw('were kept');
  });
});
