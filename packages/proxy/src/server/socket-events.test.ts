import { Socket } from 'node:net';
import { expect } from 'chai';
import { SocketEvents } from './socket-events.ts';

describe('events of sockets', () => {
  function connection() {
    const calls: string[] = [];
    return {
      calls,
      onFault: (error: unknown) => void calls.push(`fault ${error instanceof Error ? error.message : ''}`),
    };
  }
  const events = new SocketEvents<ReturnType<typeof connection>>({
    data: ({ calls }, chunk) => calls.push(`data ${chunk}`),
    end: ({ calls }) => void calls.push('end'),
    close: ({ calls }) => {
      calls.push('close');
      throw new Error('at the end');
    },
  });

  it('lead to the connection of the socket, first bytes first', () => {
    const [one, other] = [connection(), connection()];
    const [socket, second] = [new Socket(), new Socket()];
    events.lead(socket, one, Buffer.from('first'));
    events.lead(second, other);
    socket.emit('data', Buffer.from('then'));
    second.emit('end');
    expect(one.calls).to.deep.equal(['data first', 'data then']);
    expect(other.calls).to.deep.equal(['end']);
  });

  it('lead nowhere once the socket is closed: it may outlive the connection in memory by much', () => {
    const one = connection();
    const socket = new Socket();
    events.lead(socket, one);
    socket.emit('close');
    socket.emit('end');
    expect(one.calls).to.deep.equal(['close', 'fault at the end']);
  });

  it('lead to the next owner after a release', () => {
    const [one, other] = [connection(), connection()];
    const socket = new Socket();
    events.lead(socket, one);
    events.release(socket);
    events.lead(socket, other);
    socket.emit('end');
    expect(one.calls).to.deep.equal([]);
    expect(other.calls).to.deep.equal(['end']);
  });
});
