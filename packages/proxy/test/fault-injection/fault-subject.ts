import { randomUUID } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import type { Logger } from '@swarmgate/runtime';
import { silentLogger } from '@swarmgate/runtime';
import { clientPreface, Flag } from '../../src/http/http2/frames.ts';
import { afterTurns } from '../bytes/plan.ts';
import { EndingClient } from '../endings/ending-client.ts';
import { endingKinds } from '../endings/ending-kinds.ts';
import { type Counts, type EndingsRig, startEndingsRig } from '../endings/endings-rig.ts';
import { data, goaway, headers, plainPost, settings } from '../http2-wire.ts';
import { until } from '../until.ts';

/** What became of one injected fault. */
export interface Injected {
  readonly site: string;
  readonly kind: string;
  readonly fired: number;
  /** Log lines that hold the error with its stack. */
  readonly logged: number;
  /** Counts that did not come back to what they were. */
  readonly leaked: readonly string[];
  /** Status of a request on a connection of its own afterwards. */
  readonly status: number;
}

declare global {
  var faultInjection: {
    readonly seen: Set<string>;
    armed: string | undefined;
    fired: number;
    /** How often the place was entered after the fault. */
    readonly again: number;
  };
}

interface Drive {
  readonly name: string;
  readonly run: (rig: EndingsRig) => Promise<void>;
}

/** Once something has leaked, more of it is likely: it is reported without that much patience. */
const settledWithinMs = { first: 20_000, later: 2_000 };
/** Drives that only a timeout of the rig ends, by their names: they run at once. One that is missing here costs 1.5 s. */
const endsByTime = /silent|stops \(|in vain|nothing|half a|refuses it|no PROXY header|and stays/;
const uncaught: string[] = [];
process.on('uncaughtException', (error) => uncaught.push(String(error.stack)));

const logged: string[] = [];
const error = (fields: { readonly err?: unknown }) => {
  if (fields.err instanceof Error && fields.err.stack !== undefined) logged.push(fields.err.stack);
};
const logger = { ...silentLogger, error } as unknown as Logger;

const http2 =
  (port: 'plain' | 'secure', headers: Readonly<Record<string, string>>, body?: string) =>
  (rig: EndingsRig): Promise<void> =>
    new Promise((resolve) => {
      const scheme = port === 'plain' ? 'http' : 'https';
      const session = connectHttp2(`${scheme}://127.0.0.1:${rig.ports[port]}`, { rejectUnauthorized: false });
      const end = () => {
        session.destroy();
        resolve();
      };
      session.once('error', end);
      session.once('close', end);
      const stream = session.request(
        { ':path': '/e/ok', ':authority': 'a.example', ...headers },
        { endStream: body === undefined },
      );
      stream.once('error', end);
      stream.once('close', end);
      stream.resume();
      if (body !== undefined) stream.end(body);
    });

const upgrade = 'Host: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** Writes so many pieces of 64 KB, one after the other: until all are taken, and until none is for a while. */
function carry({ socket }: EndingClient, pieces: number): { whole: Promise<void>; stalled: Promise<void> } {
  const piece = Buffer.alloc(65_536, 'x');
  let written = 0;
  const whole = new Promise<void>((resolve) => {
    const next = () => {
      written += 1;
      if (written > pieces || socket.destroyed) resolve();
      else socket.write(piece, next);
    };
    socket.once('close', resolve);
    next();
  });
  const stalled = new Promise<void>((resolve) => {
    let seen = 0;
    let polls = 0;
    // The proxy runs in this process too: where it comes to no turn, neither does this.
    const timer = setInterval(() => {
      polls = written === seen ? polls + 1 : 0;
      seen = written;
      if (polls < 10 && !socket.destroyed) return;
      clearInterval(timer);
      resolve();
    }, 20);
  });
  return { whole, stalled };
}

const onPlain =
  (run: (client: EndingClient, rig: EndingsRig) => Promise<void>) =>
  async (rig: EndingsRig): Promise<void> => {
    const client = new EndingClient(rig.ports.plain);
    await inTime(client.connected().then(() => run(client, rig)));
    client.socket.destroy();
  };

const inTime = (work: Promise<void>): Promise<void> =>
  Promise.race([work, new Promise<void>((resolve) => setTimeout(resolve, 10_000).unref())]).catch(() => undefined);

/** The preface of HTTP/2 and a whole request with a body. */
const requestByHttp2 = Buffer.concat([
  Buffer.from(clientPreface),
  settings(),
  headers(1, plainPost, Flag.endHeaders),
  data(1, 'x', true),
]).toString('latin1');

const drives: readonly Drive[] = [
  ...endingKinds.flatMap(({ name, port, run }) =>
    // What only time ends takes long: on the ports where nothing else shows it.
    (port === 'proxied' || port === 'named' || port === 'shared' ? ['leave', 'stay'] : ['leave']).map((then) => ({
      name: `${name} (${port})${then === 'stay' ? ', and stays' : ''}`,
      run: async (rig: EndingsRig) => {
        const client = new EndingClient(rig.ports[port]);
        await inTime(client.connected().then(() => run(client)));
        if (then === 'stay') await inTime(client.isOver());
        client.socket.destroy();
      },
    })),
  ),
  {
    name: 'a large body',
    run: onPlain(async (client) => {
      client.write(`POST /e/ok HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: 4000000\r\n\r\n`);
      client.write('x'.repeat(4_000_000));
      await client.isOver();
    }),
  },
  {
    name: 'large responses that are read late',
    run: onPlain(async (client) => {
      client.socket.pause();
      const get = 'GET /e/large HTTP/1.1\r\nHost: a.example\r\n';
      // More than the system takes on the way to the client.
      client.write(`${`${get}\r\n`.repeat(60)}${get}Connection: close\r\n\r\n`);
      await afterTurns(500);
      client.socket.resume();
      await client.isOver();
    }),
  },
  { name: 'a request by HTTP/2', run: http2('plain', {}) },
  { name: 'a request by HTTP/2 over TLS', run: http2('secure', {}) },
  { name: 'a body by HTTP/2', run: http2('plain', { ':method': 'POST' }, 'x'.repeat(900)) },
  { name: 'a body that is too large by HTTP/2', run: http2('plain', { ':method': 'POST' }, 'x'.repeat(400_000)) },
  { name: 'a large response by HTTP/2', run: http2('plain', { ':path': '/e/large' }) },
  {
    name: 'a body by HTTP/2 in many small frames',
    run: onPlain(async (client) => {
      const body = Buffer.concat(Array.from({ length: 3_000 }, () => data(1, 'x')));
      const frames = [Buffer.from(clientPreface), settings(), headers(1, plainPost, Flag.endHeaders), body];
      client.write(Buffer.concat([...frames, data(1, '', true), goaway(0)]).toString('latin1'));
      await client.isOver();
    }),
  },
  { name: 'a head that is no path by HTTP/2', run: http2('plain', { ':path': 'nowhere' }) },
  {
    name: 'frames that are none by HTTP/2',
    run: onPlain(async (client) => {
      client.write(`${clientPreface}${'x'.repeat(200)}`);
      await client.isOver();
    }),
  },
  {
    name: 'a request by HTTP/2, whose client then stays silent',
    run: onPlain(async (client) => {
      client.write(requestByHttp2);
      await client.isOver();
    }),
  },
  {
    name: 'a request by HTTP/2, whose client then ends',
    run: onPlain(async (client) => {
      client.write(requestByHttp2);
      client.socket.end();
      await client.isOver();
    }),
  },
  {
    name: 'a compressed response',
    run: onPlain(async (client) => {
      client.write('GET /zip/text HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n');
      await client.isOver();
    }),
  },
  {
    name: 'a password that is checked first',
    run: onPlain(async (client) => {
      // Another one each time: verdicts are kept.
      const authorization = `Authorization: Basic ${Buffer.from(`jane:${randomUUID()}`).toString('base64')}`;
      client.write(`GET /members/ok HTTP/1.1\r\nHost: a.example\r\n${authorization}\r\nConnection: close\r\n\r\n`);
      await client.isOver();
    }),
  },
  ...Object.entries({
    'a request that reaches its endpoint over TLS': '/s/ok',
    'a request that reaches its endpoint by HTTP/2': '/h2/ok',
    'a response that a page of another service replaces': '/pages/ok',
  }).map(([name, path]) => ({
    name,
    run: onPlain(async (client) => {
      client.write(`GET ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`);
      await client.isOver();
    }),
  })),
  {
    name: 'a tunnel that carries much to a slow endpoint',
    run: onPlain(async (client, rig) => {
      client.write(`GET /e/upgradeslow HTTP/1.1\r\n${upgrade}`);
      await client.receives('hello');
      const carried = carry(client, 256);
      await Promise.race([carried.stalled, carried.whole]);
      const other = new EndingClient(rig.ports.plain);
      other.write('GET /e/resume HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n');
      await Promise.all([other.isOver(), carried.whole]);
      other.socket.destroy();
      // Its silence ends it.
      await client.isOver();
    }),
  },
];

/** The drives that come to each guarded place, the quickest first. */
async function findDrives(rig: EndingsRig): Promise<ReadonlyMap<string, readonly Drive[]>> {
  const driven = drives.filter(isDriven);
  const slow = driven.filter(({ name }) => endsByTime.test(name));
  const together: Drive = {
    name: slow.map(({ name }) => name).join('; '),
    run: async (rig) => void (await Promise.all(slow.map((drive) => drive.run(rig)))),
  };
  const found = new Map<string, Drive[]>();
  // What is made once, at the first connection of a kind, is no leak.
  for (const drive of [...driven.filter((each) => !slow.includes(each)), together]) {
    globalThis.faultInjection.seen.clear();
    await drive.run(rig);
    await settled(rig, undefined);
    for (const site of globalThis.faultInjection.seen) found.set(site, [...(found.get(site) ?? []), drive]);
  }
  return found;
}

/** Injects one fault at every guarded place that these ways of using a server come to. */
async function injectAll(env: Readonly<Record<string, string>>): Promise<readonly Injected[]> {
  const rig = await startEndingsRig({ HTTP2: 'true', ...env }, logger);
  const found = await findDrives(rig);
  let before = await rig.counts();
  let patienceMs = settledWithinMs.first;
  const injected: Injected[] = [];
  for (const [site, ways] of [...found].sort(([one], [other]) => (one < other ? -1 : 1))) {
    logged.length = 0;
    globalThis.faultInjection.fired = 0;
    globalThis.faultInjection.armed = site;
    const tried: string[] = [];
    let now = before;
    // An idle connection, for one, may save a way the place that it came to before.
    for (const drive of [...ways.slice(0, 5), ...ways.slice(5).slice(-1)]) {
      tried.push(drive.name);
      await drive.run(rig);
      now = await settled(rig, before, patienceMs);
      if (globalThis.faultInjection.fired > 0) break;
    }
    globalThis.faultInjection.armed = undefined;
    const leaked = leaksOf(now, before);
    if (leaked.length > 0) {
      // It is this fault's, and none of those after it.
      before = now;
      patienceMs = settledWithinMs.later;
    }
    injected.push({
      site,
      kind: tried.at(-1) ?? '',
      fired: globalThis.faultInjection.fired,
      logged: logged.filter((stack) => stack.includes(`injected at ${site}`)).length,
      leaked,
      status: await statusOf(rig),
    });
  }
  await rig.stop();
  return injected;
}

/** Waits until no more is held than before; `undefined`: nothing but descriptors. */
async function settled(
  rig: EndingsRig,
  before: Counts | undefined,
  withinMs: number = settledWithinMs.first,
): Promise<Counts> {
  let now = await rig.counts();
  await until(
    async () => {
      now = await rig.counts();
      return leaksOf(now, before).length === 0;
    },
    'the counts of before',
    withinMs,
  ).catch(() => undefined);
  return now;
}

function leaksOf(now: Counts, before: Counts | undefined): readonly string[] {
  return Object.entries(now).flatMap(([what, count]) => {
    const allowed = before === undefined ? (what === 'descriptors' ? count : 0) : before[what as keyof Counts];
    return count > allowed ? [`${what}: ${count - allowed}`] : [];
  });
}

async function statusOf(rig: EndingsRig): Promise<number> {
  const client = new EndingClient(rig.ports.plain);
  client.write('GET /e/ok HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n');
  await client.receives('HTTP/1.1 ');
  client.socket.destroy();
  return Number(client.received.slice(9, 12));
}

/** `SUBJECT_DRIVES`: part of the names of the only drives. Default: all. */
function isDriven({ name }: Drive): boolean {
  return name.includes(process.env.SUBJECT_DRIVES ?? '');
}

const injected = await injectAll(JSON.parse(process.env.SUBJECT_ENV ?? '{}') as Record<string, string>);
process.stdout.write(JSON.stringify({ injected, uncaught }));
// What the rig started is stopped; connections of clients may still be closing.
process.exit(0);
