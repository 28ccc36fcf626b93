import { setMaxListeners } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Problem, ServiceKey } from '@swarmgate/registry';
import {
  type EntrypointSetting,
  guardEach,
  guardPromise,
  hostPort,
  type Logger,
  messageOf,
  pause,
  plainAddress,
  timerMs,
} from '@swarmgate/runtime';
import type { Balancer } from '../../endpoints/balancing/balancer.ts';
import type { OpenConnections } from '../../endpoints/open-connections.ts';
import { ownPorts } from '../../endpoints/own-ports.ts';
import type { Upstream, Upstreams } from '../../endpoints/upstreams.ts';
import { addressList } from '../../http/address-list.ts';
import { LocalSemaphores, type Semaphores } from '../../middleware/limits/semaphores.ts';
import { type MaintenanceInForce, pageFor } from '../../middleware/maintenance/maintenance-in-force.ts';
import type { Endpoint, EndpointPick } from '../../model/endpoint.ts';
import type { Route } from '../../model/route.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import { quietProbes } from '../../transport/open-connection.ts';
import { reset } from '../../transport/reset.ts';
import { connectionOwner } from '../connection-owner.ts';
import type { EntrypointView } from '../entrypoint-view.ts';
import { type ProxiedConnections, presentAs } from '../proxy-protocol/proxied-connections.ts';
import { greetingOf } from '../proxy-protocol/sent-header.ts';
import { acquireAll } from './relay-limits.ts';
import { isRelayed, planRelays, type RelayGroup, type RelayPlan, type RelayPort } from './relay-plan.ts';
import { type RelayEnd, relay } from './relayed-connection.ts';
import { readHello } from './server-name.ts';
import { withUnreached } from './unreached-hosts.ts';

export interface RelaysOptions {
  readonly upstreams: Pick<Upstreams, 'of'>;
  readonly balancer: Balancer;
  readonly logger: Logger;
  readonly connectMs: number;
  readonly tunnelMs: number;
  /** A ClientHello may take so long to arrive. */
  readonly helloMs: number;
  readonly host?: string;
  readonly admit?: (socket: Socket) => boolean | Promise<boolean>;
  /** Reads the PROXY header on ports that have one. Default: no port has. */
  readonly proxied?: ProxiedConnections;
  /** Connections of services in maintenance are refused. Default: none is. */
  readonly maintenance?: Pick<MaintenanceInForce, 'of'>;
  /** Takes every connection while it is relayed. */
  readonly connections?: Pick<OpenConnections, 'add'>;
  readonly onEnd?: (end: RelayEnd) => void;
  /** Count connections of `inFlightConn`. Default: those of this process. */
  readonly semaphores?: Semaphores;
}

/** What is known of a connection beside its socket. */
export interface AboutConnection {
  readonly port: number;
  readonly serverName: string | undefined;
}

/** Ports of services in tcp and sni mode: opened and closed as the services come and go. */
export class Relays {
  readonly #options: RelaysOptions;
  readonly #candidates = new Map<ServiceKey, readonly Route[]>();
  readonly #servers = new Map<number, Server>();
  readonly #unavailable = new Map<number, string>();
  readonly #open = new Set<Socket>();
  /** Connections to entrypoints of which it is not known yet whether they are relayed. */
  readonly #undecided = new Set<Socket>();
  #entrypoints: readonly EntrypointSetting[] = [];
  readonly #stopping = new AbortController();
  readonly #semaphores: Semaphores;
  #plan: RelayPlan = { ports: new Map(), problems: new Map() };
  #draining = false;
  #onEmpty: (() => void) | undefined;
  // One change at a time: the next change may open a port that is closing.
  #applying: Promise<void> = Promise.resolve();

  constructor(options: RelaysOptions) {
    this.#options = options;
    this.#semaphores = options.semaphores ?? new LocalSemaphores();
    // Every relayed connection listens to it.
    setMaxListeners(0, this.#stopping.signal);
  }

  /** The ports that take requests; those that end TLS are shared with services that are relayed by server name. */
  beside(entrypoints: readonly EntrypointSetting[]): void {
    this.#entrypoints = entrypoints;
  }

  /** Costs as much as the change, where no service is relayed. */
  apply(table: RouteTable, changed: Iterable<ServiceKey>): Promise<void> {
    for (const key of changed) {
      const relayed = table.routesOf(key).filter(isRelayed);
      if (relayed.length > 0) this.#candidates.set(key, relayed);
      else this.#candidates.delete(key);
    }
    if (this.#candidates.size === 0 && this.#plan.ports.size === 0) return this.#applying;
    const inForce = [...this.#candidates.values()].flat().filter((route) => table.statusOf(route) === 'in-force');
    const plan = planRelays(inForce, this.#entrypoints);
    this.#plan = { ...plan, problems: withUnreached(plan, table) };
    // A change that could not be put in force does not hold up the next one.
    this.#applying = this.#applying.catch(() => undefined).then(() => this.#openAndClose());
    return this.#applying;
  }

  views(): readonly EntrypointView[] {
    return [...this.#plan.ports.values()].flatMap(({ port, isShared }) => {
      // The entrypoint is listed as what it is.
      if (isShared) return [];
      const address = this.#servers.get(port)?.address() as AddressInfo | null | undefined;
      return address === undefined || address === null
        ? { port, secure: false, state: 'closed', reason: this.#unavailable.get(port) ?? 'not open yet' }
        : { port, secure: false, state: 'open', address: hostPort(address.address, address.port) };
    });
  }

  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    if (this.#unavailable.size === 0) return this.#plan.problems;
    const all = new Map(this.#plan.problems);
    for (const [port, reason] of this.#unavailable) {
      const found = this.#plan.ports.get(port);
      const routes =
        found === undefined
          ? []
          : [...found.byName.flatMap(({ group }) => group.routes), ...(found.rest?.routes ?? [])];
      for (const { key } of routes) {
        all.set(key, [
          ...(all.get(key) ?? []),
          {
            severity: 'warning',
            reason: 'relay-port-unavailable',
            message: `port ${port} cannot be opened: ${reason}`,
            label: 'srcPort',
            value: String(port),
            suggestion: 'Choose another com.df.srcPort, or free the port.',
          },
        ]);
      }
    }
    return all;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Not accepting any more; resolves when every relayed connection has ended, or at the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    await this.#applying;
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    if (this.#open.size + this.#undecided.size > 0) {
      const over = new AbortController();
      const empty = new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
      await Promise.race([empty, pause(deadlineMs, over.signal)]);
      over.abort();
    }
    this.#stopping.abort();
    for (const socket of [...this.#open, ...this.#undecided]) socket.destroy();
  }

  /** What is relayed at a port; `undefined`: nothing. */
  portAt(port: number): RelayPort | undefined {
    return this.#plan.ports.get(port);
  }

  /** Keeps `drain` waiting for a connection that may be relayed. @returns ends that */
  holds(socket: Socket): () => void {
    this.#undecided.add(socket);
    return () => {
      this.#undecided.delete(socket);
      this.#noteEmpty();
    };
  }

  /** Relays a connection until it ends. Rejects with a fault; the connection is the caller's to close then. */
  async relayTo(socket: Socket, group: RelayGroup, firstBytes: Buffer, about: AboutConnection): Promise<void> {
    if (socket.destroyed) return;
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#noteEmpty();
    });
    await this.#relay(socket, group, firstBytes, about);
  }

  #noteEmpty(): void {
    if (this.#open.size + this.#undecided.size === 0) this.#onEmpty?.();
  }

  async #openAndClose(): Promise<void> {
    if (this.#draining) return;
    const required = this.#plan.ports;
    for (const [port, server] of this.#servers) {
      if (required.has(port)) continue;
      // Connections that are open stay; only the port goes.
      server.close();
      this.#servers.delete(port);
      this.#options.logger.info({ port }, 'a relay port is closed');
    }
    for (const port of this.#unavailable.keys()) if (!required.has(port)) this.#unavailable.delete(port);
    for (const { port, isShared } of required.values())
      if (!isShared && !this.#servers.has(port)) await this.#openPort(port);
  }

  async #openPort(port: number): Promise<void> {
    const { host, logger } = this.#options;
    try {
      const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
      server.on(
        'connection',
        guardEach(
          (socket: Socket) => connectionOwner(socket, logger),
          (socket) => this.#accept(socket, port),
        ),
      );
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port, host }, resolve);
      });
      server.on('error', (error) => logger.error({ port, err: error }, 'a relay port failed'));
      server.once('close', ownPorts.add(port));
      this.#servers.set(port, server);
      this.#unavailable.delete(port);
      logger.info({ port }, 'a relay port is open');
    } catch (error) {
      const reason = messageOf(error);
      if (this.#unavailable.get(port) !== reason) logger.warn({ port, reason }, 'a relay port cannot be opened');
      this.#unavailable.set(port, reason);
    }
  }

  #accept(socket: Socket, port: number): void {
    socket.on('error', () => socket.destroy());
    const admitted = this.#options.admit?.(socket) ?? true;
    if (typeof admitted === 'boolean') this.#admitted(admitted, socket, port);
    else
      guardPromise(
        connectionOwner(socket, this.#options.logger),
        admitted.then((may) => this.#admitted(may && !socket.destroyed, socket, port)),
      );
  }

  #admitted(may: boolean, socket: Socket, port: number): void {
    if (!may) {
      socket.destroy();
      return;
    }
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#noteEmpty();
    });
    guardPromise(connectionOwner(socket, this.#options.logger), this.#serve(socket, port));
  }

  async #serve(socket: Socket, port: number): Promise<void> {
    const { proxied } = this.#options;
    if (proxied?.isOn(port) === true) {
      const read = await proxied.read(socket);
      if (read === undefined || socket.destroyed) return;
      if (read.source !== undefined) presentAs(socket, read.source);
      if (read.firstBytes.length > 0) socket.unshift(read.firstBytes);
    }
    const found = this.#plan.ports.get(port);
    if (found === undefined) {
      socket.destroy();
      return;
    }
    const chosen = await this.#choose(socket, found);
    if (chosen === undefined) {
      reset(socket);
      this.#ended('no-route', { port, serverName: undefined }, undefined);
      return;
    }
    const { group, firstBytes, serverName } = chosen;
    await this.#relay(socket, group, firstBytes, { port, serverName });
  }

  async #relay(socket: Socket, group: RelayGroup, firstBytes: Buffer, about: AboutConnection): Promise<void> {
    const [first] = group.routes;
    const address = plainAddress(socket.remoteAddress ?? '');
    if (first === undefined || !group.allowed.every((list) => addressList(list)(address))) {
      reset(socket);
      this.#ended('denied', about, first);
      return;
    }
    const routes = group.routes.filter((route) => !this.#isDown(route, address));
    if (routes.length === 0) {
      reset(socket);
      this.#ended('maintenance', about, first);
      return;
    }
    const release = await acquireAll(group, address, this.#semaphores);
    if (release === undefined || socket.destroyed) {
      release?.();
      reset(socket);
      this.#ended(release === undefined ? 'in-flight-limited' : 'client-gone', about, first);
      return;
    }
    const { connectMs, tunnelMs, balancer } = this.#options;
    const { timeoutClientMs, timeoutTunnelMs, clitcpka } = first.destination;
    if (clitcpka === true) socket.setKeepAlive(true, ...quietProbes);
    let forget: (() => void) | undefined;
    let route: Route | undefined;
    const pick = (except: ReadonlySet<string>): EndpointPick => {
      const picked = balancer.pick(first, this.#upstreamOf(routes, group), { except });
      forget?.();
      forget = undefined;
      if (picked.kind === 'none') return picked;
      // Now: while it is connected to, the endpoint may leave its service.
      route = this.#routeTo(picked.endpoint, routes) ?? first;
      forget = this.#opened(socket, route, picked.endpoint, address);
      return picked;
    };
    try {
      const end = await relay(socket, firstBytes, {
        pick,
        greeting: () => greetingOf(route?.destination.sendProxyHeader, socket),
        finished: (endpoint, outcome) => balancer.finished(endpoint, outcome),
        connectMs,
        idleMs: timerMs(timeoutClientMs ?? timeoutTunnelMs ?? tunnelMs),
        signal: this.#stopping.signal,
      });
      this.#ended(end, about, first);
    } finally {
      forget?.();
      release();
    }
  }

  #ended(end: RelayEnd, { port, serverName }: AboutConnection, route: Route | undefined): void {
    this.#options.onEnd?.(end);
    const fields = { port, serverName, service: route?.key, reason: end };
    if (end === 'closed' || end === 'client-gone') this.#options.logger.debug(fields, 'a relayed connection ended');
    else this.#options.logger.warn(fields, 'a relayed connection was not served');
  }

  async #choose(
    socket: Socket,
    { byName, rest }: RelayPort,
  ): Promise<
    { readonly group: RelayGroup; readonly firstBytes: Buffer; readonly serverName: string | undefined } | undefined
  > {
    // A server that speaks first (SSH, SMTP) gets its connection without waiting for a ClientHello.
    if (byName.length === 0)
      return rest === undefined ? undefined : { group: rest, firstBytes: Buffer.alloc(0), serverName: undefined };
    const read = await readHello(socket, this.#options.helloMs, rest !== undefined);
    if (read.kind === 'none' && read.cause !== 'hello-too-large') return undefined;
    const serverName = read.kind === 'read' && read.hello.kind === 'hello' ? read.hello.serverName : undefined;
    const named = serverName === undefined ? undefined : byName.find(({ matches }) => matches(serverName));
    const group = named?.group ?? rest;
    return group === undefined ? undefined : { group, firstBytes: read.bytes, serverName };
  }

  #isDown({ key }: Route, clientAddress: string): boolean {
    const down = this.#options.maintenance?.of(key);
    return down !== undefined && pageFor(down, clientAddress, Date.now()) !== undefined;
  }

  /** The route of a group that an endpoint is of. */
  #routeTo(endpoint: Endpoint, routes: readonly Route[]): Route | undefined {
    if (routes.length === 1) return routes[0];
    return routes.find((route) => this.#options.upstreams.of(route).endpoints.some(({ id }) => id === endpoint.id));
  }

  #opened(socket: Socket, route: Route, endpoint: Endpoint, clientAddress: string) {
    return this.#options.connections?.add({
      key: route.key,
      endpoint,
      clientAddress,
      sides: {
        onDeadline: () => socket.destroy(),
        onFault: (error) => connectionOwner(socket, this.#options.logger).onFault(error),
      },
    });
  }

  #upstreamOf(routes: readonly Route[], { balance }: Pick<RelayGroup, 'balance'>): Upstream {
    const upstreams = routes.map((route) => this.#options.upstreams.of(route));
    const [only] = upstreams;
    if (upstreams.length === 1 && only !== undefined) return { ...only, balance };
    return {
      endpoints: upstreams.flatMap(({ endpoints }) => endpoints),
      inOrder: false,
      ifNone: 'no-endpoint',
      balance,
    };
  }
}
