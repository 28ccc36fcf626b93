import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlainServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createAdminClient } from '../../../packages/cli/src/admin-client.ts';
import { type TestCertificate, testCertificate } from '../../../packages/proxy/test/test-certificate.ts';

const healthcheck = fileURLToPath(new URL('../../../packages/cli/bin/healthcheck.mjs', import.meta.url));

describe('calls to a proxy with ADMIN_TLS', () => {
  let folder: string;
  let own: TestCertificate;
  let server: Server;
  let ADMIN_PORT: string;
  const file = (name: string) => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmgate-cli-tls-'));
    own = await testCertificate(['proxy.example']);
    await writeFile(file('own.pem'), own.pem);
    await writeFile(file('other.pem'), (await testCertificate(['proxy.example'])).pem);
    server = createServer({ cert: own.cert, key: own.key }, (request, response) => {
      response.statusCode = request.url === '/readyz' || request.url === '/v1/status' ? 200 : 404;
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ADMIN_PORT = String((server.address() as AddressInfo).port);
  });
  after(async () => {
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true });
  });

  const statusWith = (env: Readonly<Record<string, string>>, url?: string) =>
    createAdminClient({ env: { ADMIN_PORT, ...env }, url })
      .get('/v1/status')
      .then(
        ({ status }) => status,
        (error: Error) => error.message,
      );

  it('go by TLS, and take the certificate of ADMIN_TLS on the machine of the proxy, under any name', async () => {
    expect(await statusWith({ ADMIN_TLS: file('own.pem') })).to.equal(200);
    expect(await statusWith({ ADMIN_TLS: own.pem })).to.equal(200);
    expect(await statusWith({ ADMIN_TLS: file('own.pem') }, `https://localhost:${ADMIN_PORT}`)).to.equal(200);
  });

  it('take no other certificate', async () => {
    expect(await statusWith({ ADMIN_TLS: file('other.pem') })).to.match(/self-signed|verify/);
    const message = await statusWith({}, `https://127.0.0.1:${ADMIN_PORT}`);
    expect(message)
      .to.match(/self-signed|verify/)
      .and.include('SWARMGATE_CACERT')
      .and.not.include('no response');
    // Of the right authority, and for another name.
    const env = { SWARMGATE_CACERT: file('own.pem') };
    expect(await statusWith(env, `https://127.0.0.1:${ADMIN_PORT}`)).to.match(/altnames/);
  });

  it('are made by the images’ health check', async () => {
    const codeWith = (env: Readonly<Record<string, string>>) =>
      new Promise<number>((resolve) => {
        execFile(process.execPath, [healthcheck, 'proxy'], { env: { ADMIN_PORT, ...env } }, (error) =>
          resolve(error === null ? 0 : Number(error.code)),
        );
      });
    expect(await codeWith({ ADMIN_TLS: file('own.pem') })).to.equal(0);
    expect(await codeWith({})).to.equal(1);
    expect(await codeWith({ ADMIN_TLS: file('own.pem'), ADMIN_PORT: '1' })).to.equal(1);
  });

  for (const [role, path, status, body, code] of [
    ['proxy', '/readyz', 200, '{"status":"ready"}', 0],
    ['proxy', '/readyz', 503, '{"status":"waiting for the first table"}', 1],
    ['proxy', '/readyz', 503, '{"status":"draining"}', 0],
    ['listener', '/healthz', 200, '{}', 0],
    ['listener', '/healthz', 503, '{"status":"draining"}', 1],
  ] as const)
    it(`that are the health check of a ${role} end with ${code} where ${path} responds ${status} ${body}`, async () => {
      const plain = createPlainServer((request, response) => {
        response.writeHead(request.url === path ? status : 404).end(body);
      }).listen(0, '127.0.0.1');
      await once(plain, 'listening');
      const port = String((plain.address() as AddressInfo).port);
      const env = { ADMIN_PORT: port, LISTENER_PORT: port };
      const [ended] = (await once(spawn(process.execPath, [healthcheck, role], { env }), 'exit')) as [number];
      expect(ended).to.equal(code);
      plain.close();
    });
});
