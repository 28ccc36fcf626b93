import { type Server as BackendServer, createServer as createBackend, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Destination, ServiceDefinition } from '@swarmgate/registry';
import { until as untilHolds } from '@swarmgate/runtime/testing';
import { Balancer } from '../src/endpoints/balancing/balancer.ts';
import type { AccessRecord } from '../src/exchange/access-record.ts';
import type { ForwardTimeouts } from '../src/exchange/timeouts.ts';
import type { Middleware } from '../src/middleware/middleware.ts';
import type { Endpoint } from '../src/model/endpoint.ts';
import type { Route } from '../src/model/route.ts';
import type { EncodedSlash } from '../src/routing/normal-path.ts';
import type { HttpServer } from '../src/server/create-http-server.ts';
import { freePort } from './free-ports.ts';
import type { MakeServer } from './server-rig.ts';
import { testCertificate } from './test-certificate.ts';
import { endpointAt, tinyRoute } from './test-context.ts';

export interface RigOptions {
  readonly timeouts?: Partial<ForwardTimeouts>;
  readonly headMs?: number;
  readonly keepAliveMs?: number;
  readonly trustedProxies?: readonly string[];
  readonly writesForwarded?: boolean;
  readonly encodedSlash?: EncodedSlash;
}

export interface RouteOptions {
  readonly definition?: Partial<ServiceDefinition>;
  readonly destination?: Partial<Destination>;
  readonly middleware?: readonly Middleware[];
  readonly endpoints?: readonly Endpoint[];
  readonly ifNone?: 'no-endpoint' | 'stale-endpoint';
  readonly blockedBy?: string;
  readonly redirectToHost?: string;
}

/** A server behind a real port, with routes by first path segment and real backends. */
export class ServerRig {
  readonly reports: AccessRecord[] = [];
  readonly balancer = new Balancer({ random: () => 0 });
  readonly #routes = new Map<string, { readonly route: Route; readonly options: RouteOptions }>();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: HttpServer;
  port = 0;

  private constructor(makeServer: MakeServer, options: RigOptions) {
    this.#server = makeServer({
      context: {
        lookup: (target) => this.#routes.get(target.path.split('/')[1] ?? '')?.route,
        middlewareOf: (route) => this.#optionsOf(route).middleware ?? [],
        pick: (route, required) => {
          const { endpoints = [], ifNone = 'no-endpoint' } = this.#optionsOf(route);
          return this.balancer.pick(route, { endpoints, inOrder: true, ifNone }, required);
        },
        finished: (endpoint, outcome) => this.balancer.finished(endpoint, outcome),
        observe: (report) => this.reports.push(report),
      },
      timeouts: {
        connectMs: 2_000,
        serverMs: 5_000,
        clientMs: 5_000,
        tunnelMs: 5_000,
        headMs: options.headMs ?? 5_000,
        keepAliveMs: options.keepAliveMs ?? 5_000,
        ...options.timeouts,
      },
      limits: { queueMs: 5_000 },
      trusted: options.trustedProxies ?? [],
      mostBodyBytes: 0,
      writesVia: true,
      writesForwarded: options.writesForwarded ?? false,
      encodedSlash: options.encodedSlash ?? 'keep',
    });
  }

  static async start(makeServer: MakeServer, options: RigOptions = {}): Promise<ServerRig> {
    const rig = new ServerRig(makeServer, options);
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      socket.on('error', () => undefined);
      rig.#server.accept(socket, { port: rig.port, secure: false });
    });
    rig.port = await rig.listen(server);
    return rig;
  }

  get server(): HttpServer {
    return this.#server;
  }

  /** Serves `/<name>` from these endpoints. */
  route(name: string, options: RouteOptions = {}): Route {
    const plain = tinyRoute(name, { servicePath: [`/${name}`], ...options.destination });
    const route: Route = {
      ...plain,
      definition: { ...plain.definition, ...options.definition },
      ...(options.blockedBy === undefined ? {} : { blockedBy: options.blockedBy }),
      ...(options.redirectToHost === undefined ? {} : { redirectToHost: options.redirectToHost }),
    };
    this.#routes.set(name, { route, options });
    return route;
  }

  /** A backend that speaks HTTP. */
  async backend(listener: RequestListener): Promise<Endpoint & { readonly server: BackendServer }> {
    const server = createBackend(listener);
    const port = await this.listen(server);
    return { ...endpointAt(port), server };
  }

  /** A backend with a self-signed certificate, as `sslVerifyNone` allows. */
  async secureBackend(listener: RequestListener): Promise<Endpoint & { readonly server: BackendServer }> {
    const { cert, key } = await testCertificate(['endpoint.example']);
    const server = createHttpsServer({ cert, key }, listener);
    const port = await this.listen(server);
    return { ...endpointAt(port), secure: true, server };
  }

  /** A backend that does what it likes with its bytes. */
  async rawBackend(onConnection: (socket: Socket) => void): Promise<Endpoint> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    return endpointAt(await this.listen(server));
  }

  /** A port that refuses. */
  async refusing(): Promise<Endpoint> {
    return endpointAt(await freePort());
  }

  connect(): RawConnection {
    const socket = connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true });
    this.#sockets.add(socket);
    return new RawConnection(socket);
  }

  /** Sends bytes on a connection of their own and reads until it closes. */
  async exchange(bytes: string): Promise<string> {
    const client = this.connect();
    client.send(bytes);
    return client.untilClosed();
  }

  async report(): Promise<AccessRecord> {
    await until(() => this.reports.length > 0);
    return this.reports.at(-1) as AccessRecord;
  }

  async stop(): Promise<void> {
    this.#server.stop();
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
  }

  #optionsOf(route: Route): RouteOptions {
    return this.#routes.get(route.definition.service)?.options ?? {};
  }

  listen(server: Server): Promise<number> {
    this.#servers.push(server);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  }
}

/** A client that sees bytes, not messages. */
export class RawConnection {
  readonly socket: Socket;
  #received = '';
  #closed = false;
  #ended = false;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    const wake = () => {
      for (const each of this.#waiting.splice(0)) each();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      wake();
    });
    socket.on('end', () => {
      this.#ended = true;
      wake();
    });
    socket.on('close', () => {
      this.#closed = true;
      wake();
    });
    socket.on('error', () => undefined);
  }

  get received(): string {
    return this.#received;
  }

  send(bytes: string): void {
    this.socket.write(Buffer.from(bytes, 'latin1'));
  }

  /** Everything received, once it contains this. */
  async until(expected: string | RegExp): Promise<string> {
    const found = () =>
      typeof expected === 'string' ? this.#received.includes(expected) : expected.test(this.#received);
    while (!found()) {
      if (this.#closed || this.#ended)
        throw new Error(`closed before ${expected} came; received ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#received;
  }

  async untilClosed(): Promise<string> {
    while (!this.#closed && !this.#ended) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.socket.destroy();
    return this.#received;
  }
}

/** Awaits a condition that no event announces. */
export async function until(condition: () => boolean): Promise<void> {
  await untilHolds('the condition of the test holds', condition, { everyMs: 2 });
}
