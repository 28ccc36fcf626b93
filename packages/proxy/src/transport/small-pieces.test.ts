import type { Socket } from 'node:net';
import { expect } from 'chai';
import { until } from '../../test/until.ts';
import { SmallPieces } from './small-pieces.ts';

const owner = { onFault: (error: unknown) => Promise.reject(error) };

function socketsOf(count: number, onResume: (at: number) => void): Socket[] {
  return Array.from(
    { length: count },
    (_, at) => ({ pause: () => undefined, resume: () => onResume(at) }) as unknown as Socket,
  );
}

describe('bodies in small pieces', () => {
  it('lets 8 of all connections together pass in a millisecond', () => {
    let nowMs = 1_000;
    const pieces = new SmallPieces(() => nowMs);
    const taken = () => Array.from({ length: 20 }, () => pieces.take()).filter(Boolean).length;
    expect([taken(), taken()]).to.deep.equal([8, 0]);
    nowMs += 0.9;
    expect(taken()).to.equal(0);
    nowMs += 0.1;
    expect(taken()).to.equal(8);
  });

  it('reads on 8 connections a millisecond, in their order, while further ones get in line', async () => {
    const pieces = new SmallPieces(() => 0);
    const resumed: number[] = [];
    const turns: number[] = [];
    for (const socket of socketsOf(40, (at) => resumed.push(at)))
      pieces.wait(socket, owner, () => {
        if (resumed.length % 8 === 0) turns.push(resumed.length);
        return true;
      });
    expect(pieces.take()).to.equal(false);
    await until(() => resumed.length > 0, 'the first');
    expect(resumed).to.have.length(8);
    expect(pieces.take()).to.equal(false);
    await until(() => resumed.length === 40, 'all to be read on');
    expect(resumed).to.deep.equal(Array.from({ length: 40 }, (_, at) => at));
    expect(turns).to.deep.equal([0, 8, 16, 24, 32]);
    expect(pieces.take()).to.equal(true);
  });

  it('passes over connections that have closed meanwhile, and leaves those paused that something else has paused', async () => {
    const pieces = new SmallPieces();
    const resumed: number[] = [];
    const sockets = socketsOf(40, (at) => resumed.push(at));
    for (const [at, socket] of sockets.entries()) {
      if (at < 20) Object.assign(socket, { destroyed: true });
      pieces.wait(socket, owner, () => at !== 20);
    }
    await until(() => resumed.length > 0, 'those that are open');
    expect(resumed).to.deep.equal(Array.from({ length: 7 }, (_, at) => 21 + at));
    await until(() => resumed.length === 19, 'the rest');
  });

  it('goes on where one of those that waited fails', async () => {
    const pieces = new SmallPieces();
    const faults: unknown[] = [];
    const resumed: number[] = [];
    for (const [at, socket] of socketsOf(20, (each) => resumed.push(each)).entries())
      pieces.wait(socket, { onFault: (error) => faults.push(error) }, () => {
        if (at === 0) throw new Error('a fault');
        return true;
      });
    await until(() => resumed.length === 19, 'the others');
    expect(faults).to.have.length(1);
  });
});
