import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { untilResponds } from '../harness/http.ts';
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

  it('is served after one call of reconfigure, which responds when all instances serve it', async () => {
    const stack = sharedStack();
    const query = new URLSearchParams({
      serviceName: 'legacy',
      servicePath: '/legacy',
      outboundHostname: await addressOfThisMachine(),
      port: String(port),
    });
    const reply = await stack.admin(`${path}/reconfigure?${query}`);
    expect(reply.status, reply.body).to.equal(200);
    expect(JSON.parse(reply.body)).to.include({ Status: 'OK', Message: 'Distributed to all instances' });
    const served = await untilResponds({ url: `${stack.httpUrl}/legacy/x` }, 200);
    expect(served.body).to.equal('legacy /legacy/x');
  });

  it('cannot be changed without the token', async () => {
    const reply = await sharedStack().admin(`${path}/remove?serviceName=legacy`, {
      headers: { authorization: 'Bearer wrong' },
    });
    expect(reply.status).to.equal(401);
    await untilResponds({ url: `${sharedStack().httpUrl}/legacy` }, 200);
  });

  for (const part of ['proxy', 'listener', 'consul']) {
    it(`survives a restart of ${part}`, async () => {
      await sharedStack().restart(part);
      try {
        await untilResponds({ url: `${sharedStack().httpUrl}/legacy` }, 200, { withinMs: 60_000 });
      } catch (error) {
        const log = await sharedStack().logs('proxy');
        throw new Error(`not served; inside its container: ${await seenInside()}; its log:\n${log}`, { cause: error });
      }
    });
  }

  it('is still in Consul’s own data, and gone after remove', async () => {
    const stack = sharedStack();
    // Consul was restarted a moment ago: the proxy serves on, but the store itself needs a moment to respond.
    await until('Consul has it still', async () =>
      (await stack.consul.get('services/manual/legacy'))?.includes('/legacy'),
    );
    await until('the proxy reaches Consul again', async () => {
      const status = JSON.parse((await stack.admin('/v1/status')).body) as { registry: { reachable: boolean } };
      return status.registry.reachable;
    });
    const reply = await stack.admin(`${path}/remove?serviceName=legacy`);
    expect(reply.status, reply.body).to.equal(200);
    await untilResponds({ url: `${stack.httpUrl}/legacy` }, 503);
    expect(await stack.consul.get('services/manual/legacy')).to.equal(undefined);
  });
});

describe('a gRPC service outside the Swarm', () => {
  let server: Http2Server;
  const path = '/v1/docker-flow-proxy';

  before(async () => {
    server = createHttp2Server();
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.pipe(stream);
    });
    server.listen(0, '0.0.0.0');
    await once(server, 'listening');
  });
  after(async () => {
    await sharedStack().admin(`${path}/remove?serviceName=cart`);
    server.close();
  });

  it('gets the calls of an HTTP/2 client, and its trailers reach the client', async () => {
    const stack = sharedStack();
    const query = new URLSearchParams({
      serviceName: 'cart',
      servicePath: '/shop.Cart/',
      outboundHostname: await addressOfThisMachine(),
      port: String((server.address() as AddressInfo).port),
      protocol: 'grpc',
    });
    const reply = await stack.admin(`${path}/reconfigure?${query}`);
    expect(reply.status, reply.body).to.equal(200);
    const session = connect(stack.httpUrl);
    try {
      const call = session.request({
        ':method': 'POST',
        ':path': '/shop.Cart/Add',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      let status: unknown;
      let trailers: unknown;
      call.on('response', (headers) => {
        status = headers[':status'];
      });
      call.on('trailers', (headers) => {
        trailers = headers['grpc-status'];
      });
      const message = Buffer.from([0, 0, 0, 0, 2, 0x6f, 0x6b]);
      call.end(message);
      const echoed = Buffer.concat(await call.toArray());
      expect([status, echoed, trailers]).to.deep.equal([200, message, '0']);
    } finally {
      session.destroy();
    }
    const { routes } = JSON.parse((await stack.admin('/v1/routes')).body) as {
      readonly routes: readonly { readonly service: string; readonly upstream: unknown }[];
    };
    expect(routes.find(({ service }) => service === 'cart')?.upstream).to.include({ protocol: 'grpc', secure: false });
  });
});

/**
 * What a client gets that reaches the proxy without the engine's published port. That port accepts every connection, and closes it where
 * the container does not take it: a client cannot tell that from a proxy that closes connections.
 */
async function seenInside(): Promise<string> {
  const script = `await fetch('http://127.0.0.1/legacy').then(({ status }) => console.log(status), ({ cause }) => console.log(cause?.code))`;
  return sharedStack().runInside('proxy', script).catch(String);
}

/** As containers see it: the gateway of the bridge by which Swarm's tasks reach their node. */
async function addressOfThisMachine(): Promise<string> {
  const bridge = await sharedStack().docker.getNetwork('docker_gwbridge').inspect();
  const gateway = bridge.IPAM?.Config?.[0]?.Gateway;
  if (gateway === undefined) throw new Error('docker_gwbridge has no gateway');
  return gateway;
}
