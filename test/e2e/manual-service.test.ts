import { createServer, type Server } from 'node:http';
import { expect } from 'chai';
import { untilAnswers } from '../harness/http.ts';
import { until } from '../harness/until.ts';
import { sharedStack } from './shared-stack.ts';

describe('a service outside the Swarm', () => {
  let server: Server;
  let port: number;
  const path = '/v1/docker-flow-proxy';

  before(async () => {
    server = createServer((request, response) => response.end(`legacy ${request.url}`));
    port = await new Promise((resolve) => {
      server.listen(0, '0.0.0.0', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
  after(() => {
    server.close();
  });

  it('is served after one call of reconfigure, which answers when all instances serve it', async () => {
    const stack = sharedStack();
    const query = new URLSearchParams({
      serviceName: 'legacy',
      servicePath: '/legacy',
      outboundHostname: await addressOfThisMachine(),
      port: String(port),
    });
    const answer = await stack.admin(`${path}/reconfigure?${query}`);
    expect(answer.status, answer.body).to.equal(200);
    expect(JSON.parse(answer.body)).to.include({ Status: 'OK', Message: 'Distributed to all instances' });
    const served = await untilAnswers({ url: `${stack.httpUrl}/legacy/x` }, 200);
    expect(served.body).to.equal('legacy /legacy/x');
  });

  it('cannot be changed without the token', async () => {
    const answer = await sharedStack().admin(`${path}/remove?serviceName=legacy`, {
      headers: { authorization: 'Bearer wrong' },
    });
    expect(answer.status).to.equal(401);
    await untilAnswers({ url: `${sharedStack().httpUrl}/legacy` }, 200);
  });

  for (const part of ['proxy', 'listener', 'consul']) {
    it(`survives a restart of ${part}`, async () => {
      await sharedStack().restart(part);
      await untilAnswers({ url: `${sharedStack().httpUrl}/legacy` }, 200, { withinMs: 60_000 });
    });
  }

  it('is still in Consul’s own data, and gone after remove', async () => {
    const stack = sharedStack();
    // Consul was restarted a moment ago: the proxy serves on, but the store itself needs a moment to answer.
    await until('Consul has it still', async () =>
      (await stack.consul.get('services/manual/legacy'))?.includes('/legacy'),
    );
    await until('the proxy reaches Consul again', async () => {
      const status = JSON.parse((await stack.admin('/v1/status')).body) as { registry: { reachable: boolean } };
      return status.registry.reachable;
    });
    const answer = await stack.admin(`${path}/remove?serviceName=legacy`);
    expect(answer.status, answer.body).to.equal(200);
    await untilAnswers({ url: `${stack.httpUrl}/legacy` }, 503);
    expect(await stack.consul.get('services/manual/legacy')).to.equal(undefined);
  });
});

/** As containers see it: the gateway of the bridge by which Swarm's tasks reach their node. */
async function addressOfThisMachine(): Promise<string> {
  const bridge = await sharedStack().docker.getNetwork('docker_gwbridge').inspect();
  const gateway = bridge.IPAM?.Config?.[0]?.Gateway;
  if (gateway === undefined) throw new Error('docker_gwbridge has no gateway');
  return gateway;
}
