import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectSecurely, createServer as createSecureServer } from 'node:tls';
import { expect } from 'chai';
import { testCertificate } from '../../test/test-certificate.ts';
import { until } from '../../test/until.ts';
import { LentWriter } from './lent-writer.ts';
import { giveSpare, takeSpare } from './spare-buffers.ts';

/** Different at each place, and for each name. */
const bytesOf = (name: string, count: number) =>
  Buffer.from(Array.from({ length: Math.ceil(count / 16) }, (_, at) => `${name}:${at}`.padEnd(16)).join(''));

describe('writing what is lent', () => {
  let server: Server;
  let secureServer: Server;
  const open: Socket[] = [];
  before(async () => {
    const { cert, key } = await testCertificate(['localhost']);
    server = createServer((socket) => socket.pause());
    secureServer = createSecureServer({ cert, key }, (socket) => socket.pause());
    for (const each of [server, secureServer]) {
      each.listen(0, '127.0.0.1');
      await once(each, 'listening');
    }
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });
  after(() => {
    server.close();
    secureServer.close();
  });

  async function securePair() {
    const { port } = secureServer.address() as AddressInfo;
    const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const [[peer]] = (await Promise.all([
      once(secureServer, 'secureConnection'),
      once(socket, 'secureConnect'),
    ])) as unknown as [[Socket]];
    open.push(socket, peer);
    return { socket, peer, writer: new LentWriter(socket) };
  }

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
    const before = isChunk ? `${bytes.length.toString(16)}\r\n` : '';
    const goesOn = writer.write(before, lent, 6, 6 + bytes.length, isChunk ? '\r\n' : '');
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

  it('keeps a single piece that the socket has not taken', async () => {
    const stalled = await pair();
    const other = await pair();
    const piece = bytesOf('s', 60_000);
    stalled.socket.cork();
    lend(stalled.writer, piece);
    lend(other.writer, bytesOf('o', 60_000));
    stalled.socket.uncork();
    expect((await readAll(stalled.peer, piece.length)).equals(piece)).to.equal(true);
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

  it('takes no buffer for what the system takes at once', async () => {
    const { peer, writer, socket } = await pair();
    socket.write = () => expect.fail('what the system takes went by the stream');
    peer.resume();
    const expected: Buffer[] = [];
    for (let at = 0; at < 20; at += 1) {
      const piece = bytesOf(`p${at}`, 9_008);
      expected.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
      expect([lend(writer, piece, true), writer.tookSome]).to.deep.equal([true, true]);
    }
    const whole = Buffer.concat(expected);
    expect((await readAll(peer, whole.length)).equals(whole)).to.equal(true);
  });

  for (const [part, lengths] of [
    ['of its head', [61_440, 9_000, 30_000, 100]],
    ['of itself', [4_096, 9_000, 60_000, 100]],
    ['of what stands behind it', [0, 900, 60_000, 9_000]],
  ] as const)
    it(`gives the stream the rest of a piece, of which the system took a part ${part}`, () => {
      const [already, ...parts] = lengths;
      const directory = mkdtempSync(join(tmpdir(), 'swarmgate-'));
      execFileSync('mkfifo', [join(directory, 'pipe')]);
      // The system takes 65,536 bytes of a pipe that is not read.
      const fd = openSync(join(directory, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK);
      try {
        writeSync(fd, Buffer.alloc(already, '.'));
        const socket = new Socket();
        Reflect.set(socket, '_handle', { fd });
        const rest: Buffer[] = [];
        socket.write = ((bytes: Buffer | string) => rest.push(Buffer.from(bytes)) > 0) as typeof socket.write;
        const [before, piece, after] = parts.map((length, at) => bytesOf(`p${at}`, length).subarray(0, length));
        const text = (bytes: Buffer | undefined) => (bytes as Buffer).toString('latin1');
        new LentWriter(socket).write(text(before), piece as Buffer, 0, (piece as Buffer).length, text(after));
        const taken = Buffer.alloc(65_536);
        expect(readSync(fd, taken)).to.equal(taken.length);
        const written = Buffer.concat([taken.subarray(already), ...rest]).toString('latin1');
        expect(written === parts.map((_, at) => text([before, piece, after][at])).join('')).to.equal(true);
      } finally {
        closeSync(fd);
        rmSync(directory, { recursive: true });
      }
    });

  it('uses one buffer again and again where the socket takes each piece', async () => {
    const { peer, writer, socket } = await securePair();
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

  for (const [what, connected] of [
    ['plain', pair],
    ['TLS', securePair],
  ] as const)
    for (const [behind, writeBehind] of [
      ['nothing', () => undefined],
      ['a small piece', (writer: LentWriter) => lend(writer, Buffer.from('small'))],
      ['text of another writer', (_writer: LentWriter, socket: Socket) => socket.write('0\r\n\r\n', 'latin1')],
    ] as const)
      it(`gives its buffers back where ${behind} follows (${what})`, async () => {
        const { socket, peer, writer } = await connected();
        const used: ArrayBufferLike[] = [];
        const write = socket.write.bind(socket);
        socket.write = ((bytes: Buffer | string, ...rest: []) => {
          if (typeof bytes !== 'string') used.push(bytes.buffer);
          return write(bytes, ...rest);
        }) as typeof socket.write;
        while (socket.writableLength === 0) lend(writer, bytesOf('p', 60_000));
        writeBehind(writer, socket);
        peer.resume();
        await until(() => socket.writableLength === 0, 'the socket to take it');
        const spare = takeSpare();
        giveSpare(spare);
        expect(used.includes(spare.buffer)).to.equal(true);
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
