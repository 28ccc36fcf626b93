import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { loadFor, startProxyUnderTest } from './running-proxy.ts';

const watchedMs = 6_000;
/**
 * In any second, of all that use Redis together: hints to send and to receive, numbers of replicas, rate limits. Each connects again
 * after 200 ms at first, 5 times a second where Redis takes connections and ends them, and leaves Redis alone for 2 s after
 * a command that failed.
 */
const mostConnections = 30;
const mostCommands = 100;
const clients = 6;

type Reply = (socket: Socket, command: string) => void;

const info = 'redis_version:7.2.0\r\nloading:0\r\n';
const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const isAboutConnection = (command: string) => /^(info|client|hello|select)$/i.test(command);

/**
 * What Redis does wrong, whatever it is called for. A fake: a real Redis does none of this at will and for as long as it is watched.
 */
const kinds: readonly (readonly [string, Reply | 'close' | undefined])[] = [
  ['closes each connection at once', 'close'],
  ['stays silent', undefined],
  ['refuses each command', (socket) => socket.write('-ERR broken\r\n')],
  ['responds with what is not its protocol', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
  [
    'is always loading its data',
    (socket, command) =>
      socket.write(
        /^info$/i.test(command)
          ? bulk('loading:1\r\nloading_eta_seconds:0\r\n')
          : '-LOADING Redis is loading the dataset in memory\r\n',
      ),
  ],
  [
    'is ready, and refuses each command then',
    (socket, command) =>
      socket.write(
        isAboutConnection(command)
          ? /^info$/i.test(command)
            ? bulk(info)
            : '+OK\r\n'
          : "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
      ),
  ],
  [
    'is ready, and closes the connection with the first command then',
    (socket, command) => {
      if (!isAboutConnection(command)) socket.destroy();
      else socket.write(/^info$/i.test(command) ? bulk(info) : '+OK\r\n');
    },
  ],
  [
    'closes the connection once it is ready',
    (socket, command) => {
      if (/^info$/i.test(command)) socket.end(bulk(info));
      else socket.write('+OK\r\n');
    },
  ],
];

interface Seen {
  /** In the second with the most of them. */
  readonly connections: number;
  readonly commands: number;
  readonly requests: number;
  readonly failed: number;
}

describe('what uses Redis, in a whole proxy under traffic with rate limits', function () {
  this.timeout(60_000);
  const seen = new Map<string, Promise<Seen>>();

  before(() => {
    // All at the same time: each has a Redis of its own.
    for (const [kind, reply] of kinds) seen.set(kind, watch(reply));
    for (const each of seen.values()) each.catch(() => undefined);
  });

  for (const [kind] of kinds)
    it(`pauses between its calls of a Redis that ${kind}, and every request is served`, async () => {
      const { connections, commands, requests, failed } = (await seen.get(kind)) as Seen;
      expect(connections, 'connections').to.be.within(1, mostConnections);
      expect(commands, 'commands').to.be.within(0, mostCommands);
      expect(requests).to.be.above(100);
      expect(failed).to.equal(0);
    });
});

async function watch(reply: Reply | 'close' | undefined): Promise<Seen> {
  const [connectedAtMs, calledAtMs]: [number[], number[]] = [[], []];
  const redis = createServer((socket) => {
    connectedAtMs.push(performance.now());
    socket.on('error', () => undefined);
    if (reply === 'close') socket.destroy();
    socket.setEncoding('latin1').on('data', (text: string) => {
      for (const [, command = ''] of text.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        calledAtMs.push(performance.now());
        if (typeof reply === 'function') reply(socket, command);
      }
    });
  }).listen(0, '127.0.0.1');
  const endpoint = createHttpServer((_request, response) => response.end('served')).listen(0, '127.0.0.1');
  await Promise.all([once(redis, 'listening'), once(endpoint, 'listening')]);
  const portOf = (server: typeof redis | typeof endpoint) => (server.address() as AddressInfo).port;
  const under = await startProxyUnderTest({
    replica: 'one',
    env: {
      REDIS_URL: `redis://127.0.0.1:${portOf(redis)}`,
      DFP_SERVICE_1_SERVICE_NAME: 'own',
      DFP_SERVICE_1_SERVICE_PATH: '/',
      DFP_SERVICE_1_PORT: String(portOf(endpoint)),
      DFP_SERVICE_1_OUTBOUND_HOSTNAME: '127.0.0.1',
      DFP_SERVICE_1_RATE_LIMIT: '100000/1s',
    },
  });
  try {
    const { requests, failed } = await loadFor(under, clients, watchedMs);
    return { connections: mostInASecond(connectedAtMs), commands: mostInASecond(calledAtMs), requests, failed };
  } finally {
    await under.stop();
    redis.close();
    endpoint.close().closeAllConnections();
  }
}

function mostInASecond(times: readonly number[]): number {
  let [most, from] = [0, 0];
  for (const [at, time] of times.entries()) {
    while ((times[from] as number) < time - 1_000) from += 1;
    most = Math.max(most, at - from + 1);
  }
  return most;
}
