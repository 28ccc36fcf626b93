import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import { guard, type Logger } from '@swarmgate/runtime';
import { markMisdirected } from '../../exchange/client-connection.ts';
import type { ChallengeResponses } from '../../model/challenge-responses.ts';
import { takeOwnTurn } from '../../transport/fair-turn.ts';
import { noteUnder } from '../../transport/reset.ts';
import { connectionOwner } from '../connection-owner.ts';
import { presentAs } from '../proxy-protocol/proxied-connections.ts';
import { type HelloError, takeHello } from '../relay/server-name.ts';
import { type AcceptedConnection, AcceptedConnections } from './accepted-connections.ts';
import { noteCertificate } from './certificate-reach.ts';
import type { CertificateStore } from './certificate-store.ts';
import { acmeProtocol, challengeHandshakes } from './challenge-handshakes.ts';
import { checksAgainst } from './client-context.ts';
import type { TicketKeys } from './ticket-keys.ts';

export interface SecureEntrypointOptions {
  readonly certificates: CertificateStore;
  /** How long a ClientHello may take to arrive, and then the rest of the handshake, in milliseconds each. */
  readonly handshakeMs: number;
  /** PEM of the authorities for client certificates. Certificates are requested; each route decides whether it needs one. */
  readonly clientAuthorities?: string;
  /** Default: keys of this process alone. */
  readonly ticketKeys?: TicketKeys;
  /** Responds to validations by tls-alpn-01. Default: none is pending. */
  readonly challenges?: Pick<ChallengeResponses, 'alpnResponse'>;
  /** Offer HTTP/2 before HTTP/1.1. Default: HTTP/1.1 alone. */
  readonly http2?: boolean;
  readonly onFailure?: (error: Error) => void;
  /** A connection was closed before its handshake began. */
  readonly onRefused?: (cause: HelloError) => void;
}

const offered: readonly string[] = ['http/1.1'];

/** Ends TLS on the connections of one port. Certificates may change at any time; open connections keep theirs. */
export class SecureEntrypoint {
  readonly #server: Server;
  readonly #options: SecureEntrypointOptions;
  readonly #logger: Pick<Logger, 'error'>;
  readonly #stopFollowing: readonly (() => void)[];
  /** Until TLS is set up on them. */
  readonly #accepted = new AcceptedConnections();

  /** @param logger gets faults, each of which ends its connection */
  constructor(
    options: SecureEntrypointOptions,
    onRequests: (secured: TLSSocket) => void,
    logger: Pick<Logger, 'error'>,
  ) {
    this.#options = options;
    this.#logger = logger;
    const { certificates, clientAuthorities, ticketKeys } = options;
    const handshakes = challengeHandshakes(options.challenges, options.http2 === true ? ['h2', ...offered] : offered);
    this.#server = createServer({
      minVersion: 'TLSv1.2',
      // `undefined` ends the handshake with `no_application_protocol`, as a list without overlap does.
      ALPNCallback(this: TLSSocket, { servername, protocols }) {
        return guard(connectionOwner(this, logger), () => {
          // The service behind a relay has one protocol, which is not known here.
          const isOfRelay = isRelayed(this) && !protocols.includes(acmeProtocol);
          return isOfRelay ? relayedProtocol(protocols) : handshakes.chooseProtocol(this, servername, protocols);
        })();
      },
      handshakeTimeout: options.handshakeMs,
      SNICallback(this: TLSSocket, servername: string, callback: (error: null, context?: SecureContext) => void) {
        guard(connectionOwner(this, logger), () => {
          const validation = handshakes.contextFor(this);
          const context = validation ?? certificates.contextFor(servername);
          const isServed = validation === undefined && context !== undefined;
          if (isServed && !checksAgainst(context, clientAuthorities)) markMisdirected(this);
          callback(null, context);
        })();
      },
      requestCert: clientAuthorities !== undefined,
      // A route without `verifyClientSsl` needs no client certificate.
      rejectUnauthorized: false,
      ...(clientAuthorities === undefined ? {} : { ca: clientAuthorities }),
    });
    const isRelayed = (secured: TLSSocket) => this.#accepted.find(secured)?.onSecured !== undefined;
    const secure = (secured: TLSSocket) => {
      if (handshakes.isOver(secured)) {
        secured.destroySoon();
        return;
      }
      const { socket, source, onSecured } = this.#accepted.take(secured) ?? {};
      secured.allowHalfOpen = true;
      if (socket !== undefined) noteUnder(secured, socket);
      if (source !== undefined) presentAs(secured, source);
      if (onSecured !== undefined) {
        onSecured(secured);
        return;
      }
      // The requests of HTTP/1 follow one another on the connection that their client chose for them.
      if (secured.alpnProtocol === 'h2') noteCertificate(secured, certificates);
      onRequests(secured);
    };
    this.#server.on('secureConnection', (secured) => guard(connectionOwner(secured, logger), () => secure(secured))());
    this.#server.on('tlsClientError', (error, secured) =>
      guard(connectionOwner(secured, logger), () => {
        // node:tls only reports a handshake that takes too long, and keeps the connection open.
        secured.destroy();
        options.onFailure?.(error);
      })(),
    );
    const useTicketKeys = () => {
      if (ticketKeys !== undefined) this.#server.setTicketKeys(ticketKeys.current);
    };
    // Clients that send no server name get the context of the server itself. Tickets are of that context too, whatever
    // name the client sent.
    const stopDefault = certificates.onNameless(({ cert, key }) => {
      this.#server.setSecureContext({
        cert,
        key,
        minVersion: 'TLSv1.2',
        ...(clientAuthorities === undefined ? {} : { ca: clientAuthorities }),
      });
      useTicketKeys();
    });
    this.#stopFollowing = ticketKeys === undefined ? [stopDefault] : [stopDefault, ticketKeys.onChange(useTicketKeys)];
  }

  /**
   * TLS reads a connection by itself, and takes all records that have come before anything else has its turn: so it begins when the
   * ClientHello is whole, within its bounds.
   */
  accept(socket: Socket, accepted: AcceptedConnection = {}): void {
    const { handshakeMs, onRefused } = this.#options;
    const { onFault } = connectionOwner(socket, this.#logger);
    takeHello(socket, handshakeMs, {
      keepsAll: false,
      onFault,
      onHello: (read) => {
        if (read.kind === 'read' && read.hello.kind === 'hello') {
          if (!socket.destroyed) this.begin(socket, read.bytes, accepted);
          return;
        }
        // Checks whether the port is open end without a ClientHello.
        if (read.kind === 'none' && read.cause === 'hello-too-large') onRefused?.(read.cause);
        socket.destroy();
      },
    });
  }

  /** Its ClientHello is among the bytes that have been read. However many handshakes there are, one begins in a turn of the event loop. */
  begin(socket: Socket, bytes: Buffer, accepted: AcceptedConnection = {}): void {
    if (!hasBegun && waiting === 0) {
      hasBegun = true;
      setImmediate(turnIsOver);
      this.#begin(socket, bytes, accepted);
      return;
    }
    waiting += 1;
    takeOwnTurn(connectionOwner(socket, this.#logger), () => {
      waiting -= 1;
      if (!socket.destroyed) this.#begin(socket, bytes, accepted);
    });
  }

  #begin(socket: Socket, bytes: Buffer, accepted: AcceptedConnection): void {
    socket.unshift(bytes);
    // A client that ends its connection within the handshake would be waited for, as long as one that is silent.
    socket.allowHalfOpen = false;
    this.#accepted.add(socket, accepted);
    this.#server.emit('connection', socket);
  }

  stop(): void {
    for (const each of this.#stopFollowing) each();
  }
}

/** In this turn of the event loop, of all ports. */
let hasBegun = false;
/** For turns of their own. */
let waiting = 0;

function turnIsOver(): void {
  hasBegun = false;
}

/** The first that is not HTTP/2, which a service that takes plain bytes is least likely to have. */
function relayedProtocol(protocols: readonly string[]): string | undefined {
  return protocols.find((each) => each !== 'h2') ?? protocols[0];
}
