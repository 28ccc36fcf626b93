import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Registry, ServiceDefinition } from '@swarmgate/registry';
import { readSettings } from '@swarmgate/runtime';
import { familiesOf } from '@swarmgate/swarm-listener';
import { expect } from 'chai';
import { type DesiredService, desiredServices } from '../../../packages/cli/src/compose/desired-services.ts';
import { readCompose } from '../../../packages/cli/src/compose/read-compose.ts';
import {
  embeddedRegistry,
  eventually,
  type ProxyUnderTest,
  startProxyUnderTest,
} from '../../../packages/proxy/test/running-proxy.ts';
import { testCertificate } from '../../../packages/proxy/test/test-certificate.ts';
import { type ExpectedOutcome, type LabelSet, type LabelSetRequest, labelSets } from '../../traefik/label-sets.ts';

/**
 * The label sets of public stacks, served by a proxy. Each is translated as `swarmgate check` and the listener translate it; a
 * backend stands for every port of a service, and says which it is.
 */
describe('public stacks with labels of Traefik', () => {
  let dataDir: string;
  let registry: Registry;
  let under: ProxyUnderTest;
  const backends = new Map<string, Backend>();

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-label-sets-'));
    await mkdir(join(dataDir, 'certs'));
    await writeFile(join(dataDir, 'certs', 'any.pem'), (await testCertificate(['any.example'])).pem);
    registry = await embeddedRegistry(join(dataDir, 'registry'));
    under = await startProxyUnderTest({
      registry,
      dataDir,
      replica: 'one',
      entrypoints: [
        { port: 0, secure: false },
        { port: 0, secure: true },
      ],
    });
  });
  after(async () => {
    await under.stop();
    await registry.store.close();
    for (const { server } of backends.values()) server.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function backendFor(name: string): Promise<number> {
    const backend = backends.get(name) ?? (await startBackend(name));
    backends.set(name, backend);
    return (backend.server.address() as AddressInfo).port;
  }

  /** The definition as it is published, led to the backends. */
  async function ledToBackends(definition: ServiceDefinition, service: string): Promise<ServiceDefinition> {
    const destinations = await Promise.all(
      definition.destinations.map(
        async ({ sslVerifyNone: _, checkPath: _path, checkIntervalMs: _ms, ...destination }) => ({
          ...destination,
          outboundHostname: '127.0.0.1',
          port: await backendFor(`${service}:${destination.port}`),
        }),
      ),
    );
    return { ...definition, destinations };
  }

  async function publish(services: readonly DesiredService[], isThere: boolean): Promise<void> {
    const publications = [];
    for (const { name, composeName, definition } of services) {
      if (definition === undefined) continue;
      const document = isThere ? await ledToBackends(definition, composeName) : null;
      publications.push({ owner: 'swarm', service: name, definition: { document } });
    }
    await registry.publish(publications, { by: 'test', signal: AbortSignal.timeout(20_000) });
    const expected = isThere ? publications.length : 0;
    await eventually(`the proxy serves ${expected} services`, async () => {
      const { body } = await under.call('GET', '/v1/services');
      return (body.services as readonly unknown[] | undefined)?.length === expected;
    });
  }

  it('are forty-three', () => expect(labelSets).to.have.length(43));

  for (const set of labelSets)
    it(`${set.id}: ${outlineOf(set)}`, async () => {
      const services = translated(set);
      await publish(services, true);
      try {
        for (const requested of set.requests) await expectOutcome(requested, under, backends);
      } finally {
        await publish(services, false);
      }
    });
});

describe('what is wrong with public stacks', () => {
  for (const set of labelSets.filter(({ problems }) => problems.length > 0))
    it(`${set.id}: ${[...new Set(set.problems.map(({ what }) => what))].join('; ')}`, () => {
      const services = translated(set);
      for (const { what, service, namesOneOf } of set.problems) {
        const found = services
          .filter(({ composeName }) => service === undefined || composeName === service)
          .flatMap(({ problems }) => problems)
          .map(({ position: _, ...problem }) => JSON.stringify(problem).toLowerCase());
        const names = namesOneOf.map((each) => each.toLowerCase());
        expect(
          found.some((problem) => names.some((name) => problem.includes(name))),
          `${what}: ${service} (${namesOneOf.join(', ')}) in ${found.join('\n')}`,
        ).to.equal(true);
      }
    });
});

function translated({ file, stack }: LabelSet): readonly DesiredService[] {
  const env = { LABELS: 'df,traefik', TRAEFIK_EXPOSED_BY_DEFAULT: 'true' };
  const settings = readSettings('cli', { env });
  return desiredServices(readCompose('stack.yml', file, {}), {
    stack,
    notifyLabel: settings.notifyLabel,
    serviceNamePrefix: '',
    separator: ',',
    owner: 'swarm',
    nowMs: Date.parse('2026-01-02T03:04:05Z'),
    ...familiesOf(settings),
  });
}

function outlineOf({ requests }: LabelSet): string {
  return [...new Set(requests.map(({ expected }) => expected.kind))].join(', ');
}

async function expectOutcome(
  requested: LabelSetRequest,
  under: ProxyUnderTest,
  backends: ReadonlyMap<string, Backend>,
): Promise<void> {
  const { expected, url } = requested;
  const before = servedBy(backends);
  const reply = await send(requested, under, 'GET');
  const now = servedBy(backends);
  const what = `GET ${url}${requested.as === undefined ? '' : ' with a password'} got ${reply.status} ${reply.headers['x-swarmgate-reason'] ?? ''} ${reply.body.slice(0, 60)}`;
  if (expected.kind === 'served' || (expected.kind === 'served-or-closed' && reply.status === 200)) {
    expect(reply.status, what).to.equal(200);
    expectServed(reply, expected, what);
    return;
  }
  // A backend that was called would have been reached without what the labels request.
  expect(now, what).to.equal(before);
  if (expected.kind === 'redirect') {
    expect([reply.status, reply.headers.location], what).to.deep.equal([expected.status, expected.to]);
    const posted = await send(requested, under, 'POST');
    expect([posted.status, posted.headers.location], `POST ${url}`).to.deep.equal([expected.otherwise, expected.to]);
  } else if (expected.kind === 'unauthorized') {
    expect(reply.status, what).to.equal(401);
    expect(reply.headers['www-authenticate'], what).to.be.a('string');
    expect(
      (await send({ ...requested, as: 'user1:wrong' }, under, 'GET')).status,
      `${url} with a wrong password`,
    ).to.equal(401);
  } else expect(reply.status, what).to.be.oneOf([301, 302, 307, 308, 401, 403, 404, 503]);
}

function expectServed(
  reply: Response,
  expected: Extract<ExpectedOutcome, { readonly by: string }>,
  what: string,
): void {
  const reported = JSON.parse(reply.body) as { by: string; path: string; headers: Record<string, string> };
  expect([reported.by, reported.path], what).to.deep.equal([expected.by, expected.path]);
  for (const [name, value] of Object.entries(expected.serviceSees ?? {}))
    expect(reported.headers[name], name).to.equal(value);
  for (const [name, value] of Object.entries(expected.clientSees ?? {}))
    expect(reply.headers[name], name).to.equal(value);
  if (expected.compressed === true) expect(reply.encoding, what).to.equal('gzip');
}

interface Backend {
  readonly server: Server;
  requested: number;
}

async function startBackend(by: string): Promise<Backend> {
  const backend: Backend = {
    requested: 0,
    server: createServer((request, response) => {
      backend.requested += 1;
      const path = (request.url ?? '').split('?')[0];
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ by, path, headers: request.headers, filling: 'x'.repeat(4000) }));
    }),
  };
  await new Promise<void>((resolve) => backend.server.listen(0, '127.0.0.1', resolve));
  return backend;
}

function servedBy(backends: ReadonlyMap<string, Backend>): number {
  return [...backends.values()].reduce((sum, { requested }) => sum + requested, 0);
}

interface Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly encoding: string | undefined;
  readonly body: string;
}

async function send({ url, as }: LabelSetRequest, under: ProxyUnderTest, method: string): Promise<Response> {
  const { protocol, hostname, pathname, search } = new URL(url);
  const secure = protocol === 'https:';
  const [plain, tls] = under.proxy.entrypoints();
  const entrypoint = secure ? tls : plain;
  if (entrypoint?.state !== 'open') throw new Error('the entrypoint is not open');
  const port = Number(entrypoint.address.split(':').at(-1));
  const headers = {
    host: hostname,
    ...(as === undefined ? {} : { authorization: `Basic ${Buffer.from(as).toString('base64')}` }),
  };
  const given = { host: '127.0.0.1', port, method, path: pathname + search, agent: false } as const;
  const plainResponse = await sendOnce(given, headers, secure, hostname);
  if (plainResponse.status !== 200) return plainResponse;
  // A second request tells whether the response is compressed where the client accepts it.
  const { encoding } = await sendOnce(given, { ...headers, 'accept-encoding': 'gzip' }, secure, hostname);
  return { ...plainResponse, encoding };
}

function sendOnce(
  given: object,
  headers: Record<string, string>,
  secure: boolean,
  servername: string,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const options = { ...given, headers, ...(secure ? { servername, rejectUnauthorized: false } : {}) };
    const sent = (secure ? httpsRequest : httpRequest)(options, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          encoding: response.headers['content-encoding'],
          body: Buffer.concat(parts).toString('utf8'),
        }),
      );
    });
    sent.once('error', reject);
    sent.end();
  });
}
