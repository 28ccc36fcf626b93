import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from '@swarmgate/runtime';
import { expect } from 'chai';
import { connectSwarm } from './swarm-client.ts';
import { SwarmError } from './swarm-error.ts';

/** The real engine of the integration tests is a healthy manager: what others answer is scripted here, as recorded. */
describe('the client of the Swarm', () => {
  const signal = new AbortController().signal;
  let server: Server | undefined;

  const engine = async (answer: RequestListener) => {
    server = createServer(answer);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return connectSwarm(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
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

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  it('takes only addresses that Docker has', () => {
    for (const wrong of ['nonsense', 'ftp://host', 'ssh://user@host']) {
      expect(() => connectSwarm(wrong), wrong)
        .to.throw(UsageError)
        .with.property('code', 'docker-host-invalid');
    }
  });

  it('says that nothing answers', async () => {
    const client = connectSwarm('unix:///nonexistent/docker.sock');
    expect(await failure(client.services(signal))).to.have.property('code', 'docker-unreachable');
    expect(await failure(client.events(signal))).to.have.property('code', 'docker-unreachable');
  });

  it('says on a worker that it needs a manager', async () => {
    const client = await engine(json(200, { Swarm: { LocalNodeState: 'active', ControlAvailable: false } }));
    const error = await failure(client.swarmId(signal));
    expect(error.code).to.equal('swarm-unavailable');
    expect(error.message).to.contain('node.role == manager');
  });

  it('says outside a Swarm how to make one', async () => {
    const client = await engine(json(200, { Swarm: { LocalNodeState: 'inactive', ControlAvailable: false } }));
    expect((await failure(client.swarmId(signal))).message).to.contain('docker swarm init');
  });

  it('tells a manager without a leader from no services', async () => {
    const client = await engine(
      json(500, { message: 'rpc error: code = Unknown desc = The swarm does not have a leader.' }),
    );
    expect((await failure(client.services(signal))).code).to.equal('swarm-unavailable');
  });

  it('takes 404 for a service that is not there, and nothing else', async () => {
    const client = await engine((request, response) => {
      const status = request.url?.includes('gone') ? 404 : 503;
      json(status, { message: 'service gone not found' })(request, response);
    });
    expect(await client.service('gone', signal)).to.equal(undefined);
    expect((await failure(client.service('other', signal))).code).to.equal('swarm-unavailable');
  });

  it('asks for each service alone when one of several went meanwhile', async () => {
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
