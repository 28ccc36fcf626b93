import { once } from 'node:events';
import { Agent, createServer, get, type RequestListener, type Server } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { EndpointsDocument, ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import { RawConnection, until } from '../../../test/behaviour-rig.ts';
import type { ServedService } from '../../model/served-service.ts';
import { startInProcessServer } from './in-process-server.ts';
import type { Server as ProxyServer } from './server.ts';

for (const router of ['core', 'express'] as const)
  describe(`the server on the ${router} router`, () => {
    let server: ProxyServer;
    let metrics: Metrics;
    let port: number;
    const servers: Server[] = [];
    const agents: Agent[] = [];

    beforeEach(() => start());

    async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
      metrics = new Metrics();
      server = await startInProcessServer({
        settings: readSettings('standalone', {
          env: { HTTP_ROUTER: router, DATA_DIR: '/nowhere', MAX_BODY_BYTES: '1000', ...env },
          secretsDir: '/nowhere',
        }),
        logger: silentLogger,
        metrics,
        env: {},
        entrypoints: [{ port: 0, secure: false }],
        host: '127.0.0.1',
      });
      port = server.entrypoints()[0]?.port ?? 0;
    }
    afterEach(async () => {
      await server.stop();
      for (const agent of agents.splice(0)) agent.destroy();
      for (const server of servers.splice(0)) {
        server.closeAllConnections();
        server.close();
      }
    });

    async function backend(listener: RequestListener): Promise<number> {
      const server = createServer({ maxHeaderSize: 131_072 }, listener);
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return (server.address() as AddressInfo).port;
    }

    let sequence = 0;
    async function publish(
      service: string,
      upstreamPort: number,
      more: Partial<ServiceDefinition> & { readonly path?: string; readonly endpoints?: EndpointsDocument } = {},
    ): Promise<void> {
      const { path = `/${service}`, endpoints, ...labels } = more;
      const definition: ServiceDefinition = {
        version: 1,
        service,
        owner: 'manual',
        source: { kind: 'rest', by: 'test' },
        updatedAt: '',
        destinations: [{ index: 0, since: 0, servicePath: [path], outboundHostname: '127.0.0.1', port: upstreamPort }],
        ...labels,
      };
      const key: ServiceKey = `manual/${service}`;
      await change(key, { key, definition, endpoints, origin: 'registry', addressesFresh: true });
    }

    function change(key: ServiceKey, served: ServedService | undefined): Promise<void> {
      sequence += 1;
      return server.apply({
        revision: `r:${sequence}`,
        sequence,
        registryId: 'r',
        changes: new Map([[key, served]]),
        rejected: new Map(),
      });
    }

    function send(path: string, agent: Agent): Promise<{ status: number; body: string; close: boolean }> {
      return new Promise((resolve, reject) => {
        get({ port, host: '127.0.0.1', path, agent }, (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body, close: response.headers.connection === 'close' }),
          );
          response.on('error', reject);
        }).on('error', reject);
      });
    }

    function keepAlive(): Agent {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      agents.push(agent);
      return agent;
    }

    it('holds request bodies to MAX_BODY_BYTES', async () => {
      await publish('one', await backend((_request, response) => response.end('one')));
      const post = async (body: string) =>
        (await fetch(`http://127.0.0.1:${port}/one`, { method: 'POST', body })).status;
      expect(await post('x'.repeat(1_000))).to.equal(200);
      expect(await post('x'.repeat(1_001))).to.equal(413);
    });

    /** Status and body of a GET over HTTP/1.1 and over HTTP/2. */
    async function overBoth(path: string, headers: Record<string, string>): Promise<readonly string[]> {
      const [http1, session] = [
        await fetch(`http://127.0.0.1:${port}${path}`, { headers }),
        connectHttp2(`http://127.0.0.1:${port}`),
      ];
      try {
        const stream = session.request({ ':path': path, ...headers });
        const [head] = (await once(stream, 'response')) as [{ ':status': number }];
        return [`${http1.status} ${await http1.text()}`, `${head[':status']} ${await text(stream)}`];
      } finally {
        session.destroy();
      }
    }

    // [setting, path, length of a field, start of the responses without it, with it; one where both protocols have the same]
    const settings: readonly (readonly [
      string,
      string,
      number,
      string | readonly string[],
      string | readonly string[],
    ])[] = [
      ['ENCODED_SLASH=refuse', '/one/a%2Fb', 1, '200 /one/a%2Fb via none', '400 '],
      ['ENCODED_SLASH=refuse', '/one/a%5cb', 1, '200 /one/a%5cb via none', '400 '],
      ['MAX_HEAD_BYTES=65536', '/one', 32_000, '200 /one', '200 /one'],
      ['MAX_HEAD_BYTES=65536', '/one', 40_000, '431 ', '200 /one'],
      ['MAX_HEAD_BYTES=8192', '/one', 10_000, '200 /one', '431 '],
      [
        'VIA_HEADER=true',
        '/one',
        1,
        '200 /one via none',
        ['200 /one via 1.1 swarmgate-', '200 /one via 2.0 swarmgate-'],
      ],
    ];
    for (const [setting, path, length, without, given] of settings)
      it(`takes ${setting}: ${path} with a field of ${length} bytes, over HTTP/1.1 and HTTP/2`, async () => {
        const upstream = await backend(({ url, headers }, response) =>
          response.end(`${url} via ${headers.via ?? 'none'}`),
        );
        const expectResponses = async (starts: string | readonly string[]) => {
          await publish('one', upstream);
          const responses = await overBoth(path, { 'x-long': 'x'.repeat(length) });
          for (const [at, start] of (typeof starts === 'string' ? [starts, starts] : starts).entries())
            expect(responses[at]?.slice(0, start.length)).to.equal(start);
        };
        await expectResponses(without);
        await server.stop();
        const [name = '', value = ''] = setting.split('=');
        await start({ [name]: value });
        await expectResponses(given);
      });

    it('serves what was applied, and tells what it serves', async () => {
      await publish('one', await backend((_request, response) => response.end('one')));
      expect(await send('/one', keepAlive())).to.include({ status: 200, body: 'one' });
      expect((await send('/two', keepAlive())).status).to.equal(503);
      expect(server.table().size).to.equal(1);
      const [route] = server.table().routes();
      if (route === undefined) throw new Error('no route');
      expect(server.endpointsOf(route)).to.have.length(1);
      expect(server.workers()).to.deep.equal([{ pid: process.pid, state: 'serving', revision: `r:${sequence}` }]);
      const text = await metrics.metrics();
      expect(text).to.include('swarmgate_requests_total{service="manual/one",status="2xx"} 1');
      expect(text).to.include('swarmgate_own_answers_total{reason="no-route"} 1');
    });

    it('runs the route’s middleware', async () => {
      const upstream = await backend((request, response) => response.end(String(request.headers['x-from'])));
      await publish('one', upstream, { setReqHeader: [{ name: 'X-From', value: 'label' }] });
      expect(await send('/one', keepAlive())).to.include({ body: 'label' });
    });

    it('drops no request while routes move under load', async () => {
      const ports = await Promise.all(['a', 'b'].map((name) => backend((_request, response) => response.end(name))));
      await publish('web', ports[0] ?? 0);
      let moving = true;
      let served = 0;
      const failures: unknown[] = [];
      const clients = Array.from({ length: 4 }, async () => {
        const agent = keepAlive();
        while (moving) {
          try {
            const { status } = await send('/web', agent);
            served += 1;
            if (status !== 200) failures.push(status);
          } catch (error) {
            failures.push(error);
          }
        }
      });
      for (let swap = 0; swap < 200; swap += 1) {
        await publish('web', ports[swap % 2] ?? 0);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => served > 100);
      moving = false;
      await Promise.all(clients);
      expect(failures).to.deep.equal([]);
    });

    it('stops under load without a failed request', async () => {
      await publish('web', await backend((_request, response) => setImmediate(() => response.end('ok'))));
      let served = 0;
      const failures: unknown[] = [];
      // Each client keeps its connection until a response closes it; a new one would be for another replica.
      const clients = Array.from({ length: 8 }, async () => {
        const agent = keepAlive();
        for (;;) {
          try {
            const { status, close } = await send('/web', agent);
            served += 1;
            if (status !== 200) failures.push(status);
            if (close) return;
          } catch (error) {
            failures.push(error);
            return;
          }
        }
      });
      await until(() => served > 50);
      const drained = server.drain(5_000);
      await Promise.all(clients);
      await drained;
      expect(failures).to.deep.equal([]);
      const refused = new RawConnection(connect(port, '127.0.0.1'));
      expect(await refused.untilClosed()).to.equal('');
    });

    it('finishes a long response while draining', async () => {
      let finish: (() => void) | undefined;
      const upstream = await backend((_request, response) => {
        response.write('begin ');
        finish = () => response.end('end');
      });
      await publish('web', upstream);
      const reply = send('/web', keepAlive());
      await until(() => finish !== undefined);
      const drained = server.drain(5_000);
      finish?.();
      expect(await reply).to.include({ status: 200, body: 'begin end' });
      await drained;
    });

    it('names services without a usable address, with the mend', async () => {
      const key = 'other-swarm/far' as const;
      const definition: ServiceDefinition = {
        version: 1,
        service: 'far',
        owner: 'other-swarm',
        source: { kind: 'swarm', swarmId: 's', serviceId: 'i', versionIndex: 1 },
        updatedAt: '',
        destinations: [{ index: 0, since: 0, servicePath: ['/far'], port: 80 }],
      };
      await change(key, { key, definition, endpoints: undefined, origin: 'registry', addressesFresh: true });
      const [problem] = [...server.problems().values()].flat();
      expect(problem?.reason).to.equal('unreachable');
      expect(problem?.suggestion).to.match(/publish/i);
      expect((await send('/far', keepAlive())).status).to.equal(503);
    });
  });
