import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { RelayDirection } from './relay-direction.ts';

/** Two sockets that are each other's end. */
async function pair(): Promise<readonly [near: Socket, far: Socket]> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const far = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [near] = (await accepted) as [Socket];
  for (const each of [near, far]) each.on('error', () => undefined);
  server.close();
  return [near, far];
}

describe('one direction of a relay', () => {
  const faults: unknown[] = [];
  const owner = { onFault: (error: unknown) => faults.push(error) };
  const open: Socket[] = [];
  let client: Socket;
  let endpoint: Socket;

  beforeEach(async () => {
    const [[from, sender], [to, receiver]] = await Promise.all([pair(), pair()]);
    open.push(from, sender, to, receiver);
    [client, endpoint] = [sender, receiver];
    new RelayDirection(from, to, owner, () => undefined).start(Buffer.from('first '));
  });
  afterEach(() => {
    for (const each of open.splice(0)) each.destroy();
    expect(faults).to.deep.equal([]);
  });

  it('passes every byte on in its order, and the end behind them, also where the other side pauses', async () => {
    const piece = Buffer.from(Array.from({ length: 100_003 }, (_, at) => at % 251));
    const pieces = 100;
    const received: Buffer[] = [];
    let length = 0;
    endpoint.on('data', (bytes: Buffer) => {
      received.push(bytes);
      length += bytes.length;
      if (received.length % 20 !== 0) return;
      endpoint.pause();
      setImmediate(() => endpoint.resume());
    });
    const ended = once(endpoint, 'end');
    for (let at = 0; at < pieces; at += 1) client.write(piece);
    client.end();
    await ended;
    expect(length).to.equal('first '.length + pieces * piece.length);
    const sent = Buffer.concat([Buffer.from('first '), ...Array<Buffer>(pieces).fill(piece)]);
    expect(Buffer.concat(received).equals(sent)).to.equal(true);
  });

  it('reads no more of one side than the other takes', async () => {
    endpoint.pause();
    const total = 64 * 1024 * 1024;
    client.write(Buffer.alloc(total));
    const [from, , to] = open as [Socket, Socket, Socket];
    let readBytes = 0;
    let still = 0;
    await until('nothing moves', () => {
      still = to.writableNeedDrain && from.bytesRead === readBytes ? still + 1 : 0;
      readBytes = from.bytesRead;
      return still > 5;
    });
    expect(to.writableLength).to.be.below(1_000_000);
    endpoint.resume();
    let length = 0;
    endpoint.on('data', (bytes: Buffer) => {
      length += bytes.length;
    });
    await until('all of it', () => length >= total);
  });

  it('reports a fault of the side that took what waited to its owner', async () => {
    const [from, , to] = open as [Socket, Socket, Socket];
    from.resume = () => {
      throw new Error('of resume');
    };
    to.emit('drain');
    expect(faults.splice(0).map(String)).to.deep.equal(['Error: of resume']);
  });

  it('needs no buffer for each read', async () => {
    const { allocUnsafeSlow } = Buffer;
    let made = 0;
    const seen = new Set<ArrayBufferLike>();
    const to = open[2] as Socket;
    const { write } = to;
    to.write = ((bytes: Buffer | string, ...rest: []) => {
      if (typeof bytes !== 'string') seen.add(bytes.buffer);
      return write.call(to, bytes, ...rest);
    }) as typeof to.write;
    Buffer.allocUnsafeSlow = (bytes) => {
      made += 1;
      return allocUnsafeSlow(bytes);
    };
    let length = 0;
    endpoint.on('data', (bytes: Buffer) => {
      length += bytes.length;
    });
    try {
      for (let at = 0; at < 400; at += 1) client.write(Buffer.alloc(65_536));
      await until('all of it', () => length >= 400 * 65_536);
    } finally {
      Object.assign(Buffer, { allocUnsafeSlow });
    }
    expect(made).to.be.below(40);
    expect(seen.size).to.be.below(40);
    // Node makes a buffer for each of these events.
    expect((open[0] as Socket).listenerCount('data')).to.equal(0);
  });
});
