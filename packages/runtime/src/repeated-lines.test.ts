import { expect } from 'chai';
import type { Logger } from './logger.ts';
import { createRepeatedLines } from './repeated-lines.ts';

describe('repeated log lines', () => {
  let now: number;
  let due: { readonly act: () => void; readonly atMs: number } | undefined;
  let written: [string, string, unknown][];
  const log =
    (level: string) =>
    (fields: { readonly repeated?: number }, message: string): void => {
      written.push([level, message, fields.repeated]);
    };
  const logger = {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
  } as unknown as Logger;
  const lines = (maxKeys = 100) =>
    createRepeatedLines(logger, {
      maxKeys,
      nowMs: () => now,
      schedule(act, afterMs) {
        due = { act, atMs: now + afterMs };
        return () => {
          due = undefined;
        };
      },
    });
  function advance(ms: number): void {
    const endMs = now + ms;
    while (due !== undefined && due.atMs <= endMs) {
      const { act, atMs } = due;
      due = undefined;
      now = atMs;
      act();
    }
    now = endMs;
  }
  const withoutDebug = () => written.filter(([level]) => level !== 'debug');

  beforeEach(() => {
    now = 1_000;
    due = undefined;
    written = [];
  });

  it('writes 300 lines a second as one a second, with how many were left out', () => {
    const repeated = lines();
    for (let at = 0; at < 900; at += 1) {
      repeated.write('warn', 'shop no-endpoint', {}, 'no endpoint');
      advance(1_000 / 300);
    }
    advance(5_000);
    expect(withoutDebug().length).to.be.within(3, 4);
    const sum = withoutDebug().reduce((all, [, , leftOut]) => all + 1 + Number(leftOut ?? 0), 0);
    expect(sum).to.equal(900);
  });

  it('writes the last count although nothing follows, and then drops the key', () => {
    const repeated = lines();
    for (let at = 0; at < 3; at += 1) repeated.write('warn', 'a', {}, 'said');
    advance(1_000);
    expect(withoutDebug()).to.deep.equal([
      ['warn', 'said', undefined],
      ['warn', 'said', 1],
    ]);
    advance(10_000);
    expect(due).to.equal(undefined);
    repeated.write('warn', 'a', {}, 'said');
    expect(withoutDebug()).to.have.length(3);
  });

  it('shows every line at debug level', () => {
    const repeated = lines();
    for (let at = 0; at < 5; at += 1) repeated.write('error', 'a', {}, 'said');
    expect(written.map(([level]) => level)).to.deep.equal(['error', 'debug', 'debug', 'debug', 'debug']);
  });

  it('keeps keys apart', () => {
    const repeated = lines();
    for (const key of ['a', 'b', 'a', 'b']) repeated.write('info', key, {}, key);
    expect(withoutDebug().map(([, message]) => message)).to.deep.equal(['a', 'b']);
  });

  it('is bounded however many keys there are: those beyond share one line', () => {
    const repeated = lines(10);
    for (let key = 0; key < 5_000; key += 1) repeated.write('warn', String(key), {}, 'said');
    expect(withoutDebug()).to.have.length(11);
    advance(1_000);
    expect(withoutDebug().at(-1)).to.deep.equal(['warn', 'said', 4_988]);
  });

  it('writes what is pending when it stops', () => {
    const repeated = lines();
    for (let at = 0; at < 4; at += 1) repeated.write('warn', 'a', {}, 'said');
    repeated.stop();
    expect(withoutDebug().at(-1)).to.deep.equal(['warn', 'said', 2]);
    expect(due).to.equal(undefined);
  });
});
