import { readFileSync } from 'node:fs';
import { createServer, get, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { translateParameters } from '@swarmgate/labels';
import { createSealer } from '@swarmgate/registry';
import { createLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { parse } from 'yaml';
import { openapiFile } from '../src/control/admin/openapi-route.ts';
import { liveRequestOf } from '../src/control/live/live-request.ts';
import { asCombined, asCommon, asJson } from '../src/exchange/access-log-line.ts';
import { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';
import { everyServer } from './request-kinds/every-server.ts';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from './running-proxy.ts';
import { listening } from './worker-rig.ts';

/** What leaks says where it stood. */
const secret = (place: string) => `opensesame-${place}`;
const anySecret = /opensesame\W\w+/g;
const hash = (place: string) => `$6$salt$opensesame.${place}`.padEnd(94, 'x');
/** Shown with the token alone, in the service's own definition and in the access log. */
const userName = 'jane-the-user';

const host = 'open.example';
const served: Readonly<Record<string, string>> = {
  serviceName: 'open',
  serviceDomain: host,
  servicePath: '/',
  serviceHeader: `X-Auth:${secret('serviceHeader')}`,
  addReqHeader: `X-Api-Key ${secret('addReqHeader')}`,
  setReqHeader: `Authorization "Bearer ${secret('setReqHeader')}"`,
  addResHeader: `Set-Cookie id=${secret('addResHeader')}`,
  setResHeader: `X-Session-Token ${secret('setResHeader')}`,
  headers: `request.X-Auth-Token=${secret('headers')}`,
  rule: `!Header(\`X-Bearer\`, \`${secret('rule')}\`) && !Query(\`token\`, \`${secret('query')}\`)`,
  users: `${userName}:${secret('users')}`,
  outboundHostname: '127.0.0.1',
};
const closed = {
  ...served,
  serviceName: 'closed',
  serviceDomain: 'closed.example',
  middlewares: `headers(request.X-Jwt=${secret('middlewares')}),basicAuth("${userName}:${hash('basicAuth')}")`,
  plugins: `gate(secret=${secret('plugins')})`,
  port: '1',
};
/** Forms that cannot be used: their texts become problems. */
const broken = {
  serviceName: 'broken',
  servicePath: '/broken',
  port: '80',
  serviceHeader: `X-Auth=${secret('brokenHeader')}`,
  addReqHeader: `X-Auth %[${secret('brokenAdd')}]`,
  setReqHeader: `X-Auth "${secret('brokenSet')}`,
  rule: `Header(\`X-Auth\`, ${secret('brokenRule')})`,
  headers: `request.X-Auth=${secret('brokenHeaders')}é`,
  forwardAuth: `http://jane:${secret('brokenUrl')}@gate.example`,
  plugins: `gate(token=${secret('brokenPlugin')}`,
  users: `${userName}:${secret('brokenUsers')},:`,
  user: `${userName}:${secret('misspelt')}`,
};

const translate = (parameters: Readonly<Record<string, string>>) =>
  translateParameters(parameters, {
    owner: 'swarm',
    separator: ',',
    source: { kind: 'rest', by: 'a test' },
    updatedAt: '2026-01-02T03:04:05.000Z',
    nowMs: 1,
  });

/** Headers of requests that may hold a credential, and a query with a token. */
const sent = {
  'x-auth': secret('serviceHeader'),
  authorization: `Basic ${Buffer.from(`${userName}:${secret('users')}`).toString('base64')}`,
  'proxy-authorization': `Bearer ${secret('sentProxy')}`,
  cookie: `id=${secret('sentCookie')}`,
  'x-api-key': secret('sentKey'),
  'x-auth-request-access-token': secret('sentAccess'),
  referer: `http://shop.example/?token=${secret('sentReferer')}`,
};
const target = `/cart?token=${secret('sentQuery')}`;
const basic = sent.authorization.slice('Basic '.length);

function expectNone(text: string, where: string): void {
  expect(text.match(anySecret) ?? [], where).to.deep.equal([]);
  expect(text, where).not.to.include(basic);
}

describe('what is readable of credentials', () => {
  let receiver: OtlpReceiver;
  let backend: Server;
  let under: ProxyUnderTest;
  let log = '';

  before(async function () {
    this.timeout(60_000);
    receiver = await startOtlpReceiver();
    backend = await listening(
      createServer((_received, response) => {
        response.setHeader('Set-Cookie', `id=${secret('sentBack')}`);
        response.setHeader('X-Auth', secret('sentBack'));
        response.end('fine');
      }),
    );
    const destination = new Writable({
      decodeStrings: false,
      write(line: string, _encoding, done) {
        log += line;
        done();
      },
    });
    under = await startProxyUnderTest({
      logger: createLogger({ level: 'debug', destination }),
      env: {
        ADMIN_TOKEN: secret('adminToken'),
        METRICS_TOKEN: secret('metricsToken'),
        ADMIN_READ: 'open',
        USERS: `joe:${secret('globalUsers')}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_BSP_SCHEDULE_DELAY: '1',
        OTEL_TRACES_SAMPLER: 'always_on',
      },
    });
    await publish();
    await eventually('everything is served', async () => {
      const routes = (await under.call('GET', '/v1/routes')).text;
      const problems = (await under.call('GET', '/v1/problems')).text;
      const services = ['open', 'closed'].every((name) => routes.includes(`swarm/${name}/0`));
      return services && ['broken', 'edited'].every((name) => problems.includes(`"${name}"`));
    });
  });
  after(async () => {
    await under?.stop();
    await receiver?.stop();
    backend?.close();
  });

  async function publish(): Promise<void> {
    const sealer = createSealer([]);
    const port = String((backend.address() as AddressInfo).port);
    const by = { by: 'a test', signal: under.signal };
    for (const parameters of [{ ...served, port }, closed]) {
      const { definition, secrets, problems } = translate(parameters);
      if (definition === undefined) throw new Error(JSON.stringify(problems));
      const sealed = await sealer.seal(definition, secrets, undefined);
      if (!sealed.ok) throw new Error(JSON.stringify(sealed.problems));
      const { service } = definition;
      await under.registry.publish([{ owner: 'swarm', service, definition: { document: sealed.definition } }], by);
      // As an operator may have edited it: the header has a value that no header can have.
      if (service !== 'open') continue;
      const edited = {
        ...sealed.definition,
        service: 'edited',
        setReqHeader: [{ name: 'X-Auth', value: `${secret('edited')}é` }],
      };
      const key = 'swarmgate/services/swarm/edited';
      await under.registry.store.transact([{ kind: 'set', key, value: JSON.stringify(edited) }]);
    }
    const labelProblems = translate(broken).problems;
    expect(labelProblems).to.have.length.above(7);
    await under.registry.publish([{ owner: 'swarm', service: 'broken', labelProblems }], by);
  }

  function requestOpen(path: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
    const port = under.proxy.entrypoints()[0]?.port;
    return new Promise((resolve, reject) => {
      const made = request({ port, path, headers: { host, ...headers }, agent: false }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      });
      made.once('error', reject).end();
    });
  }

  const bearer = { authorization: `Bearer ${secret('adminToken')}` };
  const described = parse(readFileSync(openapiFile, 'utf8'), { merge: true }) as {
    readonly paths: Readonly<Record<string, object>>;
  };
  const streams = new Set(['/v1/events', '/v1/requests']);
  const queries: Readonly<Record<string, readonly string[]>> = {
    '/v1/history': ['?service=open', '?service=closed'],
    '/v1/services': ['', '?service=closed', '?service=open&replicas=all'],
    '/v1/docker-flow-proxy/config': ['', '?type=json'],
    '/v1/explain': [
      `http://${host}/`,
      `http://${host}/&header=X-Auth:wrong`,
      'http://closed.example/',
      'http://other.example/',
    ].map((url) => `?url=${url}`),
  };
  const readable = Object.entries(described.paths)
    .filter(([path, methods]) => 'get' in methods && !/(reconfigure|remove|reload)$/.test(path))
    .map(([path]) => path);

  for (const path of readable.filter((each) => !streams.has(each)))
    it(`is nothing by GET ${path}`, async () => {
      for (const query of queries[path] ?? [''])
        for (const headers of [{}, bearer]) {
          const { status, text } = await under.call('GET', `${path}${query}`, { headers });
          const where = `${path}${query} ${headers === bearer ? 'with' : 'without'} the token`;
          if (headers === bearer) expect(status, where).to.equal(200);
          expectNone(text, where);
          if (headers !== bearer) expect(text, where).not.to.include(userName);
        }
    });

  /** What a stream has sent until it held `awaited`. */
  function streamed(path: string, headers: Readonly<Record<string, string>>, awaited: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const { port } = under.proxy.admin;
      const opened = get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          text += piece;
          if (!text.includes(awaited)) return;
          opened.destroy();
          resolve(text);
        });
        response.once('error', reject);
      });
      opened.once('error', reject);
    });
  }

  for (const [what, headers, awaited] of [
    ['without the token', {}, '"edited"'],
    ['with the token', bearer, '"endpointNumbers"'],
  ] as const)
    it(`is nothing in the events of the console ${what}`, async () => {
      const text = await streamed('/v1/events?service=swarm/closed', headers, awaited);
      for (const name of ['swarm/open', 'swarm/closed']) expect(text).to.include(name);
      expectNone(text, what);
      if (headers !== bearer) expect(text).not.to.include(userName);
    });

  it('is nothing in live requests, spans, metrics and the log of requests', async () => {
    const live = streamed('/v1/requests', bearer, '"status":503');
    await eventually('the stream is open', async () => {
      await requestOpen('/warm', sent);
      return receiver.spans.length > 0;
    });
    expect(await requestOpen(target, sent)).to.equal(200);
    expect(await requestOpen(target, { ...sent, authorization: `Basic ${secret('wrong')}` })).to.equal(401);
    // What the rule or the header forbids has no route.
    expect(await requestOpen(target, { ...sent, 'x-bearer': secret('rule') })).to.equal(503);
    expect(await requestOpen(target, { ...sent, 'x-auth': secret('wrongHeader') })).to.equal(503);
    expectNone(await live, 'live requests');
    await eventually('the spans', () =>
      receiver.spans.some(({ attributes }) => attributes['http.response.status_code'] === 503),
    );
    expectNone(JSON.stringify([receiver.spans, receiver.resources]), 'spans');
    expectNone((await under.call('GET', '/metrics')).text, 'metrics');
    await under.call('GET', `/v1/routes?token=${secret('inQuery')}`);
    await under.call('GET', '/v1/services', { headers: { authorization: `Bearer ${secret('wrongToken')}` } });
    expect(log).to.include('"path":"/v1/services"');
    expectNone(log, 'the log');
  });

  for (const server of everyServer)
    it(`is nothing in lines of the access log without queries: ${server.name}`, async () => {
      const fields = Object.entries(sent).map(([name, value]) => `${name}: ${value}`);
      const { record } = await server.exchange({ fields, target });
      const at = new Date(0);
      for (const line of [asJson, asCommon, asCombined].map((write) => write(record, at, false)))
        expectNone(line, line);
      expectNone(JSON.stringify(liveRequestOf(record, at, false)), 'a live request');
      // The setting shows them.
      for (const write of [asJson, asCommon, asCombined])
        expect(write(record, at, true)).to.include(secret('sentQuery'));
    });
});
