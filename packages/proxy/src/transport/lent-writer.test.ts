import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { until } from '../../test/until.ts';
import { LentWriter } from './lent-writer.ts';

/** Different at each place, and for each name. */
const bytesOf = (name: string, count: number) =>
  Buffer.from(Array.from({ length: Math.ceil(count / 16) }, (_, at) => `${name}:${at}`.padEnd(16)).join(''));

describe('writing what is lent', () => {
  let server: Server;
  const open: Socket[] = [];
  before(async () => {
    server = createServer((socket) => socket.pause());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });
  after(() => server.close());

  async function pair() {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [peer] = (await once(server, 'connection')) as [Socket];
    await once(socket, 'connect');
    open.push(socket, peer);
    return { socket, peer, writer: new LentWriter(socket) };
  }

  /** Writes as a client sends: its bytes are overwritten once the call is over. */
  function lend(writer: LentWriter, bytes: Buffer, isChunk = false): boolean {
    const lent = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('behind')]);
    const goesOn = writer.write(lent, 6, 6 + bytes.length, isChunk);
    lent.fill('#');
    return goesOn;
  }

  async function readAll(peer: Socket, count: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let length = 0;
    peer.on('data', (piece: Buffer) => {
      pieces.push(piece);
      length += piece.length;
    });
    peer.resume();
    await until(() => length >= count, 'all of it');
    return Buffer.concat(pieces);
  }

  it('keeps what the socket has not taken, however much others write meanwhile', async () => {
    const stalled = await pair();
    const other = await pair();
    const pieces: Buffer[] = [];
    // Far more than the system takes of a socket that is not read.
    for (let at = 0; stalled.socket.writableLength < 400_000; at += 1) {
      const piece = bytesOf(`s${at}`, [60_000, 9_008, 64, 20_000][at % 4] as number);
      pieces.push(piece);
      lend(stalled.writer, piece);
    }
    const others: Buffer[] = [];
    for (let at = 0; at < 20; at += 1) {
      const piece = bytesOf(`o${at}`, 30_000);
      others.push(piece);
      lend(other.writer, piece);
    }
    const expected = Buffer.concat(pieces);
    const read = await readAll(stalled.peer, expected.length);
    expect(read.equals(expected)).to.equal(true);
    const ofOthers = Buffer.concat(others);
    expect((await readAll(other.peer, ofOthers.length)).equals(ofOthers)).to.equal(true);
  });

  it('frames chunks of every size', async () => {
    const { peer, writer } = await pair();
    const sizes = [1, 4_096, 4_097, 65_536, 65_540, 65_552, 17_000_000];
    const expected = Buffer.concat(
      sizes.flatMap((size) => [Buffer.from(`${size.toString(16)}\r\n`), Buffer.alloc(size, 'x'), Buffer.from('\r\n')]),
    );
    for (const size of sizes) lend(writer, Buffer.alloc(size, 'x'), true);
    expect((await readAll(peer, expected.length)).equals(expected)).to.equal(true);
  });

  it('uses one buffer again and again where the socket takes each piece', async () => {
    const { peer, writer, socket } = await pair();
    const buffers = new Set<ArrayBufferLike>();
    const write = socket.write.bind(socket);
    socket.write = ((bytes: Buffer, ...rest: [() => void]) => {
      buffers.add(bytes.buffer);
      return write(bytes, ...rest);
    }) as typeof socket.write;
    peer.resume();
    for (let at = 0; at < 20; at += 1) {
      lend(writer, bytesOf('p', 50_000));
      await until(() => socket.writableLength === 0, 'the socket to take it');
    }
    expect(buffers.size).to.equal(1);
  });

  it('tells the caller to wait where the socket does not keep up', async () => {
    const { writer, socket } = await pair();
    const piece = bytesOf('p', 60_000);
    let goesOn = true;
    await until(() => {
      goesOn = lend(writer, piece);
      return !goesOn;
    }, 'the socket to be full');
    expect(socket.writableNeedDrain).to.equal(true);
  });
});
