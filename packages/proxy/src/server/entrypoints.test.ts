import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';
import { type ConnectionOptions, connect as connectSecure, type TLSSocket } from 'node:tls';
import type { EntrypointSetting } from '@swarmgate/runtime';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { until } from '../../test/behaviour-rig.ts';
import { type TestCertificate, testCertificate } from '../../test/test-certificate.ts';
import { connectionInfo } from '../exchange/client-connection.ts';
import { EntrypointError } from './bound-port.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { Entrypoints, type EntrypointsOptions } from './entrypoints.ts';
import { readCertificate } from './tls/certificate.ts';
import { CertificateStore } from './tls/certificate-store.ts';

const plain: EntrypointSetting = { port: 0, secure: false };
const secured: EntrypointSetting = { port: 0, secure: true };

describe('entrypoints', () => {
  let opened: Entrypoints | undefined;
  let accepted: { readonly connection: Socket; readonly entrypoint: EntrypointSetting }[];
  const clients: Socket[] = [];
  const servers: Server[] = [];

  beforeEach(() => {
    accepted = [];
  });
  afterEach(async () => {
    await opened?.close();
    opened = undefined;
    for (const { connection } of accepted) connection.destroy();
    for (const client of clients.splice(0)) client.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  async function open(
    settings: readonly EntrypointSetting[],
    more: Partial<EntrypointsOptions> = {},
  ): Promise<Entrypoints> {
    opened = await Entrypoints.open({
      settings,
      server: {
        open: 0,
        accept: (connection, entrypoint) => {
          accepted.push({ connection, entrypoint });
          connection.resume().once('end', () => connection.destroy());
          connection.write('served');
        },
        drain: async () => undefined,
      },
      secure: undefined,
      logger: silentLogger,
      host: '127.0.0.1',
      ...more,
    });
    return opened;
  }

  function portOf(entrypoints: Entrypoints, at = 0): number {
    return entrypoints.views()[at]?.port ?? 0;
  }

  function dial(port: number): Socket {
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    clients.push(client);
    return client;
  }

  async function occupied(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  it('hand connections to the server, with the port that clients see', async () => {
    const entrypoints = await open([plain]);
    const port = portOf(entrypoints);
    const [bytes] = await once(dial(port), 'data');
    expect(String(bytes)).to.equal('served');
    expect(accepted[0]?.entrypoint).to.deep.equal({ port, secure: false });
    expect(entrypoints.views()).to.deep.equal([{ port, secure: false, state: 'open', address: `127.0.0.1:${port}` }]);
  });

  it('name the port that is in use, and leave none open', async () => {
    const port = await occupied();
    let failure: unknown;
    try {
      await open([{ port, secure: false }]);
    } catch (error) {
      failure = error;
    }
    expect(failure).to.be.instanceOf(EntrypointError);
    expect(failure).to.include({ code: 'entrypoint-in-use' });
    expect(String(failure)).to.include(`127.0.0.1:${port} is in use`).and.to.include('DEFAULT_PORTS');
  });

  it('keep a bound port from being bound again before it is open', async () => {
    const port = await occupied();
    for (const server of servers.splice(0)) server.close();
    let failure: unknown;
    try {
      await open([
        { port, secure: false },
        { port, secure: true },
      ]);
    } catch (error) {
      failure = error;
    }
    expect(failure).to.be.instanceOf(EntrypointError);
    expect(String(failure)).to.include(`${port} stands twice`);
  });

  it('accept no connection once they are closed, and keep the open ones', async () => {
    const entrypoints = await open([plain]);
    const port = portOf(entrypoints);
    const client = dial(port);
    await once(client, 'data');
    await entrypoints.close();
    const late = dial(port);
    await until(() => late.closed);
    expect(accepted).to.have.length(1);
    accepted[0]?.connection.write('still here');
    const [bytes] = await once(client, 'data');
    expect(String(bytes)).to.equal('still here');
  });

  it('serve a connection that another process accepted, also one that comes once they are closed', async () => {
    const entrypoints = await open([plain]);
    const port = portOf(entrypoints);
    const others = createServer();
    servers.push(others.listen(0, '127.0.0.1'));
    await once(others, 'listening');
    const adopt = async (at: number) => {
      const client = dial((others.address() as AddressInfo).port);
      const [socket] = (await once(others, 'connection')) as [Socket];
      entrypoints.adopt(socket, at);
      return client;
    };
    for (const close of [async () => undefined, () => entrypoints.close()]) {
      await close();
      const client = await adopt(port);
      expect(String((await once(client, 'data'))[0])).to.equal('served');
    }
    const elsewhere = await adopt(port + 1);
    await until(() => elsewhere.closed);
    expect(accepted).to.have.length(2);
  });

  it('close connections over the limits at once: of one address, and of all', async () => {
    for (const most of [
      { most: 1, mostPerAddress: 0 },
      { most: 0, mostPerAddress: 1 },
    ]) {
      const limits = new ConnectionLimits({ ...most, exempt: () => false });
      const entrypoints = await open([plain], { admit: (socket) => limits.admit(socket) });
      const first = dial(portOf(entrypoints));
      await once(first, 'data');
      const second = dial(portOf(entrypoints));
      await until(() => second.closed);
      expect(limits).to.include({ open: 1, refused: 1, refusedOfAddress: most.mostPerAddress });
      first.destroy();
      await until(() => limits.open === 0);
      await once(dial(portOf(entrypoints)), 'data');
      await entrypoints.close();
      for (const { connection } of accepted.splice(0)) connection.destroy();
    }
  });

  it('do not count a trusted proxy’s connections as one client’s', () => {
    const limits = new ConnectionLimits({ most: 0, mostPerAddress: 1, exempt: () => true });
    expect([new Socket(), new Socket()].map((socket) => limits.admit(socket))).to.deep.equal([true, true]);
  });

  describe('that end TLS', () => {
    let authority: TestCertificate;
    let shop: TestCertificate;
    let blog: TestCertificate;
    let certificates: CertificateStore;

    before(async () => {
      authority = await testCertificate(['authority'], { isAuthority: true });
      [shop, blog] = await Promise.all([
        testCertificate(['shop.example'], { ca: authority }),
        testCertificate(['blog.example'], { ca: authority }),
      ]);
    });
    beforeEach(() => {
      certificates = new CertificateStore();
    });

    const serve = (...pairs: readonly (readonly [name: string, certificate: TestCertificate])[]) =>
      certificates.replace(
        'file',
        pairs.map(([name, { pem }], validFromMs) => {
          const read = readCertificate(name, pem, authority.cert);
          if (!read.ok) throw new Error(read.reason);
          // The first one is the oldest.
          return { ...read.certificate, validFromMs };
        }),
      );
    const openSecure = (clientAuthorities?: string) =>
      open([secured], {
        secure: {
          certificates,
          handshakeMs: 1_000,
          ...(clientAuthorities === undefined ? {} : { clientAuthorities }),
        },
      });

    async function handshake(entrypoints: Entrypoints, options: ConnectionOptions): Promise<TLSSocket> {
      const client = connectSecure({
        port: portOf(entrypoints),
        host: '127.0.0.1',
        ca: authority.cert,
        checkServerIdentity: () => undefined,
        ...options,
      });
      clients.push(client);
      await once(client, 'secureConnect');
      return client;
    }
    const nameOf = (client: TLSSocket) => client.getPeerCertificate().subject.CN;

    it('stay closed without a certificate, report it, and open with the first one', async () => {
      const entrypoints = await open([plain, secured], { secure: { certificates, handshakeMs: 1_000 } });
      const refused = dial(portOf(entrypoints, 1));
      await until(() => refused.closed);
      expect(refused.bytesRead + accepted.length).to.equal(0);
      expect(entrypoints.views()[1]).to.include({ secure: true, state: 'closed' });
      expect(JSON.stringify(entrypoints.views()[1])).to.include('DATA_DIR/certs');
      serve(['shop', shop]);
      await entrypoints.openWaiting();
      expect(entrypoints.views()[1]).to.include({ secure: true, state: 'open' });
    });

    it('choose the certificate by server name', async () => {
      serve(['shop', shop], ['blog', blog]);
      const entrypoints = await openSecure();
      expect(nameOf(await handshake(entrypoints, { servername: 'blog.example' }))).to.equal('blog.example');
      expect(nameOf(await handshake(entrypoints, { servername: 'shop.example' }))).to.equal('shop.example');
      expect(nameOf(await handshake(entrypoints, { servername: 'unknown.example' }))).to.equal('shop.example');
      expect(nameOf(await handshake(entrypoints, {}))).to.equal('shop.example');
    });

    it('swap certificates without touching open connections', async () => {
      serve(['shop', shop]);
      const entrypoints = await openSecure();
      const before = await handshake(entrypoints, { servername: 'shop.example' });
      await until(() => accepted.length === 1);
      const renewed = await testCertificate(['shop.example'], { ca: authority });
      const former = before.getPeerCertificate().serialNumber;
      serve(['shop', renewed]);
      for (const servername of ['shop.example', undefined]) {
        const after = await handshake(entrypoints, servername === undefined ? {} : { servername });
        expect(after.getPeerCertificate().serialNumber).not.to.equal(former);
      }
      accepted[0]?.connection.write(' on');
      await until(() => before.bytesRead > 0 && !before.destroyed);
      let received = '';
      before.on('data', (bytes: Buffer) => {
        received += bytes.toString();
      });
      await until(() => received === 'served on');
    });

    for (const [what, bytes] of [
      ['says nothing', ''],
      ['begins a handshake and goes silent', '\x16\x03\x01\x02\x00\x01'],
    ] as const) {
      it(`close on a client that ${what}`, async () => {
        serve(['shop', shop]);
        const entrypoints = await open([secured], { secure: { certificates, handshakeMs: 20 } });
        const client = connect(portOf(entrypoints), '127.0.0.1');
        clients.push(client);
        client.write(bytes, 'latin1');
        client.resume();
        // A reset is as good an end as any, and `once` would reject with it.
        client.on('error', () => undefined);
        await new Promise((resolve) => client.once('close', resolve));
        expect(accepted).to.have.length(0);
      });
    }

    it('resume sessions', async () => {
      serve(['shop', shop]);
      const entrypoints = await openSecure();
      const first = await handshake(entrypoints, { servername: 'shop.example' });
      const [session] = await once(first, 'session');
      const again = await handshake(entrypoints, { servername: 'shop.example', session });
      expect(again.isSessionReused()).to.equal(true);
    });

    it('accept no TLS older than 1.2', async () => {
      serve(['shop', shop]);
      const entrypoints = await openSecure();
      let failure = '';
      try {
        await handshake(entrypoints, { servername: 'shop.example', minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
      } catch (error) {
        failure = String(error);
      }
      expect(failure).to.match(/protocol|alert/i);
      expect(accepted).to.have.length(0);
    });

    it('identify a client by a certificate of the authority, and accept others without an identity', async () => {
      serve(['shop', shop]);
      const entrypoints = await openSecure(authority.cert);
      const known = await testCertificate(['client'], { ca: authority });
      const strange = await testCertificate(['client']);
      const verified: boolean[] = [];
      for (const certificate of [known, strange, undefined])
        for (const servername of ['shop.example', undefined]) {
          const count = accepted.length;
          await handshake(entrypoints, {
            ...(servername === undefined ? {} : { servername }),
            ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
          });
          await until(() => accepted.length > count);
          const last = accepted.at(-1);
          if (last === undefined) throw new Error('not accepted');
          verified.push(connectionInfo(last.connection, last.entrypoint, () => false).certificateVerified);
        }
      expect(verified).to.deep.equal([true, true, false, false, false, false]);
    });

    it('survive clients that speak something else, or nothing', async () => {
      serve(['shop', shop]);
      const entrypoints = await openSecure();
      const talker = dial(portOf(entrypoints));
      talker.write('GET / HTTP/1.1\r\n\r\n');
      await until(() => talker.closed);
      expect(nameOf(await handshake(entrypoints, { servername: 'shop.example' }))).to.equal('shop.example');
    });
  });
});
