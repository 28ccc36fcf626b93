/** The result of parsing the first bytes of a connection, without terminating TLS (RFC 8446, section 4.1.2; RFC 6066, section 3). */
export type ClientHello =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'not-tls' }
  /** `undefined`: the client named no server. Lower case. */
  | { readonly kind: 'hello'; readonly serverName: string | undefined };

/** Maximum size of a ClientHello. One with post-quantum key shares has about 2 KB. */
export const mostHelloBytes = 64 * 1024;

const handshakeRecord = 22;
const clientHelloMessage = 1;
const serverNameExtension = 0;
const hostNameType = 0;

/** Reads as much as there is; a hello may come in several segments, and in several records. */
export function readClientHello(bytes: Buffer): ClientHello {
  const message = gatherHandshake(bytes);
  if (message.kind !== 'bytes') return message;
  const reader = new Reader(message.bytes);
  if (reader.left < 4) return { kind: 'incomplete' };
  if (reader.number(1) !== clientHelloMessage) return { kind: 'not-tls' };
  const length = reader.number(3);
  if (length > mostHelloBytes) return { kind: 'not-tls' };
  if (reader.left < length) return { kind: 'incomplete' };
  try {
    return { kind: 'hello', serverName: serverNameOf(new Reader(reader.take(length))) };
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'not-tls' };
    throw error;
  }
}

type Gathered = { readonly kind: 'bytes'; readonly bytes: Buffer } | { readonly kind: 'incomplete' | 'not-tls' };

/** The handshake message without the borders of the records it came in. */
function gatherHandshake(bytes: Buffer): Gathered {
  const parts: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] !== handshakeRecord) return parts.length > 0 ? joined(parts) : { kind: 'not-tls' };
    // 3, then 1 to 4: the record version of TLS 1.0 to 1.3.
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return { kind: 'not-tls' };
    if (at + 5 > bytes.length) break;
    const length = bytes.readUInt16BE(at + 3);
    parts.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return parts.length === 0 ? { kind: 'incomplete' } : joined(parts);
}

function joined(parts: readonly Buffer[]): Gathered {
  return { kind: 'bytes', bytes: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts) };
}

function serverNameOf(hello: Reader): string | undefined {
  hello.take(2 + 32); // Version and random.
  hello.take(hello.number(1)); // Session id.
  hello.take(hello.number(2)); // Cipher suites.
  hello.take(hello.number(1)); // Compression methods.
  if (hello.left === 0) return undefined;
  const extensions = new Reader(hello.take(hello.number(2)));
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const content = extensions.take(extensions.number(2));
    if (type !== serverNameExtension) continue;
    const names = new Reader(new Reader(content).sized(2));
    while (names.left > 0) {
      const nameType = names.number(1);
      const name = names.take(names.number(2));
      if (nameType === hostNameType) return name.toString('latin1').toLowerCase().replace(/\.$/, '');
    }
  }
  return undefined;
}

/** Reads numbers and pieces one after the other. @throws RangeError beyond the end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(size: 1 | 2 | 3): number {
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  take(size: number): Buffer {
    if (size > this.left) throw new RangeError(`${size} bytes needed, ${this.left} left`);
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  sized(size: 1 | 2): Buffer {
    return this.take(this.number(size));
  }
}
