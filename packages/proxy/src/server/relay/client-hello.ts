/** The result of parsing the first bytes of a connection, without terminating TLS (RFC 8446, section 4.1.2; RFC 6066, section 3). */
export type ClientHello =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'not-tls' }
  | { readonly kind: 'too-large' }
  | {
      readonly kind: 'hello';
      /** Lower case, without a final dot. `undefined`: the client named no server. */
      readonly serverName: string | undefined;
      /** Offered by ALPN (RFC 7301), the preferred one first. */
      readonly protocols: readonly string[];
    };

/** Maximum size of a ClientHello, in bytes as they come. One with post-quantum key shares has about 2 KB. */
export const mostHelloBytes = 16 * 1024;

/**
 * Maximum number of records that a ClientHello comes in. TLS libraries send one, clients that hide its server name from a
 * censor up to one for each byte. Each costs some half a microsecond of TLS, which takes all that have come before anything else has
 * its turn.
 */
export const mostHelloRecords = 2_048;

const handshakeRecord = 22;
const clientHelloMessage = 1;
const serverNameExtension = 0;
const protocolsExtension = 16;
const hostNameType = 0;

/** Reads as much as there is; a hello may come in several segments, and in several records. */
export function readClientHello(bytes: Buffer): ClientHello {
  return new ClientHelloReader().read(bytes);
}

/**
 * Reads a ClientHello piece by piece. Each byte is looked at once, however many pieces and records they come in: a client may
 * send a byte in each.
 */
export class ClientHelloReader {
  #message = none;
  #length = 0;
  #records = 0;
  /** Of the record: type, version and length, as far as they have come. */
  readonly #header: number[] = [];
  #leftOfRecord = 0;
  #result: ClientHello = incomplete;

  read(piece: Buffer): ClientHello {
    let at = 0;
    while (at < piece.length && this.#result.kind === 'incomplete') {
      if (this.#leftOfRecord > 0) {
        const to = Math.min(piece.length, at + this.#leftOfRecord);
        // Nearly all come in one record of one piece, which is read where it is.
        if (this.#length === 0) this.#result = judge(piece, at, to);
        if (this.#result.kind === 'incomplete') {
          this.#append(piece, at, to);
          this.#result = judge(this.#message, 0, this.#length);
        }
        this.#leftOfRecord -= to - at;
        at = to;
      } else if (!this.#takesHeader(piece[at++] as number)) this.#result = { kind: 'not-tls' };
      else if (this.#records > mostHelloRecords) this.#result = { kind: 'too-large' };
    }
    return this.#result;
  }

  /** `false`: it is none of a handshake. */
  #takesHeader(byte: number): boolean {
    const header = this.#header;
    header.push(byte);
    if (header.length === 1) return byte === handshakeRecord;
    // 3, then 1 to 4: TLS 1.0 to 1.3 all have it on the record.
    if (header.length === 2) return byte === 3;
    if (header.length < 5) return true;
    this.#leftOfRecord = (header[3] as number) * 256 + byte;
    this.#records += 1;
    header.length = 0;
    return true;
  }

  #append(piece: Buffer, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.#message.length) {
      const larger = Buffer.alloc(Math.max(length, this.#message.length * 2, 4_096));
      this.#message.copy(larger, 0, 0, this.#length);
      this.#message = larger;
    }
    piece.copy(this.#message, this.#length, from, to);
    this.#length = length;
  }
}

/** Of the message as much as has come: nothing is made where that is not all. */
function judge(bytes: Buffer, from: number, to: number): ClientHello {
  if (to - from < 4) return incomplete;
  if (bytes[from] !== clientHelloMessage) return { kind: 'not-tls' };
  const length = bytes.readUIntBE(from + 1, 3);
  if (length > mostHelloBytes) return { kind: 'too-large' };
  const begin = from + 4;
  if (to - begin < length) return incomplete;
  try {
    return { kind: 'hello', ...offersOf(new Reader(bytes.subarray(begin, begin + length))) };
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'not-tls' };
    throw error;
  }
}

const incomplete: ClientHello = { kind: 'incomplete' };
const none = Buffer.alloc(0);

interface Offers {
  readonly serverName: string | undefined;
  readonly protocols: readonly string[];
}

function offersOf(hello: Reader): Offers {
  hello.take(2 + 32); // Version and random.
  hello.take(hello.number(1)); // Session id.
  hello.take(hello.number(2)); // Cipher suites.
  hello.take(hello.number(1)); // Compression methods.
  let serverName: string | undefined;
  const protocols: string[] = [];
  const extensions = new Reader(hello.left === 0 ? Buffer.alloc(0) : hello.sized(2));
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const content = new Reader(extensions.sized(2));
    if (type === serverNameExtension) serverName ??= hostNameIn(content);
    else if (type === protocolsExtension) {
      const names = new Reader(content.sized(2));
      while (names.left > 0) protocols.push(names.sized(1).toString('latin1'));
    }
  }
  return { serverName, protocols };
}

function hostNameIn(extension: Reader): string | undefined {
  const names = new Reader(extension.sized(2));
  while (names.left > 0) {
    const nameType = names.number(1);
    const name = names.sized(2);
    if (nameType === hostNameType) return name.toString('latin1').toLowerCase().replace(/\.$/, '');
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
