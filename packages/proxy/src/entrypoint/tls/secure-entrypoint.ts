import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { CertificateStore } from './certificate-store.ts';
import type { TicketKeys } from './ticket-keys.ts';

export interface SecureEntrypointOptions {
  readonly certificates: CertificateStore;
  /** How long a handshake may take, in milliseconds. */
  readonly handshakeMs: number;
  /** PEM of the authorities for client certificates. They are asked for; whether a route needs one is the route's to say. */
  readonly clientAuthorities?: string;
  /** Default: keys of this process alone. */
  readonly ticketKeys?: TicketKeys;
  readonly onFailure?: (error: Error) => void;
}

/** Ends TLS on the connections of one port. Certificates may change at any time; open connections keep theirs. */
export class SecureEntrypoint {
  readonly #server: Server;
  readonly #stopFollowing: readonly (() => void)[];

  constructor(options: SecureEntrypointOptions, onSecured: (secured: TLSSocket) => void) {
    const { certificates, clientAuthorities, ticketKeys } = options;
    this.#server = createServer({
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: options.handshakeMs,
      SNICallback: (servername, callback) => callback(null, certificates.contextFor(servername)),
      requestCert: clientAuthorities !== undefined,
      // A route without `verifyClientSsl` is served to anybody.
      rejectUnauthorized: false,
      ...(clientAuthorities === undefined ? {} : { ca: clientAuthorities }),
    });
    this.#server.on('secureConnection', onSecured);
    this.#server.on('tlsClientError', (error) => options.onFailure?.(error));
    const useTicketKeys = () => {
      if (ticketKeys !== undefined) this.#server.setTicketKeys(ticketKeys.current);
    };
    // Clients that send no server name get the context of the server itself. Tickets are of that context too, whatever
    // name was asked for.
    const stopDefault = certificates.onDefault(({ cert, key }) => {
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

  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  stop(): void {
    for (const each of this.#stopFollowing) each();
  }
}
