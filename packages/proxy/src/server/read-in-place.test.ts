import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { until } from '../../test/until.ts';
import { endReadInPlace, isShared, readInPlace } from './read-in-place.ts';

describe('reading in place', () => {
  const listener = createServer({ allowHalfOpen: true, noDelay: true });
  const open: Socket[] = [];
  before(async () => {
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });
  after(() => listener.close());

  async function pair() {
    const client = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = (await once(listener, 'connection')) as [Socket];
    open.push(client, socket);
    socket.on('close', () => endReadInPlace(socket));
    return { client, socket };
  }

  it('gives the bytes of all sockets in one buffer, and makes none for a read', async () => {
    const texts: string[] = [];
    const buffers = new Set<ArrayBufferLike>();
    for (const text of ['one', 'another']) {
      const { client, socket } = await pair();
      const inPlace = readInPlace(socket, (bytes) => {
        texts.push(bytes.toString());
        buffers.add(bytes.buffer);
        expect(isShared(bytes)).to.equal(true);
        return false;
      });
      expect(inPlace).to.equal(true);
      client.write(text);
      await until(() => texts.includes(text), text);
      expect(socket.listenerCount('data')).to.equal(0);
    }
    expect(buffers.size).to.equal(1);
    expect(isShared(Buffer.from('other'))).to.equal(false);
  });

  it('reads nothing more behind a pause that follows a resume at once', async () => {
    const { client, socket } = await pair();
    let received = 0;
    readInPlace(socket, (bytes) => {
      received += bytes.length;
      socket.resume();
      socket.pause();
      return false;
    });
    client.write(Buffer.alloc(10_000_000));
    await until(() => received > 0, 'the first read');
    let before = -1;
    for (let turn = 0; turn < 50; turn += 1) {
      before = received;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(received).to.equal(before);
    expect(received).to.be.at.most(4 * 65_536);
  });

  it('gives a socket a buffer of its own for as long as its listener returns true', async () => {
    const { client, socket } = await pair();
    const reads: boolean[] = [];
    readInPlace(socket, (bytes) => {
      reads.push(isShared(bytes));
      return bytes.toString() !== 'last';
    });
    for (const text of ['first', 'second', 'last', 'behind']) {
      client.write(text);
      await until(() => reads.length === ['first', 'second', 'last', 'behind'].indexOf(text) + 1, text);
    }
    expect(reads).to.deep.equal([true, false, false, true]);
  });

  it('has buffers for 64 sockets, and those of closed ones again: the others read into the buffer of all', async () => {
    const sockets: { client: Socket; socket: Socket; reads: boolean[] }[] = [];
    for (let at = 0; at < 65; at += 1) {
      const { client, socket } = await pair();
      const reads: boolean[] = [];
      readInPlace(socket, (bytes) => {
        reads.push(isShared(bytes));
        return true;
      });
      sockets.push({ client, socket, reads });
      client.write('x');
      await until(() => reads.length === 1, 'the first read');
      client.write('y');
      await until(() => reads.length === 2, 'the second read');
    }
    const own = () => sockets.filter(({ reads }) => reads.at(-1) === false).length;
    expect(own()).to.equal(64);
    const [first, last] = [sockets[0], sockets[64]];
    first?.socket.destroy();
    await once(first?.socket as Socket, 'close');
    for (const length of [3, 4]) {
      last?.client.write('z');
      await until(() => last?.reads.length === length, 'the next read');
    }
    expect(last?.reads.at(-1)).to.equal(false);
  });

  it('leaves sockets alone of which something has been read already, and what is no socket of the system', async () => {
    const { client, socket } = await pair();
    socket.once('readable', () => undefined);
    client.write('early');
    await until(() => socket.readableLength > 0, 'what is read early');
    expect(readInPlace(socket, () => false)).to.equal(false);
    expect(readInPlace(new (await import('node:net')).Socket(), () => false)).to.equal(false);
  });
});
