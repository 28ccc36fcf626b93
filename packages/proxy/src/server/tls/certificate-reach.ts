import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { CertificateStore } from './certificate-store.ts';

/** Whether the certificate that a connection was made with stands for a host: in normal form, without a port. */
export type CertificateReach = (host: string) => boolean;

const reaches = new WeakMap<Socket, CertificateReach>();

/**
 * Remembers which certificate the connection has. A client that finds a second host in it may send requests for that host here
 * (RFC 9113, section 9.1.1); one for which another certificate is served belongs on a connection of its own. A client that sent
 * no server name requested no certificate, and may request any host: `curl -k https://10.0.0.7/ -H 'Host: …'`.
 */
export function noteCertificate(secured: TLSSocket, certificates: CertificateStore): void {
  const { servername } = secured;
  if (typeof servername !== 'string' || servername === '') return;
  const shown = certificates.find(servername);
  reaches.set(secured, (host) => {
    const own = certificates.findNamed(host);
    return own === undefined || (shown !== undefined && isNamed(host, shown.hosts));
  });
}

/** `undefined`: any host may be requested, as on a connection without TLS. */
export function certificateReach(connection: Socket): CertificateReach | undefined {
  return reaches.get(connection);
}

/** A wildcard stands for exactly one label (RFC 9525, section 6.3). */
function isNamed(host: string, names: readonly string[]): boolean {
  return names.includes(host) || names.includes(`*${host.slice(host.indexOf('.'))}`);
}
