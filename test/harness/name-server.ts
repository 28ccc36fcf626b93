import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestNameServer {
  /** Starts a program with this server as its only one: for `ProcessOptions.through`. Needs root. */
  readonly through: readonly string[];
  /** How it treats queries: without a response, with 127.0.0.1 for every name, or with SERVFAIL. */
  mode: 'hang' | 'response' | 'fail';
  /** Queries so far. */
  readonly requested: number;
  stop(): Promise<void>;
}

/** A DNS server on port 53 of a loopback address of its own. */
export async function startNameServer(address = '127.0.53.11'): Promise<TestNameServer> {
  const folder = mkdtempSync(join(tmpdir(), 'swarmgate-names-'));
  const file = join(folder, 'resolv.conf');
  writeFileSync(file, `nameserver ${address}\n`);
  const socket = createSocket('udp4');
  let requested = 0;
  const server: TestNameServer = {
    through: ['unshare', '--mount', 'sh', '-c', 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"', 'sh', file],
    mode: 'hang',
    get requested() {
      return requested;
    },
    async stop() {
      socket.close();
      await once(socket, 'close');
      rmSync(folder, { recursive: true });
    },
  };
  socket.on('message', (query, from) => {
    requested += 1;
    if (server.mode !== 'hang') socket.send(responseTo(query, server.mode), from.port, from.address);
  });
  socket.bind(53, address);
  await once(socket, 'listening');
  return server;
}

/** RFC 1035, section 4.1: the query's head and question, and for type A one record. */
function responseTo(query: Buffer, mode: 'response' | 'fail'): Buffer {
  let at = 12;
  while (query[at] !== 0 && at < query.length) at += 1 + (query[at] as number);
  const question = query.subarray(12, at + 5);
  const isA = query.readUInt16BE(at + 1) === 1;
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(mode === 'fail' ? 0x8182 : 0x8180, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(mode === 'response' && isA ? 1 : 0, 6);
  head.writeUInt32BE(0, 8);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat(mode === 'response' && isA ? [head, question, record] : [head, question]);
}
