import { createHmac, timingSafeEqual } from 'node:crypto';

/** As much of the DNS wire format (RFC 1035, 2136, 8945) as SOA queries and signed updates of TXT records need. */
export const recordTypes = { SOA: 6, TXT: 16, ANY: 255 } as const;
export const classes = { IN: 1, NONE: 254, ANY: 255 } as const;
const tsigType = 250;

/** A key of TSIG; `name` without the final dot. */
export interface TsigKey {
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Buffer;
}

export const tsigAlgorithms = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512', 'hmac-sha1'] as const;
export type TsigAlgorithm = (typeof tsigAlgorithms)[number];

export interface UpdateRecord {
  readonly name: string;
  readonly value: string;
}

/** A name in wire format, lower case, never compressed. @throws RangeError for a label over 63 bytes */
export function encodeName(name: string): Buffer {
  const labels = name === '' ? [] : name.toLowerCase().replace(/\.$/, '').split('.');
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'latin1');
    if (bytes.length === 0 || bytes.length > 63) throw new RangeError(`${name} is no DNS name`);
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  return Buffer.concat([...parts, Buffer.of(0)]);
}

export function encodeQuery(id: number, name: string, type: number): Buffer {
  return Buffer.concat([header(id, 0, [1, 0, 0, 0]), encodeName(name), uint16(type), uint16(classes.IN)]);
}

/** Adds one TXT record, or removes exactly that one (RFC 2136, sections 2.5.1 and 2.5.4). */
export function encodeUpdate(id: number, zone: string, kind: 'add' | 'remove', record: UpdateRecord): Buffer {
  const value = Buffer.from(record.value, 'latin1');
  const data = Buffer.concat([Buffer.of(value.length), value]);
  return Buffer.concat([
    header(id, 5 << 11, [1, 0, 1, 0]),
    encodeName(zone),
    uint16(recordTypes.SOA),
    uint16(classes.IN),
    encodeName(record.name),
    uint16(recordTypes.TXT),
    uint16(kind === 'add' ? classes.IN : classes.NONE),
    uint32(kind === 'add' ? 60 : 0),
    uint16(data.length),
    data,
  ]);
}

/** The message with a TSIG record (RFC 8945, section 5), and its MAC for the check of the response. */
export function signMessage(
  message: Buffer,
  key: TsigKey,
  nowSeconds: number,
): { readonly message: Buffer; readonly mac: Buffer } {
  const timing = Buffer.concat([uint48(nowSeconds), uint16(300)]);
  const mac = macOf(key, [message, variables(key, timing, 0, Buffer.alloc(0))]);
  const data = Buffer.concat([
    encodeName(key.algorithm),
    timing,
    uint16(mac.length),
    mac,
    message.subarray(0, 2),
    uint16(0),
    uint16(0),
  ]);
  const record = Buffer.concat([
    encodeName(key.name),
    uint16(tsigType),
    uint16(classes.ANY),
    uint32(0),
    uint16(data.length),
    data,
  ]);
  const signed = Buffer.concat([message, record]);
  signed.writeUInt16BE(signed.readUInt16BE(10) + 1, 10);
  return { message: signed, mac };
}

export interface DnsResponse {
  readonly id: number;
  /** RFC 6895; TSIG's own error where there is one. */
  readonly code: number;
  /** Records of the answer and authority sections: owner and type. */
  readonly records: readonly { readonly name: string; readonly type: number }[];
  /** `undefined`: not signed. `false`: signed with something else. */
  readonly signature?: boolean;
}

/** @throws RangeError for a message that is cut or loops */
export function decodeResponse(
  message: Buffer,
  signedWith?: { readonly key: TsigKey; readonly mac: Buffer },
): DnsResponse {
  const counts = [4, 6, 8, 10].map((at) => message.readUInt16BE(at));
  const [questions = 0, answers = 0, authorities = 0, additionals = 0] = counts;
  let at = 12;
  for (let n = 0; n < questions; n += 1) at = decodeName(message, at).next + 4;
  const records: { name: string; type: number }[] = [];
  let code = message.readUInt16BE(2) & 0x0f;
  let signature: boolean | undefined;
  for (let n = 0; n < answers + authorities + additionals; n += 1) {
    const start = at;
    const owner = decodeName(message, at);
    const type = message.readUInt16BE(owner.next);
    const length = message.readUInt16BE(owner.next + 8);
    const data = owner.next + 10;
    at = data + length;
    if (at > message.length) throw new RangeError('the DNS message is cut');
    if (type === tsigType && signedWith !== undefined) {
      const checked = checkSignature(message, start, data, signedWith);
      signature = checked.valid;
      if (checked.error !== 0) code = checked.error;
    } else if (n < answers + authorities) records.push({ name: owner.name, type });
  }
  return { id: message.readUInt16BE(0), code, records, ...(signature === undefined ? {} : { signature }) };
}

function checkSignature(
  message: Buffer,
  start: number,
  data: number,
  { key, mac: requestMac }: { readonly key: TsigKey; readonly mac: Buffer },
): { readonly valid: boolean; readonly error: number } {
  let at = decodeName(message, data).next;
  const timing = message.subarray(at, at + 8);
  const macLength = message.readUInt16BE(at + 8);
  const mac = message.subarray(at + 10, at + 10 + macLength);
  at += 10 + macLength;
  const error = message.readUInt16BE(at + 2);
  const other = message.subarray(at + 6, at + 6 + message.readUInt16BE(at + 4));
  const unsigned = Buffer.from(message.subarray(0, start));
  message.copy(unsigned, 0, at, at + 2);
  unsigned.writeUInt16BE(unsigned.readUInt16BE(10) - 1, 10);
  const expected = macOf(key, [uint16(requestMac.length), requestMac, unsigned, variables(key, timing, error, other)]);
  return { valid: mac.length === expected.length && timingSafeEqual(mac, expected), error };
}

function decodeName(message: Buffer, from: number): { readonly name: string; readonly next: number } {
  const labels: string[] = [];
  let at = from;
  let next: number | undefined;
  for (let jumps = 0; ; ) {
    const length = message.readUInt8(at);
    if (length >= 0xc0) {
      jumps += 1;
      if (jumps > 32) throw new RangeError('a DNS name that loops');
      next ??= at + 2;
      at = message.readUInt16BE(at) & 0x3fff;
      continue;
    }
    at += 1;
    if (length === 0) return { name: labels.join('.').toLowerCase(), next: next ?? at };
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
}

function macOf({ algorithm, secret }: TsigKey, parts: readonly Buffer[]): Buffer {
  return createHmac(algorithm.slice('hmac-'.length), secret).update(Buffer.concat(parts)).digest();
}

function variables(key: TsigKey, timing: Buffer, error: number, other: Buffer): Buffer {
  return Buffer.concat([
    encodeName(key.name),
    uint16(classes.ANY),
    uint32(0),
    encodeName(key.algorithm),
    timing,
    uint16(error),
    uint16(other.length),
    other,
  ]);
}

function header(id: number, flags: number, counts: readonly number[]): Buffer {
  return Buffer.concat([uint16(id), uint16(flags), ...counts.map(uint16)]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint48(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}
