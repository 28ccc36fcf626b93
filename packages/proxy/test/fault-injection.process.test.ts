import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { FailedTask } from './fault-injection/control-subject.ts';
import type { Injected } from './fault-injection/fault-subject.ts';

const folder = fileURLToPath(new URL('fault-injection/', import.meta.url));
const sources = fileURLToPath(new URL('../src/', import.meta.url));

/** Guarded places that the ways of `fault-subject.ts` do not come to, and why. */
const notInjected: readonly (readonly [place: string, reason: string])[] = [
  ['exchange/access-log.ts', 'no exchange owns it: a fault drops lines; access-log.test.ts'],
  ['exchange/tracing/post-spans.ts', 'no exchange owns it: a fault fails one call; post-spans.test.ts'],
  ['express/plugins/block-watch.ts', 'a thread, with plug-ins only; plugins/blocking-plugins.process.test.ts'],
  ['express/express-router.ts', 'plug-ins only'],
  ['express/response-events.ts', 'middleware only; express-router.test.ts'],
  ['express/view-request.ts', 'middleware that destroys its request; view-endings.test.ts'],
  ['express/view-socket.ts', 'middleware that listens on a socket; node-parity.slow.test.ts'],
  ['middleware/auth/password-pool.ts', 'a thread; password-pool.test.ts'],
  ['server/entrypoints.ts', 'the end of a port, and admission by the control process, whose promise is a call’s'],
  ['server/http2/reference/reference-connection.ts', '`HTTP2=node` alone, in a run of its own'],
  ['server/http2/reference/reference-stream.ts', '`HTTP2=node` alone, in a run of its own'],
  ['server/http2/request-stream.ts', 'HTTP/2 tunnels; the stream is its owner as for all its events'],
  ['server/relay/relay-direction.ts', 'a side that does not keep up; relay-direction.slow.test.ts'],
  ['server/relay/relayed-connection.ts', 'the abort at the end of the process'],
  ['server/relay/relays.ts', 'admission by the control process'],
  ['transport/http2/http2-connection.ts', 'endpoints of HTTP/2; http2-faults.test.ts'],
  ['transport/liveness-connect.ts', 'a host that is gone, which loopback does not know; liveness-connect.test.ts'],
  ['transport/small-pieces.ts', 'bodies of many connections at a time; small-pieces.test.ts'],
  ['transport/open-connection.ts', 'a port of the proxy itself; own-ports.slow.test.ts'],
];

interface Injections {
  readonly injected: readonly Injected[];
  /** Stacks. */
  readonly uncaught: readonly string[];
}

interface FailedTasks extends Pick<Injections, 'uncaught'> {
  readonly injected: readonly FailedTask[];
  /** Without a fault. */
  readonly quiet: FailedTask;
}

/** @param drives part of the names of the only ways of using the server. Default: all. */
async function run<T>(subject: string, env: Readonly<Record<string, string>> = {}, drives = ''): Promise<T> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', join(folder, 'instrument-guards.mjs'), join(folder, subject)],
    { env: { ...process.env, SUBJECT_ENV: JSON.stringify(env), SUBJECT_DRIVES: drives }, maxBuffer: 1e8 },
  );
  return JSON.parse(stdout) as T;
}

describe('an error thrown in a callback', function () {
  // 30 s for the four processes beside each other on two cores, and room for a machine that has much else to do.
  this.timeout(300_000);
  let of: Readonly<Record<'core' | 'Express', Injections>>;
  let reference: Injections;
  let control: FailedTasks;

  before(async () => {
    const [core, Express, node, tasks] = await Promise.all([
      run<Injections>('fault-subject.ts'),
      run<Injections>('fault-subject.ts', { HTTP_ROUTER: 'express' }),
      run<Injections>('fault-subject.ts', { HTTP2: 'node' }, 'HTTP/2'),
      run<FailedTasks>('control-subject.ts'),
    ]);
    of = { core, Express };
    reference = node;
    control = tasks;
  });

  for (const what of ['core', 'Express'] as const)
    describe(`of an exchange or a connection, with the ${what} router`, () => {
      let injected: readonly Injected[];
      let uncaught: readonly string[];

      before(() => {
        ({ injected, uncaught } = of[what]);
      });

      it('is injected at every guarded place of transport, exchange and server', () => {
        expect(injected.filter(({ fired }) => fired !== 1)).to.deep.equal([]);
        const lacking = guardedPlaces().filter(
          (place) =>
            !injected.some(({ site }) => site === `proxy/src/${place}`) &&
            !notInjected.some(([file]) => place.startsWith(`${file}:`)),
        );
        expect(lacking).to.deep.equal([]);
      });

      it('ends no process', () => {
        expect(uncaught).to.deep.equal([]);
      });

      it('is logged once, with its stack', () => {
        expect(injected.filter(({ logged }) => logged !== 1)).to.deep.equal([]);
      });

      it('leaks no connection, slot, exchange or descriptor', () => {
        expect(injected.filter(({ leaked }) => leaked.length > 0)).to.deep.equal([]);
      });

      it('costs no other client: the next request is served', () => {
        expect(injected.filter(({ status }) => status !== 200)).to.deep.equal([]);
      });
    });

  it('of the reference server of HTTP/2 costs its connection or its exchange', () => {
    const isOfReference = (site: string) => site.includes('server/http2/reference/');
    const injected = reference.injected.filter(({ site }) => isOfReference(site));
    for (const { fired, logged, leaked, status } of injected)
      expect({ fired, logged, leaked, status }).to.deep.equal({ fired: 1, logged: 1, leaked: [], status: 200 });
    expect(reference.uncaught).to.deep.equal([]);
    const sites = new Set(injected.map(({ site }) => site));
    const lacking = guardedPlaces().filter((place) => isOfReference(place) && !sites.has(`proxy/src/${place}`));
    // Of a stream that is refused, whose errors nothing is done with.
    expect(lacking).to.have.length(1);
  });

  describe('of a control task', () => {
    let injected: readonly FailedTask[];
    let quiet: FailedTask;
    let uncaught: readonly string[];

    before(() => {
      ({ injected, quiet, uncaught } = control);
    });

    it('is injected in every task that a proxy of one process has', () => {
      expect(injected.map(({ site }) => site)).to.include.members([
        'task health-checks',
        'task name-resolution',
        'task own-networks',
        'task problem-watch',
        'task registry-following',
        'task reload-requests',
        'task replica-presence',
        'task shared-certificates',
      ]);
      expect(injected.filter(({ fired }) => fired !== 1)).to.deep.equal([]);
    });

    it('ends no process, and the proxy becomes ready all the same', () => {
      expect(uncaught).to.deep.equal([]);
      expect(injected.filter(({ ready }) => ready !== 200)).to.deep.equal([]);
    });

    it('restarts the task', () => {
      expect(injected.filter(({ again }) => !again)).to.deep.equal([]);
    });

    it('is a problem under the name of the task, and of no other', () => {
      expect(quiet.problems).to.deep.equal([]);
      expect(injected.filter(({ problems }) => problems.length !== 1)).to.deep.equal([]);
    });
  });
});

/** `server/relay/relays.ts:146`, for each guard in the modules that serve requests. */
function guardedPlaces(): readonly string[] {
  return globSync('{transport,exchange,server,express,middleware}/**/*.ts', { cwd: sources })
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) =>
      readFileSync(join(sources, file), 'utf8')
        .split('\n')
        .flatMap((line, at) => (/\bguard(?:Each|Promise|Owned)?\(/.test(line) ? [`${file}:${at + 1}`] : [])),
    );
}
