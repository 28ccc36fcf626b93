import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { loadFor, type ProxyUnderTest, startProxyUnderTest } from '../../../packages/proxy/test/running-proxy.ts';
import { type RunningRedis, startRedis } from '../../harness/redis.ts';
import { until } from '../../harness/until.ts';

const watchedMs = 6_000;
/** In any second, of all that use Redis together; as packages/proxy/test/failing-redis.slow.test.ts has it for Redis that fails. */
const mostConnections = 30;
const mostCommands = 100;
/** One that stays silent is left alone for 2 s after a command: six clients that wait for each of theirs would send 60. */
const mostUnheardCommands = 30;
const clients = 6;

/** What a Redis that is away can look like: stopped, where the system still takes connections for it, and gone. */
const kinds: readonly (readonly [
  string,
  (redis: RunningRedis) => unknown,
  (redis: RunningRedis) => unknown,
  number,
])[] = [
  ['is stopped (SIGSTOP)', (redis) => redis.pause(), (redis) => redis.resume(), mostUnheardCommands],
  ['is killed', (redis) => redis.kill(), (redis) => redis.start(), mostCommands],
];

describe('a whole proxy under traffic with rate limits, whose Redis', function () {
  this.timeout(120_000);
  for (const [kind, takeAway, bringBack, most] of kinds)
    it(`${kind}: pauses between its calls, serves every request, and uses it again afterwards`, async () => {
      const redis = await startRedis();
      const relay = await startRelay(Number(new URL(redis.url).port));
      const endpoint = createHttpServer((_request, response) => response.end('served')).listen(0, '127.0.0.1');
      await once(endpoint, 'listening');
      const under = await startProxyUnderTest({
        replica: 'one',
        env: {
          REDIS_URL: `redis://127.0.0.1:${relay.port}`,
          DFP_SERVICE_1_SERVICE_NAME: 'own',
          DFP_SERVICE_1_SERVICE_PATH: '/',
          DFP_SERVICE_1_PORT: String((endpoint.address() as AddressInfo).port),
          DFP_SERVICE_1_OUTBOUND_HOSTNAME: '127.0.0.1',
          DFP_SERVICE_1_RATE_LIMIT: '1000000/1s',
        },
      });
      try {
        await countsThere(under, relay);
        await takeAway(redis);
        // What was under way when it went: the proxy may find out by its timeouts first.
        await loadFor(under, clients, 1_000);
        relay.forget();
        const { requests, failed } = await loadFor(under, clients, watchedMs);
        const { connections, commands } = relay.mostInASecond();
        console.log(
          `    ${requests} requests; in a second at most ${connections} connections and ${commands} commands`,
        );
        expect(requests, 'requests').to.be.above(100);
        expect(failed, 'failed requests').to.equal(0);
        expect(connections + commands, 'tries').to.be.above(0);
        expect(connections, 'connections in a second').to.be.at.most(mostConnections);
        expect(commands, 'commands in a second').to.be.at.most(most);
        await bringBack(redis);
        await countsThere(under, relay);
      } finally {
        await under.stop();
        relay.close();
        endpoint.close().closeAllConnections();
        await redis.stop();
      }
    });
});

/** A rate limit has reached Redis, which has responded. */
async function countsThere(under: ProxyUnderTest, relay: Relay): Promise<void> {
  await until('rate limits in Redis', async () => {
    const before = relay.responses();
    await loadFor(under, clients, 50);
    return relay.responses() > before + 10;
  });
}

interface Relay {
  readonly port: number;
  /** Pieces that Redis has sent. */
  readonly responses: () => number;
  /** Since the last `forget`. */
  readonly mostInASecond: () => { readonly connections: number; readonly commands: number };
  readonly forget: () => void;
  readonly close: () => void;
}

/** Between the proxy and its Redis: passes everything on, and counts it. */
async function startRelay(redisPort: number): Promise<Relay> {
  let responses = 0;
  const [connectedAtMs, calledAtMs]: [number[], number[]] = [[], []];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connectedAtMs.push(performance.now());
    const redis = connect(redisPort, '127.0.0.1');
    for (const each of [socket, redis]) {
      sockets.add(each);
      each.on('error', () => undefined);
      each.on('close', () => {
        sockets.delete(each);
        socket.destroy();
        redis.destroy();
      });
    }
    socket.on('data', (bytes) => {
      for (const _ of bytes.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n\w+\r\n/g))
        calledAtMs.push(performance.now());
      redis.write(bytes);
    });
    redis.on('data', (bytes) => {
      responses += 1;
      socket.write(bytes);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    responses: () => responses,
    mostInASecond: () => ({ connections: mostOf(connectedAtMs), commands: mostOf(calledAtMs) }),
    forget() {
      connectedAtMs.length = 0;
      calledAtMs.length = 0;
    },
    close() {
      server.close();
      for (const each of sockets) each.destroy();
    },
  };
}

function mostOf(times: readonly number[]): number {
  let [most, from] = [0, 0];
  for (const [at, time] of times.entries()) {
    while ((times[from] as number) < time - 1_000) from += 1;
    most = Math.max(most, at - from + 1);
  }
  return most;
}
