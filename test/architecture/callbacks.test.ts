import { expect } from 'chai';
import { callbacksIn, findCallbacks } from './callbacks.ts';
import { unguarded } from './unguarded-callbacks.ts';

describe('the callbacks that the event loop calls', () => {
  const callbacks = findCallbacks();
  const nameOf = ({ file, line, call }: { file: string; line: number; call: string }) => `${file}:${line} ${call}`;
  const isListed = ({ file, call }: { file: string; call: string }) =>
    unguarded.some(([listed, part]) => file === `packages/${listed}` && call.includes(part));

  it('are found', () => {
    expect(callbacks.length).to.be.greaterThan(150);
    expect(callbacks.filter(({ guarded }) => guarded).length).to.be.greaterThan(50);
    expect(new Set(callbacks.map(({ kind }) => kind))).to.deep.equal(
      new Set(['listener', 'timer', 'promise', 'handshake', 'completion', 'option']),
    );
  });

  it('enter through a guard that knows their exchange, connection or task, or stand in the list with a reason', () => {
    expect(callbacks.filter((callback) => !callback.guarded && !isListed(callback)).map(nameOf)).to.deep.equal([]);
  });

  it('stand in the list only as long as they need to', () => {
    const stale = unguarded.filter(
      ([file, part]) =>
        !callbacks.some(
          ({ file: found, call, guarded }) => !guarded && found === `packages/${file}` && call.includes(part),
        ),
    );
    expect(stale).to.deep.equal([]);
  });

  const cases: readonly (readonly [source: string, found: readonly (readonly [kind: string, guarded: boolean])[]])[] = [
    ["socket.on('data', (bytes) => this.#take(bytes));", [['listener', false]]],
    ["socket.on(\n  'data',\n  guard(owner, (bytes) => take(bytes)),\n);", [['listener', true]]],
    ["const onData = guard(owner, take);\nsocket.on('data', onData);", [['listener', true]]],
    ["const onData = take;\nsocket.on('data', onData);", [['listener', false]]],
    ["signal.addEventListener('abort', stop, { once: true });", [['listener', false]]],
    ['const timer = setTimeout(() => end(), 5);', [['timer', false]]],
    ['setTimeout(guard(owner, end), 5).unref();', [['timer', true]]],
    ['await setImmediate(undefined, { signal });', []],
    ['await new Promise((resolve) => setImmediate(resolve));', []],
    ['{\n  void this.#serve(socket);\n}', [['promise', false]]],
    ['read(): void {}', []],
    ['{\n  reading.then(take);\n}', [['promise', false]]],
    ['guardPromise(owner, reading.then(take));', []],
    [
      '{\n  guardPromise(\n    owner,\n    reading.then((may) => socket.once("close", end)),\n  );\n}',
      [['listener', true]],
    ],
    ['({\n  SNICallback(name, done) {\n    done(null);\n  },\n})', [['handshake', false]]],
    ['({\n  SNICallback(name, done) {\n    guard(owner, () => done(null))();\n  },\n})', [['handshake', true]]],
    ['const server = createServer((socket) => serve(socket));', [['listener', false]]],
    ['const server = createServer(app);', []],
    ["socket.end('bye', () => socket.destroy());", [['completion', false]]],
    ['socket.end(\n  bytes,\n  guard(owner, () => this.#sent()),\n);', [['completion', true]]],
    ['const onSent = guard(owner, sent);\nsocket.write(bytes, onSent);', [['completion', true]]],
    ["socket.write(bytes, 'latin1', callback);", [['completion', false]]],
    ["socket.write(texts.map((each) => each).join(','));", []],
    ['socket.end();', []],
    ['server.listen({ port, host }, resolve);', [['completion', false]]],
    ['server.listen(port);', []],
    ['dns.lookup(name, options, (error, found) => take(error, found));', [['completion', false]]],
    ['await lookup(name, { all: true });', []],
    ['finished(stream, done);', [['completion', false]]],
    ['connect({ port, lookup: found });', [['option', false]]],
    ['connect({ port, lookup: guard(owner, find) });', [['option', true]]],
    ['const onread = { buffer, callback: (length) => take(length) };', [['option', false]]],
    ['interface Options {\n  readonly lookup: (name: string) => string;\n}', []],
    ["// socket.on('data', take);", []],
  ];
  for (const [source, found] of cases)
    it(`are found in ${JSON.stringify(source)}`, () => {
      expect(callbacksIn('a.ts', source).map(({ kind, guarded }) => [kind, guarded])).to.deep.equal(found);
    });
});
