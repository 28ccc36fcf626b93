import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { ServiceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { freePort } from '../../../test/free-ports.ts';
import { testCertificate } from '../../../test/test-certificate.ts';
import { until } from '../../../test/until.ts';
import { listening, servedAt, startWorkerRig, type WorkerRig } from '../../../test/worker-rig.ts';
import type { ServedService } from '../../model/served-service.ts';

const most = 40;

describe('workers of one proxy', function () {
  // Real processes: each takes a second to start on a busy machine.
  this.timeout(90_000);
  let rig: WorkerRig;
  let one = 0;
  let other = 0;
  /** Responses that the backend has not given yet. */
  const held: (() => void)[] = [];

  before(async () => {
    rig = await startWorkerRig({
      backend: (request, response) => {
        if (request.url?.startsWith('/in-flight') === true) held.push(() => response.end('fine'));
        else response.end('fine');
      },
      env: { MAX_CONNECTIONS: String(most), DEFAULT_CERT: 'unnamed.pem' },
      entrypoints: [
        { port: 0, secure: false },
        { port: 0, secure: true },
      ],
    });
    [one = 0, other = 0] = rig.serving().map(({ pid }) => pid);
  });
  after(() => rig.stop());

  it('serve a change, every one of them, when it is applied', async () => {
    await rig.put('manual/first', { servicePath: ['/first'] });
    expect(rig.server.workers().map(({ revision }) => revision)).to.deep.equal(['r1', 'r1']);
    for (const pid of [one, other]) {
      const { status, text } = await rig.only(pid, () => rig.get('/first'));
      expect([status, text]).to.deep.equal([200, 'fine']);
    }
    await rig.put('manual/first', undefined);
    for (const pid of [one, other]) expect((await rig.only(pid, () => rig.get('/first'))).status).to.equal(503);
    expect(rig.server.table().size).to.equal(0);
  });

  it('take a service down for maintenance, every one of them, and show the step', async () => {
    const key = 'manual/first' as const;
    const by = { by: 'ann', since: '2026-01-02T03:00:00.000Z' };
    const maintenance = { version: 1, owner: 'manual', service: 'first', maintenance: by } as const;
    const served = servedAt(key, { port: rig.backendPort, servicePath: ['/first'] });
    await rig.apply(new Map([[key, { ...served, maintenance }]]));
    for (const pid of [one, other]) {
      const { headers } = await rig.only(pid, () => rig.get('/first'));
      expect(headers['x-swarmgate-reason']).to.equal('maintenance');
    }
    const [route] = rig.server.table().routesOf(key);
    const steps = route === undefined ? [] : (rig.server.middlewareOf?.(route) ?? []);
    expect(steps.map(({ name }) => name)).to.deep.equal(['maintenance']);
    await rig.apply(new Map([[key, served]]));
    for (const pid of [one, other]) expect((await rig.only(pid, () => rig.get('/first'))).status).to.equal(200);
    await rig.put(key, undefined);
  });

  it('take a change of many services in pieces, and serve all of it when it is applied', async () => {
    const many = new Map<ServiceKey, ServedService | undefined>();
    for (let at = 0; at < 600; at += 1) {
      const key: ServiceKey = `manual/many-${at}`;
      many.set(key, servedAt(key, { port: rig.backendPort, servicePath: [`/many-${at}`] }));
    }
    await rig.apply(many);
    for (const pid of [one, other])
      for (const path of ['/many-0', '/many-599'])
        expect((await rig.only(pid, () => rig.get(path))).status, path).to.equal(200);
    await rig.apply(new Map([...many.keys()].map((key) => [key, undefined])));
    expect((await rig.get('/many-599')).status).to.equal(503);
  });

  it('count a rate limit together', async () => {
    const labels = { rateLimit: { requests: 5, windowMs: 3_600_000 }, rateLimitKey: { kind: 'ip' as const } };
    await rig.put('manual/limited', { servicePath: ['/limited'] }, { labels });
    const send = async (times: number) => {
      const statuses: (number | string)[] = [];
      for (let at = 0; at < times; at += 1) statuses.push((await rig.get('/limited')).status);
      return statuses;
    };
    expect(await rig.only(one, () => send(3))).to.deep.equal([200, 200, 200]);
    expect(await rig.only(other, () => send(4))).to.deep.equal([200, 200, 429, 429]);
  });

  it('count requests in flight together', async () => {
    const inFlightReq = { amount: 2, by: { kind: 'ip' as const } };
    await rig.put('manual/in-flight', { servicePath: ['/in-flight'], inFlightReq });
    const send = async () => (await rig.get('/in-flight')).status;
    const inFlight = [await rig.only(one, () => begun(send)), await rig.only(other, () => begun(send))];
    // With a share of one each, the third would find a permit where one had ended.
    expect(await rig.only(one, send)).to.equal(429);
    expect(await rig.only(other, send)).to.equal(429);
    held.shift()?.();
    expect(await inFlight[0]?.response).to.equal(200);
    // The worker may be halted before it has released its permit, so both go on from here.
    const next = sendUntilServed(send);
    await until(() => held.length === 2, 'another request at the backend');
    for (const respond of held.splice(0)) respond();
    expect([await inFlight[1]?.response, await next]).to.deep.equal([200, 200]);
  });

  async function sendUntilServed(send: () => Promise<number | string>): Promise<number | string> {
    for (;;) {
      const status = await send();
      if (status !== 429) return status;
    }
  }

  /** A request that has reached the backend. */
  async function begun<T>(send: () => Promise<T>): Promise<{ readonly response: Promise<T> }> {
    const before = held.length;
    const response = send();
    await until(() => held.length > before, 'the request at the backend');
    return { response };
  }

  it('add up what they count by service, and lose none of it when they are replaced', async () => {
    await rig.put('manual/counted', { servicePath: ['/counted'] });
    const requests = async () => {
      const numbers = await rig.server.numbers?.();
      if (numbers === undefined) throw new Error('workers count');
      const { lastMinute, sinceStart } = await numbers.byService();
      return [lastMinute, sinceStart].map(({ counts }) => counts.get('manual/counted')?.requests ?? 0);
    };
    const send = async (times: number) => {
      for (let at = 0; at < times; at += 1) await rig.get('/counted');
    };
    await rig.only(one, () => send(3));
    await rig.only(other, () => send(4));
    expect(await requests()).to.deep.equal([7, 7]);
    await rig.only(one, () => send(2));
    expect(await rig.server.restartWorkers?.()).to.equal(2);
    [one = 0, other = 0] = rig.serving().map(({ pid }) => pid);
    expect(await requests()).to.deep.equal([9, 9]);
  });

  it('pass on live requests, those that begin to serve later too', async () => {
    await rig.put('manual/live', { servicePath: ['/live'] });
    const paths: string[] = [];
    const end = rig.server.watchRequests?.({ filter: { service: 'live' }, perSecond: 100 }, ({ requests }) => {
      for (const { path } of requests) paths.push(path);
    });
    await rig.only(one, () => rig.get('/live/one'));
    await rig.only(other, () => rig.get('/live/other'));
    await until(() => paths.length === 2, 'both requests');
    expect(paths).to.have.members(['/live/one', '/live/other']);
    await rig.server.restartWorkers?.();
    [one = 0, other = 0] = rig.serving().map(({ pid }) => pid);
    await rig.only(one, () => rig.get('/live/again'));
    await until(() => paths.includes('/live/again'), 'a request to a worker that came later');
    end?.();
  });

  it('share the places for connections', async () => {
    await rig.put('manual/open', { servicePath: ['/open'] });
    const open = async (count: number) => {
      const sockets = await Promise.all(Array.from({ length: count }, () => rig.open()));
      const served = await Promise.all(
        sockets.map(async (socket) => {
          const first = new Promise<boolean>((resolve) => {
            socket.once('data', () => resolve(true));
            socket.once('close', () => resolve(false));
            socket.on('error', () => undefined);
          });
          socket.write('GET /open HTTP/1.1\r\nHost: a\r\n\r\n');
          return first;
        }),
      );
      return { sockets, served: served.filter(Boolean).length };
    };
    const before = await rig.metric('swarmgate_client_connections');
    const ofOne = await rig.only(one, () => open(most - 10));
    const ofOther = await rig.only(other, () => open(20));
    expect(ofOne.served).to.equal(most - 10);
    expect(ofOther.served + before).to.be.within(10, 10 + before);
    for (const socket of [...ofOne.sockets, ...ofOther.sockets]) socket.destroy();
    await until(() => ofOne.sockets.every(({ closed }) => closed), 'the connections to close');
    // Places come back as the workers see their clients go.
    await until(async () => (await rig.get('/open')).status === 200, 'a place');
  });

  it('notify each other of an ejected endpoint', async () => {
    const dead = await freePort();
    await rig.put(
      'elsewhere/pair',
      { servicePath: ['/pair'], port: 80 },
      {
        endpoints: {
          version: 1,
          service: 'pair',
          owner: 'elsewhere',
          dnsName: 'pair',
          tasks: [],
          published: [dead, rig.backendPort].map((port) => ({ host: '127.0.0.1', port, targetPort: 80 })),
        },
      },
    );
    const [route] = rig.server.table().routesOf('elsewhere/pair');
    if (route === undefined) throw new Error('the route is there');
    const send = async (times: number) => {
      for (let at = 0; at < times; at += 1) expect((await rig.get('/pair')).status).to.equal(200);
    };
    await rig.only(one, () => send(8));
    await until(() => rig.server.endpointsOf(route).some(({ health }) => health === 'ejected'), 'the ejection');
    const retries = await rig.metric('swarmgate_retries_total');
    expect(retries).to.be.at.least(3);
    // The other one would need three failures of its own to find out.
    await rig.only(other, () => send(2));
    expect(await rig.metric('swarmgate_retries_total')).to.equal(retries);
    await rig.put('elsewhere/pair', undefined);
  });

  it('are sent what active checks found, which call a service once for all of them', async () => {
    const everyMs = 250;
    let well = true;
    let requested = 0;
    const checked = await listening(
      createHttpServer((request, response) => {
        const isCheck = request.headers['user-agent'] === 'swarmgate-check';
        if (isCheck) requested += 1;
        response.writeHead(isCheck && !well ? 500 : 200).end('checked');
      }),
    );
    const address = checked.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    await rig.put(
      'elsewhere/checked',
      { servicePath: ['/checked'], port: 80, checkPath: '/health', checkIntervalMs: everyMs },
      {
        endpoints: {
          version: 1,
          service: 'checked',
          owner: 'elsewhere',
          dnsName: 'checked',
          tasks: [],
          published: [port, rig.backendPort].map((each) => ({ host: '127.0.0.1', port: each, targetPort: 80 })),
        },
      },
    );
    await until(() => requested === 1, 'the first check');
    const beganMs = performance.now();
    await until(() => requested === 5, 'four more');
    // Two who check would have been there in half the time.
    expect(performance.now() - beganMs).to.be.at.least(4 * everyMs - 20);
    const textsOf = (pid: number) =>
      rig.only(pid, async () => {
        const texts: string[] = [];
        for (let at = 0; at < 4; at += 1) texts.push((await rig.get('/checked')).text);
        return new Set(texts);
      });
    well = false;
    for (const pid of [one, other]) {
      let texts = new Set<string>();
      await until(async () => {
        texts = await textsOf(pid);
        return texts.size === 1;
      }, 'the worker to know');
      expect([...texts]).to.deep.equal(['fine']);
    }
    expect(await rig.metric('swarmgate_ejections_total')).to.be.at.least(1);
    well = true;
    await until(async () => (await textsOf(one)).has('checked'), 'the return of the endpoint');
    await rig.put('elsewhere/checked', undefined);
    checked.closeAllConnections();
    checked.close();
  });

  it('sum their metrics', async () => {
    await rig.put('manual/counted', { servicePath: ['/counted'] });
    const before = await rig.metric('swarmgate_requests_total');
    for (const pid of [one, other]) await rig.only(pid, () => rig.get('/counted'));
    expect((await rig.metric('swarmgate_requests_total')) - before).to.equal(2);
    expect(await rig.metric('swarmgate_workers')).to.equal(2);
  });

  it('resume each other’s TLS sessions, and serve certificates that the control process was given', async () => {
    const port = rig.server.entrypoints().find(({ secure }) => secure)?.port;
    // There is no certificate yet, and a TLS port without one stays closed.
    expect(rig.server.entrypoints().find(({ secure }) => secure)?.state).to.equal('closed');
    const { readCertificate } = await import('../../server/tls/certificate.ts');
    const certificateOf = async (name: string) => {
      const read = readCertificate(name, (await testCertificate([`${name}.example`])).pem, undefined);
      if (!read.ok) throw new Error('the certificate can be read');
      return read.certificate;
    };
    if (port === undefined) throw new Error('a port ends TLS');
    rig.server.certificates?.().replace('registry', [await certificateOf('tls'), await certificateOf('unnamed')]);
    await until(() => rig.server.entrypoints().some((each) => each.secure && each.state === 'open'), 'the secure port');
    const first = await rig.only(one, () => handshake(port));
    expect(first.subject).to.equal('tls.example');
    const again = await rig.only(other, () => handshake(port, first.session));
    expect(again.reused).to.equal(true);
    for (const pid of [one, other]) {
      const unknown = await rig.only(pid, () => handshake(port, undefined, 'unknown.example'));
      expect(unknown.subject, 'DEFAULT_CERT').to.equal('unnamed.example');
    }
  });

  it('pass TLS through by its server name, at the port that ends it for others', async () => {
    const port = rig.server.entrypoints().find(({ secure }) => secure)?.port ?? 0;
    const { cert, key } = await testCertificate(['passed.example']);
    const backend = createTlsServer({ cert, key }, (socket) => socket.end());
    await once(backend.listen(0, '127.0.0.1'), 'listening');
    const address = backend.address();
    const upstream = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await rig.put('manual/passed', {
      reqMode: 'sni',
      srcPort: port,
      port: upstream,
      serviceDomain: ['passed.example'],
    });
    for (const pid of [one, other])
      for (const [name, subject] of [
        ['passed.example', 'passed.example'],
        ['tls.example', 'tls.example'],
      ] as const)
        expect((await rig.only(pid, () => handshake(port, undefined, name))).subject).to.equal(subject);
    await rig.put('manual/passed', undefined);
    backend.close();
  });

  it('relay a port that comes with a service', async () => {
    const echo = createServer((socket) => socket.pipe(socket));
    await once(echo.listen(0, '127.0.0.1'), 'listening');
    const address = echo.address();
    const [relayed, backend] = [await freePort(), typeof address === 'object' ? address?.port : undefined];
    await rig.put('manual/echo', { reqMode: 'tcp', srcPort: relayed, port: backend ?? 0 });
    expect(rig.server.entrypoints().find(({ port }) => port === relayed)?.state).to.equal('open');
    for (const pid of [one, other]) {
      const said = await rig.only(pid, async () => {
        const socket = await rig.open(relayed);
        socket.write('hello');
        const [data] = (await once(socket, 'data')) as [Buffer];
        socket.destroy();
        return data.toString();
      });
      expect(said).to.equal('hello');
    }
    await rig.put('manual/echo', undefined);
    await new Promise((resolve) => echo.close(resolve));
  });
});

async function handshake(port: number, session?: Buffer, servername = 'tls.example') {
  const socket: TLSSocket = connectTls({
    port,
    host: '127.0.0.1',
    servername,
    rejectUnauthorized: false,
    // A ticket that comes with the handshake: in TLS 1.3 it comes some time after.
    maxVersion: 'TLSv1.2',
    ...(session === undefined ? {} : { session }),
  });
  await once(socket, 'secureConnect');
  const found = {
    subject: socket.getPeerCertificate().subject?.CN,
    reused: socket.isSessionReused(),
    session: socket.getSession() ?? Buffer.alloc(0),
  };
  socket.destroy();
  return found;
}
