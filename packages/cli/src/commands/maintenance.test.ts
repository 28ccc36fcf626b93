import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runMain } from '../../test/run-main.ts';
import { describeMaintenance } from './maintenance.ts';

describe('swarmgate maintenance', () => {
  let server: Server;
  let folder: string;
  let requested: { readonly method: string; readonly url: string; readonly body: string }[] = [];
  const reply = { Status: 'OK', Message: 'Distributed to all instances' };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmgate-maintenance-'));
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      requested.push({ method: request.method ?? '', url: request.url ?? '', body });
      response.end(JSON.stringify(request.method === 'GET' ? { revision: '', services: [] } : reply));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    requested = [];
  });

  const run = (...args: readonly string[]) =>
    runMain(['maintenance', ...args], {
      SWARMGATE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    });

  it('takes a service down with every option', async () => {
    const page = join(folder, 'page.html');
    await writeFile(page, '<h1>Ours</h1>');
    const options = [
      '--for',
      '30m',
      '--message',
      'Back.',
      '--page',
      page,
      '--retry-after',
      '60',
      '--except',
      '10.0.0.0/8',
    ];
    const { out, code } = await run('shop', 'on', '--owner', 'swarm', ...options);
    expect([out, code]).to.deep.equal(['shop is in maintenance: Distributed to all instances\n', 0]);
    expect(requested[0]).to.include({ method: 'POST', url: '/v1/maintenance' });
    expect(JSON.parse(requested[0]?.body ?? '')).to.deep.equal({
      service: 'shop',
      owner: 'swarm',
      for: '30m',
      message: 'Back.',
      page: '<h1>Ours</h1>',
      retryAfter: '60',
      except: '10.0.0.0/8',
    });
  });

  it('ends it, and drains endpoints', async () => {
    expect((await run('shop', 'off')).out).to.equal('shop takes requests: Distributed to all instances\n');
    await run('shop', 'on', '--endpoint', '10.0.1.5:80');
    await run('shop', 'off', '--endpoint', '10.0.1.5:80');
    expect(requested.map(({ method, url, body }) => `${method} ${url} ${body}`)).to.deep.equal([
      'DELETE /v1/maintenance?service=shop ',
      'POST /v1/maintenance {"service":"shop","endpoint":"10.0.1.5:80"}',
      'DELETE /v1/maintenance?service=shop&endpoint=10.0.1.5%3A80 ',
    ]);
  });

  it('shows what is down, of one service or of all', async () => {
    expect((await run()).out).to.equal('no service is in maintenance, and no endpoint is drained\n');
    expect((await run('shop')).out).to.equal('shop takes requests, and none of its endpoints is drained\n');
    const by = { by: 'ann', since: '2026-01-02T03:00:00.000Z' };
    const services = [
      {
        owner: 'swarm',
        service: 'shop',
        published: false,
        maintenance: { from: 'operator' as const, ...by },
        drains: [{ endpoint: '10.0.1.5:80', ...by }],
        ended: [],
      },
      {
        owner: 'swarm',
        service: 'db',
        published: true,
        maintenance: { from: 'label' as const, message: '\u001b[2J' },
        drains: [],
        ended: [],
      },
    ];
    const shown = describeMaintenance({ revision: '', services }).split('\n');
    expect(shown.map((line) => line.replace(/ {2,}/g, ' | '))).to.deep.equal([
      'SERVICE | WHAT | BY | SINCE | UNTIL',
      `swarm/shop (not published) | maintenance | ann | ${by.since} | –`,
      `swarm/shop (not published) | drain of 10.0.1.5:80 | ann | ${by.since} | –`,
      'swarm/db | maintenance | label | – | –',
    ]);
    expect(describeMaintenance({ revision: '', services }, 'db').split('\n')).to.have.length(2);
  });

  it('ends with 2 for anything else', async () => {
    expect((await run('shop', 'perhaps')).code).to.equal(2);
    expect((await run('shop', 'on', '--page', join(folder, 'none.html'))).error).to.include('cannot be read');
    expect(requested).to.deep.equal([]);
  });
});
