/** Responses to the pending challenges of CAs that validate a host of ours. Only exact matches count. */
export interface ChallengeResponses {
  /** Body for `GET /.well-known/acme-challenge/<token>` (RFC 8555, section 8.3); `undefined`: no such challenge. */
  challengeResponse(host: string, token: string): string | undefined;
  /** Certificates for a handshake with ALPN `acme-tls/1` (RFC 8737), one for each kind of key, all PEM. */
  alpnResponse(
    serverName: string,
  ): readonly { readonly certificate: string; readonly privateKey: string }[] | undefined;
}
