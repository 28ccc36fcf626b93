import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRegistry, type KeyValueStore, RegistryError } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { startListener } from '../src/listener.ts';

const watchedMs = 4_000;
/** Of all control tasks together, each of which pauses 50 to 100 ms at first and then twice as long each time. */
const mostCalls = 200;

/** What Docker's API does wrong, whatever it is called for. */
const engines: readonly (readonly [string, (request: IncomingMessage, response: ServerResponse) => void])[] = [
  ['closes each connection', (request) => request.socket.destroy()],
  ['fails each call at once', (_request, response) => response.writeHead(500).end('{"message":"broken"}')],
  ['refuses each call', (_request, response) => response.writeHead(403).end()],
  ['responds to each call with what is no JSON', (_request, response) => response.end('<html>')],
  ['responds to each call with nothing', (_request, response) => response.end()],
  ['lists nothing, and ends its events at once', (request, response) => response.end(emptyFor(request.url ?? ''))],
];

const stores: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['fails each call at once', () => Promise.reject(RegistryError.of('registry-unreachable', 'the disk is full'))],
  ['fails with what is no error of a registry', () => Promise.reject(new TypeError('broken'))],
  ['responds to each call with nothing', async () => undefined],
];

function emptyFor(url: string): string {
  if (/\/(info|_ping)/.test(url)) return '{"Swarm":{"Cluster":{"ID":"c"},"NodeID":"n","ControlAvailable":true}}';
  return url.includes('/events') ? '' : '[]';
}

describe('the control tasks of a whole listener', function () {
  this.timeout(120_000);
  const seen = new Map<string, Promise<{ readonly engine: number; readonly store: number }>>();

  before(() => {
    // All at the same time: each has surroundings of its own.
    for (const [engine, reply] of engines)
      for (const [store, response] of stores) seen.set(`${engine}, ${store}`, watch(reply, response));
    for (const each of seen.values()) each.catch(() => undefined);
  });

  for (const [engine] of engines)
    for (const [store] of stores)
      it(`pause between their calls of an engine that ${engine}, and a registry that ${store}`, async () => {
        const calls = await seen.get(`${engine}, ${store}`);
        expect(calls?.engine).to.be.within(1, mostCalls);
        expect(calls?.store).to.be.within(0, mostCalls);
      });
});

async function watch(
  reply: (request: IncomingMessage, response: ServerResponse) => void,
  response: () => Promise<unknown>,
): Promise<{ readonly engine: number; readonly store: number }> {
  let [engine, calls] = [0, 0];
  const server: Server = createServer((request, sent) => {
    engine += 1;
    request.resume();
    reply(request, sent);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const store = new Proxy({ kind: 'consul', description: 'a test' } as unknown as KeyValueStore, {
    get: (target, name: keyof KeyValueStore) => {
      if (name in target) return target[name];
      return () => {
        calls += 1;
        // A loop in microtasks would never let a timer fire: it is stopped here, and counted.
        return calls > 10 * mostCalls ? new Promise(() => {}) : response();
      };
    },
  });
  const ending = new AbortController();
  const { port } = server.address() as AddressInfo;
  const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, LISTENER_PORT: 'off', SWARM_NAME: 'swarm' };
  const listener = await startListener({
    settings: readSettings('listener', { env }),
    registry: createRegistry({ store, instance: 'swarmgate' }),
    logger: silentLogger,
    signal: ending.signal,
  });
  try {
    // Time itself is tested: the calls within a span are counted, and no event marks its end.
    await new Promise((resolve) => setTimeout(resolve, watchedMs));
    return { engine, store: calls };
  } finally {
    ending.abort();
    await listener.stop();
    server.closeAllConnections();
    server.close();
  }
}
