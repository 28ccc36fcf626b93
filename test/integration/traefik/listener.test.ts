import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../../harness/until.ts';
import { type Listening, startListening } from '../swarm-listener/listening.ts';

type Labels = Readonly<Record<string, string>>;

/** The parts of Docker's API that a listener reads, over services that the test changes. */
class ScriptedEngine {
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  readonly #services = new Map<string, object>();
  #version = 10;

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '').replace(/^\/v[\d.]+/, '').replace(/\?.*/, '');
      if (path === '/_ping') response.writeHead(200, { 'api-version': '1.41' }).end('OK');
      else if (path === '/events') {
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        this.#streams.add(response);
      } else {
        const found = this.#read(path);
        response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(found ?? { message: 'not found' }));
      }
    });
  }

  static async start(): Promise<ScriptedEngine> {
    const engine = new ScriptedEngine();
    engine.#server.listen(0, '127.0.0.1');
    await once(engine.#server, 'listening');
    return engine;
  }

  get address(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @param traefikArgs arguments of a Traefik */
  put(name: string, labels: Labels, traefikArgs?: readonly string[]): void {
    const ContainerSpec = traefikArgs === undefined ? { Image: 'web' } : { Image: 'traefik:v3.5', Args: traefikArgs };
    this.#version += 1;
    this.#services.set(name, {
      ID: name,
      Version: { Index: this.#version },
      CreatedAt: '2026-01-01T00:00:00Z',
      Spec: {
        Name: name,
        Labels: labels,
        TaskTemplate: { ContainerSpec, Networks: [{ Target: 'db' }, { Target: 'public' }] },
        Mode: { Replicated: { Replicas: 1 } },
      },
      Endpoint: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' }] },
    });
    this.#notify('update', name);
  }

  remove(name: string): void {
    this.#services.delete(name);
    this.#notify('remove', name);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #notify(Action: string, ID: string): void {
    const line = JSON.stringify({ Type: 'service', Action, Actor: { ID, Attributes: { name: ID } } });
    for (const stream of this.#streams) stream.write(`${line}\n`);
  }

  #read(path: string): unknown {
    const network = (Id: string) => ({ Id, Name: Id, Ingress: false });
    if (path === '/info') return { Swarm: { Cluster: { ID: 'swarm-1' }, ControlAvailable: true, NodeID: 'node-1' } };
    if (path === '/networks') return [network('db'), network('public')];
    if (path === '/nodes')
      return [{ ID: 'node-1', Version: { Index: 1 }, Spec: {}, Status: { State: 'ready', Addr: '192.0.2.1' } }];
    if (path === '/services') return [...this.#services.values()];
    if (path === '/tasks') return [...this.#services.keys()].map((name) => this.#task(name));
    return this.#services.get(path.replace('/services/', ''));
  }

  #task(name: string): object {
    const attachment = (ID: string, address: string) => ({ Network: { ID, Spec: { Name: ID } }, Addresses: [address] });
    return {
      ID: `${name}-1`,
      Version: { Index: 5 },
      ServiceID: name,
      NodeID: 'node-1',
      DesiredState: 'running',
      Status: { State: 'running' },
      NetworksAttachments: [attachment('db', '10.0.2.5/24'), attachment('public', '10.0.1.5/24')],
    };
  }
}

const web = {
  'traefik.enable': 'true',
  'traefik.http.routers.web.rule': 'Host(`a.example`)',
  'traefik.http.routers.web.entrypoints': 'websecure',
  'traefik.http.services.web.loadbalancer.server.port': '80',
};
const flags = [
  '--providers.swarm.network=public',
  '--providers.swarm.exposedbydefault=false',
  '--entrypoints.web.http.redirections.entrypoint.to=websecure',
  '--entrypoints.websecure.http.middlewares=staff@file',
];
const allowList = (range: string) =>
  `http:\n  middlewares:\n    staff:\n      ipAllowList: { sourceRange: [${range}] }\n`;

describe('a listener in the Swarm of a Traefik', function () {
  this.timeout(120_000);
  let folder: string;
  let file: string;
  let engine: ScriptedEngine;
  let listening: Listening;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-traefik-'));
    file = join(folder, 'dynamic.yml');
    writeFileSync(file, allowList('10.0.0.0/8'));
    engine = await ScriptedEngine.start();
    engine.put('traefik', {}, flags);
    engine.put('web', web);
    listening = await startListening({
      DOCKER_HOST: engine.address,
      LABELS: 'df,traefik',
      TRAEFIK_SERVICE: 'traefik',
      TRAEFIK_FILE: file,
      LISTENER_PORT: 'off',
    });
  });
  after(async () => {
    await listening?.stop();
    engine?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const read = (service = 'web') => listening.read('swarm', service);
  const middlewares = async () => (await read()).definition?.destinations[0]?.middlewares;
  const patience = { withinMs: 60_000 };

  it('publishes its services with the values of its flags, over the network that they name', async () => {
    await until('it is published', async () => (await read()).definition !== undefined, patience);
    const { definition, endpoints, problems } = await read();
    expect(definition?.destinations[0]).to.deep.include({
      entryPorts: ['ssl', 'plain'],
      httpsOnly: true,
      httpsRedirectCode: 308,
      middlewares: [{ kind: 'ipAllowList', sourceRange: ['10.0.0.0/8'] }],
    });
    expect(endpoints).to.deep.include({ tasksOnly: true, published: [], network: 'public' });
    expect(endpoints?.tasks.map(({ addresses }) => addresses)).to.deep.equal([['10.0.1.5/24']]);
    expect(problems).to.deep.equal([]);
    // What no router takes is redirected as well, as Traefik redirects all of the entrypoint.
    const redirecting = (await read('traefik-entrypoints')).definition;
    expect(redirecting?.destinations).to.have.length(1);
    expect(redirecting?.destinations[0]).to.deep.include({ entryPorts: ['plain'], httpsOnly: true });
    const { labels } = listening.listener.status();
    expect(labels.traefik?.service).to.equal('traefik');
    expect(labels.traefik?.settings).to.include('listener TRAEFIK_WEBSECURE_MIDDLEWARES=staff@file');
  });

  it('follows its dynamic file', async () => {
    writeFileSync(`${file}.new`, allowList('192.168.0.0/16'));
    renameSync(`${file}.new`, file);
    await until(
      'the new range is published',
      async () => JSON.stringify(await middlewares()).includes('192.168.0.0/16'),
      patience,
    );
    writeFileSync(file, 'http: [');
    await until(
      'the problem is published',
      async () => (await read('traefik-file')).problems.some(({ reason }) => reason === 'traefik-file-unreadable'),
      patience,
    );
    expect(await middlewares()).to.deep.equal([{ kind: 'ipAllowList', sourceRange: ['192.168.0.0/16'] }]);
  });

  it('follows its flags, and opens nothing while it is gone', async () => {
    engine.put('traefik', {}, [...flags.slice(0, 3), '--providers.consulcatalog']);
    await until('the middleware is gone with its flag', async () => (await middlewares()) === undefined, patience);
    expect((await read('traefik')).problems.map(({ reason }) => reason)).to.deep.equal(['traefik-flag-unsupported']);
    engine.put('traefik', {}, flags);
    await until('the middleware is back', async () => (await middlewares()) !== undefined, patience);
    engine.remove('traefik');
    const isMissing = async () => (await read()).problems.some(({ reason }) => reason === 'traefik-service-missing');
    await until('the problem is published', isMissing, patience);
    expect(await middlewares()).to.deep.equal([{ kind: 'ipAllowList', sourceRange: ['192.168.0.0/16'] }]);
    engine.put('later', { ...web, 'traefik.http.routers.later.rule': 'Host(`b.example`)' });
    await until('the later one has the problem too', async () => (await read('later')).problems.length > 0, patience);
    expect((await read('later')).definition).to.equal(undefined);
    expect(listening.listener.status().labels.traefik?.problem).to.include('the Swarm has no service traefik');
  });
});
