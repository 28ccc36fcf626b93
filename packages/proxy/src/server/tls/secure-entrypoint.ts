import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import { guard, type Logger } from '@swarmgate/runtime';
import { markMisdirected } from '../../exchange/client-connection.ts';
import type { ChallengeResponses } from '../../model/challenge-responses.ts';
import { noteUnder } from '../../transport/reset.ts';
import { connectionOwner } from '../connection-owner.ts';
import { presentAs } from '../proxy-protocol/proxied-connections.ts';
import { type AcceptedConnection, AcceptedConnections } from './accepted-connections.ts';
import { noteCertificate } from './certificate-reach.ts';
import type { CertificateStore } from './certificate-store.ts';
import { acmeProtocol, challengeHandshakes } from './challenge-handshakes.ts';
import { checksAgainst } from './client-context.ts';
import type { TicketKeys } from './ticket-keys.ts';

export interface SecureEntrypointOptions {
  readonly certificates: CertificateStore;
  /** How long a handshake may take, in milliseconds. */
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
}

const offered: readonly string[] = ['http/1.1'];

/** Ends TLS on the connections of one port. Certificates may change at any time; open connections keep theirs. */
export class SecureEntrypoint {
  readonly #server: Server;
  readonly #stopFollowing: readonly (() => void)[];
  /** Until TLS is set up on them. */
  readonly #accepted = new AcceptedConnections();

  /** @param logger gets faults, each of which ends its connection */
  constructor(
    options: SecureEntrypointOptions,
    onRequests: (secured: TLSSocket) => void,
    logger: Pick<Logger, 'error'>,
  ) {
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

  accept(socket: Socket, accepted: AcceptedConnection = {}): void {
    this.#accepted.add(socket, accepted);
    this.#server.emit('connection', socket);
  }

  stop(): void {
    for (const each of this.#stopFollowing) each();
  }
}

/** The first that is not HTTP/2, which a service that takes plain bytes is least likely to have. */
function relayedProtocol(protocols: readonly string[]): string | undefined {
  return protocols.find((each) => each !== 'h2') ?? protocols[0];
}
