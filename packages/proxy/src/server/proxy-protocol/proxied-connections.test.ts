import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectSecure } from 'node:tls';
import type { Destination, ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import { RawConnection, until } from '../../../test/behaviour-rig.ts';
import { freePort } from '../../../test/free-ports.ts';
import { testCertificate } from '../../../test/test-certificate.ts';
import { startInProcessServer } from '../../control/serving/in-process-server.ts';
import type { Server as ProxyServer } from '../../control/serving/server.ts';

const header = 'PROXY TCP4 203.0.113.7 10.0.0.1 54321 443\r\n';
const request = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

for (const router of ['core', 'express'] as const)
  describe(`ports with PROXY protocol before the ${router} router`, () => {
    let server: ProxyServer | undefined;
    let metrics: Metrics;
    let directory: string;
    let plain: number;
    let secure: number;
    let relayed: number;
    let seen: string | undefined;
    const servers: Server[] = [];
    const sockets = new Set<Socket>();

    beforeEach(async () => {
      metrics = new Metrics();
      seen = undefined;
      directory = await mkdtemp(join(tmpdir(), 'proxied-'));
      await mkdir(join(directory, 'certs'));
      await writeFile(join(directory, 'certs', 'a.pem'), (await testCertificate(['a.example'])).pem);
      const backend = createHttpServer((incoming, response) => {
        seen = String(incoming.headers['x-forwarded-for']);
        response.end('served');
      });
      const http = await listening(backend);
      const echo = await listening(createServer((socket) => void socket.on('error', () => undefined).pipe(socket)));
      [plain, secure, relayed] = [await freePort(), await freePort(), await freePort()];
      await start('127.0.0.0/8');
      await publish('a', { servicePath: ['/'], port: http });
      await publish('db', { reqMode: 'tcp', srcPort: relayed, port: echo }, { allowedAddresses: ['203.0.113.7'] });
    });
    afterEach(async () => {
      await server?.stop();
      for (const socket of sockets) socket.destroy();
      for (const server of servers.splice(0)) server.close();
      await rm(directory, { recursive: true });
    });

    async function start(trusted: string): Promise<void> {
      server = await startInProcessServer({
        settings: readSettings('standalone', {
          env: {
            HTTP_ROUTER: router,
            DATA_DIR: directory,
            TRUSTED_PROXIES: trusted,
            PROXY_PROTOCOL_PORTS: [plain, secure, relayed].join(),
            TIMEOUT_HTTP_REQUEST: '0.3',
          },
          secretsDir: '/nowhere',
        }),
        logger: silentLogger,
        metrics,
        env: {},
        entrypoints: [
          { port: plain, secure: false },
          { port: secure, secure: true },
        ],
        host: '127.0.0.1',
      });
    }

    async function publish(service: string, destination: Partial<Destination>, more: Partial<ServiceDefinition> = {}) {
      const definition: ServiceDefinition = {
        version: 1,
        service,
        owner: 'manual',
        source: { kind: 'rest', by: 'test' },
        updatedAt: '',
        destinations: [{ index: 0, since: 0, port: 80, outboundHostname: '127.0.0.1', ...destination }],
        ...more,
      };
      const key: ServiceKey = `manual/${service}`;
      const served = { key, definition, endpoints: undefined, origin: 'registry', addressesFresh: true } as const;
      const changes = new Map([[key, served]]);
      await server?.apply({ revision: service, sequence: 1, registryId: 'test', changes, rejected: new Map() });
    }

    function dial(port: number): RawConnection {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      sockets.add(socket);
      return new RawConnection(socket);
    }

    async function listening(server: Server): Promise<number> {
      servers.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }

    const refused = async () => {
      const metric = await metrics.getSingleMetric('swarmgate_refused_connections_total')?.get();
      return metric?.values.filter(({ value }) => value > 0).map(({ labels, value }) => [labels.cause, value]);
    };

    it('show services the client that the header names', async () => {
      const client = dial(plain);
      client.send(header + request);
      expect(await client.untilClosed()).to.include('served');
      expect(seen).to.equal('203.0.113.7');
    });

    it('read a header that comes byte by byte', async () => {
      const client = dial(plain);
      client.socket.setNoDelay(true);
      for (const byte of header + request) client.send(byte);
      expect(await client.untilClosed()).to.include('served');
      expect(seen).to.equal('203.0.113.7');
    });

    it('read it before TLS, whether or not the ClientHello comes with it', async () => {
      for (const together of [true, false]) {
        seen = undefined;
        const socket = connect({ port: secure, host: '127.0.0.1' });
        sockets.add(socket);
        socket.on('error', () => undefined);
        if (together) socket.cork();
        socket.write(header);
        if (!together) await once(socket, 'connect').then(() => new Promise((resolve) => setImmediate(resolve)));
        const client = connectSecure({ socket, servername: 'a.example', rejectUnauthorized: false });
        if (together) process.nextTick(() => socket.uncork());
        client.on('error', () => undefined);
        client.write(request);
        const reader = new RawConnection(client);
        expect(await reader.untilClosed()).to.include('served');
        expect(seen).to.equal('203.0.113.7');
      }
    });

    it('hold a relayed service’s allow list against the client, not the proxy', async () => {
      const allowed = dial(relayed);
      allowed.send(`${header}hello`);
      await allowed.until('hello');
      const denied = dial(relayed);
      denied.send('PROXY TCP4 203.0.113.8 10.0.0.1 54321 443\r\nhello');
      expect(await denied.untilClosed()).to.equal('');
    });

    it('take a proxy whose header has UNKNOWN for the client', async () => {
      const client = dial(plain);
      client.send(`PROXY UNKNOWN\r\n${request}`);
      expect(await client.untilClosed()).to.include('served');
      expect(seen).to.equal('127.0.0.1');
    });

    it('serve no connection without a header, and log it', async () => {
      const bare = dial(plain);
      bare.send(request);
      expect(await bare.untilClosed()).to.equal('');
      const silent = dial(plain);
      expect(await silent.untilClosed()).to.equal('');
      expect(seen).to.equal(undefined);
      await until(() => silent.socket.closed);
      expect(await refused()).to.deep.equal([
        ['proxy-header-invalid', 1],
        ['proxy-header-late', 1],
      ]);
    });

    it('serve only trusted proxies, whatever other peers send', async () => {
      await server?.stop();
      metrics = new Metrics();
      await start('10.0.0.0/8');
      const client = dial(plain);
      client.send(header + request);
      expect(await client.untilClosed()).to.equal('');
      expect(seen).to.equal(undefined);
      expect(await refused()).to.deep.equal([['proxy-untrusted', 1]]);
    });
  });
