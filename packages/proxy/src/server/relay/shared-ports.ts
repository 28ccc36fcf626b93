import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { guard, guardPromise, type Logger } from '@swarmgate/runtime';
import type { ChallengeResponses } from '../../model/challenge-responses.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import { connectionOwner } from '../connection-owner.ts';
import type { ByServerName, SortedConnection } from '../entrypoints.ts';
import { presentAs } from '../proxy-protocol/proxied-connections.ts';
import { acmeProtocol } from '../tls/challenge-handshakes.ts';
import { type RelayGroup, type RelayPort, relayedName } from './relay-plan.ts';
import type { Relays } from './relays.ts';
import { type HelloError, readHello } from './server-name.ts';

export interface SharedPortsOptions {
  readonly relays: Pick<Relays, 'portAt' | 'relayTo' | 'holds'>;
  /** The table in force. */
  readonly table: () => Pick<RouteTable, 'hostRankAt'>;
  /** Responds to validations by tls-alpn-01 of names that are relayed. Default: none is pending. */
  readonly challenges?: Pick<ChallengeResponses, 'alpnResponse'>;
  /** A ClientHello may take so long to arrive. */
  readonly helloMs: number;
  readonly logger: Logger;
  readonly onRefused?: (cause: HelloError) => void;
}

/**
 * Entrypoints that end TLS for requests and relay connections of sni and tls services, distinguished by their ClientHello. Ports
 * without such services are not looked at.
 */
export class SharedPorts implements ByServerName {
  readonly #options: SharedPortsOptions;

  constructor(options: SharedPortsOptions) {
    this.#options = options;
  }

  looksAt(port: number): boolean {
    return this.#options.relays.portAt(port)?.isShared === true;
  }

  /** Whether connections to the port that name this server are relayed: a request for it belongs on one of those. */
  isRelayed(host: string, port: number): boolean {
    const shared = this.#options.relays.portAt(port);
    return shared?.isShared === true && this.#groupOf(shared, host) !== undefined;
  }

  async sort(socket: Socket, port: number, source: string | undefined): Promise<SortedConnection | undefined> {
    const { relays, helloMs, logger, onRefused } = this.#options;
    const letGo = relays.holds(socket);
    const read = await readHello(socket, helloMs, false).finally(letGo);
    if (read.kind === 'none') {
      onRefused?.(read.cause);
      logger.debug(
        { port, peer: source ?? socket.remoteAddress, reason: read.cause },
        'a connection sent no ClientHello',
      );
      socket.destroy();
      return undefined;
    }
    if (socket.destroyed) return undefined;
    const { hello, bytes } = read;
    if (hello.kind !== 'hello') {
      socket.destroy();
      return undefined;
    }
    // The entry may have gone in the meantime; then TLS is ended.
    const shared = relays.portAt(port);
    const group = shared === undefined ? undefined : this.#groupOf(shared, hello.serverName);
    if (group === undefined || this.#isValidation(hello.serverName, hello.protocols)) return { bytes };
    const about = { port, serverName: hello.serverName };
    const relay = (client: Socket, firstBytes: Buffer) => {
      if (source !== undefined && client === socket) presentAs(socket, source);
      guardPromise(connectionOwner(client, logger), relays.relayTo(client, group, firstBytes, about));
    };
    if (!group.endsTls) {
      relay(socket, bytes);
      return undefined;
    }
    return {
      bytes,
      onSecured(secured: TLSSocket) {
        secured.on('error', ignoreReset);
        const begin = guard(connectionOwner(secured, logger), () => relay(secured, Buffer.alloc(0)));
        // A client that is refused is reset below TLS, and within the handshake's own callback that ends the process.
        setImmediate(begin);
      },
    };
  }

  /** A certificate of ours is being ordered for the name: its service cannot respond for that. */
  #isValidation(serverName: string | undefined, protocols: readonly string[]): boolean {
    if (serverName === undefined || !protocols.includes(acmeProtocol)) return false;
    return this.#options.challenges?.alpnResponse(serverName) !== undefined;
  }

  #groupOf(shared: RelayPort, serverName: string | undefined): RelayGroup | undefined {
    const table = this.#options.table();
    return relayedName(shared, serverName, (name) => table.hostRankAt(name, { port: shared.port, secure: true }));
  }
}

function ignoreReset(): void {
  // The relay handles `close`.
}
