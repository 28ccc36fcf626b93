import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { until } from '../../../test/until.ts';
import { type AdminServer, openAdminServer } from './admin-server.ts';

describe('The connections of the admin port', () => {
  let admin: AdminServer;
  const clients: Socket[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await admin.stop();
  });

  const dial = () => {
    const client = connect(admin.port, '127.0.0.1');
    client.on('error', () => undefined);
    client.resume();
    clients.push(client);
    return client;
  };
  const status = () =>
    new Promise<number | undefined>((resolve, reject) => {
      get({ host: '127.0.0.1', port: admin.port, path: '/healthz', agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });

  it('leave room for /healthz under 2,000 that stay silent', async function () {
    this.timeout(60_000);
    admin = await openAdminServer('127.0.0.1', 0);
    admin.respondWith((_request, response) => response.end('healthy'));
    const silent = Array.from({ length: 2_000 }, dial);
    await until(() => silent.every(({ connecting }) => !connecting), 'the flood');
    expect(await status()).to.equal(200);
    await until(() => silent.filter(({ closed }) => closed).length >= 1_000, 'the oldest to be closed');
  });

  it('close no call that is under way', async () => {
    admin = await openAdminServer('127.0.0.1', 0, undefined, 2);
    let finish: (() => void) | undefined;
    admin.respondWith((request, response) => {
      if (request.url === '/slow') finish = () => response.end('done');
      else response.end('healthy');
    });
    const slow = dial();
    let received = '';
    slow.on('data', (bytes: Buffer) => {
      received += bytes.toString();
    });
    slow.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => finish !== undefined, 'the call');
    const silent = [dial(), dial(), dial()];
    await until(() => silent.filter(({ closed }) => closed).length === 2, 'silent ones to be closed');
    expect(await status()).to.equal(200);
    finish?.();
    await until(() => received.endsWith('done') || received.includes('\r\n\r\n'), 'its response');
    expect(received).to.include('200 OK');
  });
});
