import { expect } from 'chai';
import { ReadBuffer } from './read-buffer.ts';
import type { CopiesBytes } from './response-reader.ts';

describe('the buffers that endpoint connections read into', () => {
  /** A read as Node makes it: into the buffer that was given last. */
  class Connection {
    readonly buffers = new ReadBuffer();
    #into = this.buffers.next() as Buffer;

    read(text: string, copies: CopiesBytes | undefined): { readonly buffer: Buffer; readonly length: number } {
      const length = this.#into.write(text);
      return { buffer: this.buffers.take(this.#into, length, copies), length };
    }

    turn(): void {
      this.#into = (this.buffers.next() as Buffer | undefined) ?? this.#into;
    }
  }

  it('are one for all connections whose receivers copy', () => {
    const [a, b] = [new Connection(), new Connection()];
    const first = a.read('one', 'all').buffer;
    a.turn();
    expect(b.read('two', 'all').buffer).to.equal(first);
    expect(a.read('three', 'all').buffer).to.equal(first);
  });

  it('are of a connection alone for a receiver that may keep bytes, from its first read on', () => {
    const [a, b] = [new Connection(), new Connection()];
    const kept = a.read('one', undefined);
    a.turn();
    b.read('two', 'all');
    expect(kept.buffer.toString('latin1', 0, kept.length)).to.equal('one');
    const next = a.read('three', undefined).buffer;
    expect(next, 'none was in use').to.equal(kept.buffer);
  });

  it('are replaced while bytes of them are in use', () => {
    const a = new Connection();
    const kept = a.read('one', undefined);
    a.buffers.keep(kept.buffer);
    a.turn();
    const next = a.read('two', undefined);
    expect(next.buffer).to.not.equal(kept.buffer);
    expect(kept.buffer.toString('latin1', 0, kept.length)).to.equal('one');
  });

  it('change with the receiver, and the connection keeps its own for the next one that needs it', () => {
    const a = new Connection();
    const own = a.read('one', undefined).buffer;
    a.turn();
    expect(a.read('two', 'all').buffer, 'read before it was known').to.equal(own);
    a.turn();
    const shared = a.read('three', 'all').buffer;
    expect(shared).to.not.equal(own);
    a.turn();
    const again = a.read('four', undefined);
    expect([again.buffer === own, again.buffer.toString('latin1', 0, again.length)]).to.deep.equal([true, 'four']);
  });

  it('are longer for the first read of a response whose receiver copies only what is left of it', () => {
    const a = new Connection();
    const sizes: number[] = [];
    const next = (copies: CopiesBytes | undefined, isAmid: boolean) => {
      a.read('any', copies);
      a.buffers.endsShare(3, isAmid);
      a.turn();
      sizes.push(a.read('any', copies).buffer.length);
    };
    for (const copies of ['rest', 'all', undefined] as const) for (const isAmid of [false, true]) next(copies, isAmid);
    expect(sizes).to.deep.equal([131_072, 65_536, 65_536, 65_536, 65_536, 65_536]);
  });

  it('have room for a long read whose receiver may keep bytes', () => {
    const a = new Connection();
    a.read('any', 'rest');
    a.buffers.endsShare(3, false);
    a.turn();
    const long = 'x'.repeat(131_072);
    const kept = a.read(long, undefined);
    new Connection().read('other', 'all');
    expect(kept.buffer.toString('latin1', 0, kept.length)).to.equal(long);
  });

  it('count shares of 128 KiB, and a response begins a whole one', () => {
    const buffers = new ReadBuffer();
    expect([buffers.endsShare(65_536, true), buffers.endsShare(65_535, true)]).to.deep.equal([false, false]);
    buffers.beginShare();
    expect([1, 2, 3, 4].map(() => buffers.endsShare(65_536, true))).to.deep.equal([false, true, false, true]);
  });

  it('are not lent to a receiver that keeps bytes although it said that it copies', () => {
    const a = new Connection();
    const { buffer } = a.read('one', 'all');
    expect(() => a.buffers.keep(buffer)).to.throw('were kept');
  });
});
