import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTraefikLabels, translateTraefik } from '@swarmgate/labels/traefik';
import type { Registry, ServiceDefinition } from '@swarmgate/registry';
import { readSettings } from '@swarmgate/runtime';
import { familiesOf } from '@swarmgate/swarm-listener';
import { expect } from 'chai';
import type { Server as ProxyServer } from '../../../packages/proxy/src/control/serving/server.ts';
import {
  embeddedRegistry,
  eventually,
  type ProxyUnderTest,
  startProxyUnderTest,
} from '../../../packages/proxy/test/running-proxy.ts';
import { traefikDefinition } from '../../../packages/swarm-listener/src/labels/translate-traefik-service.ts';

/**
 * A proxy with `--entrypoints.web.http.redirections.entrypoint.to=websecure`: Traefik redirects whatever comes to that entrypoint,
 * before all routers, and after the challenges of its own certificates.
 */
describe('an entrypoint that redirects', () => {
  let dataDir: string;
  let registry: Registry;
  let under: ProxyUnderTest;
  let backend: Server;
  let server: ProxyServer | undefined;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-redirects-'));
    registry = await embeddedRegistry(join(dataDir, 'registry'));
    under = await startProxyUnderTest({
      registry,
      dataDir,
      replica: 'one',
      entrypoints: [{ port: 0, secure: false }],
      onServer: (each) => {
        server = each;
      },
    });
    await server?.serveChallenges?.({ http: [['new.example', 'pending', 'pending.key']], alpn: [] });
    backend = createServer((_request, response) => response.end('served'));
    backend.listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const { port } = backend.address() as AddressInfo;
    const identity = (service: string) => ({
      version: 1 as const,
      owner: 'swarm',
      service,
      source: { kind: 'rest' as const, by: 'test' },
      updatedAt: '2026-01-01T00:00:00Z',
    });
    const { traefik } = familiesOf(
      readSettings('listener', { env: { LABELS: 'df,traefik', TRAEFIK_WEB_REDIRECT: 'websecure' } }),
    );
    if (traefik === undefined) throw new Error('labels of Traefik are not read');
    const labels = {
      'traefik.http.routers.web.rule': 'Host(`known.example`)',
      'traefik.http.routers.web.entrypoints': 'web,websecure',
      'traefik.http.services.web.loadbalancer.server.url': `http://127.0.0.1:${port}`,
    };
    const web = { id: 'web', name: 'web', createdAt: '', labels, read: readTraefikLabels(labels), targetPorts: [] };
    const definitions: ServiceDefinition[] = [
      {
        ...identity('own'),
        destinations: [{ index: 0, since: 0, serviceDomain: ['own.example'], port, outboundHostname: '127.0.0.1' }],
      },
    ];
    for (const [id, translation] of translateTraefik([web], traefik, 0)) {
      const { definition } = traefikDefinition(translation, identity(id));
      if (definition !== undefined) definitions.push(definition);
    }
    await registry.publish(
      definitions.map((document) => ({ owner: 'swarm', service: document.service, definition: { document } })),
      { by: 'test', signal: AbortSignal.timeout(20_000) },
    );
    await eventually('the proxy serves all of them', async () => {
      const { body } = await under.call('GET', '/v1/services');
      return (body.services as readonly unknown[] | undefined)?.length === 3;
    });
  });
  after(async () => {
    await under.stop();
    await registry.store.close();
    backend.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  // [what it is, host and path, status and target or body]
  const cases: readonly (readonly [string, string, string, readonly [number, string]])[] = [
    ['a host that a router has', 'known.example', '/a?b=1', [308, 'https://known.example/a?b=1']],
    ['a host that no router has', 'unknown.example', '/a?b=1', [308, 'https://unknown.example/a?b=1']],
    ['the port of the Host goes', 'unknown.example:80', '/', [308, 'https://unknown.example/']],
    [
      'a challenge of a certificate that is ordered',
      'new.example',
      '/.well-known/acme-challenge/pending',
      [200, 'pending.key'],
    ],
    [
      'a challenge of nothing that is ordered',
      'new.example',
      '/.well-known/acme-challenge/other',
      [308, 'https://new.example/.well-known/acme-challenge/other'],
    ],
    // It never was Traefik’s.
    ['a host of labels of our own', 'own.example', '/', [200, 'served']],
  ];
  for (const [what, host, path, expected] of cases)
    it(`takes ${what}`, async () => {
      expect(await send(host, path)).to.deep.equal(expected);
    });

  it('reports no problem of the route that leads nowhere', async () => {
    const { body } = await under.call('GET', '/v1/problems');
    expect(body.problems).to.deep.equal([]);
  });

  function send(host: string, path: string): Promise<readonly [number, string]> {
    const [entrypoint] = under.proxy.entrypoints();
    if (entrypoint?.state !== 'open') throw new Error('the entrypoint is not open');
    const port = Number(entrypoint.address.split(':').at(-1));
    return new Promise((resolve, reject) => {
      const sent = httpRequest({ host: '127.0.0.1', port, path, agent: false, headers: { host } }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          body += part;
        });
        response.once('end', () => resolve([response.statusCode ?? 0, response.headers.location ?? body]));
      });
      sent.once('error', reject);
      sent.end();
    });
  }
});
