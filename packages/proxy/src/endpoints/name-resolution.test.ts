import { expect } from 'chai';
import { NameResolution, type ResolvedName, resolveBySystem } from './name-resolution.ts';

describe('name resolution', () => {
  let nowMs: number;
  let responses: Map<string, ResolvedName | Error>;
  let requested: string[];
  let ended: AbortController;
  let tick: (() => Promise<void>) | undefined;
  let names: NameResolution;
  let running: Promise<void>;

  beforeEach(() => {
    nowMs = 0;
    responses = new Map();
    requested = [];
    ended = new AbortController();
    const waiting: ((alive: boolean) => void)[] = [];
    names = new NameResolution({
      signal: ended.signal,
      now: () => nowMs,
      resolve: async (name) => {
        requested.push(name);
        const response = responses.get(name) ?? new Error(`no such name: ${name}`);
        if (response instanceof Error) throw response;
        return response;
      },
      wait: (_ms, signal) =>
        new Promise((resolve) => {
          waiting.push(resolve);
          signal.addEventListener('abort', () => resolve(false), { once: true });
        }),
    });
    running = names.run();
    tick = async () => {
      for (const each of waiting.splice(0)) each(true);
      await settled();
    };
  });

  afterEach(async () => {
    ended.abort();
    await running;
  });

  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const pass = async (ms: number) => {
    nowMs += ms;
    await tick?.();
  };

  it('returns `pending` at first and never blocks', async () => {
    responses.set('tasks.web', { addresses: ['10.0.0.2', '10.0.0.1'], ttlMs: 600_000 });
    expect(names.resolve('tasks.web')).to.deep.equal({ kind: 'pending' });
    await settled();
    expect(names.resolve('tasks.web')).to.deep.equal({ kind: 'resolved', addresses: ['10.0.0.1', '10.0.0.2'] });
  });

  it('resolves again after two seconds at most, whatever the TTL', async () => {
    responses.set('tasks.web', { addresses: ['10.0.0.1'], ttlMs: 600_000 });
    names.resolve('tasks.web');
    await settled();
    responses.set('tasks.web', { addresses: ['10.0.0.9'], ttlMs: 600_000 });
    await pass(1_999);
    expect(names.resolve('tasks.web')).to.deep.include({ addresses: ['10.0.0.1'] });
    await pass(1);
    expect(names.resolve('tasks.web')).to.deep.include({ addresses: ['10.0.0.9'] });
  });

  it('keeps the same state for the same addresses in another order', async () => {
    responses.set('x', { addresses: ['10.0.0.1', '10.0.0.2'], ttlMs: 0 });
    names.resolve('x');
    await settled();
    const before = names.resolve('x');
    responses.set('x', { addresses: ['10.0.0.2', '10.0.0.1'], ttlMs: 0 });
    await pass(600);
    expect(requested).to.have.length(2);
    expect(names.resolve('x')).to.equal(before);
  });

  it('keeps the last good response while DNS is away', async () => {
    responses.set('x', { addresses: ['10.0.0.1'], ttlMs: 1_000 });
    names.resolve('x');
    await settled();
    responses.set('x', new Error('DNS is away'));
    await pass(5_000);
    expect(requested).to.have.length(2);
    expect(names.resolve('x')).to.deep.equal({ kind: 'resolved', addresses: ['10.0.0.1'] });
  });

  it('reports that a name never had an address, until it has one', async () => {
    names.resolve('x');
    await settled();
    expect(names.resolve('x')).to.deep.equal({ kind: 'failed', message: 'no such name: x' });
    responses.set('x', { addresses: ['10.0.0.1'], ttlMs: 1_000 });
    await pass(2_000);
    expect(names.resolve('x').kind).to.equal('resolved');
  });

  it('drops unused names', async () => {
    responses.set('x', { addresses: ['10.0.0.1'], ttlMs: 1_000 });
    names.resolve('x');
    await settled();
    await pass(60_001);
    expect(requested).to.have.length(1);
    expect(names.peek('x')).to.deep.equal({ kind: 'pending' });
    expect(requested).to.have.length(1);
  });

  it('takes addresses for what they are', () => {
    expect(names.resolve('10.0.0.1')).to.deep.equal({ kind: 'resolved', addresses: ['10.0.0.1'] });
    expect(names.resolve('::1')).to.equal(names.resolve('::1'));
    expect(requested).to.deep.equal([]);
  });

  it('finds what /etc/hosts says', async () => {
    const { addresses } = await resolveBySystem('localhost');
    expect(addresses).to.include('127.0.0.1');
  });
});
