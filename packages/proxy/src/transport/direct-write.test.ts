import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { until } from '../../test/until.ts';
import { writeDirectly } from './direct-write.ts';

describe('writing beside the stream', () => {
  let server: Server;
  const open: Socket[] = [];
  before(async () => {
    server = createServer({ allowHalfOpen: true }, (socket) => socket.pause()).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });
  after(() => {
    server.close();
  });

  async function pair() {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [peer] = (await once(server, 'connection')) as [Socket];
    await once(socket, 'connect');
    open.push(socket, peer);
    return { socket, peer };
  }
  const piece = Buffer.from('0123456789');
  const offer = (socket: Socket) => writeDirectly(socket, 'before ', piece, 2, 5, ' behind');

  it('gives the system text, piece and text, in this order', async () => {
    const { socket, peer } = await pair();
    expect(offer(socket)).to.equal(17);
    expect(writeDirectly(socket, '', piece, 0, 10, '')).to.equal(10);
    socket.end('.');
    let read = '';
    peer.on('data', (bytes: Buffer) => {
      read += bytes.toString('latin1');
    });
    peer.resume();
    await once(peer, 'end');
    expect(read).to.equal('before 234 behind0123456789.');
  });

  it('tells how much the system took, and nothing once it takes nothing', async () => {
    const { socket, peer } = await pair();
    const long = Buffer.alloc(1_000_000, 'x');
    let taken = 0;
    for (let took = -1; took !== 0; taken += took) took = writeDirectly(socket, '', long, 0, long.length, '');
    let read = 0;
    peer.on('data', (bytes: Buffer) => {
      read += bytes.length;
    });
    peer.resume();
    await until(() => read === taken, 'what was taken');
    expect(taken % long.length, 'the last write was taken in part').to.be.greaterThan(0);
  });

  for (const [what, spoil] of [
    ['before which something waits', ({ socket }) => [socket.cork(), socket.write('waits')]],
    ['that has ended', ({ socket }) => socket.end()],
    ['that is destroyed', ({ socket }) => socket.destroy()],
    [
      'that tells no descriptor',
      ({ socket }) => Object.defineProperty(socket, '_handle', { value: {}, writable: true }),
    ],
  ] as readonly (readonly [string, (pair: { readonly socket: Socket }) => unknown])[])
    it(`gives nothing to a socket ${what}`, async () => {
      const { socket } = await pair();
      const handle = Reflect.get(socket, '_handle');
      spoil({ socket });
      expect(offer(socket)).to.equal(0);
      if (!socket.destroyed) Reflect.set(socket, '_handle', handle);
    });

  it('gives nothing to a connection that is not open yet', async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    open.push(socket);
    expect(offer(socket)).to.equal(0);
    await once(socket, 'connect');
    expect(offer(socket)).to.equal(17);
  });

  it('gives nothing to TLS, below which it would not be encrypted', async () => {
    const { socket } = await pair();
    expect(offer(new TLSSocket(socket, { isServer: true }))).to.equal(0);
  });

  it('leaves it to the stream to find that the other side is gone', async () => {
    const { socket, peer } = await pair();
    peer.resetAndDestroy();
    await once(peer, 'close');
    // The reset is there, and the event loop has not come to it.
    expect(offer(socket)).to.equal(0);
    expect(socket.destroyed).to.equal(false);
    await once(socket, 'close');
  });
});
