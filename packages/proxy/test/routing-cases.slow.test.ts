import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceDefinition, type ServiceKey, serviceKey } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import { startInProcessServer } from '../src/control/serving/in-process-server.ts';
import type { Server as ProxyServer } from '../src/control/serving/server.ts';
import type { ServedService } from '../src/model/served-service.ts';
import { definitionOf, type RoutingCase, routingCases } from './routing-cases.ts';

/** The ports that cases speak of. Each is an entrypoint on a free port here. */
const entryPorts = [80, 443, 444, 8081] as const;

const modes = [
  ['strict', 'core'],
  ['strict', 'express'],
  ['legacy', 'core'],
  ['legacy', 'express'],
] as const;

for (const [order, router] of modes) {
  describe(`routing cases through a serving proxy, ${order}, with the ${router} router`, () => {
    let server: ProxyServer;
    let dataDir: string;
    let endpoints: Endpoints;
    let present: readonly ServiceKey[] = [];

    before(async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-routing-'));
      endpoints = await Endpoints.open();
      const env = { DATA_DIR: dataDir, WORKERS: '0', ORDER: order, HTTP_ROUTER: router };
      server = await startInProcessServer({
        settings: readSettings('proxy', { env }),
        logger: silentLogger,
        metrics: new Metrics(),
        env,
        entrypoints: entryPorts.map(() => ({ port: 0, secure: false })),
        host: '127.0.0.1',
      });
    });

    after(async () => {
      await server.stop();
      await endpoints.close();
      await rm(dataDir, { recursive: true, force: true });
    });

    for (const routingCase of routingCases.filter((each) => each.order === order)) {
      it(routingCase.name, async () => {
        const entry = openPorts(server);
        const definitions = routingCase.given.map((given, at) => endpoints.stand(definitionOf(given), at, entry));
        await server.apply(changeTo(definitions, present));
        present = definitions.map(serviceKey);
        const reply = await send(routingCase.when, entry.get(routingCase.when.port ?? 80) ?? 0);
        expect(seen(reply, routingCase.outcome, endpoints)).to.deep.equal(required(routingCase));
      });
    }
  });
}

/** Two ports that respond at every loopback address: the address says whose endpoint was queried, the port which one. */
class Endpoints {
  readonly #servers: readonly [Server, Server];
  readonly #routes = new Map<string, string>();

  private constructor(servers: readonly [Server, Server]) {
    this.#servers = servers;
  }

  static async open(): Promise<Endpoints> {
    return new Endpoints([await responding(), await responding()]);
  }

  /** The definition with an address of its own for each destination, and with the entry ports that are open here. */
  stand(definition: ServiceDefinition, at: number, entry: ReadonlyMap<number, number>): ServiceDefinition {
    const [port, httpsPort] = this.#servers.map(portOf) as [number, number];
    const owner = definition.owner === 'swarm' ? '' : `${definition.owner}:`;
    const destinations = definition.destinations.map((destination) => {
      const outboundHostname = `127.1.${at + 1}.${destination.index + 1}`;
      const route = `${owner}${definition.service}/${destination.index}`;
      this.#routes.set(`${outboundHostname}:${port}`, route).set(`${outboundHostname}:${httpsPort}`, `${route}:https`);
      if (destination.reqMode === 'tcp') return destination;
      const srcPort = destination.srcPort ?? (destination.httpsPort === undefined ? undefined : 80);
      const opened = (requested: number | undefined) => (requested === undefined ? undefined : entry.get(requested));
      return {
        ...destination,
        outboundHostname,
        port,
        ...(srcPort === undefined ? {} : { srcPort: opened(srcPort) ?? srcPort }),
        ...(destination.httpsPort === undefined
          ? {}
          : { httpsPort, srcHttpsPort: opened(destination.srcHttpsPort ?? 443) ?? 443 }),
      };
    });
    return { ...definition, destinations };
  }

  routeAt(address: string): string {
    return this.#routes.get(address) ?? address;
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }
}

async function responding(): Promise<Server> {
  const server = createServer((request, response) => {
    const { localAddress, localPort } = request.socket;
    response.end(`${localAddress}:${localPort} ${request.url}`);
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function openPorts(server: ProxyServer): ReadonlyMap<number, number> {
  const open = server.entrypoints().map(({ port }) => port);
  return new Map(entryPorts.map((port, at) => [port, open[at] ?? 0]));
}

function changeTo(definitions: readonly ServiceDefinition[], before: readonly ServiceKey[]) {
  const changes = new Map<ServiceKey, ServedService | undefined>(before.map((key) => [key, undefined]));
  for (const definition of definitions) {
    const key = serviceKey(definition);
    changes.set(key, { key, definition, endpoints: undefined, origin: 'registry', addressesFresh: true });
  }
  return { revision: 'r:1', sequence: 1, registryId: 'r', changes, rejected: new Map() };
}

interface RawResponse {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

/** By hand: no client library sends some of these targets. */
async function send(when: RoutingCase['when'], port: number): Promise<RawResponse> {
  const { method = 'GET', host, target, headers = {} } = when;
  const more = Object.entries({ ...headers, 'Content-Length': '0', Connection: 'close' });
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  socket.write(
    `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${more.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
  await once(socket, 'close');
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  return { status: Number(head.split(' ')[1]), location: /^location: (.*)$/im.exec(head)?.[1], body };
}

type Outcome = { readonly route: string; readonly path: string } | { readonly status: number; readonly to?: string };

function required({ when, outcome }: RoutingCase): Outcome {
  if (outcome === 'no-route') return { status: 503 };
  if ('refused' in outcome) return { status: 400 };
  if ('redirectTo' in outcome) return { status: 301, to: `http://${outcome.redirectTo}${when.target}` };
  if (outcome.response !== undefined) return { status: outcome.response };
  const [path = '', query] = when.target.split('?');
  return { route: outcome.route, path: `${outcome.forwarded ?? path}${query === undefined ? '' : `?${query}`}` };
}

function seen(reply: RawResponse, expected: RoutingCase['outcome'], endpoints: Endpoints): Outcome {
  if (reply.status === 200) {
    const [, address = '', path = ''] = /(127\.[0-9.]+:[0-9]+) (.*)/.exec(reply.body) ?? [];
    return { route: endpoints.routeAt(address), path };
  }
  const isRedirect = typeof expected === 'object' && 'redirectTo' in expected && reply.location !== undefined;
  return { status: reply.status, ...(isRedirect ? { to: reply.location } : {}) };
}
