import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { ChallengeResponses } from '../../model/challenge-responses.ts';

/** The protocol of a validation by tls-alpn-01 (RFC 8737). */
export const acmeProtocol = 'acme-tls/1';

/** How the options of a TLS server respond to validations beside its own handshakes. Both callbacks have the socket as `this`. */
export interface ChallengeHandshakes {
  /** Chooses among the protocols that a client offers; `undefined` ends the handshake. */
  chooseProtocol(socket: TLSSocket, serverName: string, protocols: readonly string[]): string | undefined;
  /** The context for a handshake that is a validation; `undefined` for all others. */
  contextFor(socket: TLSSocket): SecureContext | undefined;
  /** The handshake was the whole validation (RFC 8737, section 4). */
  isOver(socket: TLSSocket): boolean;
}

/**
 * The same server name is served with its own certificate to all others, so the certificate is swapped for one handshake.
 * TLS 1.3 chooses the protocol before the certificate, TLS 1.2 after it: the first gets its context by server name, the
 * second has each kind of key replaced, because OpenSSL would choose one that is left.
 * @param offered the protocols of the port, in order of preference
 */
export function challengeHandshakes(
  challenges: Pick<ChallengeResponses, 'alpnResponse'> | undefined,
  offered: readonly string[],
): ChallengeHandshakes {
  const validated = new WeakMap<TLSSocket, SecureContext>();
  return {
    chooseProtocol(socket, serverName, protocols) {
      if (!protocols.includes(acmeProtocol)) return offered.find((each) => protocols.includes(each));
      const response = challenges?.alpnResponse(serverName);
      if (response === undefined) return undefined;
      const cert = response.map(({ certificate }) => certificate);
      const key = response.map(({ privateKey }) => privateKey);
      validated.set(socket, createSecureContext({ cert, key, minVersion: 'TLSv1.2' }));
      for (const [at, one] of cert.entries())
        socket.setKeyCert(createSecureContext({ cert: one, key: key[at], minVersion: 'TLSv1.2' }));
      return acmeProtocol;
    },
    contextFor: (socket) => validated.get(socket),
    isOver: (socket) => socket.alpnProtocol === acmeProtocol,
  };
}
