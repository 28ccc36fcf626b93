import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { AcceptedConnections } from './accepted-connections.ts';

describe('accepted connections', () => {
  /** With the ends that a connected one has. TLS on it has the same. */
  const from = (remoteAddress: string, remotePort: number) => {
    const socket = Object.defineProperties(new Socket(), {
      remoteAddress: { value: remoteAddress },
      remotePort: { value: remotePort },
    });
    return socket as unknown as TLSSocket;
  };

  it('are found by their other end, also where several share a bucket', () => {
    const accepted = new AcceptedConnections();
    const ends = [
      ['10.0.0.1', 50_000],
      ['10.0.0.2', 50_000],
      ['10.0.0.1', 50_256],
      ['10.0.0.1', 50_512],
    ] as const;
    const sockets = ends.map(([address, port]) => from(address, port));
    for (const [at, socket] of sockets.entries()) accepted.add(socket, { source: `source ${at}` });
    for (const [at, [address, port]] of ends.entries())
      expect(accepted.find(from(address, port))).to.include({ source: `source ${at}`, socket: sockets[at] });
    expect(accepted.find(from('10.0.0.3', 50_000))).to.equal(undefined);
  });

  it('are found no more once they are taken or closed, whichever comes first', () => {
    const accepted = new AcceptedConnections();
    const [one, two, three] = [1, 2, 3].map((each) => from('10.0.0.1', each * 256)) as [
      TLSSocket,
      TLSSocket,
      TLSSocket,
    ];
    for (const each of [one, two, three]) accepted.add(each, {});
    expect(accepted.take(two)?.socket).to.equal(two);
    expect(accepted.take(two)).to.equal(undefined);
    one.emit('close');
    two.emit('close');
    expect(accepted.find(one)).to.equal(undefined);
    expect(accepted.find(three)?.socket).to.equal(three);
    three.emit('close');
    expect(accepted.find(three)).to.equal(undefined);
  });

  it('leave the next one with the same end alone when they close late', () => {
    const accepted = new AcceptedConnections();
    const [before, next] = [from('10.0.0.1', 443), from('10.0.0.1', 443)];
    accepted.add(before, { source: 'before' });
    accepted.take(before);
    accepted.add(next, { source: 'next' });
    before.emit('close');
    expect(accepted.find(next)?.source).to.equal('next');
  });
});
