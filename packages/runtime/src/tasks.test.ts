import { expect } from 'chai';
import { type Logger, silentLogger } from './logger.ts';
import { LoopFaults, Tasks } from './tasks.ts';

describe('Tasks', () => {
  let lines: Record<string, unknown>[];
  let nowMs: number;
  let tasks: Tasks;
  let ending: AbortController;

  beforeEach(() => {
    lines = [];
    nowMs = 0;
    ending = new AbortController();
    const logger = { error: (fields: Record<string, unknown>) => lines.push(fields) } as unknown as Logger;
    tasks = new Tasks({ logger, firstPauseMs: 1, mostPauseMs: 8, recoveredMs: 1_000, now: () => nowMs });
  });

  afterEach(() => ending.abort());

  it('runs work that throws again until it resolves, and logs each error with its stack', async () => {
    const errors = [new Error('one'), new Error('two')];
    let runs = 0;
    await tasks.run('checks', ending.signal, async () => {
      const error = errors[runs];
      runs += 1;
      if (error !== undefined) throw error;
    });
    expect(runs).to.equal(3);
    expect(lines.map(({ err, task, times }) => [err, task, times])).to.deep.equal([
      [errors[0], 'checks', 1],
      [errors[1], 'checks', 2],
    ]);
  });

  it('pauses longer after each fault, up to the most', async () => {
    let runs = 0;
    await tasks.run('checks', ending.signal, async () => {
      runs += 1;
      if (runs < 7) throw new Error('broken');
    });
    const pauses = lines.map(({ afterMs }) => Number(afterMs));
    expect(pauses[0]).to.be.within(0, 1);
    expect(pauses[2]).to.be.within(2, 4);
    expect(pauses[5]).to.be.within(4, 8);
  });

  it('runs nothing while it pauses', async () => {
    const slow = new Tasks({ logger: silentLogger, firstPauseMs: 60_000, mostPauseMs: 60_000 });
    let runs = 0;
    const running = slow.run('checks', ending.signal, async () => {
      runs += 1;
      if (runs < 10) throw new Error('broken');
    });
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(runs).to.equal(1);
    ending.abort();
    await running;
    expect(runs).to.equal(1);
  });

  it('counts from one again after a recovery', () => {
    tasks.owner('watch').onFault(new Error('first'));
    nowMs = 1_001;
    tasks.owner('watch').onFault(new Error('second'));
    expect(lines.map(({ times }) => times)).to.deep.equal([1, 1]);
  });

  it('ends with its signal, also while it pauses, and never rejects', async () => {
    const running = new Tasks({ logger: { error: () => ending.abort() } as unknown as Logger, firstPauseMs: 60_000 });
    let runs = 0;
    await running.run('checks', ending.signal, async () => {
      runs += 1;
      throw new Error('broken');
    });
    expect(runs).to.equal(1);
  });

  it('takes an error after the abort for a part of ending', async () => {
    await tasks.run('checks', ending.signal, async () => {
      ending.abort();
      throw new Error('aborted');
    });
    expect(lines).to.deep.equal([]);
    expect(tasks.faults()).to.deep.equal([]);
  });

  it('repeats a step and goes on behind one that throws', async () => {
    let steps = 0;
    await tasks.every('traffic', 1, ending.signal, () => {
      steps += 1;
      if (steps === 2) throw new Error('broken');
      if (steps === 4) ending.abort();
    });
    expect(steps).to.equal(4);
    expect(tasks.faults()).to.deep.equal([{ task: 'traffic', message: 'broken', times: 1 }]);
  });

  it('lists the tasks that failed until each has been without a fault for long enough', () => {
    tasks.owner('watch').onFault(new Error('first'));
    nowMs = 600;
    tasks.owner('bus').onFault('no error object');
    tasks.owner('watch').onFault(new Error('second'));
    nowMs = 1_600;
    expect(tasks.faults()).to.deep.equal([
      { task: 'bus', message: 'no error object', times: 1 },
      { task: 'watch', message: 'second', times: 2 },
    ]);
    nowMs = 1_601;
    expect(tasks.faults()).to.deep.equal([]);
    tasks.owner('watch').onFault(new Error('third'));
    expect(tasks.faults()).to.deep.equal([{ task: 'watch', message: 'third', times: 1 }]);
  });
});

describe('LoopFaults', () => {
  it('throws the first fault since the last call, once', () => {
    const faults = new LoopFaults();
    faults.throwFirst();
    faults.onFault(new Error('first'));
    faults.onFault(new Error('second'));
    expect(() => faults.throwFirst()).to.throw('first');
    faults.throwFirst();
    faults.onFault(new Error('third'));
    expect(() => faults.throwFirst()).to.throw('third');
  });
});
