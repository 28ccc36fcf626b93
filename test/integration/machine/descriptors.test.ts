import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { freePorts } from '../../harness/free-ports.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

const run = promisify(execFile);

/** A proxy that may open few files and sockets, and clients that open more than that. */
describe('a proxy whose descriptors run out', function () {
  this.timeout(180_000);
  const allowed = 160;
  let standalone: SwarmgateProcess;
  let admin: number;
  let entry: number;
  const endpoints: Server[] = [];

  before(async () => {
    [admin = 0, entry = 0] = await freePorts(2);
    standalone = startSwarmgate(['standalone'], {
      env: {
        ADMIN_PORT: String(admin),
        DEFAULT_PORTS: String(entry),
        WORKERS: '0',
        DOCKER_HOST: 'unix:///nowhere/docker.sock',
      },
      through: ['prlimit', `--nofile=${allowed}:${allowed}`],
    });
    await until('it is ready', () => standalone.log().includes('Swarmgate is ready.'), { withinMs: 120_000 });
    for (const service of ['one', 'two', 'three', 'four', 'five']) {
      const endpoint = createServer((_request, response) => response.end(service)).listen(0, '127.0.0.1');
      endpoints.push(endpoint);
      await once(endpoint, 'listening');
      const query = `serviceName=${service}&servicePath=/${service}&outboundHostname=127.0.0.1&port=${(endpoint.address() as AddressInfo).port}`;
      expect((await fetch(`http://127.0.0.1:${admin}/v1/docker-flow-proxy/reconfigure?${query}`)).status).to.equal(200);
    }
  });
  after(async () => {
    await standalone.remove();
    for (const endpoint of endpoints) endpoint.close().closeAllConnections();
  });

  const reasons = async () => {
    const reply = await fetch(`http://127.0.0.1:${admin}/v1/problems`);
    const { problems } = (await reply.json()) as { readonly problems: readonly { readonly reason: string }[] };
    return problems.map(({ reason }) => reason);
  };

  it('closes clients beyond what it can serve, and serves those that it has, its endpoints and its admin port', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const flood: Socket[] = [];
    let closed = 0;
    try {
      expect((await get(entry, '/one', agent)).body).to.equal('one');
      for (let at = 0; at < 3 * allowed; at += 1) {
        const socket = connect(entry, '127.0.0.1')
          .on('error', () => {})
          .on('close', () => {
            closed += 1;
          });
        socket.write('GET /one HTTP/1.1\r\nHost: x\r\n');
        flood.push(socket);
      }
      await until('those too many are closed', () => closed > 2 * allowed);
      await until('it is reported', async () => (await reasons()).includes('descriptors-low'), { withinMs: 20_000 });
      // A client that has its connection needs others of the proxy: to endpoints, and to the registry for a change.
      for (const service of ['one', 'two', 'three'])
        expect(await get(entry, `/${service}`, agent)).to.include({ status: 200, body: service });
      expect((await fetch(`http://127.0.0.1:${admin}/readyz`)).status).to.equal(200);
      expect(await reasons()).to.deep.equal(['descriptors-low']);
    } finally {
      for (const socket of flood) socket.destroy();
      agent.destroy();
    }
    await until('it recovers', async () => (await reasons()).length === 0, { withinMs: 20_000 });
    expect((await get(entry, '/one')).status).to.equal(200);
  });

  it('takes no endpoint for broken where no connection can be opened, and goes on as soon as one can', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      expect((await get(entry, '/one', agent)).status).to.equal(200);
      // From here on the system refuses every descriptor.
      await run('prlimit', ['--pid', String(standalone.pid), '--nofile=16:']);
      expect(await get(entry, '/one', agent), 'by an open connection').to.include({ status: 200, body: 'one' });
      for (let times = 0; times < 5; times += 1) {
        const { status, reason } = await get(entry, `/${times % 2 === 0 ? 'four' : 'five'}`, agent);
        expect({ status, reason }).to.deep.equal({ status: 503, reason: 'out-of-descriptors' });
      }
      await until('it is logged', () => standalone.log().includes('"reason":"out-of-descriptors"'));
      await run('prlimit', ['--pid', String(standalone.pid), `--nofile=${allowed}:`]);
      for (const service of ['four', 'five', 'one'])
        expect(await get(entry, `/${service}`, agent)).to.include({ status: 200, body: service });
      expect(await reasons()).to.deep.equal(['descriptors-low']);
      await until('it is over', async () => (await reasons()).length === 0, { withinMs: 30_000 });
      expect(standalone.log()).not.to.match(/ejected|a control task failed/);
    } finally {
      agent.destroy();
    }
  });
});

interface Response {
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly body: string;
}

function get(port: number, path: string, agent?: Agent): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: agent ?? false }, (response: IncomingMessage) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        body += part;
      });
      const reason = response.headers['x-swarmgate-reason'] as string | undefined;
      response.once('end', () => resolve({ status: response.statusCode, reason, body }));
    });
    sent.once('error', reject).end();
  });
}
