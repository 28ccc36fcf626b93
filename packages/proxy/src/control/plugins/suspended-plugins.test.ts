import { expect } from 'chai';
import { SuspendedPlugins, suspendedMs } from './suspended-plugins.ts';

describe('plug-ins that block workers', () => {
  let nowMs = 0;
  let suspended: SuspendedPlugins;
  const blocked = (plugin: string, atMs: number) => {
    nowMs = atMs;
    return suspended.blocked(plugin);
  };
  beforeEach(() => {
    nowMs = 0;
    suspended = new SuspendedPlugins(() => nowMs);
  });

  it('are suspended with the third worker within a minute, once', () => {
    expect([0, 30_000, 59_999, 59_999].map((atMs) => blocked('slow', atMs))).to.deep.equal([false, false, true, false]);
    expect(suspended.names).to.deep.equal(['slow']);
  });

  it('run on where the three are further apart', () => {
    expect([0, 30_000, 60_000, 90_000].map((atMs) => blocked('slow', atMs))).to.deep.equal([
      false,
      false,
      false,
      false,
    ]);
    expect(suspended.names).to.deep.equal([]);
  });

  it('are counted each by itself', () => {
    for (const plugin of ['a', 'b', 'a', 'b']) expect(blocked(plugin, 1)).to.equal(false);
    expect(blocked('b', 1)).to.equal(true);
    expect(suspended.names).to.deep.equal(['b']);
  });

  it('run again after five minutes, and are counted from zero', () => {
    for (const atMs of [0, 0, 0]) blocked('slow', atMs);
    nowMs = suspendedMs - 1;
    expect(suspended.release()).to.deep.equal([]);
    nowMs = suspendedMs;
    expect(suspended.release()).to.deep.equal(['slow']);
    expect(suspended.names).to.deep.equal([]);
    expect(suspended.release()).to.deep.equal([]);
    expect([blocked('slow', nowMs), blocked('slow', nowMs)]).to.deep.equal([false, false]);
  });

  it('run again when their files are others, and are counted from zero', () => {
    for (const atMs of [0, 0, 0]) blocked('slow', atMs);
    suspended.clear();
    expect(suspended.names).to.deep.equal([]);
    expect([blocked('slow', 0), blocked('slow', 0)]).to.deep.equal([false, false]);
  });
});
