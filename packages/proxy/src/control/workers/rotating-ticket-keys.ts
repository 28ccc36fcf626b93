import { randomBytes } from 'node:crypto';
import type { TicketKeys } from '../../server/tls/ticket-keys.ts';

/** Of OpenSSL: name, HMAC key and AES key of 16 bytes each. */
const lengthBytes = 48;

/** The keys in use. The control process rotates them and sends them to its workers. */
export class RotatingTicketKeys implements TicketKeys {
  readonly #followers = new Set<() => void>();
  #current: Buffer = randomBytes(lengthBytes);

  get current(): Buffer {
    return this.#current;
  }

  onChange(follower: () => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** @param keys default: new random ones */
  rotate(keys: Buffer = randomBytes(lengthBytes)): void {
    this.#current = keys;
    for (const follower of this.#followers) follower();
  }
}
