import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { Agent, request } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PeerCertificate, connect as tlsConnect } from 'node:tls';
import { type Logger, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { eventually, startProxyUnderTest } from '../../../test/running-proxy.ts';
import { showAddresses } from '../../../test/shown-address.ts';
import { type TestCertificate, testCertificate } from '../../../test/test-certificate.ts';
import { followAdminCertificate } from './admin-certificate.ts';
import { createAdminListener } from './admin-listener.ts';
import { openAdminServer } from './admin-server.ts';

describe('the admin port with ADMIN_TLS', () => {
  let folder: string;
  let file: string;
  let first: TestCertificate;
  let second: TestCertificate;
  before(async () => {
    first = await testCertificate(['one.example']);
    second = await testCertificate(['two.example']);
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmgate-admin-tls-'));
    file = join(folder, 'admin.pem');
    await writeFile(file, first.pem);
  });
  afterEach(() => rm(folder, { recursive: true }));

  interface Response {
    readonly status: number | undefined;
    readonly cookie: string | undefined;
    readonly text: string;
  }
  const callBy = (port: number, method: string, path: string, body?: string, headers: Record<string, string> = {}) =>
    new Promise<Response>((resolve, reject) => {
      const agent = new Agent({ rejectUnauthorized: false });
      const sent = request({ host: '127.0.0.1', port, method, path, agent, headers }, async (response) => {
        let text = '';
        for await (const part of response.setEncoding('utf8')) text += part;
        agent.destroy();
        resolve({ status: response.statusCode, cookie: response.headers['set-cookie']?.[0], text });
      });
      sent.once('error', reject);
      sent.end(body);
    });
  const plain = (port: number) =>
    new Promise<{ readonly status: number | undefined; readonly reason: unknown; readonly text: string }>(
      (resolve, reject) => {
        httpGet({ host: '127.0.0.1', port, path: '/healthz', agent: false }, async (response) => {
          let text = '';
          for await (const part of response.setEncoding('utf8')) text += part;
          resolve({ status: response.statusCode, reason: response.headers['x-swarmgate-reason'], text });
        }).once('error', reject);
      },
    );
  const servedAt = (port: number) =>
    new Promise<PeerCertificate>((resolve, reject) => {
      const socket = tlsConnect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate());
        socket.destroy();
      });
      socket.once('error', reject);
    });

  for (const [title, setting] of [
    ['a file', () => file],
    ['the PEM of a secret', () => first.pem],
  ] as const)
    it(`serves TLS by ${title}, and its login is bound to TLS`, async () => {
      const under = await startProxyUnderTest({ env: { ADMIN_TLS: setting(), ADMIN_TOKEN: 's3cret' } });
      try {
        const { port } = under.proxy.admin;
        await eventually('the proxy is ready', () => under.proxy.ready());
        expect((await callBy(port, 'GET', '/healthz')).status).to.equal(200);
        const json = { 'Content-Type': 'application/json', Origin: `https://127.0.0.1:${port}` };
        const { status, cookie = '' } = await callBy(port, 'POST', '/v1/session', '{"token":"s3cret"}', json);
        expect(status).to.equal(200);
        expect(cookie).to.match(/^__Host-swarmgate_session=.*; Path=\/; .*; Secure$/);
        const Cookie = cookie.split(';', 1)[0] ?? '';
        const seen = await callBy(port, 'GET', '/v1/status', undefined, { Cookie });
        expect([seen.status, JSON.parse(seen.text)]).to.deep.include(200);
        expect(JSON.parse(seen.text)).to.include({ adminTls: true, tokenInPlain: null });
        // The name without the prefix, as a service on another port could set it, counts for nothing.
        const fixed = { Cookie: Cookie.replace('__Host-', '') };
        expect((await callBy(port, 'GET', '/v1/status', undefined, fixed)).status).to.equal(401);
        const http = { ...json, Cookie, Origin: `http://127.0.0.1:${port}` };
        expect((await callBy(port, 'DELETE', '/v1/session', undefined, http)).status).to.equal(401);
      } finally {
        await under.stop();
      }
    });

  it('responds plain HTTP with 400 that names HTTPS, and carries nothing out', async () => {
    const under = await startProxyUnderTest({ env: { ADMIN_TLS: file, ADMIN_TOKEN: 's3cret' } });
    try {
      const { status, reason, text } = await plain(under.proxy.admin.port);
      expect([status, reason]).to.deep.equal([400, 'tls-needed']);
      expect(text).to.include('https://');
    } finally {
      await under.stop();
    }
  });

  it('serves a new certificate without a restart, and keeps the old one where the new one is broken', async () => {
    const warnings: string[] = [];
    const logger = {
      ...silentLogger,
      info() {},
      warn: (_fields: unknown, message: string) => warnings.push(message),
    } as unknown as Logger;
    const certificate = await followAdminCertificate(file, logger, 20);
    const admin = await openAdminServer('127.0.0.1', 0, undefined, undefined, certificate);
    try {
      const nameOf = async () => (await servedAt(admin.port)).subjectaltname;
      expect(await nameOf()).to.equal('DNS:one.example');
      await writeFile(file, second.pem);
      await eventually('the second is served', async () => (await nameOf()) === 'DNS:two.example');
      await writeFile(file, second.pem.slice(0, 300));
      await eventually('the broken one is noticed', () => warnings.length > 0);
      await rm(file);
      await eventually('its absence is noticed', () => warnings.length > 1);
      expect(await nameOf()).to.equal('DNS:two.example');
      expect(warnings.join()).to.not.include('PRIVATE');
    } finally {
      await admin.stop();
      await certificate.stop();
    }
  });

  it('is refused at the start where the PEM cannot be used, without a word of its content', async () => {
    const cases = [
      [join(folder, 'absent.pem'), /absent\.pem: cannot be read/],
      [first.cert, /holds no private key/],
      [first.cert + second.key, /belongs to none of its certificates/],
    ] as const;
    for (const [setting, message] of cases) {
      const error = await followAdminCertificate(setting, silentLogger).then(
        () => undefined,
        (thrown: unknown) => thrown as Error & { readonly code: string },
      );
      expect(error?.code).to.equal('admin-tls-unusable');
      expect(error?.message).to.match(message).and.to.not.include('BEGIN');
    }
  });

  it('closes connections whose handshake does not come to its end in time', async () => {
    const certificate = await followAdminCertificate(file, silentLogger);
    const { listening, calls } = createAdminListener({}, 10, certificate, () => {}, 200);
    // As the admin server has it: with it, node:https leaves closing to the listener.
    calls.on('clientError', () => {});
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    try {
      for (const bytes of [[], [0x16], [0x16, 3, 1, 2, 0, 1]]) {
        const client = connect(port, '127.0.0.1').on('error', () => {});
        client.resume();
        if (bytes.length > 0) client.write(Buffer.from(bytes));
        await eventually(`that with ${bytes.length} bytes is closed`, () => client.closed);
      }
    } finally {
      listening.close();
      await certificate.stop();
    }
  });

  it('serves calls beside connections without end that begin no handshake, or half of one', async () => {
    const certificate = await followAdminCertificate(file, silentLogger);
    const most = 20;
    const { listening, calls } = createAdminListener(
      {},
      most,
      certificate,
      (_request, response) => response.end('healthy'),
      60_000,
    );
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    const idle: Socket[] = [];
    const dial = (at: number) => {
      const client = connect(port, '127.0.0.1').on('error', () => {});
      idle.push(client.resume());
      if (at % 2 === 0) client.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
      return once(client, 'connect');
    };
    try {
      await Promise.all(Array.from({ length: 3 * most }, (_, at) => dial(at)));
      for (let at = 0; at < 3; at += 1) {
        const called = tlsConnect({ host: '127.0.0.1', port, rejectUnauthorized: false }).on('error', () => {});
        called.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
        let text = '';
        called.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        await once(called, 'close');
        expect(text).to.include('healthy');
        await dial(at);
      }
      await eventually(
        'those that have taken longest are closed',
        () => idle.filter((each) => each.closed).length >= 2 * most,
      );
    } finally {
      for (const each of idle) each.destroy();
      listening.close();
      calls.closeAllConnections();
      await certificate.stop();
    }
  });

  it('ends at its stop, whatever connections do: silent, in a handshake, or without a call', async () => {
    const certificate = await followAdminCertificate(file, silentLogger);
    const admin = await openAdminServer('127.0.0.1', 0, undefined, undefined, certificate);
    const silent = connect(admin.port, '127.0.0.1').on('error', () => {});
    const begun = connect(admin.port, '127.0.0.1').on('error', () => {});
    begun.write(Buffer.from([0x16, 3, 1]));
    const idle = tlsConnect({ host: '127.0.0.1', port: admin.port, rejectUnauthorized: false }).on('error', () => {});
    await eventually('all are open', () => !silent.connecting && !begun.connecting && idle.authorizationError !== null);
    await Promise.all([admin.stop(), certificate.stop()]);
    await eventually('all are closed', () => silent.closed && begun.closed && idle.closed);
  });
});

describe('a token over plain HTTP', () => {
  const callFrom = showAddresses();

  it('is in the status and once in the log, where it came from another machine and was the right one', async () => {
    const warnings: string[] = [];
    const logger: Logger = Object.assign(Object.create(silentLogger) as Logger, {
      warn: (_fields: unknown, message: string) => warnings.push(message),
      child: () => logger,
    });
    const under = await startProxyUnderTest({ env: { ADMIN_TOKEN: 's3cret' }, logger });
    try {
      await eventually('the proxy is ready', () => under.proxy.ready());
      const Authorization = 'Bearer s3cret';
      const seen = async () => {
        callFrom('127.0.0.1');
        return (await under.call('GET', '/v1/status', { headers: { Authorization } })).body.tokenInPlain;
      };
      for (const [address, headers] of [
        ['127.0.0.1', { Authorization }],
        ['::1', { Authorization }],
        ['192.0.2.7', {}],
        ['192.0.2.7', { Authorization: 'Bearer wrong' }],
        ['192.0.2.7', { Authorization, 'X-Forwarded-Proto': 'https' }],
      ] as const) {
        callFrom(address);
        await under.call('GET', '/v1/status', { headers });
        expect(await seen(), JSON.stringify([address, headers])).to.equal(null);
      }
      for (const address of ['192.0.2.7', '192.0.2.8']) {
        callFrom(address);
        await under.call('GET', '/v1/status', { headers: { Authorization } });
      }
      expect(await seen()).to.include({ from: '192.0.2.7' });
      expect(warnings.filter((message) => message.includes('plain HTTP'))).to.have.length(1);
    } finally {
      await under.stop();
    }
  });
});
