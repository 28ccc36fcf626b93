/** PEM of DER bytes (RFC 7468), lines of 64 characters. */
export function pemOf(label: 'PRIVATE KEY', der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return [`-----BEGIN ${label}-----`, ...(lines ?? []), `-----END ${label}-----`, ''].join('\n');
}
