import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

/** How old the list of own addresses may be, in milliseconds: a network can be attached to a running container. */
const addressesHoldMs = 1_000;

/** The registry as endpoints must not lead to it. */
interface ClosedPlace {
  readonly host: string;
  readonly port: number;
  /** Of the host, as last resolved, in plain form. */
  addresses: ReadonlySet<string>;
}

/**
 * Where no endpoint may be: the registry, and the ports on which this proxy listens, its control process and workers included: entrypoints, relays, the admin REST,
 * and in a standalone process the listener's REST. No connection to an endpoint may lead there: a label
 * would open, from this machine's own address, what is open to this machine alone.
 */
export class OwnPorts {
  readonly #ports = new Map<number, number>();
  readonly #closed: ClosedPlace[] = [];
  readonly #ownAddresses: () => readonly string[];
  readonly #nowMs: () => number;
  #addresses: ReadonlySet<string> = new Set();
  #addressesUntilMs = Number.NEGATIVE_INFINITY;

  /** @param ownAddresses of the interfaces; for tests */
  constructor(ownAddresses: () => readonly string[] = interfaceAddresses, nowMs = () => performance.now()) {
    this.#ownAddresses = ownAddresses;
    this.#nowMs = nowMs;
  }

  /** @returns takes the port back; a port that was added twice has to be taken back twice */
  add(port: number): () => void {
    this.#ports.set(port, (this.#ports.get(port) ?? 0) + 1);
    let added = true;
    return () => {
      if (!added) return;
      added = false;
      const left = (this.#ports.get(port) ?? 1) - 1;
      if (left > 0) this.#ports.set(port, left);
      else this.#ports.delete(port);
    };
  }

  /**
   * The registry's host and port: a label would open to every client what is open to proxies.
   * @returns sets the addresses that the host resolves to
   */
  close(host: string, port: number): (addresses: readonly string[]) => void {
    const place: ClosedPlace = { host: bareName(host), port, addresses: plainForms([host]) };
    this.#closed.push(place);
    return (addresses) => {
      place.addresses = plainForms([host, ...addresses]);
    };
  }

  /** This proxy itself listens on the port. */
  isListening(port: number): boolean {
    return this.#ports.has(port);
  }

  /** An address decides whether an endpoint with this port may be reached. */
  has(port: number): boolean {
    return this.#ports.has(port) || this.#closed.some((place) => place.port === port);
  }

  all(): readonly number[] {
    return [...this.#ports.keys()];
  }

  /**
   * Whether a connection to this address and port ends at this proxy or its registry. Loopback and unspecified addresses are own ones in
   * every form: `127.8.0.1`, `0.0.0.0`, `::`, `::ffff:127.0.0.1`. A name is none but the registry's own; its addresses are looked
   * at when it is resolved.
   */
  leadsHere(address: string, port: number): boolean {
    if (!this.has(port)) return false;
    const plain = plainForm(address);
    const isOwn = plain !== undefined && this.#isOwn(plain);
    if (isOwn && this.#ports.has(port)) return true;
    return this.#closed.some((place) => place.port === port && this.#isAt(place, address, plain, isOwn));
  }

  #isOwn(plain: ipaddr.IPv4 | ipaddr.IPv6): boolean {
    const range = plain.range();
    return range === 'loopback' || range === 'unspecified' || this.#current().has(plain.toString());
  }

  /** A registry on this machine is reached by each of its addresses. */
  #isAt(
    { host, addresses }: ClosedPlace,
    address: string,
    plain: ipaddr.IPv4 | ipaddr.IPv6 | undefined,
    isOwn: boolean,
  ): boolean {
    if (plain === undefined) return bareName(address) === host;
    if (addresses.has(plain.toString())) return true;
    return isOwn && [...addresses].some((each) => this.#isOwn(ipaddr.parse(each)));
  }

  #current(): ReadonlySet<string> {
    const nowMs = this.#nowMs();
    if (nowMs >= this.#addressesUntilMs) {
      this.#addressesUntilMs = nowMs + addressesHoldMs;
      this.#addresses = new Set(this.#ownAddresses().flatMap((each) => plainForm(each)?.toString() ?? []));
    }
    return this.#addresses;
  }
}

/** Of this process. One for all of it, so that no place that opens a connection can do without. */
export const ownPorts = new OwnPorts();

function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}

/** One form for all spellings of an address: without brackets and zone, and IPv4 where IPv6 only wraps it. */
function plainForm(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  if (!ipaddr.isValid(bare)) return undefined;
  const parsed = ipaddr.process(bare);
  if (parsed instanceof ipaddr.IPv4) return parsed;
  const bytes = parsed.toByteArray();
  // The deprecated ::127.0.0.1 (RFC 4291, section 2.5.5.1) and NAT64's 64:ff9b::/96 (RFC 6052) wrap one, too.
  const isCompatible = bytes.slice(0, 12).every((byte) => byte === 0) && bytes.slice(12).some((byte) => byte > 1);
  const isTranslated = parsed.range() === 'rfc6052';
  return isCompatible || isTranslated ? new ipaddr.IPv4(bytes.slice(12)) : parsed;
}

function plainForms(addresses: readonly string[]): ReadonlySet<string> {
  return new Set(addresses.flatMap((each) => plainForm(each)?.toString() ?? []));
}

/** `tasks.consul` and `Consul.` are names of `consul`. */
function bareName(host: string): string {
  return host
    .toLowerCase()
    .replace(/^tasks\./, '')
    .replace(/\.$/, '');
}
