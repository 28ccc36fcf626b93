import { randomInt } from 'node:crypto';
import { connect } from 'node:net';
import {
  type DnsResponse,
  decodeResponse,
  encodeQuery,
  encodeUpdate,
  recordTypes,
  signMessage,
  type TsigKey,
} from './dns-message.ts';
import { type DnsProvider, DnsProviderError, type TxtRecord } from './dns-provider.ts';

export interface Rfc2136Options {
  /** The primary server of the zones, `host` or `host:port`; port 53 by default. */
  readonly server: string;
  /** Absent: updates are not signed, and the server allows them by address. */
  readonly key?: TsigKey;
  /** Default `Date.now`. */
  readonly now?: () => number;
}

const timeoutMs = 20_000;
const meanings: Readonly<Record<number, string>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP: the server takes no updates',
  5: 'REFUSED: the key may not update this zone',
  9: 'NOTAUTH: not the server of this zone, or an unknown key',
  10: 'NOTZONE',
  16: 'BADSIG: the secret is another one',
  17: 'BADKEY: the server does not know this key',
  18: 'BADTIME: the clocks differ by more than five minutes',
};

/** Dynamic updates (RFC 2136) over TCP, signed by TSIG (RFC 8945), as BIND, Knot, PowerDNS and Windows take them. */
export function rfc2136Provider(options: Rfc2136Options): DnsProvider {
  const { host, port } = serverOf(options.server);
  const update = async (kind: 'add' | 'remove', record: TxtRecord, signal: AbortSignal) => {
    const zone = await zoneOf(record.name, host, port, signal);
    const message = encodeUpdate(randomInt(0x10000), zone, kind, record);
    const { key, now = Date.now } = options;
    const signed = key === undefined ? undefined : { key, ...signMessage(message, key, Math.floor(now() / 1000)) };
    const response = decodeResponse(await exchange(signed?.message ?? message, host, port, signal), signed);
    refuse(response, `the update of ${record.name} in the zone ${zone}`, options.server);
    if (signed !== undefined && response.signature !== true)
      throw DnsProviderError.of(
        `${options.server}: the response to the update of ${record.name} is not signed with our key`,
      );
  };
  return {
    description: `RFC 2136 at ${options.server}`,
    servers: [options.server],
    present: (record, signal) => update('add', record, signal),
    cleanup: (record, signal) => update('remove', record, signal),
  };
}

/** The zone that holds a name: the owner of the SOA record that the server responds with, or of the nearest parent. */
async function zoneOf(name: string, host: string, port: number, signal: AbortSignal): Promise<string> {
  const labels = name.split('.');
  for (let at = 0; at < labels.length; at += 1) {
    const candidate = labels.slice(at).join('.');
    const query = encodeQuery(randomInt(0x10000), candidate, recordTypes.SOA);
    const { records } = decodeResponse(await exchange(query, host, port, signal));
    const owner = records.find(({ type }) => type === recordTypes.SOA)?.name;
    if (owner !== undefined && (candidate === owner || candidate.endsWith(`.${owner}`))) return owner;
  }
  throw DnsProviderError.of(`${host}:${port} has no zone of ${name}`);
}

function refuse({ code }: DnsResponse, what: string, server: string): void {
  if (code !== 0) throw DnsProviderError.of(`${server} refused ${what}: ${meanings[code] ?? `code ${code}`}`);
}

/** One message over TCP, framed by its length (RFC 1035, section 4.2.2). */
async function exchange(message: Buffer, host: string, port: number, signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted();
  const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const socket = connect({ host, port, signal: within });
  try {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.write(Buffer.concat([length, message]));
    let received = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2) continue;
      const expected = received.readUInt16BE(0) + 2;
      if (received.length < expected) continue;
      const reply = received.subarray(2, expected);
      if (reply.readUInt16BE(0) !== message.readUInt16BE(0)) throw new Error('a response to another question');
      return reply;
    }
    throw new Error('the connection was closed without a response');
  } catch (error) {
    signal.throwIfAborted();
    throw DnsProviderError.of(`DNS server ${host}:${port} gave no response`, error);
  } finally {
    socket.destroy();
  }
}

/** `host`, `host:port`, `[v6]:port`. */
export function serverOf(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)|([0-9a-fA-F:]+))(?::(\d+))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? match?.[3] ?? text;
  return { host, port: Number(match?.[4] ?? 53) };
}
