import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { mostHelloRecords, readClientHello } from './client-hello.ts';

/** What a real TLS client sends first. */
async function helloFor(options: {
  readonly servername?: string;
  readonly maxVersion?: 'TLSv1.2';
  readonly ALPNProtocols?: string[];
}): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  client.on('error', () => undefined);
  const [socket] = await once(server, 'connection');
  let bytes = Buffer.alloc(0);
  while (readClientHello(bytes).kind === 'incomplete') {
    const [chunk] = await once(socket, 'data');
    bytes = Buffer.concat([bytes, chunk as Buffer]);
  }
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

describe('reading a ClientHello', () => {
  it('finds the name of TLS 1.3 and 1.2 clients, in lower case', async () => {
    const modern = await helloFor({ servername: 'Shop.Example' });
    const older = await helloFor({ servername: 'shop.example', maxVersion: 'TLSv1.2' });
    expect(readClientHello(modern)).to.deep.equal({ kind: 'hello', serverName: 'shop.example', protocols: [] });
    expect(readClientHello(older)).to.deep.equal({ kind: 'hello', serverName: 'shop.example', protocols: [] });
  });

  it('finds the protocols that the client offers, in their order', async () => {
    const hello = await helloFor({ servername: 'shop.example', ALPNProtocols: ['acme-tls/1', 'h2'] });
    expect(readClientHello(hello)).to.deep.equal({
      kind: 'hello',
      serverName: 'shop.example',
      protocols: ['acme-tls/1', 'h2'],
    });
  });

  it('accepts a client that names no server', async () => {
    const hello = await helloFor({});
    expect(readClientHello(hello)).to.deep.equal({ kind: 'hello', serverName: undefined, protocols: [] });
  });

  it('waits for the rest wherever a segment ends', async () => {
    const hello = await helloFor({ servername: 'shop.example' });
    for (let end = 0; end < hello.length; end += 1)
      expect(readClientHello(hello.subarray(0, end)).kind, `${end} bytes`).to.equal('incomplete');
  });

  it('puts a hello together that comes in several records', async () => {
    const hello = await helloFor({ servername: 'shop.example' });
    const message = hello.subarray(5);
    const records: Buffer[] = [];
    for (let at = 0; at < message.length; at += 50) {
      const part = message.subarray(at, at + 50);
      records.push(Buffer.from([22, 3, 1, 0, part.length]), part);
    }
    expect(readClientHello(Buffer.concat(records))).to.deep.equal({
      kind: 'hello',
      serverName: 'shop.example',
      protocols: [],
    });
  });

  it('takes no more records than the bound, whatever they hold', async () => {
    const hello = await helloFor({ servername: 'shop.example' });
    const message = hello.subarray(5);
    const empty = Buffer.from([22, 3, 1, 0, 0]);
    const last = Buffer.concat([Buffer.from([22, 3, 1, message.length >> 8, message.length & 255]), message]);
    const kindBehind = (records: number) =>
      readClientHello(Buffer.concat([...Array<Buffer>(records).fill(empty), last])).kind;
    expect(kindBehind(mostHelloRecords - 1)).to.equal('hello');
    expect(kindBehind(mostHelloRecords)).to.equal('too-large');
  });

  const strangers = [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['SSH', Buffer.from('SSH-2.0-client\r\n')],
    ['another record version', Buffer.from([22, 9, 1, 0, 1, 1])],
    ['another handshake message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['lengths that point outside', Buffer.from([22, 3, 1, 0, 8, 1, 0, 0, 4, 3, 3, 0, 0])],
  ] as const;
  it('reads none that is larger than the bound', () => {
    expect(readClientHello(Buffer.from([22, 3, 1, 0, 4, 1, 0, 0x40, 0])).kind).to.equal('incomplete');
    expect(readClientHello(Buffer.from([22, 3, 1, 0, 4, 1, 0, 0x40, 1])).kind).to.equal('too-large');
  });

  for (const [what, bytes] of strangers)
    it(`takes ${what} for what it is`, () => {
      expect(readClientHello(bytes).kind).to.equal('not-tls');
    });
});
