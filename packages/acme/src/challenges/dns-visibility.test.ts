import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { encodeName } from './dns-message.ts';
import { aliasOf, serversWithout } from './dns-visibility.ts';

const name = '_acme-challenge.a.example.com';
const types: Readonly<Record<number, string>> = { 1: 'A', 2: 'NS', 5: 'CNAME', 16: 'TXT' };
const codes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

/** By `TYPE name`: the target of the record, the bytes of an address, or a code. Others get NOERROR without a record. */
type Zone = Readonly<Record<string, string | Buffer | keyof typeof codes>>;

describe('where TXT records belong, and who serves them', () => {
  const sockets: Socket[] = [];
  /** Queries by server and type. */
  const requested = new Map<string, number>();
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });

  const dnsOf = async (zone: Zone, portOfServer = 0): Promise<string> => {
    const socket = createSocket('udp4');
    socket.on('message', (query, { port, address }) => {
      const { type } = questionOf(query);
      const key = `127.0.0.1:${socket.address().port} ${types[type]}`;
      requested.set(key, (requested.get(key) ?? 0) + 1);
      socket.send(responseOf(query, zone), port, address);
    });
    socket.bind(portOfServer, '127.0.0.1');
    await once(socket, 'listening');
    sockets.push(socket);
    return `127.0.0.1:${socket.address().port}`;
  };
  const { signal } = new AbortController();
  const failureOf = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.fail('it resolves'),
      (error: unknown) => error as { readonly code: string; readonly message: string },
    );

  const chain = (length: number): Zone =>
    Object.fromEntries(
      Array.from({ length }, (_, at) => [`CNAME ${at === 0 ? name : `c${at}.example.net`}`, `c${at + 1}.example.net`]),
    );
  const aliases = [
    ['no such record', {}, name],
    ['no such name', { [`CNAME ${name}`]: 'NXDOMAIN' }, name],
    ['no such kind of record at this server', { [`CNAME ${name}`]: 'NOTIMP' }, name],
    ['one alias', { [`CNAME ${name}`]: 'Elsewhere.Example.NET' }, 'elsewhere.example.net'],
    ['a chain of eight', chain(8), 'c8.example.net'],
  ] as const;
  for (const [what, zone, target] of aliases)
    it(`are found by ${what}`, async () => {
      expect(await aliasOf(name, [await dnsOf(zone)], signal)).to.equal(target);
    });

  const failures = [
    ['SERVFAIL', { [`CNAME ${name}`]: 'SERVFAIL' }, 'ESERVFAIL'],
    ['REFUSED', { [`CNAME ${name}`]: 'REFUSED' }, 'EREFUSED'],
    ['FORMERR', { [`CNAME ${name}`]: 'FORMERR' }, 'EFORMERR'],
    [
      'SERVFAIL behind an alias',
      { [`CNAME ${name}`]: 'b.example.net', 'CNAME b.example.net': 'SERVFAIL' },
      'b.example.net',
    ],
    ['a circle', { [`CNAME ${name}`]: 'b.example.net', 'CNAME b.example.net': name }, 'circle'],
    ['a chain of nine', chain(9), 'more than 8'],
  ] as const;
  for (const [what, zone, words] of failures)
    it(`are unknown after ${what}: nothing may be written`, async () => {
      const resolver = await dnsOf(zone);
      const error = await failureOf(aliasOf(name, [resolver], signal));
      expect(error.code).to.equal('dns-lookup');
      expect(error.message).to.include(words);
    });

  it('are unknown where the resolver is not there, which is named', async () => {
    const resolver = await dnsOf({});
    for (const socket of sockets.splice(0)) socket.close();
    const error = await failureOf(aliasOf(name, [resolver], signal));
    expect(error.code).to.equal('dns-lookup');
    expect(error.message).to.include(`${resolver} did not return the CNAME of ${name}`);
  });

  const record = { name, value: 'v' };
  const unknown = [
    ['the name servers are unknown', { [`NS ${name}`]: 'SERVFAIL' }, `the name servers of ${name}`],
    [
      'the address of the only name server is unknown',
      { 'NS example.com': 'ns1.example.com', 'A ns1.example.com': 'SERVFAIL' },
      'the address of ns1.example.com',
    ],
  ] as const;
  for (const [what, zone, words] of unknown)
    it(`does not count a record as served where ${what}`, async () => {
      const options = { resolvers: [await dnsOf(zone)], servers: [], timeoutMs: 0 };
      const error = await failureOf(serversWithout(record, options, signal));
      expect(error.code).to.equal('dns-lookup');
      expect(error.message).to.include(words);
    });

  it('leaves out a name server whose address is unknown, where another server is known', async () => {
    const server = await dnsOf({ [`TXT ${name}`]: Buffer.from('\x01v') });
    const zone = { 'NS example.com': 'ns1.example.com', 'A ns1.example.com': 'REFUSED' } as const;
    const options = { resolvers: [await dnsOf(zone)], servers: [server], timeoutMs: 0 };
    expect(await serversWithout(record, options, signal)).to.deep.equal([]);
  });

  it('waits until every server serves the record, those of the zone too', async () => {
    const zone: Record<string, string | Buffer> = {};
    const [first, second] = [await dnsOf(zone), await dnsOf({ [`TXT ${name}`]: Buffer.from('\x01v') })];
    const options = { resolvers: [await dnsOf({})], servers: [first, second], timeoutMs: 20_000, lookEveryMs: 20 };
    let isOver = false;
    const seen = serversWithout(record, options, signal).finally(() => {
      isOver = true;
    });
    await until('it has looked', () => (requested.get(`${first} TXT`) ?? 0) >= 3);
    expect(isOver).to.equal(false);
    zone[`TXT ${name}`] = Buffer.from('\x05other');
    const before = requested.get(`${first} TXT`) ?? 0;
    await until('it has looked again', () => (requested.get(`${first} TXT`) ?? 0) >= before + 2);
    expect(isOver).to.equal(false);
    zone[`TXT ${name}`] = Buffer.from('\x01v');
    expect(await seen).to.deep.equal([]);
  });

  it('names the servers that do not serve the record when the time is over', async () => {
    const server = await dnsOf({});
    const options = { resolvers: [await dnsOf({})], servers: [server], timeoutMs: 0 };
    expect(await serversWithout(record, options, signal)).to.deep.equal([server]);
  });
});

function questionOf(query: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function responseOf(query: Buffer, zone: Zone): Buffer {
  const { name: requested, type, end } = questionOf(query);
  const found = zone[`${types[type]} ${requested}`];
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(0x8180, 2);
  for (const count of [6, 8, 10]) head.writeUInt16BE(0, count);
  if (found === undefined) return head;
  if (typeof found === 'string' && Object.hasOwn(codes, found)) {
    head.writeUInt16BE(0x8180 | codes[found as keyof typeof codes], 2);
    return head;
  }
  head.writeUInt16BE(1, 6);
  const data = typeof found === 'string' ? encodeName(found) : found;
  const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length]);
  return Buffer.concat([head, record, data]);
}
