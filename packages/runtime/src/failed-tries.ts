import { isIPv4, isIPv6 } from 'node:net';
import { plainAddress } from './networks.ts';

/** Failed tries of one address at once; one more is allowed every `tryEveryMs`. */
const triesAtOnce = 10;
const tryEveryMs = 6_000;
/** Addresses that are remembered; the one that was quiet longest is forgotten first. */
const mostAddresses = 10_000;

/** Counts failed tries of credentials by client address, all addresses of an IPv6 /64 together. */
export class FailedTries {
  readonly #nowMs: () => number;
  /** When the tries that an address made will all be forgotten; the one that was quiet longest comes first. */
  readonly #clearAtMs = new Map<string, number>();

  /** @param nowMs monotonic milliseconds; default `performance.now` */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** How long an address has to wait until its next try, in milliseconds. 0: it need not. */
  waitMs(address: string | undefined): number {
    const nowMs = this.#nowMs();
    return Math.max(0, this.#clearAt(addressKey(address), nowMs) + tryEveryMs - (nowMs + triesAtOnce * tryEveryMs));
  }

  failed(address: string | undefined): void {
    const key = addressKey(address);
    const clearAtMs = this.#clearAt(key, this.#nowMs()) + tryEveryMs;
    this.#clearAtMs.delete(key);
    this.#clearAtMs.set(key, clearAtMs);
    if (this.#clearAtMs.size <= mostAddresses) return;
    for (const [quiet] of this.#clearAtMs) {
      this.#clearAtMs.delete(quiet);
      return;
    }
  }

  #clearAt(key: string, nowMs: number): number {
    return Math.max(nowMs, this.#clearAtMs.get(key) ?? nowMs);
  }
}

/** One for all spellings of an address, and one for the /64 of an IPv6 address, all of which a client can have. */
function addressKey(address: string | undefined): string {
  const plain = plainAddress((address ?? '').toLowerCase()).split('%', 1)[0] ?? '';
  if (isIPv4(plain)) return plain;
  if (!isIPv6(plain)) return '';
  // The URL parser writes addresses in one way: hexadecimal, the longest run of zeros as `::`.
  const [head = '', tail] = (URL.parse(`http://[${plain}]`)?.hostname ?? '').slice(1, -1).split('::');
  const given = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - given.length - behind.length }, () => '0');
  return [...given, ...(tail === undefined ? [] : zeros), ...behind].slice(0, 4).join(':');
}
