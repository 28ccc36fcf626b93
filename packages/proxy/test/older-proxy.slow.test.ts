import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  destinationLabels,
  middlewareKinds,
  serviceLabels,
  translateParameters,
  withRequires,
} from '@swarmgate/labels';
import { readTraefikLabels, translateTraefik } from '@swarmgate/labels/traefik';
import type { Registry, ServiceDefinition } from '@swarmgate/registry';
import { expect } from 'chai';
import { freePort } from './free-ports.ts';
import { embeddedRegistry, eventually, type ProxyUnderTest, startProxyUnderTest } from './running-proxy.ts';

/** What the first version that reads `requires` knows: its labels that restrict. */
const older = ['auth', 'rate-limit', 'allow-list', 'https', 'client-certificate', 'methods', 'plugins'];

interface Entry {
  readonly name: string;
  readonly restricts?: string;
  readonly example: string;
}

/** Of connections: requests get 503 from every version. */
const ofRelays = ['inFlightConn', 'sendProxyHeader'];

const newer = (Object.values({ ...serviceLabels, ...destinationLabels }) as readonly Entry[]).filter(
  ({ restricts }) => restricts !== undefined && !older.includes(restricts),
);

/** Middlewares of Traefik that restrict, each with labels that configure it. */
const ofTraefik: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  allowedHosts: { 'headers.allowedhosts': 'allowedhosts.example' },
  basicAuth: { 'basicauth.users': 'jane:$apr1$lZL6V/ci$MkgHeUZg.IVGcx3pyPc4.1' },
  buffering: { 'buffering.maxrequestbodybytes': '5' },
  encodedCharacters: { 'encodedcharacters.allowencodedslash': 'false' },
  forwardAuth: { 'forwardauth.address': 'http://127.0.0.1:1/' },
  inFlightReq: { 'inflightreq.amount': '1' },
  ipAllowList: { 'ipallowlist.sourcerange': '10.0.0.0/8' },
  passTLSClientCert: { 'passtlsclientcert.pem': 'true' },
  rateLimit: { 'ratelimit.average': '1' },
  redirectScheme: { 'redirectscheme.scheme': 'https' },
};

// One registry: the proxy of this version, and those that lack its newer ways to restrict.
describe('an older proxy beside this one on one registry', () => {
  let dataDir: string;
  let registry: Registry;
  let endpoint: Server;
  let forwarded = 0;
  const proxies = new Map<string, ProxyUnderTest>();

  before(async () => {
    endpoint = createServer((_request, response) => {
      forwarded += 1;
      response.end('hello');
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-older-'));
    registry = await embeddedRegistry(join(dataDir, 'registry'));
    for (const [replica, more] of [
      ['older', { features: new Set(older) }],
      // Knows what routers of Traefik need beside their middlewares, so that these close them by themselves.
      ['no-middlewares', { features: new Set([...older, 'rule', 'entry-ports', 'overrides']) }],
      ['this', {}],
    ] as const)
      proxies.set(replica, await startProxyUnderTest({ registry, dataDir: join(dataDir, replica), replica, ...more }));
  });
  after(async () => {
    for (const under of proxies.values()) await under.stop();
    await registry.store.close();
    await rm(dataDir, { recursive: true, force: true });
    endpoint.close();
  });

  async function publish(definition: ServiceDefinition): Promise<void> {
    const { port } = endpoint.address() as AddressInfo;
    const destinations = definition.destinations.map((each) => ({ ...each, outboundHostname: '127.0.0.1', port }));
    const document = { ...definition, destinations };
    await registry.publish([{ owner: definition.owner, service: definition.service, definition: { document } }], {
      by: 'test',
      signal: AbortSignal.timeout(20_000),
    });
  }

  async function reasonOf(replica: string, path: string, host?: string): Promise<string> {
    const entrypoint = proxies.get(replica)?.proxy.entrypoints()[0];
    if (entrypoint?.state !== 'open') throw new Error('no entrypoint is open');
    return new Promise((resolve, reject) => {
      const [address, port] = entrypoint.address.split(':');
      const sent = request(
        { host: address, port, path, ...(host === undefined ? {} : { headers: { host } }) },
        (reply) => {
          reply.resume();
          reply.once('error', reject);
          const reason = reply.headers['x-swarmgate-reason'];
          reply.once('end', () => resolve(`${reply.statusCode}${reason === undefined ? '' : ` ${reason}`}`));
        },
      );
      sent.once('error', reject);
      sent.end();
    });
  }

  async function expectClosed(at: string, definition: ServiceDefinition, path: string, host?: string): Promise<void> {
    const before = forwarded;
    await publish(definition);
    for (const replica of proxies.keys())
      await eventually(`${replica} follows it`, async () => (await reasonOf(replica, path, host)) !== '503 no-route');
    const fromThis = await reasonOf('this', path, host);
    const reachedByThis = forwarded - before;
    expect(fromThis).to.not.include('unsupported-feature');
    expect(await reasonOf(at, path, host)).to.equal('503 unsupported-feature');
    expect(forwarded - before, 'the older proxy forwards nothing').to.equal(reachedByThis);
  }

  it('has a case for every label that restricts', () =>
    expect(newer.map(({ name }) => name)).to.include('forwardAuth'));

  // `entryPorts=ssl,8080` is no port of these proxies.
  for (const { name, example } of newer.filter((each) => !ofRelays.includes(each.name)))
    it(`serves nothing of com.df.${name}`, async () => {
      const value = name === 'entryPorts' ? 'plain' : name === 'rule' ? 'Method(`GET`)' : example;
      const { definition, problems } = translateParameters(
        { servicePath: `/${name}`, port: '80', [name]: value },
        {
          owner: 'manual',
          service: name,
          separator: ',',
          source: { kind: 'rest', by: 'test' },
          updatedAt: '2026-01-01T00:00:00Z',
          nowMs: 1,
        },
      );
      if (definition === undefined) throw new Error(JSON.stringify(problems));
      await expectClosed('older', definition, `/${name}`);
    });

  for (const { name, example } of newer.filter((each) => ofRelays.includes(each.name)))
    it(`relays nothing to a service with com.df.${name}`, async () => {
      const srcPort = await freePort();
      const { definition, problems } = translateParameters(
        { reqMode: 'tcp', srcPort: String(srcPort), port: '80', [name]: example },
        {
          owner: 'manual',
          service: name,
          separator: ',',
          source: { kind: 'rest', by: 'test' },
          updatedAt: '2026-01-01T00:00:00Z',
          nowMs: 1,
        },
      );
      if (definition === undefined) throw new Error(JSON.stringify(problems));
      await publish(definition);
      for (const [replica, under] of proxies) {
        const isOpen = () => under.proxy.entrypoints().some(({ port, state }) => port === srcPort && state === 'open');
        if (replica === 'this') await eventually('this proxy relays', async () => isOpen());
        else
          await eventually(`${replica} refuses it`, async () => {
            const { body } = await under.call('GET', '/v1/problems');
            const found = body.problems as readonly { readonly service?: string; readonly reason: string }[];
            return found.some((each) => each.service === name && each.reason === 'unsupported-feature') && !isOpen();
          });
      }
    });

  const kinds = Object.entries(middlewareKinds as Readonly<Record<string, { readonly restricts?: string }>>).flatMap(
    ([kind, { restricts }]) => (restricts === undefined || ofRelays.includes(kind) ? [] : [kind]),
  );
  it('has a case for each restricting middleware of Traefik', () => {
    expect(Object.keys(ofTraefik)).to.include.members(kinds);
  });

  for (const [kind, options] of Object.entries(ofTraefik))
    it(`serves no router of Traefik with ${kind}`, async () => {
      const host = `${kind.toLowerCase()}.example`;
      const labels: Record<string, string> = {
        'traefik.http.routers.a.rule': `Host(\`${host}\`)`,
        'traefik.http.routers.a.middlewares': 'm',
        'traefik.http.services.a.loadbalancer.server.port': '80',
        ...Object.fromEntries(
          Object.entries(options).map(([key, value]) => [`traefik.http.middlewares.m.${key}`, value]),
        ),
      };
      const service = {
        id: kind,
        name: kind,
        createdAt: '',
        labels,
        read: readTraefikLabels(labels),
        targetPorts: [80],
      };
      const entrypoints = new Map([['web', ['plain']]]);
      const { destinations = [] } =
        translateTraefik([service], { exposedByDefault: true, entrypoints, defaultRule: '' }, 1).get(kind) ?? {};
      expect(destinations).to.have.length(1);
      const definition = withRequires({
        version: 1,
        service: `traefik-${kind}`,
        owner: 'swarm',
        source: { kind: 'swarm', swarmId: 's', serviceId: kind, versionIndex: 1 },
        updatedAt: '2026-01-01T00:00:00Z',
        destinations,
      });
      await expectClosed('no-middlewares', definition, '/', host);
    });
});
