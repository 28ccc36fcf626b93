import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePorts } from '../../harness/free-ports.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

/** The whole system under libfaketime: its wall clock is what a file says, its monotonic clock the machine's. */
describe('a clock that jumps', function () {
  this.timeout(180_000);
  let folder: string;
  let endpoint: Server;
  let standalone: SwarmgateProcess;
  let admin: number;
  let entry: number;

  const setClock = (offset: string) => writeFileSync(join(folder, 'clock'), `${offset}\n`);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-clock-'));
    setClock('+0s');
    endpoint = createServer((request, response) => {
      setTimeout(() => response.end('served'), request.url === '/one/slow' ? 4_000 : 0);
    }).listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    [admin = 0, entry = 0] = await freePorts(2);
    standalone = startSwarmgate(['standalone'], {
      env: {
        ADMIN_PORT: String(admin),
        DEFAULT_PORTS: String(entry),
        WORKERS: '1',
        // Longer than the slow response, far shorter than the jumps.
        TIMEOUT_SERVER: '30',
        DOCKER_HOST: 'unix:///nowhere/docker.sock',
        // The loader puts the machine's library folder for LIB.
        LD_PRELOAD: '/usr/$LIB/faketime/libfaketimeMT.so.1',
        FAKETIME_TIMESTAMP_FILE: join(folder, 'clock'),
        FAKETIME_CACHE_DURATION: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    });
    await until('it is ready', () => standalone.log().includes('Swarmgate is ready.'), { withinMs: 120_000 });
    await change('one', '');
    await change('limited', '&rateLimit=3/60s');
  });
  after(async () => {
    await standalone.remove();
    endpoint.close().closeAllConnections();
    rmSync(folder, { recursive: true });
  });

  const get = async (path: string, port = entry) => {
    const reply = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: reply.status, date: Date.parse(reply.headers.get('date') ?? ''), body: await reply.text() };
  };
  const change = async (service: string, more: string) => {
    const { port } = endpoint.address() as AddressInfo;
    const query = `serviceName=${service}&servicePath=/${service}&outboundHostname=127.0.0.1&port=${port}${more}`;
    const { status, body } = await get(`/v1/docker-flow-proxy/reconfigure?${query}`, admin);
    expect(status, body).to.equal(200);
  };

  for (const [offset, hours] of [
    ['+1h', 1],
    ['-1h', -1],
    ['+9000h', 9_000],
    ['+0s', 0],
  ] as const)
    it(`ends no request, no limit and no lock when it is set to ${offset}`, async () => {
      const slow = get('/one/slow');
      const limited = async () => (await get('/limited')).status;
      for (let times = 0; times < 4; times += 1) await limited();
      expect(await limited(), 'the limit before').to.equal(429);
      setClock(offset);
      // What the process shows as the time, in the Date of a response of its own.
      await until(
        'the jump',
        async () => {
          const { status, date } = await get('/nowhere');
          expect(status).to.equal(503);
          return Math.abs(date - Date.now() - hours * 3_600_000) < 60_000;
        },
        { withinMs: 10_000 },
      );
      expect(await limited(), 'the limit afterwards').to.equal(429);
      for (let times = 0; times < 10; times += 1) expect((await get('/one')).status).to.equal(200);
      await change(`later${Math.abs(hours)}`, '');
      expect(await slow).to.include({ status: 200, body: 'served' });
      const { problems } = JSON.parse((await get('/v1/problems', admin)).body) as {
        readonly problems: readonly object[];
      };
      expect(problems).to.deep.equal([]);
      expect((await get('/readyz', admin)).status).to.equal(200);
      expect(standalone.log()).not.to.match(
        /control task failed|crashed|unusable|heartbeat|replica status not written|registry is away/,
      );
    });
});
