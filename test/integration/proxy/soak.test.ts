import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { WebSocketServer } from 'ws';
import { until } from '../../harness/until.ts';
import { clients } from './soak-clients.ts';
import { SoakProcess } from './soak-process.ts';
import type { Holdings } from './soak-subject.ts';

const rounds = 10;
const ofEachKind = 30;
const swapsInARound = 60;

for (const router of ['core', 'express'])
  describe(`a proxy on the ${router} router, after many connections of every kind`, function () {
    this.timeout(60_000);
    let directory: string;
    let backend: Server;
    let sockets: WebSocketServer;
    let proxy: SoakProcess;

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'swarmgate-soak-'));
      backend = startBackend();
      sockets = new WebSocketServer({ server: backend });
      sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(message)));
      await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
      proxy = await SoakProcess.start({
        HTTP_ROUTER: router,
        WORKERS: '0',
        DATA_DIR: directory,
        TIMEOUT_HTTP_REQUEST: '2',
      });
    });
    after(async () => {
      await proxy?.stop();
      sockets.close();
      backend.closeAllConnections();
      backend.close();
      await rm(directory, { recursive: true, force: true });
    });

    it('holds no memory, socket or timer that it did not hold before', async () => {
      const { port } = backend.address() as AddressInfo;
      await proxy.put('soak', { servicePath: ['/'], servicePathExclude: ['/nowhere'], port });
      // The first rounds fill what is meant to stay: compiled code, pools, counters.
      for (let round = 0; round < 2; round++) await soak(port, round);
      const before = await atRest();
      for (let round = 0; round < rounds; round++) await soak(port, round);
      const after = await atRest();
      const connections = rounds * ofEachKind * Object.keys(clients).length;
      const grown = after.heapBytes - before.heapBytes;
      console.log(
        `      ${connections} connections, ${rounds * swapsInARound} swaps: heap ${(before.heapBytes / 2 ** 20).toFixed(1)} MB ` +
          `${grown < 0 ? '' : '+'}${(grown / 1_024).toFixed(0)} KB, sockets ${before.sockets} → ${after.sockets}, ` +
          `timers ${before.timers} → ${after.timers}`,
      );
      // What a connection is made of takes more than that, and a collection leaves a little more or less each time.
      expect(grown / connections, 'bytes of heap for each connection').to.be.below(1_000);
      expect(after.sockets).to.be.at.most(before.sockets + ofEachKind);
      expect(after.timers).to.be.at.most(before.timers + 2);
    });

    async function soak(port: number, round: number): Promise<void> {
      const swapping = swap(port, round);
      for (const [what, client] of Object.entries(clients)) {
        const each = Array.from({ length: ofEachKind }, () => client(proxy.port));
        await Promise.all(each).catch((cause: unknown) => {
          throw new Error(`clients that ${what} were not served`, { cause });
        });
      }
      await swapping;
    }

    /** Services that come, change and go beside the one that is requested. */
    async function swap(port: number, round: number): Promise<void> {
      for (let at = 0; at < swapsInARound / 3; at++) {
        const service = `passing-${round}-${at}`;
        await proxy.put(service, { servicePath: [`/${service}`], port });
        await proxy.put(service, { servicePath: [`/${service}/next`], port, serviceDomain: [`${service}.example`] });
        await proxy.put(service, undefined);
      }
    }

    /** Resources in use once no client is connected and no request is in flight. */
    function atRest(): Promise<Holdings> {
      return until('the proxy is at rest', async () => {
        const holdings = await proxy.measure();
        return holdings.clientConnections === 0 && holdings.inFlight === 0 ? holdings : undefined;
      });
    }
  });

function startBackend(): Server {
  const piece = Buffer.alloc(16_384, 'x');
  return createServer((request, response) => {
    if (request.url === '/silent') return;
    if (request.url === '/endless') {
      const more = () => {
        if (!response.destroyed && response.write(piece)) setImmediate(more);
      };
      response.on('drain', more);
      more();
      return;
    }
    request.resume();
    request.on('error', () => undefined);
    request.on('end', () => response.end('fine'));
  });
}
