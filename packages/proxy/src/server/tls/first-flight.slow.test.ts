import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { serveCertificate } from '../../../test/serve-certificate.ts';
import { listening } from '../../../test/worker-rig.ts';
import { mostHelloRecords } from '../relay/client-hello.ts';
import { CertificateStore } from './certificate-store.ts';
import { SecureEntrypoint } from './secure-entrypoint.ts';

/** What a client sends first. */
function clientHello(servername: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (bytes: Buffer) => resolve(bytes) });
    connect({ socket: wire, servername, rejectUnauthorized: false }).on('error', () => undefined);
  });
}

describe('the beginning of TLS', () => {
  const certificates = new CertificateStore();
  const accepted: Socket[] = [];
  const secured: TLSSocket[] = [];
  const refused: string[] = [];
  /** In which turns of the event loop a certificate was chosen. */
  const handshakeTurns: number[] = [];
  let turn = 0;
  let entrypoint: SecureEntrypoint;
  let server: Server;
  let port: number;

  before(async () => {
    await serveCertificate(certificates, ['a.example']);
    const contextFor = certificates.contextFor.bind(certificates);
    certificates.contextFor = (name) => {
      handshakeTurns.push(turn);
      return contextFor(name);
    };
    entrypoint = new SecureEntrypoint(
      { certificates, handshakeMs: 60_000, onRefused: (cause) => refused.push(cause) },
      (socket) => secured.push(socket),
      silentLogger,
    );
    server = await listening(
      createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
        socket.on('error', () => undefined);
        accepted.push(socket);
      }),
    );
    port = (server.address() as AddressInfo).port;
  });
  afterEach(() => {
    for (const each of [...secured.splice(0), ...accepted.splice(0)]) each.destroy();
    refused.length = 0;
    handshakeTurns.length = 0;
  });
  after(async () => {
    entrypoint.stop();
    await once(server.close(), 'close');
  });

  const dial = (bytes: Buffer) => {
    const client = connectTcp({ port, host: '127.0.0.1' });
    client.on('error', () => undefined).resume();
    client.write(bytes);
    return client;
  };
  const arrived = (count: number) => until('they are there', () => accepted.length === count);

  it('begins one handshake in a turn of the event loop, however many have come', async () => {
    const hello = await clientHello('a.example');
    const clients = Array.from({ length: 8 }, () => dial(hello));
    await arrived(clients.length);
    let isCounting = true;
    const count = () => {
      turn += 1;
      if (isCounting) setImmediate(count);
    };
    setImmediate(count);
    for (const socket of accepted) entrypoint.accept(socket);
    await until('all have begun', () => handshakeTurns.length === clients.length);
    isCounting = false;
    expect(new Set(handshakeTurns).size).to.equal(clients.length);
    for (const client of clients) client.destroy();
  });

  it('is not for a ClientHello in more records than the bound: TLS never gets it', async () => {
    const records = Array<Buffer>(mostHelloRecords + 1).fill(Buffer.from([22, 3, 1, 0, 1, 1]));
    const client = dial(Buffer.concat([Buffer.from([22, 3, 1, 0, 4, 1, 0, 0x3f, 0xff]), ...records]));
    const [, received] = [await arrived(1), once(client, 'close')];
    entrypoint.accept(accepted[0] as Socket);
    await received;
    expect(refused).to.deep.equal(['hello-too-large']);
    // An alert would be TLS's.
    expect(client.bytesRead).to.equal(0);
  });

  for (const [what, bytes] of [
    ['no TLS', Buffer.from('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')],
    ['half a ClientHello and the end', Buffer.from([22, 3, 1, 2, 0, 1])],
  ] as const)
    it(`closes a connection at ${what}, and counts nothing`, async () => {
      const client = dial(bytes);
      client.end();
      await arrived(1);
      entrypoint.accept(accepted[0] as Socket);
      await once(client, 'close');
      expect(refused).to.deep.equal([]);
    });

  for (const name of ['a.example', ''])
    it(`ends with a client that leaves within the handshake, ${name === '' ? 'without' : 'with'} a server name`, async () => {
      const client = dial(await clientHello(name));
      await arrived(1);
      const [socket] = accepted as [Socket];
      entrypoint.accept(socket);
      await once(client, 'data');
      client.end();
      await once(socket, 'close');
    });

  it('leaves a client that ends its side behind the handshake the other one', async () => {
    const below = { port, host: '127.0.0.1', allowHalfOpen: true };
    const client = connect({ ...below, servername: 'a.example', rejectUnauthorized: false });
    await arrived(1);
    entrypoint.accept(accepted[0] as Socket);
    await once(client, 'secureConnect');
    await until('it is accepted', () => secured.length === 1);
    const [socket] = secured as [TLSSocket];
    client.end('request');
    await once(socket.resume(), 'end');
    const response = once(client, 'data');
    socket.end('response');
    expect(String((await response)[0])).to.equal('response');
  });
});
