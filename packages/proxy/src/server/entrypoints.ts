import { type BoundSocket, createServer, type Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type EntrypointSetting, guard, guardEach, guardPromise, type Logger } from '@swarmgate/runtime';
import { ownPorts } from '../endpoints/own-ports.ts';
import { bindPort, canBind, entrypointError, namedTwice } from './bound-port.ts';
import { connectionOwner } from './connection-owner.ts';
import type { EntrypointView } from './entrypoint-view.ts';
import type { ProtocolServer } from './protocol-server.ts';
import { type ProxiedConnections, presentAs } from './proxy-protocol/proxied-connections.ts';
import { SecureEntrypoint, type SecureEntrypointOptions } from './tls/secure-entrypoint.ts';

/** `fd`: a socket that another process bound to the port and holds. Default: bound here. */
export interface EntrypointToOpen extends EntrypointSetting {
  readonly fd?: number;
}

/** What becomes of a connection whose TLS the proxy ends. */
export interface SortedConnection {
  /** Read of it, its ClientHello among them. */
  readonly bytes: Buffer;
  /** Takes it when TLS is set up. Default: it carries requests. */
  readonly onSecured?: (secured: TLSSocket) => void;
}

/** Distinguishes connections of one port by their ClientHello, before their TLS is ended. */
export interface ByServerName {
  /** Connections of other ports are not looked at. */
  looksAt(port: number): boolean;
  /**
   * `undefined`: the connection is taken or closed.
   * @param source the client's address where a PROXY header gave it
   */
  sort(socket: Socket, port: number, source: string | undefined): Promise<SortedConnection | undefined>;
}

export interface EntrypointsOptions {
  readonly settings: readonly EntrypointToOpen[];
  /** Serves the connections that are accepted. */
  readonly server: ProtocolServer;
  /** Ends TLS; `undefined` where no certificate is known, so secure ports stay closed. */
  readonly secure: SecureEntrypointOptions | undefined;
  readonly logger: Logger;
  /** `false`: another process serves the connection, which is not this one's any more. Default: all are kept. */
  readonly keeps?: (socket: Socket, port: number) => boolean;
  /** May refuse a connection before anything is read from it. */
  readonly admit?: (socket: Socket) => boolean | Promise<boolean>;
  /** Reads the PROXY header on ports that have one. Default: no port has. */
  readonly proxied?: ProxiedConnections;
  /** Default: all connections of `:ssl` ports carry requests. */
  readonly byServerName?: ByServerName;
  /** Default: all addresses, both families. */
  readonly host?: string;
  /** Default 511. */
  readonly backlog?: number;
}

/** A port on its way to be opened. `bound`: taken already, by this process. */
interface Waiting {
  readonly setting: EntrypointToOpen;
  readonly bound: BoundSocket | undefined;
  readonly reason: string;
}

interface Open {
  readonly server: Server;
  readonly view: EntrypointView;
}

/** The ports that clients connect to. They are bound first and opened once the first routes are loaded. */
export class Entrypoints {
  readonly #options: EntrypointsOptions;
  readonly #open = new Map<number, Open>();
  /** Of every port that was opened here, also once it accepts no more: a connection may be on its way then. */
  readonly #adopters = new Map<number, (socket: Socket) => void>();
  readonly #waiting = new Map<number, Waiting>();
  #opened = false;

  private constructor(options: EntrypointsOptions) {
    this.#options = options;
  }

  /** Binds the ports; clients cannot connect yet. @throws EntrypointError naming the port; then no port stays bound. */
  static bind(options: EntrypointsOptions): Entrypoints {
    const entrypoints = new Entrypoints(options);
    try {
      for (const setting of options.settings) entrypoints.#bindOne(setting);
    } catch (error) {
      entrypoints.#release();
      throw error;
    }
    return entrypoints;
  }

  /** Takes the ports and opens them. @throws EntrypointError naming the port; none stays open then. */
  static async open(options: EntrypointsOptions): Promise<Entrypoints> {
    const entrypoints = Entrypoints.bind(options);
    await entrypoints.open();
    return entrypoints;
  }

  /** @throws EntrypointError naming the port; none stays open then. */
  async open(): Promise<void> {
    this.#opened = true;
    try {
      for (const [port, waiting] of this.#waiting) await this.#openOne(port, waiting);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Serves a connection that another process accepted on the same port. It is closed where the port was never open here. */
  adopt(socket: Socket, port: number): void {
    const adopt = this.#adopters.get(port);
    if (adopt === undefined) socket.destroy();
    else adopt(socket);
  }

  views(): readonly EntrypointView[] {
    return [...[...this.#open.values()].map(({ view }) => view), ...this.#closedViews()];
  }

  /** Opens secure ports that had to wait for the first certificate. @throws EntrypointError naming the port */
  async openWaiting(): Promise<void> {
    if (!this.#opened || this.#options.secure?.certificates.isEmpty !== false) return;
    for (const [port, waiting] of this.#waiting) await this.#openOne(port, waiting);
  }

  #closedViews(): EntrypointView[] {
    return [...this.#waiting].map(
      ([
        port,
        {
          setting: { secure },
          reason,
        },
      ]) => ({
        port,
        secure,
        state: 'closed',
        reason,
      }),
    );
  }

  /** Stops accepting. Connections that are open stay with their server. */
  async close(): Promise<void> {
    const closing = [...this.#open.values()].map(
      ({ server }) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    this.#open.clear();
    this.#release();
    // `close` calls back after the last connection; here only the end of listening matters.
    await Promise.race([Promise.all(closing), new Promise((resolve) => setImmediate(resolve))]);
  }

  #release(): void {
    for (const { bound } of this.#waiting.values()) bound?.[Symbol.dispose]();
    this.#waiting.clear();
  }

  #bindOne(setting: EntrypointToOpen): void {
    // The system lets one process take a port twice, and refuses only when it listens.
    if (this.#waiting.has(setting.port)) throw namedTwice(setting.port);
    const mayBind = setting.fd === undefined && canBind();
    const bound = mayBind ? bindPort(setting.port, this.#options.host) : undefined;
    // With port 0 (tests) the real one is what clients see.
    const port = bound?.address().port ?? setting.port;
    this.#waiting.set(port, { setting: { ...setting, port }, bound, reason: noTable });
  }

  async #openOne(port: number, waiting: Waiting): Promise<void> {
    const { logger, secure } = this.#options;
    const { setting } = waiting;
    if (setting.secure && (secure === undefined || secure.certificates.isEmpty)) {
      logger.warn({ port }, `entrypoint ${port}:ssl stays closed, ${noCertificate}`);
      this.#waiting.set(port, { ...waiting, reason: noCertificate });
      return;
    }
    this.#waiting.delete(port);
    // A protocol sets `noDelay` where it writes more than once: a call of the system for each connection.
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: false });
    const address = await listen(server, waiting, this.#options.host, this.#options.backlog ?? 511);
    const entry = { ...setting, port: address.port };
    const ends =
      entry.secure && secure !== undefined
        ? new SecureEntrypoint(
            secure,
            (secured) => {
              secured.on('error', ignoreReset);
              this.#serve(secured, entry);
            },
            logger,
          )
        : undefined;
    const ownerOf = (socket: Socket) => connectionOwner(socket, logger);
    const { keeps } = this.#options;
    const adopt = guardEach(ownerOf, (socket) => this.#accept(socket, entry, ends));
    server.on(
      'connection',
      keeps === undefined
        ? adopt
        : guardEach(ownerOf, (socket) => {
            if (keeps(socket, entry.port)) this.#accept(socket, entry, ends);
          }),
    );
    const faults = {
      onFault: (error: unknown) => logger.error({ port: entry.port, err: error }, 'an entrypoint failed'),
    };
    if (ends !== undefined)
      server.once(
        'close',
        guard(faults, () => ends.stop()),
      );
    server.once('close', ownPorts.add(entry.port));
    server.on('error', faults.onFault);
    const view: EntrypointView = {
      port: entry.port,
      secure: entry.secure,
      state: 'open',
      address: address.text,
    };
    this.#adopters.set(entry.port, adopt);
    this.#open.set(entry.port, { server, view });
    logger.info({ port: entry.port, secure: entry.secure, address: address.text }, 'an entrypoint is open');
  }

  #accept(socket: Socket, entry: EntrypointSetting, ends: SecureEntrypoint | undefined): void {
    // Without a listener a reset before the server has it would end the process.
    socket.on('error', ignoreReset);
    const admitted = this.#options.admit?.(socket) ?? true;
    if (typeof admitted === 'boolean') this.#admitted(admitted, socket, entry, ends);
    else
      guardPromise(
        connectionOwner(socket, this.#options.logger),
        admitted.then((may) => this.#admitted(may && !socket.destroyed, socket, entry, ends)),
      );
  }

  #admitted(may: boolean, socket: Socket, entry: EntrypointSetting, ends: SecureEntrypoint | undefined): void {
    if (!may) {
      socket.destroy();
      return;
    }
    const { proxied, logger } = this.#options;
    if (proxied?.isOn(entry.port) === true)
      guardPromise(connectionOwner(socket, logger), this.#behindProxy(proxied, socket, entry, ends));
    else if (ends === undefined) this.#serve(socket, entry);
    else this.#endTls(ends, socket, entry);
  }

  #endTls(ends: SecureEntrypoint, socket: Socket, entry: EntrypointSetting, source?: string): void {
    const { byServerName, logger } = this.#options;
    socket.setNoDelay(true);
    if (byServerName?.looksAt(entry.port) !== true) {
      ends.accept(socket, { source });
      return;
    }
    const sorting = byServerName.sort(socket, entry.port, source).then((sorted) => {
      if (sorted !== undefined) ends.begin(socket, sorted.bytes, { onSecured: sorted.onSecured, source });
    });
    guardPromise(connectionOwner(socket, logger), sorting);
  }

  async #behindProxy(
    proxied: ProxiedConnections,
    socket: Socket,
    entry: EntrypointSetting,
    ends: SecureEntrypoint | undefined,
  ): Promise<void> {
    const read = await proxied.read(socket);
    if (read === undefined || socket.destroyed) return;
    const { source, firstBytes } = read;
    if (ends === undefined) {
      if (source !== undefined) presentAs(socket, source);
      this.#serve(socket, entry, firstBytes);
      return;
    }
    if (firstBytes.length > 0) socket.unshift(firstBytes);
    this.#endTls(ends, socket, entry, source);
  }

  #serve(connection: Socket, entry: EntrypointSetting, firstBytes?: Buffer): void {
    this.#options.server.accept(connection, entry, firstBytes);
  }
}

const noTable = 'it opens with the first routes';
const noCertificate = 'no certificate: put a PEM into DATA_DIR/certs, mount a secret cert-<name>, or PUT one';

function ignoreReset(): void {
  // The owner of the connection handles `close`.
}

async function listen(
  server: Server,
  { setting: { port, fd }, bound }: Waiting,
  host: string | undefined,
  backlog: number,
): Promise<{ readonly port: number; readonly text: string }> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      bound?.[Symbol.dispose]();
      reject(entrypointError(error, port, host));
    };
    server.once('error', onError);
    const onListening = () => {
      server.off('error', onError);
      resolve();
    };
    if (bound !== undefined) server.listen(bound, backlog, onListening);
    // Wrapped in a socket, because a bare `fd` in a cluster worker would name one of the primary process.
    else if (fd !== undefined)
      server.listen(new Socket({ fd, readable: false, writable: false }), backlog, onListening);
    else server.listen({ port, host, backlog }, onListening);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has an address and a port');
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { port: address.port, text: `${shown}:${address.port}` };
}
