import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { silentLogger } from '@swarmgate/runtime';
import { until as eventually } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { serveCertificate } from '../../../test/serve-certificate.ts';
import { testCertificate } from '../../../test/test-certificate.ts';
import { listening } from '../../../test/worker-rig.ts';
import { reset } from '../../transport/reset.ts';
import { readCertificate } from './certificate.ts';
import { CertificateStore } from './certificate-store.ts';
import { LiveChallenges } from './live-challenges.ts';
import { SecureEntrypoint } from './secure-entrypoint.ts';
import { makeSelfSigned } from './self-signed.ts';

describe('the end of TLS', () => {
  const certificates = new CertificateStore();
  const challenges = new LiveChallenges();
  const secured: TLSSocket[] = [];
  let entrypoint: SecureEntrypoint;
  let server: Server;
  let port: number;

  before(async () => {
    certificates.replace('self-signed', [await makeSelfSigned(undefined)]);
    await serveCertificate(certificates, ['a.example']);
    // Stand-ins for what package acme makes: what matters here is which certificate is shown.
    const pair = async () => {
      const { cert, key } = await testCertificate(['challenge.example']);
      return { certificate: cert, privateKey: key };
    };
    challenges.replace({
      http: [],
      alpn: [
        ['a.example', [await pair()]],
        ['new.example', [await pair()]],
        ['7.2.0.192.in-addr.arpa', [await pair()]],
      ],
    });
    entrypoint = new SecureEntrypoint(
      { certificates, challenges, handshakeMs: 5_000 },
      (socket) => secured.push(socket),
      silentLogger,
    );
    server = await listening(createServer((socket) => entrypoint.accept(socket)));
    port = (server.address() as AddressInfo).port;
  });
  after(async () => {
    for (const each of secured) each.destroy();
    entrypoint.stop();
    await once(server.close(), 'close');
  });

  const shake = async (servername: string, options: ConnectionOptions) => {
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false, ...options });
    try {
      await once(socket, 'secureConnect');
      const name = socket.getPeerCertificate().subjectaltname;
      return `${socket.alpnProtocol || 'none'} ${name?.replace('DNS:', '').split(',')[0]}`;
    } catch {
      return 'refused';
    } finally {
      socket.destroy();
    }
  };

  const acme = ['acme-tls/1'];
  const cases = [
    ['a client that offers no protocol', 'a.example', undefined, 'none a.example'],
    ['one of HTTP/1.1', 'a.example', ['http/1.1'], 'http/1.1 a.example'],
    ['one of HTTP/2 and HTTP/1.1', 'a.example', ['h2', 'http/1.1'], 'http/1.1 a.example'],
    ['one of another protocol', 'a.example', ['imap'], 'refused'],
    ['a validation of a name that has a certificate', 'a.example', acme, 'acme-tls/1 challenge.example'],
    ['a validation of a name that has none', 'new.example', acme, 'acme-tls/1 challenge.example'],
    ['any other client of that name', 'new.example', ['http/1.1'], 'http/1.1 a.example'],
    ['a validation of a name without a pending challenge', 'other.example', acme, 'refused'],
  ] as const;
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    for (const [what, name, protocols, shown] of cases)
      it(`is ${shown} for ${what}, by ${version}`, async () => {
        const offered = protocols === undefined ? {} : { ALPNProtocols: [...protocols] };
        expect(await shake(name, { minVersion: version, maxVersion: version, ...offered })).to.equal(shown);
      });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`is that of an address without a server name, and a validation of it is served, by ${version}`, async () => {
      const address = await testCertificate(['192.0.2.7']);
      const read = readCertificate('address', address.pem, undefined);
      if (!read.ok) throw new Error(read.reason);
      certificates.replace('acme', [read.certificate]);
      const one = { minVersion: version, maxVersion: version };
      expect(await shake('', one)).to.equal('none IP Address:192.0.2.7');
      expect(await shake('', { ...one, ALPNProtocols: ['http/1.1'] })).to.equal('http/1.1 IP Address:192.0.2.7');
      // RFC 8738, section 6: the server name of a validation is that of the reverse zone.
      expect(await shake('7.2.0.192.in-addr.arpa', { ...one, ALPNProtocols: acme })).to.equal(
        'acme-tls/1 challenge.example',
      );
      expect(await shake('new.example', one)).to.equal('none a.example');
      certificates.replace('acme', []);
      expect(await shake('', one)).to.equal('none a.example');
    });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    for (const [what, protocols, shown] of [
      ['one of HTTP/2 and HTTP/1.1', ['http/1.1', 'h2'], 'h2 a.example'],
      ['one of HTTP/1.1', ['http/1.1'], 'http/1.1 a.example'],
      ['a validation', acme, 'acme-tls/1 challenge.example'],
      ['a validation that offers more', ['h2', 'acme-tls/1'], 'acme-tls/1 challenge.example'],
    ] as const)
      it(`is ${shown} for ${what} where HTTP/2 is served, by ${version}`, async () => {
        const sockets: TLSSocket[] = [];
        const both = new SecureEntrypoint(
          { certificates, challenges, handshakeMs: 5_000, http2: true },
          (socket) => sockets.push(socket),
          silentLogger,
        );
        const beside = createServer((socket) => both.accept(socket)).listen(0, '127.0.0.1');
        await once(beside, 'listening');
        const address = beside.address();
        const at = typeof address === 'object' && address !== null ? { port: address.port } : {};
        const one = { minVersion: version, maxVersion: version, ALPNProtocols: [...protocols], ...at };
        expect(await shake('a.example', one)).to.equal(shown);
        for (const each of sockets) each.destroy();
        both.stop();
        await once(beside.close(), 'close');
      });

  for (const [what, source] of [
    ['', undefined],
    [' with a PROXY header', '192.0.2.7'],
  ] as const)
    it(`is a reset of the connection below${what}, also with bytes that the client has not taken`, async () => {
      const beside = createServer((socket) => entrypoint.accept(socket, { source }));
      await once(beside.listen(0, '127.0.0.1'), 'listening');
      const before = secured.length;
      const client = connect({
        port: (beside.address() as AddressInfo).port,
        host: '127.0.0.1',
        servername: 'a.example',
        rejectUnauthorized: false,
      });
      const ends: string[] = [];
      client
        .on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''))
        .on('end', () => ends.push('end'));
      await once(client, 'secureConnect');
      await eventually('it is accepted', () => secured.length > before);
      const socket = secured.at(-1) as TLSSocket;
      expect(socket.remoteAddress).to.equal(source ?? '127.0.0.1');
      // More than the system takes for a client that does not read.
      socket.write(Buffer.alloc(16 * 1024 * 1024));
      const closed = Promise.all([once(socket, 'close'), once(beside.close(), 'close')]);
      reset(socket);
      client.resume();
      await closed;
      await eventually('the client has noticed', () => client.closed);
      expect(ends).to.deep.equal(['ECONNRESET']);
    });

  it('takes no data after a validation', async () => {
    const before = secured.length;
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'a.example',
      rejectUnauthorized: false,
      ALPNProtocols: acme,
    });
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await once(socket.resume(), 'close');
    expect(secured).to.have.length(before);
  });
});
