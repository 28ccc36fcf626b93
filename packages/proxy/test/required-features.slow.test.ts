import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyLayout, type Registry, type ServiceDefinition } from '@swarmgate/registry';
import { expect } from 'chai';
import { definition } from './registered.ts';
import { embeddedRegistry, eventually, type ProxyUnderTest, startProxyUnderTest } from './running-proxy.ts';

describe('definitions of another version, or edited by hand', () => {
  const layout = keyLayout('swarmgate');
  let dataDir: string;
  let registry: Registry;
  let under: ProxyUnderTest;
  let endpoint: Server;

  before(async () => {
    endpoint = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-features-'));
    registry = await embeddedRegistry(join(dataDir, 'registry'));
    under = await startProxyUnderTest({ registry, dataDir, replica: 'one' });
  });
  after(async () => {
    await under.stop();
    await registry.store.close();
    await rm(dataDir, { recursive: true, force: true });
    endpoint.close();
  });

  /** Writes the document as a person or a newer listener would: beside the journal. */
  async function write(service: string, more: object, inDestination: object = {}): Promise<void> {
    const { destinations, ...rest }: ServiceDefinition = definition(`manual/${service}`, `/${service}`);
    const port = (endpoint.address() as AddressInfo).port;
    const written = { ...destinations[0], port, outboundHostname: '127.0.0.1', ...inDestination };
    const value = JSON.stringify({ ...rest, ...more, destinations: [written] });
    await registry.store.transact([{ kind: 'set', key: layout.documentKey('services', `manual/${service}`), value }]);
  }

  async function responseOf(path: string): Promise<string> {
    const entrypoint = under.proxy.entrypoints()[0];
    if (entrypoint?.state !== 'open') throw new Error('no entrypoint is open');
    const reply = await fetch(`http://${entrypoint.address}${path}`);
    await reply.arrayBuffer();
    return [reply.status, reply.headers.get('x-swarmgate-reason')].filter((part) => part !== null).join(' ');
  }

  // [service, fields of the service, of its destination, the response]
  const cases = [
    ['plain', {}, {}, '200'],
    ['known', { requires: ['auth'] }, { requires: ['https', 'methods'] }, '200'],
    ['later', { requires: ['auth', 'later'] }, {}, '503 unsupported-feature'],
    ['part', {}, { requires: ['later'] }, '503 unsupported-feature'],
    ['misspelt', { allowedAdresses: ['192.0.2.1/32'] }, {}, '503 unsupported-feature'],
    ['misplaced', {}, { users: [{ username: 'jane' }] }, '503 unsupported-feature'],
    [
      'overridden',
      { allowedAddresses: ['192.0.2.1/32'] },
      { overrides: { allowedAddresses: ['127.0.0.1/32'] } },
      '200',
    ],
    ['overridden-later', {}, { overrides: {}, requires: ['later'] }, '503 unsupported-feature'],
    ['ruled', {}, { rule: 'Method(`GET`) && ClientIP(`127.0.0.1`)', entryPorts: ['plain'] }, '200'],
    ['harmless', { comment: 'ours' }, {}, '200'],
  ] as const;
  for (const [service, more, inDestination, expected] of cases) {
    it(`${service}: ${expected}`, async () => {
      await write(service, more, inDestination);
      let reply = '';
      await eventually('the document is followed', async () => {
        reply = await responseOf(`/${service}`);
        return reply !== '503 no-route';
      });
      expect(reply).to.equal(expected);
      if (expected === '200') return;
      const { body } = await under.call('GET', '/v1/problems');
      expect(JSON.stringify(body.problems))
        .to.include('unsupported-feature')
        .and.include(`manual/${service}/0`.split('/')[1]);
      await write(service, {});
      await eventually('the corrected document is served', async () => (await responseOf(`/${service}`)) === '200');
    });
  }
});
