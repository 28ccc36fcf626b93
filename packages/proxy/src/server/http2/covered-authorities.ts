import type { Socket } from 'node:net';
import { normalizeHost } from '../../routing/normal-host.ts';
import { type CertificateReach, certificateReach } from '../tls/certificate-reach.ts';

/** For which hosts the certificate of a connection stands (RFC 9110, section 7.4). */
export class CoveredAuthorities {
  readonly #reach: CertificateReach | undefined;
  /** The last one that the certificate stood for. */
  #last = '';

  constructor(socket: Socket) {
    this.#reach = certificateReach(socket);
  }

  standsFor(authority: string): boolean {
    if (this.#reach === undefined || authority === this.#last) return true;
    const normal = normalizeHost(authority);
    // One that is no host is refused for that.
    if (normal.ok && !this.#reach(normal.host)) return false;
    this.#last = authority;
    return true;
  }
}
