import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from '@swarmgate/runtime';
import { expect } from 'chai';
import { newestTestedApiVersion } from './api-version.ts';
import { connectSwarm } from './swarm-client.ts';
import { SwarmError } from './swarm-error.ts';

/** The real engine of the integration tests is a healthy manager: what others respond is scripted here, as recorded. */
describe('the client of the Swarm', () => {
  const signal = new AbortController().signal;
  let server: Server | undefined;

  let paths: string[];
  let versions: unknown[];
  let apiVersion: string | undefined;

  const engine = async (reply: RequestListener) => {
    server = createServer((request, response) => {
      paths.push(request.url ?? '');
      if (request.url !== '/_ping') reply(request, response);
      else response.writeHead(200, apiVersion === undefined ? {} : { 'api-version': apiVersion }).end('OK');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return connectSwarm(`tcp://127.0.0.1:${port}`, { onApiVersion: (version) => versions.push(version) });
  };
  const json =
    (status: number, body: object): RequestListener =>
    (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
  const failure = async (call: Promise<unknown>): Promise<SwarmError> => {
    try {
      await call;
    } catch (error) {
      expect(error).to.be.instanceOf(SwarmError);
      return error as SwarmError;
    }
    throw new Error('it did not fail');
  };

  beforeEach(() => {
    paths = [];
    versions = [];
    apiVersion = '1.41';
  });

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  it('accepts only addresses that Docker has', () => {
    for (const wrong of ['nonsense', 'ftp://host', 'ssh://user@host']) {
      expect(() => connectSwarm(wrong), wrong)
        .to.throw(UsageError)
        .with.property('code', 'docker-host-invalid');
    }
  });

  it('names the lower of the engine’s API version and the newest tested one in every request, and reports it once', async () => {
    const list = json(200, []);
    const older = await engine(list);
    await older.services(signal);
    await older.nodes(signal);
    expect(paths).to.deep.equal(['/_ping', '/v1.41/services', '/v1.41/nodes']);
    expect(versions).to.deep.equal([{ used: '1.41', engine: '1.41' }]);
  });

  it('stays at the newest tested version before a newer engine', async () => {
    apiVersion = '9.99';
    const client = await engine(json(200, []));
    await client.services(signal);
    expect(paths.at(-1)).to.equal(`/v${newestTestedApiVersion}/services`);
    expect(versions).to.deep.equal([{ used: newestTestedApiVersion, engine: '9.99' }]);
  });

  it('names no version where the engine names none', async () => {
    apiVersion = undefined;
    const client = await engine(json(200, []));
    await client.services(signal);
    expect(paths.at(-1)).to.equal('/services');
  });

  it('queries the version again with each event stream: the engine may have been upgraded or downgraded', async () => {
    const client = await engine((_request, response) => {
      response.write('\n');
    });
    await client.events(signal);
    apiVersion = '1.40';
    await client.events(signal);
    expect(paths.map((path) => path.replace(/\?.*/, ''))).to.deep.equal([
      '/_ping',
      '/v1.41/events',
      '/_ping',
      '/v1.40/events',
    ]);
    expect(versions).to.have.length(2);
  });

  it('reports an unreachable engine', async () => {
    const client = connectSwarm('unix:///nonexistent/docker.sock');
    expect(await failure(client.services(signal))).to.have.property('code', 'docker-unreachable');
    expect(await failure(client.events(signal))).to.have.property('code', 'docker-unreachable');
  });

  it('reports on a worker that it needs a manager', async () => {
    const client = await engine(json(200, { Swarm: { LocalNodeState: 'active', ControlAvailable: false } }));
    const error = await failure(client.swarmId(signal));
    expect(error.code).to.equal('swarm-unavailable');
    expect(error.message).to.contain('node.role == manager');
  });

  it('reports outside a Swarm how to make one', async () => {
    const client = await engine(json(200, { Swarm: { LocalNodeState: 'inactive', ControlAvailable: false } }));
    expect((await failure(client.swarmId(signal))).message).to.contain('docker swarm init');
  });

  it('distinguishes a manager without a leader from no services', async () => {
    const client = await engine(
      json(500, { message: 'rpc error: code = Unknown desc = The swarm does not have a leader.' }),
    );
    expect((await failure(client.services(signal))).code).to.equal('swarm-unavailable');
  });

  it('takes 404 for a missing service, and nothing else', async () => {
    const client = await engine((request, response) => {
      const status = request.url?.includes('gone') ? 404 : 503;
      json(status, { message: 'service gone not found' })(request, response);
    });
    expect(await client.service('gone', signal)).to.equal(undefined);
    expect((await failure(client.service('other', signal))).code).to.equal('swarm-unavailable');
  });

  it('queries each service alone when one of several was removed meanwhile', async () => {
    const task = {
      ID: 't',
      Version: { Index: 1 },
      ServiceID: 'here',
      DesiredState: 'running',
      Status: { State: 'running' },
    };
    const client = await engine((request, response) => {
      if (request.url?.includes('gone')) json(404, { message: 'service gone not found' })(request, response);
      else json(200, [task])(request, response);
    });
    const tasks = await client.tasks({ serviceIds: ['here', 'gone'] }, signal);
    expect(tasks.map(({ id }) => id)).to.deep.equal(['t']);
  });

  it('ends its events by a failure when the engine goes away', async () => {
    const line = `${JSON.stringify({ Type: 'service', Action: 'update', Actor: { ID: 's1' } })}\n`;
    const client = await engine((_request, response) => {
      response.write(line);
      setImmediate(() => response.destroy());
    });
    const seen: unknown[] = [];
    const following = (async () => {
      for await (const event of await client.events(signal)) seen.push(event);
    })();
    expect((await failure(following)).code).to.equal('docker-unreachable');
    expect(seen).to.deep.equal([{ kind: 'service', action: 'update', serviceId: 's1' }]);
  });
});
