import type { Socket } from 'node:net';
import { expect } from 'chai';
import { until } from '../../test/until.ts';
import { dropInTurn, TurnShares, takeOwnTurn, yieldTurn } from './fair-turn.ts';

const owner = { onFault: (error: unknown) => Promise.reject(error) };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Sockets of which is noted when they are read on. */
function sockets(count: number, resumed: number[]): Socket[] {
  return Array.from(
    { length: count },
    (_, at) => ({ pause: () => undefined, resume: () => resumed.push(at) }) as unknown as Socket,
  );
}

describe('fair turns', () => {
  it('reads on two connections in a turn, those first that have waited longest', async () => {
    const resumed: number[] = [];
    for (const socket of sockets(5, resumed)) yieldTurn(socket, owner, () => true);
    const turns: number[][] = [];
    for (let at = 0; at < 4; at += 1) {
      await turn();
      turns.push(resumed.splice(0));
    }
    expect(turns).to.deep.equal([[0, 1], [2, 3], [4], []]);
  });

  it('leaves a connection paused that something else has paused meanwhile', async () => {
    const resumed: number[] = [];
    for (const [at, socket] of sockets(3, resumed).entries()) yieldTurn(socket, owner, () => at !== 0);
    await turn();
    await turn();
    expect(resumed).to.deep.equal([1, 2]);
  });

  it('ends a share that was over while the connection was paused when it is resumed', async () => {
    const resumed: number[] = [];
    const [socket] = sockets(1, resumed) as [Socket];
    let isPaused = true;
    const shares = new TurnShares(socket, owner, () => !isPaused);
    shares.end();
    await turn();
    await turn();
    expect(resumed).to.deep.equal([]);
    isPaused = false;
    shares.resume();
    // As it does for each piece that is taken in the meantime.
    shares.resume();
    expect(resumed).to.deep.equal([]);
    await turn();
    expect(resumed).to.deep.equal([0]);
    shares.resume();
    expect(resumed).to.deep.equal([0, 0]);
  });

  it('takes one piece of work in a turn, beside the connections that are read on', async () => {
    const done: string[] = [];
    for (const name of ['a', 'b']) takeOwnTurn(owner, () => done.push(name));
    const resumed: number[] = [];
    for (const socket of sockets(3, resumed)) yieldTurn(socket, owner, () => true);
    await turn();
    expect(done).to.deep.equal(['a']);
    expect(resumed).to.deep.equal([0, 1]);
    await turn();
    expect(done).to.deep.equal(['a', 'b']);
    expect(resumed).to.deep.equal([0, 1, 2]);
  });

  it('loses nothing that begins to wait during the turn of another', async () => {
    const done: string[] = [];
    const next = (name: string) => () => {
      done.push(`${name} begins`);
      takeOwnTurn(owner, () => done.push(`${name} works`));
      yieldTurn(sockets(1, [])[0] as Socket, owner, () => done.push(`${name} reads`) > 0);
      return true;
    };
    yieldTurn(sockets(1, [])[0] as Socket, owner, next('after a read'));
    for (let at = 0; at < 4; at += 1) await turn();
    takeOwnTurn(owner, next('after work'));
    for (let at = 0; at < 4; at += 1) await turn();
    expect(done).to.deep.equal([
      'after a read begins',
      'after a read works',
      'after a read reads',
      'after work begins',
      'after work works',
      'after work reads',
    ]);
  });

  it('reads on one connection at a time of those whose bytes are dropped', async () => {
    const resumed: number[] = [];
    const steps: (number | 'pause')[] = [];
    for (const socket of sockets(3, resumed))
      dropInTurn(socket, owner, () => {
        steps.push(resumed.length);
        queueMicrotask(() => steps.push('pause'));
        return true;
      });
    await turn();
    await until(() => steps.length === 6, 'all to be read on');
    expect(resumed).to.deep.equal([0, 1, 2]);
    expect(steps).to.deep.equal([0, 'pause', 1, 'pause', 2, 'pause']);
  });

  it('passes over dropped connections that have closed meanwhile', async () => {
    const resumed: number[] = [];
    const gone = { pause: () => undefined, resume: () => resumed.push(-1), destroyed: true } as unknown as Socket;
    for (const socket of [gone, gone, ...sockets(1, resumed)]) dropInTurn(socket, owner, () => true);
    await until(() => resumed.length > 0, 'the one that is open');
    expect(resumed).to.deep.equal([0]);
  });

  it('resets the connection that has waited longest where more than 512 are dropped', async () => {
    const resumed: number[] = [];
    const ended: number[] = [];
    const all = Array.from({ length: 520 }, (_, at) => {
      const socket = {
        pause: () => undefined,
        resume: () => resumed.push(at),
        resetAndDestroy: () => {
          socket.destroyed = true;
          ended.push(at);
        },
        destroyed: false,
      };
      return socket;
    });
    for (const socket of all) dropInTurn(socket as unknown as Socket, owner, () => true);
    expect(ended).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
    // The others need not be waited for, a millisecond each.
    for (const socket of all.slice(10)) socket.destroyed = true;
    await until(() => resumed.length === 2, 'the first that are left');
    expect(resumed).to.deep.equal([8, 9]);
    expect(ended).to.have.length(8);
  });

  it('gives what is added meanwhile a later turn', async () => {
    let turns = 0;
    const again = () => {
      turns += 1;
      if (turns < 3) takeOwnTurn(owner, again);
    };
    takeOwnTurn(owner, again);
    await turn();
    expect(turns).to.equal(1);
    await turn();
    await turn();
    expect(turns).to.equal(3);
  });
});
