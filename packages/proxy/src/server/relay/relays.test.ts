import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Destination, ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { RawConnection, until } from '../../../test/behaviour-rig.ts';
import { freePort } from '../../../test/free-ports.ts';
import { endpointAt } from '../../../test/test-context.ts';
import { Balancer } from '../../endpoints/balancing/balancer.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import { createRouteTable } from '../../routing/create-route-table.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import { sentProxyHeader } from '../proxy-protocol/sent-header.ts';
import type { RelayEnd } from './relayed-connection.ts';
import { Relays } from './relays.ts';

describe('relays', () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const endpoints = new Map<ServiceKey, readonly Endpoint[]>();
  let ends: RelayEnd[];
  let table: RouteTable;
  let relays: Relays;
  let onPicked: () => void;

  beforeEach(() => {
    ends = [];
    onPicked = () => undefined;
    table = createRouteTable({
      order: 'strict',
      instanceName: 'swarmgate',
      filterInstanceName: false,
    });
    relays = new Relays({
      upstreams: { of: ({ key }) => ({ endpoints: endpoints.get(key) ?? [], inOrder: false, ifNone: 'no-endpoint' }) },
      balancer: new Balancer({ random: () => 0 }),
      logger: silentLogger,
      connectMs: 1_000,
      tunnelMs: 60_000,
      helloMs: 1_000,
      host: '127.0.0.1',
      onEnd: (end) => ends.push(end),
      connections: {
        add: () => {
          onPicked();
          return () => undefined;
        },
      },
    });
  });

  afterEach(async () => {
    await relays.drain(0);
    for (const socket of sockets) socket.destroy();
    for (const server of servers.splice(0)) server.close();
    endpoints.clear();
  });

  async function backend(onConnection: (socket: Socket) => void): Promise<Endpoint> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return endpointAt((server.address() as AddressInfo).port);
  }

  async function publish(service: string, destination: Partial<Destination>, more: Partial<ServiceDefinition> = {}) {
    const definition: ServiceDefinition = {
      version: 1,
      service,
      owner: 'swarm',
      source: { kind: 'rest', by: 'test' },
      updatedAt: '',
      destinations: [{ index: 0, since: 0, reqMode: 'tcp', port: 80, ...destination }],
      ...more,
    };
    await change(`swarm/${service}`, definition);
  }

  async function change(key: ServiceKey, definition: ServiceDefinition | undefined) {
    table = table.with(new Map([[key, definition]]));
    await relays.apply(table, [key]);
  }

  function dial(port: number): RawConnection {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.add(socket);
    return new RawConnection(socket);
  }

  it('opens a port with its service, relays both ways, and closes the port with the service', async () => {
    const port = await freePort();
    endpoints.set('swarm/db', [await backend((socket) => socket.pipe(socket))]);
    await publish('db', { srcPort: port });
    const client = dial(port);
    client.send('ping');
    await client.until('ping');
    await change('swarm/db', undefined);
    // What is open goes on; only new connections are refused.
    client.send('pong');
    await client.until('pingpong');
    const refused = dial(port);
    await refused.untilClosed();
    expect(refused.received).to.equal('');
    expect(relays.views()).to.deep.equal([]);
  });

  it('passes the end of one side on while the other goes on (half-close)', async () => {
    const port = await freePort();
    endpoints.set('swarm/db', [
      await backend((socket) => {
        let received = '';
        socket.on('data', (chunk: Buffer) => {
          received += chunk.toString();
        });
        socket.on('end', () => socket.end(`you said ${received}`));
      }),
    ]);
    await publish('db', { srcPort: port });
    const client = dial(port);
    client.socket.end('everything');
    expect(await client.untilClosed()).to.equal('you said everything');
    await until(() => ends.length === 1);
    expect(ends).to.deep.equal(['closed']);
  });

  it('forwards where the server sends first', async () => {
    const port = await freePort();
    endpoints.set('swarm/ssh', [await backend((socket) => socket.write('SSH-2.0-here\r\n'))]);
    await publish('ssh', { srcPort: port });
    await dial(port).until('SSH-2.0-here');
  });

  for (const version of ['v1', 'v2'] as const)
    it(`sends a PROXY header of ${version} before the client’s bytes, to the endpoint that another was tried before, too`, async () => {
      const port = await freePort();
      let received = '';
      const taker = await backend((socket) =>
        socket.on('data', (chunk: Buffer) => {
          received += chunk.toString('latin1');
        }),
      );
      endpoints.set('swarm/mail', [endpointAt(await freePort()), taker]);
      await publish('mail', { srcPort: port, sendProxyHeader: version });
      const client = dial(port);
      await until(() => received !== '');
      client.send('hello');
      await until(() => received.endsWith('hello'));
      const { remoteAddress, remotePort, localAddress, localPort } = client.socket;
      const ends = {
        remoteAddress: localAddress,
        remotePort: localPort,
        localAddress: remoteAddress,
        localPort: remotePort,
      };
      expect(received).to.equal(`${sentProxyHeader(version, ends).toString('latin1')}hello`);
    });

  it('sends a PROXY header to the endpoints of those services of a group that take one', async () => {
    const port = await freePort();
    const received = new Map<string, string>();
    for (const name of ['a', 'b'])
      endpoints.set(`swarm/${name}`, [
        await backend((socket) =>
          socket.on('data', (chunk: Buffer) =>
            received.set(name, `${received.get(name) ?? ''}${chunk.toString('latin1')}`),
          ),
        ),
      ]);
    await publish('a', { srcPort: port, serviceGroup: 'g', sendProxyHeader: 'v1' });
    await publish('b', { srcPort: port, serviceGroup: 'g' });
    for (let times = 0; times < 2; times += 1) dial(port).send('hello');
    await until(() => received.get('a')?.endsWith('hello') === true && received.get('b')?.endsWith('hello') === true);
    expect(received.get('a')).to.match(/^PROXY TCP4 /);
    expect(received.get('b')).to.equal('hello');
  });

  it('sends a PROXY header to an endpoint that leaves its service while it is connected to', async () => {
    const port = await freePort();
    let received = '';
    const taker = await backend((socket) =>
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1');
      }),
    );
    endpoints.set('swarm/plain', []);
    endpoints.set('swarm/taking', [taker]);
    await publish('plain', { srcPort: port, serviceGroup: 'g' });
    await publish('taking', { srcPort: port, serviceGroup: 'g', sendProxyHeader: 'v1' });
    onPicked = () => endpoints.set('swarm/taking', []);
    dial(port).send('hello');
    await until(() => received.endsWith('hello'));
    expect(received).to.match(/^PROXY TCP4 /);
  });

  it('tries another endpoint when one refuses', async () => {
    const port = await freePort();
    endpoints.set('swarm/db', [endpointAt(await freePort()), await backend((socket) => socket.write('hello'))]);
    await publish('db', { srcPort: port });
    await dial(port).until('hello');
  });

  it('closes the client where no endpoint responds', async () => {
    const port = await freePort();
    endpoints.set('swarm/db', [endpointAt(await freePort())]);
    await publish('db', { srcPort: port });
    await dial(port).untilClosed();
    await until(() => ends.length === 1);
    expect(ends).to.deep.equal(['unreachable']);
  });

  it('passes a reset on as a reset, in both directions', async () => {
    const port = await freePort();
    const errors: unknown[] = [];
    const open: Socket[] = [];
    endpoints.set('swarm/db', [
      await backend((socket) => {
        open.push(socket);
        socket.on('error', (error) => errors.push('code' in error && error.code)).pipe(socket);
      }),
    ]);
    await publish('db', { srcPort: port });
    const leaving = dial(port);
    leaving.send('x');
    await leaving.until('x');
    leaving.socket.resetAndDestroy();
    await until(() => errors.length === 1);
    const staying = dial(port);
    staying.socket.on('error', (error) => errors.push('code' in error && error.code));
    staying.send('y');
    await staying.until('y');
    open[1]?.resetAndDestroy();
    await until(() => errors.length === 2);
    expect(errors).to.deep.equal(['ECONNRESET', 'ECONNRESET']);
  });

  it('ends a connection that is silent for too long', async () => {
    const port = await freePort();
    endpoints.set('swarm/db', [await backend(() => undefined)]);
    await publish('db', { srcPort: port, timeoutClientMs: 30 });
    await dial(port).untilClosed();
    await until(() => ends.length === 1);
    expect(ends).to.deep.equal(['idle']);
  });

  it('shares the connections of a port among the services of a group', async () => {
    const port = await freePort();
    endpoints.set('swarm/a', [await backend((socket) => socket.write('a'))]);
    endpoints.set('swarm/b', [await backend((socket) => socket.write('b'))]);
    await publish('a', { srcPort: port, serviceGroup: 'g' });
    await publish('b', { srcPort: port, serviceGroup: 'g' });
    const responses: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) responses.push(await dial(port).until(/[ab]/));
    expect(responses.toSorted()).to.deep.equal(['a', 'a', 'b', 'b']);
  });

  it('sends TLS by its server name, unread and unchanged, also when the hello comes byte by byte', async () => {
    const port = await freePort();
    const received: Record<string, string> = { one: '', two: '' };
    for (const name of ['one', 'two'])
      endpoints.set(`swarm/${name}`, [
        await backend((socket) => {
          socket.on('data', (chunk: Buffer) => {
            received[name] += chunk.toString('latin1');
          });
        }),
      ]);
    await publish('one', { reqMode: 'sni', srcPort: port, serviceDomain: ['one.example'] });
    await publish('two', { reqMode: 'sni', srcPort: port, serviceDomain: ['two.example'] });
    const hello = helloNaming('two.example');
    const client = dial(port);
    client.socket.setNoDelay(true);
    for (const byte of hello) {
      client.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => received.two?.length === hello.length);
    expect(received.two).to.equal(hello.toString('latin1'));
    expect(received.one).to.equal('');
  });

  it('closes TLS connections with an unknown server name', async () => {
    const port = await freePort();
    endpoints.set('swarm/one', [await backend(() => undefined)]);
    await publish('one', { reqMode: 'sni', srcPort: port, serviceDomain: ['one.example'] });
    const client = dial(port);
    client.socket.write(helloNaming('other.example'));
    await client.untilClosed();
  });

  it('turns away clients that are not on the list', async () => {
    const port = await freePort();
    endpoints.set('swarm/db', [await backend((socket) => socket.write('hello'))]);
    await publish('db', { srcPort: port }, { allowedAddresses: ['10.0.0.0/8'] });
    expect(await dial(port).untilClosed()).to.equal('');
    await publish('db', { srcPort: port }, { allowedAddresses: ['127.0.0.0/8'] });
    await dial(port).until('hello');
  });

  it('turns away clients that are not on every list of its middlewares', async () => {
    const port = await freePort();
    endpoints.set('swarm/db', [await backend((socket) => socket.write('hello'))]);
    const list = (range: string) => ({ kind: 'ipAllowList' as const, sourceRange: [range] });
    await publish('db', { srcPort: port, middlewares: [list('127.0.0.0/8'), list('10.0.0.0/8')] });
    expect(await dial(port).untilClosed()).to.equal('');
    expect(ends).to.deep.equal(['denied']);
    await publish('db', { srcPort: port, middlewares: [list('127.0.0.0/8')] });
    await dial(port).until('hello');
    // What it lists is sent by a hop, which a connection has none of.
    await publish('db', { srcPort: port, middlewares: [{ ...list('127.0.0.0/8'), depth: 1 }] });
    expect(relays.problems().get('swarm/db')?.[0]?.reason).to.equal('label-not-honoured');
  });

  it('limits the connections that a client has at the same time, over changes of the table', async () => {
    const port = await freePort();
    endpoints.set('swarm/db', [await backend((socket) => socket.on('end', () => socket.end()).write('hello'))]);
    await publish('db', { srcPort: port, inFlightConn: { amount: 2 } });
    const first = dial(port);
    await first.until('hello');
    await publish('db', { srcPort: port, inFlightConn: { amount: 2 } });
    await dial(port).until('hello');
    expect(await dial(port).untilClosed()).to.equal('');
    expect(ends).to.deep.equal(['in-flight-limited']);
    first.socket.destroy();
    await until(() => ends.length === 2);
    await dial(port).until('hello');
  });

  it('names the port that it cannot open, for an entrypoint and for another process', async () => {
    const entrypoint = await freePort();
    relays.beside([{ port: entrypoint, secure: false }]);
    await publish('a', { srcPort: entrypoint });
    const foreign = await backend(() => undefined);
    await publish('b', { srcPort: foreign.port });
    expect(relays.problems().get('swarm/a')?.[0]?.reason).to.equal('relay-port-unavailable');
    expect(relays.problems().get('swarm/b')?.[0]?.message).to.match(new RegExp(`port ${foreign.port}.*EADDRINUSE`));
  });

  it('finishes what is open when draining, and ends at the deadline', async () => {
    const port = await freePort();
    endpoints.set('swarm/db', [await backend((socket) => socket.pipe(socket))]);
    await publish('db', { srcPort: port });
    const client = dial(port);
    client.send('x');
    await client.until('x');
    const drained = relays.drain(60_000);
    client.send('y');
    await client.until('xy');
    client.socket.end();
    await drained;
  });
});

/** A minimal TLS 1.2 ClientHello for one server name. */
function helloNaming(name: string): Buffer {
  const host = Buffer.from(name);
  const entry = Buffer.concat([Buffer.from([0, 0, host.length]), host]);
  const list = Buffer.concat([Buffer.from([0, entry.length]), entry]);
  const extension = Buffer.concat([Buffer.from([0, 0, 0, list.length]), list]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0, 0, 2, 0x13, 0x01, 1, 0, 0, extension.length]),
    extension,
  ]);
  return Buffer.concat([Buffer.from([22, 3, 1, 0, body.length + 4, 1, 0, 0, body.length]), body]);
}
