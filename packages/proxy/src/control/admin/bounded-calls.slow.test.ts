import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Problem } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { sendEndlessly } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import type { Response } from 'express';
import { parse } from 'yaml';
import { definition } from '../../../test/registered.ts';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';
import { testCertificate } from '../../../test/test-certificate.ts';
import { createAdminApp } from './admin-app.ts';
import type { AdminParts } from './admin-parts.ts';
import { openAdminServer } from './admin-server.ts';
import { LongResponses } from './long-responses.ts';
import { openapiFile } from './openapi-route.ts';

/**
 * How a call is bounded. Every one that is described has its line here, so that a new one is not added without.
 * Time: all but streams end with `callMs`, streams by `stream-places.test.ts` and their own tests.
 */
interface Bounds {
  /**
   * `short`: at most 64 KB, however many services there are. `long`: made in slices and written in pieces, a few at once.
   * `file`: of this version, always the same. `stream`: bounded in what waits for its client.
   */
  readonly output: 'short' | 'long' | 'file' | 'stream';
  /** The largest body that it reads. Absent: it reads none. */
  readonly bodyBytes?: number;
  /** Calls whose responses are the longest. */
  readonly queries?: readonly string[];
}

const short = { output: 'short' } as const;
const long = { output: 'long' } as const;
const change = { output: 'short', bodyBytes: 512 * 1024 } as const;
const host = 'http://shop.example/';

const bounds: Readonly<Record<string, Bounds>> = {
  'GET /healthz': short,
  'GET /readyz': short,
  'GET /metrics': long,
  'GET /v1/openapi.yaml': { output: 'file' },
  'GET /v1/docker-flow-proxy/ping': short,
  'GET /v1/test': short,
  'GET /v2/test': short,
  'GET /v1/status': short,
  'GET /v1/routes': long,
  'GET /v1/problems': long,
  'GET /v1/events': { output: 'stream' },
  'GET /v1/requests': { output: 'stream' },
  'GET /v1/maintenance': long,
  'POST /v1/maintenance': change,
  'DELETE /v1/maintenance': change,
  'GET /v1/docker-flow-proxy/reconfigure': { ...short, queries: ['?serviceName=a&servicePath=/a&port=80'] },
  'GET /v1/docker-flow-proxy/remove': { ...short, queries: ['?serviceName=a'] },
  'GET /v1/docker-flow-proxy/reload': short,
  'GET /v1/docker-flow-proxy/config': { ...long, queries: ['', '?type=json'] },
  'GET /v1/docker-flow-proxy/certs': long,
  'PUT /v1/docker-flow-proxy/cert': { output: 'short', bodyBytes: 128 * 1024, queries: ['?certName=a'] },
  'GET /v1/certificates': long,
  'POST /v1/certificates/renew': { ...short, queries: ['?name=shop.example'] },
  'POST /v1/certificates/import': { output: 'short', bodyBytes: 8 * 1024 * 1024 },
  'GET /v1/services': { ...long, queries: ['', '?replicas=all', '?fields=numbers', '?service=s1'] },
  'GET /v1/explain': { ...long, queries: [`?url=${host}`, `?url=${host}&limit=1000&http2=true`] },
  'GET /v1/history': { ...long, queries: ['?service=s1'] },
  'POST /v1/reconfigure': change,
  'POST /v1/check': change,
  'POST /v1/remove': change,
  'POST /v1/reload': change,
  'POST /v1/rollback': change,
  'POST /v1/restore': change,
  'POST /v1/restart-workers': short,
  'GET /v1/session': short,
  'POST /v1/session': { output: 'short', bodyBytes: 4 * 1024 },
  'DELETE /v1/session': short,
};

const mostShortBytes = 64 * 1024;
const services = 400;
const certificates = 400;

const described = parse(readFileSync(openapiFile, 'utf8'), { merge: true }) as {
  readonly paths: Readonly<Record<string, object>>;
};
const calls = Object.entries(described.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
);
const partsOf = (call: string) => call.split(' ') as [method: string, path: string];

describe('every call of the admin port', function () {
  this.timeout(60_000);
  let under: ProxyUnderTest;
  let dataDir: string;
  /** Paths that have come through `LongResponses`. */
  const inPieces = new Set<string>();
  const { respond } = LongResponses.prototype;

  before(async () => {
    LongResponses.prototype.respond = function (response: Response, make) {
      inPieces.add(response.req.path);
      return respond.call(this, response, make);
    };
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-bounded-'));
    await mkdir(join(dataDir, 'certs'));
    const { pem } = await testCertificate(['shop.example']);
    for (let at = 0; at < certificates; at += 1)
      await writeFile(join(dataDir, 'certs', `c${at}-${'x'.repeat(200)}.pem`), pem, { mode: 0o600 });
    under = await startProxyUnderTest({ dataDir, env: { SECRETS_KEY: randomBytes(32).toString('base64') } });
    const labelProblems: readonly Problem[] = Array.from({ length: 3 }, (_, at) => ({
      severity: 'warning',
      reason: 'label-ignored',
      message: `label ${at} has no effect`,
    }));
    const changes = Array.from({ length: services }, (_, at) => ({
      owner: 'swarm',
      service: `s${at}`,
      definition: { document: { ...definition(`swarm/s${at}`), maintenance: true } },
      labelProblems,
    }));
    await under.registry.publish(changes, { by: 'a test', signal: under.signal });
    await eventually('all are served', async () => {
      const { body } = await under.call('GET', '/v1/status');
      return body.services === services;
    });
  });
  after(async () => {
    LongResponses.prototype.respond = respond;
    await under.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('has its bounds in this table', () => {
    expect(Object.keys(bounds).sort()).to.deep.equal([...calls].sort());
  });

  for (const [call, { output, queries = [''] }] of Object.entries(bounds).filter(
    ([, each]) => each.output !== 'stream',
  ))
    it(`is bounded in its output: ${call} (${output})`, async () => {
      const [method, path] = partsOf(call);
      for (const query of queries) {
        inPieces.clear();
        const headers = { 'content-type': 'application/json' };
        const { status, text } = await under.call(method, `${path}${query}`, { headers });
        if (method === 'GET' && !/(reconfigure|remove|reload)$/.test(path)) expect(status, query).to.equal(200);
        expect(inPieces.has(path), `${query} in pieces`).to.equal(output === 'long');
        if (output === 'short') expect(text.length, query).to.be.at.most(mostShortBytes);
      }
    });

  for (const [call, { bodyBytes, output, queries: [query = ''] = [''] }] of Object.entries(bounds))
    if (output !== 'stream')
      it(`is bounded in its input: ${call} (${bodyBytes ?? 'none'})`, async () => {
        const endless = 1024 ** 3;
        const [method, path] = partsOf(call);
        for (const framing of [`Content-Length: ${endless}`, 'Transfer-Encoding: chunked']) {
          const head = `${method} ${path}${query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${framing}`;
          const { status, sentBytes } = await sendEndlessly(under.proxy.admin.port, head, endless);
          if (bodyBytes !== undefined) expect(status, framing).to.equal(413);
          else expect(status, framing).to.be.below(500);
          // And what the system's buffers of both sides hold: up to 36 MiB (net.ipv4.tcp_rmem, tcp_wmem).
          expect(sentBytes, framing).to.be.at.most((bodyBytes ?? 0) + 40 * 1024 ** 2);
        }
        if (bodyBytes === undefined) return;
        for (const [bytes, isTaken] of [
          [bodyBytes, true],
          [bodyBytes + 1, false],
        ] as const) {
          const headers = { 'content-type': 'application/json', 'content-length': String(bytes) };
          const { status } = await under.call(method, `${path}${query}`, { headers, body: ' '.repeat(bytes) });
          expect(status !== 413, `${bytes} bytes`).to.equal(isTaken);
        }
      });
});

describe('a call of the admin port to what never responds', () => {
  /** Whatever is behind the calls: each of its functions gives a promise that nothing settles. */
  const silent: unknown = new Proxy(() => undefined, {
    get: (_target, name) => (name === 'then' || typeof name === 'symbol' ? undefined : silent),
    apply: () => new Promise(() => undefined),
  });
  const known = {
    settings: readSettings('proxy', { env: { BARRIER_TIMEOUT_MS: '100' } }),
    logger: silentLogger,
    replica: { name: 'one', version: '1', since: '' },
    ready: () => true,
    draining: () => false,
    long: { respond: silent, inSlices: silent },
  };
  const parts = new Proxy(known, {
    get: (target, name) => (Object.hasOwn(target, name) ? Reflect.get(target, name) : silent),
  }) as unknown as AdminParts;
  const callMs = 200;

  it('is ended in time, each of them', async () => {
    const admin = await openAdminServer('127.0.0.1', 0);
    admin.respondWith(createAdminApp(parts, callMs));
    const ended: string[] = [];
    const outcome = (call: string) =>
      new Promise<void>((resolve) => {
        const [method, path] = partsOf(call);
        const where = { host: '127.0.0.1', port: admin.port, agent: false };
        const query = bounds[call]?.queries?.at(-1) ?? '';
        const sent = request({ ...where, method, path: `${path}${query}` }, (response) =>
          response.resume().once('close', resolve),
        );
        sent.once('error', () => {
          ended.push(call);
          resolve();
        });
        sent.end();
      });
    try {
      await Promise.all(calls.filter((call) => bounds[call]?.output !== 'stream').map(outcome));
      expect(ended).to.include.members(
        calls.filter((call) => bounds[call]?.output === 'long' && !/explain|history/.test(call)),
      );
      expect(ended).to.include.members([
        'POST /v1/reload',
        'POST /v1/restore',
        'POST /v1/restart-workers',
        'POST /v1/certificates/renew',
        'GET /v1/docker-flow-proxy/reconfigure',
        'GET /v1/docker-flow-proxy/reload',
      ]);
    } finally {
      await admin.stop();
    }
  }).timeout(10_000);
});
