import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { CertificateStore } from './certificate-store.ts';

export interface SecureEntrypointOptions {
  readonly certificates: CertificateStore;
  /** How long a handshake may take, in milliseconds. */
  readonly handshakeMs: number;
  /** PEM of the authorities for client certificates. They are asked for; whether a route needs one is the route's to say. */
  readonly clientAuthorities?: string;
  readonly onFailure?: (error: Error) => void;
}

/** Ends TLS on the connections of one port. Certificates may change at any time; open connections keep theirs. */
export class SecureEntrypoint {
  readonly #server: Server;
  readonly #stopFollowing: () => void;

  constructor(options: SecureEntrypointOptions, onSecured: (secured: TLSSocket) => void) {
    const { certificates, clientAuthorities } = options;
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
    // Clients that send no server name get the context of the server itself.
    this.#stopFollowing = certificates.onDefault(({ cert, key }) =>
      this.#server.setSecureContext({
        cert,
        key,
        minVersion: 'TLSv1.2',
        ...(clientAuthorities === undefined ? {} : { ca: clientAuthorities }),
      }),
    );
  }

  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  stop(): void {
    this.#stopFollowing();
  }
}
