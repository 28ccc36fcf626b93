import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';

describe('what a running proxy explains', () => {
  let dataDir: string;
  let under: ProxyUnderTest;
  let backend: Server;
  const port = () => String((backend.address() as AddressInfo).port);

  before(async () => {
    backend = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  });
  after(() => backend.close());
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-explain-'));
    under = await startProxyUnderTest({ dataDir });
  });
  afterEach(async () => {
    await under.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Status of a GET through the proxy's entrypoint. */
  const through = async (path: string): Promise<number> => {
    const entrypoint = under.proxy.entrypoints()[0];
    if (entrypoint?.state !== 'open') throw new Error('no entrypoint is open');
    const response = await fetch(`http://${entrypoint.address}${path}`);
    await response.arrayBuffer();
    return response.status;
  };

  it('explains what a client of HTTP/2 meets where that is requested, and shows the protocol of a route', async () => {
    const { call } = under;
    await call(
      'GET',
      `/v1/docker-flow-proxy/reconfigure?serviceName=rpc&servicePath=/&port=${port()}&outboundHostname=127.0.0.1&protocol=grpc`,
    );
    const url = encodeURIComponent('http://x.example/shop.Cart/Add');
    const explained = await call('GET', `/v1/explain?url=${url}&method=POST&http2=true`);
    expect(explained.body).to.deep.include({
      http2: {
        spoken: 'prior-knowledge',
        misdirected: false,
        upstream: 'grpc',
        webSocket: 'extended-connect',
        grpc: 'passes',
        grpcWeb: false,
      },
    });
    expect((await call('GET', `/v1/explain?url=${url}`)).body).to.not.have.property('http2');
    expect((await call('GET', `/v1/explain?url=${url}&http2=yes`)).status).to.equal(400);
    const { routes } = (await call('GET', '/v1/routes')).body as { routes: { upstream: unknown }[] };
    expect(routes.map(({ upstream }) => upstream)).to.deep.equal([
      { port: Number(port()), secure: false, protocol: 'grpc' },
    ]);
  });

  it('explains each reading of a target, with the one for which the request is refused', async () => {
    const { call } = under;
    for (const [service, path] of [
      ['site', '/'],
      ['admin', '/admin'],
    ])
      await call(
        'GET',
        `/v1/docker-flow-proxy/reconfigure?serviceName=${service}&servicePath=${path}&port=${port()}&outboundHostname=127.0.0.1`,
      );
    const site = ['manual/site/0'];
    const cases = [
      ['/plain', 200, []],
      [
        '/@scope%2Fname',
        200,
        [{ path: '/@scope/name', encodedSlashes: 'decoded-before-dots', routes: site, conflict: null }],
      ],
      [
        '/x%2F..%2Fadmin',
        400,
        [
          {
            path: '/admin',
            encodedSlashes: 'decoded-before-dots',
            routes: ['manual/admin/0'],
            conflict: 'destination',
          },
          { path: '/x/../admin', encodedSlashes: 'decoded-after-dots', routes: site, conflict: null },
        ],
      ],
      ['/a//b', 200, [{ path: '/a//b', slashes: 'kept', routes: site, conflict: null }]],
      ['/a;v=1', 200, [{ path: '/a;v=1', parameters: 'kept', routes: site, conflict: null }]],
    ] as const;
    for (const [target, status, readings] of cases) {
      const explained = await call('GET', `/v1/explain?url=${encodeURIComponent(`http://x.example${target}`)}`);
      expect(explained.body, target).to.containSubset({ winner: { id: 'manual/site/0' }, readings });
      expect(explained.body.readings, target).to.have.length(readings.length);
      const expected = status === 400 ? { status, reason: 'path-ambiguous' } : null;
      expect(explained.body.answer, target).to.deep.equal(expected);
      expect(await through(target), target).to.equal(status);
    }
  });

  it('explains the 503 of a service in maintenance, and that a client which may pass reaches an endpoint', async () => {
    const { call } = under;
    await call(
      'GET',
      `/v1/docker-flow-proxy/reconfigure?serviceName=shop&servicePath=/shop&port=${port()}&outboundHostname=127.0.0.1`,
    );
    const responseTo = async (client = '') =>
      (await call('GET', `/v1/explain?url=http://x.example/shop${client}`)).body.answer;
    expect([await responseTo(), await through('/shop')]).to.deep.equal([null, 200]);
    await call('POST', '/v1/maintenance?service=shop&for=10m&except=10.0.0.0/8');
    const down = { status: 503, reason: 'maintenance' };
    expect([await responseTo(), await through('/shop')]).to.deep.equal([down, 503]);
    expect([await responseTo('&client=192.0.2.1'), await responseTo('&client=10.0.0.7')]).to.deep.equal([down, null]);
    await call('DELETE', '/v1/maintenance?service=shop');
    expect([await responseTo(), await through('/shop')]).to.deep.equal([null, 200]);
  });

  it('explains an encoded slash as ENCODED_SLASH=refuse has it', async () => {
    await under.stop();
    under = await startProxyUnderTest({ dataDir, env: { ENCODED_SLASH: 'refuse' } });
    const { status, text } = await under.call('GET', '/v1/explain?url=http://x.example/a%252Fb');
    expect([status, text.includes('path-encoded-slash')], text).to.deep.equal([400, true]);
    expect(await through('/a%2Fb')).to.equal(400);
  });

  it('reports a destination at a port that is no entrypoint, and explains that no request reaches it', async () => {
    const { call } = under;
    await call(
      'GET',
      '/v1/docker-flow-proxy/reconfigure?serviceName=shop&servicePath=/shop&port=80&srcPort=8081&outboundHostname=127.0.0.1',
    );
    await eventually('it is reported', async () => {
      const { body } = await call('GET', '/v1/problems');
      return JSON.stringify(body.problems).includes('"entrypoint-missing"');
    });
    const { body } = await call('GET', '/v1/problems');
    const found = (body.problems as readonly { readonly reason: string }[]).filter(({ reason }) =>
      reason.startsWith('entrypoint'),
    );
    expect(found).to.containSubset([{ owner: 'manual', service: 'shop', label: 'srcPort', value: '8081' }]);
    const explained = await call('GET', '/v1/explain?url=http://x.example/shop');
    expect(explained.body)
      .to.have.nested.property('candidates[0].message')
      .that.includes('no such entrypoint, only 80');
    await call('GET', '/v1/docker-flow-proxy/remove?serviceName=shop');
    await eventually('it is reported no more', async () => {
      const after = await call('GET', '/v1/problems');
      return !JSON.stringify(after.body.problems).includes('"entrypoint-missing"');
    });
  });

  it('reports what a listener found wrong with labels, also for a service that the registry refused', async () => {
    const { call, registry, signal } = under;
    const labelProblems = [{ severity: 'error', reason: 'registry-refused', message: 'more than fits' }] as const;
    const publish = (found: typeof labelProblems | null) =>
      registry.publish([{ owner: 'swarm', service: 'big', labelProblems: found }], { by: 'test', signal });
    const reported = async () =>
      ((await call('GET', '/v1/problems')).body.problems as readonly { readonly service: string }[]).filter(
        ({ service }) => service === 'big',
      );
    await publish(labelProblems);
    await eventually('it is reported', async () => (await reported()).length > 0);
    expect(await reported()).to.containSubset([{ owner: 'swarm', service: 'big', ...labelProblems[0] }]);
    await publish(null);
    await eventually('it is reported no more', async () => (await reported()).length === 0);
  });

  it('reports users without a known password, until the service is gone', async () => {
    const { call } = under;
    const reconfigure = '/v1/docker-flow-proxy/reconfigure?serviceName=shop&servicePath=/shop&port=80';
    const isReported = async () =>
      JSON.stringify((await call('GET', '/v1/problems')).body.problems).includes('"users-unresolved"');
    await call('GET', `${reconfigure}&outboundHostname=127.0.0.1&users=jane`);
    await eventually('it is reported', isReported);
    expect(await through('/shop')).to.equal(401);
    await call('GET', '/v1/docker-flow-proxy/remove?serviceName=shop');
    await eventually('it is reported no more', async () => !(await isReported()));
  });
});
