import type { SpokenProtocol } from '../endpoint-channel.ts';

/**
 * What an endpoint speaks that was sent the preface of HTTP/2, by the first bytes of its response; `undefined` where that may
 * be HTTP/2.
 */
export function spokenInstead(bytes: Uint8Array): SpokenProtocol | undefined {
  // "HTTP/1.1 400 Bad Request" is the usual response to a preface, and 0x15 the alert of TLS 1.x to what is no ClientHello.
  if (startsWith(bytes, [0x48, 0x54, 0x54, 0x50, 0x2f])) return 'http1';
  return bytes[0] === 0x15 && bytes[1] === 0x03 ? 'tls' : undefined;
}

/** Whether the response to a request of HTTP/1.1 begins with the SETTINGS of HTTP/2 (RFC 9113, sections 3.4 and 6.5). */
export function isHttp2Settings(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 9 &&
    bytes[0] === 0 &&
    (bytes[2] as number) % 6 === 0 &&
    startsWith(bytes.subarray(3), [4, 0, 0, 0, 0, 0])
  );
}

/** A handshake failed because the first bytes of the endpoint are no record of TLS. */
export function speaksNoTls(error: Error | undefined): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG';
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return bytes.length >= start.length && start.every((byte, at) => bytes[at] === byte);
}
