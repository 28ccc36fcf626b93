import { once } from 'node:events';
import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { challengeBoard } from '@swarmgate/acme/challenge-responses';
import { expect } from 'chai';
import {
  type ClientOptions,
  dialTls,
  inRecords,
  type SharedPortRig,
  sendOverHttp1,
  sendOverHttp2,
  startSharedPortRig,
} from './shared-port-rig.ts';
import { testCertificate } from './test-certificate.ts';
import { until } from './until.ts';

type Ways = 'passed' | 'ended' | 'echo' | 'no-route';

/** Who serves a connection, by what it gets for a request. */
async function servedBy(port: number, options: ClientOptions): Promise<Ways> {
  const secured = await dialTls(port, options);
  try {
    if (secured.alpnProtocol === 'h2') {
      const [status] = await sendOverHttp2(secured, [options.servername ?? 'none.example']);
      const { subjectaltname } = secured.getPeerCertificate();
      if (subjectaltname?.includes('passed.example')) return 'passed';
      return status === 200 ? 'ended' : 'no-route';
    }
    const { text } = await sendOverHttp1(secured, options.servername ?? 'none.example');
    for (const each of ['echo', 'passed', 'ended'] as const)
      if (text.startsWith(each) || text.includes(each)) return each;
    return 'no-route';
  } finally {
    secured.destroy();
  }
}

describe('an entrypoint that ends TLS and passes TLS through', () => {
  let rig: SharedPortRig;
  const open: TLSSocket[] = [];

  before(async () => {
    rig = await startSharedPortRig({ TIMEOUT_HTTP_REQUEST: '1' });
  });
  beforeEach(async () => {
    const { tlsPort, httpPort, echoPort, ports } = rig;
    const sni = { reqMode: 'sni', srcPort: ports.direct, port: tlsPort } as const;
    await rig.publish({
      exact: { ...sni, serviceDomain: ['passed.example', 'same.example', 'acme.example'] },
      wildcard: { ...sni, serviceDomain: ['*.example'] },
      proxied: { ...sni, srcPort: ports.proxied, serviceDomain: ['passed.example', '*.example'] },
      web: {
        serviceDomain: ['ended.example', 'same.example', '*.zone.example', '*.ended.example'],
        servicePath: ['/'],
        port: httpPort,
      },
      plain: {
        reqMode: 'tls',
        entryPorts: ['ssl'],
        since: 0,
        port: echoPort,
        serviceDomain: ['echo.example', 'passed.example'],
      },
    });
  });
  afterEach(() => {
    for (const each of open.splice(0)) each.destroy();
  });
  after(() => rig.stop());

  const names: readonly (readonly [string, string, Ways])[] = [
    ['an exact name that is passed through', 'passed.example', 'passed'],
    ['a name of both, where passing comes first', 'same.example', 'passed'],
    ['a name below a wildcard that is passed through', 'other.example', 'passed'],
    ['an exact name that is served, below that wildcard', 'ended.example', 'ended'],
    ['a name below a longer wildcard that is served', 'a.zone.example', 'ended'],
    ['a name of a tls service', 'echo.example', 'echo'],
    ['an unknown name', 'unknown.test', 'no-route'],
    ['no name', '', 'no-route'],
  ];
  for (const [what, name, way] of names)
    for (const protocols of [undefined, ['http/1.1'], ['h2', 'http/1.1']]) {
      const offers = protocols?.[0] ?? 'nothing';
      it(`distinguishes ${what}, whose client offers ${offers}`, async () => {
        const requested = { servername: name, ...(protocols === undefined ? {} : { protocols }) };
        if (way === 'echo' && offers === 'h2') return;
        expect(await servedBy(rig.ports.direct, requested)).to.equal(way);
      });
    }

  it('does so behind a PROXY header, and passes on the bytes behind it alone', async () => {
    for (const [name, way] of [
      ['passed.example', 'passed'],
      ['ended.example', 'ended'],
      ['echo.example', 'echo'],
    ] as const)
      expect(await servedBy(rig.ports.proxied, { servername: name, source: '192.0.2.7' }), name).to.equal(way);
    expect(rig.received().includes('PROXY')).to.equal(false);
  });

  it('sends the client of a PROXY header to services that take one, for passed and for ended TLS', async () => {
    const { tlsPort, echoPort, ports } = rig;
    const taking = { srcPort: ports.proxied, sendProxyHeader: 'v1' } as const;
    await rig.publish({
      proxied: { ...taking, reqMode: 'sni', port: tlsPort, serviceDomain: ['passed.example'] },
      plain: { ...taking, reqMode: 'tls', port: echoPort, serviceDomain: ['echo.example'] },
    });
    const header = new RegExp(`PROXY TCP4 192\\.0\\.2\\.7 127\\.0\\.0\\.1 \\d+ ${ports.proxied}\r\n`);
    const secured = await dialTls(ports.proxied, { servername: 'echo.example', source: '192.0.2.7' });
    open.push(secured);
    expect((await sendOverHttp1(secured, 'echo.example')).text).to.match(header);
    const passed = dialTls(ports.proxied, { servername: 'passed.example', source: '192.0.2.7' }).catch(() => undefined);
    await until(() => header.test(rig.received().toString('latin1')), 'the header before the ClientHello');
    (await passed)?.destroy();
  });

  it('holds allowedAddresses against the client of the PROXY header, for passed and for ended TLS', async () => {
    const service = { allowedAddresses: ['192.0.2.0/24'] };
    const { tlsPort, echoPort, ports } = rig;
    await rig.publish({
      proxied: { reqMode: 'sni', srcPort: ports.proxied, port: tlsPort, serviceDomain: ['passed.example'], service },
      plain: { reqMode: 'tls', srcPort: ports.proxied, port: echoPort, serviceDomain: ['echo.example'], service },
    });
    for (const [name, way] of [
      ['passed.example', 'passed'],
      ['echo.example', 'echo'],
    ] as const) {
      expect(await servedBy(ports.proxied, { servername: name, source: '192.0.2.7' })).to.equal(way);
      const denied = await servedBy(ports.proxied, { servername: name, source: '203.0.113.1' }).catch(() => 'closed');
      expect(denied, name).to.be.oneOf(['closed', 'no-route']);
    }
  });

  const splits: readonly (readonly [string, (hello: Buffer) => readonly Buffer[]])[] = [
    ['byte by byte', (hello) => [...hello].map((byte) => Buffer.from([byte]))],
    ['in records of 20 bytes', (hello) => [inRecords(hello, 20)]],
    ['in records of one byte, in segments of 100', (hello) => inPieces(inRecords(hello, 1), 100)],
  ];
  for (const [how, split] of splits)
    it(`takes a ClientHello that comes ${how}, for each way`, async () => {
      for (const [name, way] of [
        ['passed.example', 'passed'],
        ['ended.example', 'ended'],
        ['echo.example', 'echo'],
      ] as const)
        expect(await servedBy(rig.ports.direct, { servername: name, split }), name).to.equal(way);
    });

  it('gives acme-tls/1 to the service, unless an order of the proxy is pending for the name', async () => {
    const validating = { servername: 'acme.example', protocols: ['acme-tls/1'] };
    const ofService = await dialTls(rig.ports.direct, validating);
    open.push(ofService);
    expect(ofService.getPeerCertificate().subjectaltname).to.include('passed.example');
    const { cert, key } = await testCertificate(['acme.example']);
    const response = { kind: 'ec' as const, certificate: cert, privateKey: key };
    await rig.server.serveChallenges?.({ http: [], alpn: [['acme.example', [response]]] } as never);
    const ofProxy = await dialTls(rig.ports.direct, validating);
    open.push(ofProxy);
    expect(ofProxy.getPeerCertificate().subjectaltname).to.equal('DNS:acme.example');
    expect(await servedBy(rig.ports.direct, { servername: 'acme.example' }), 'others').to.equal('passed');
    await rig.server.serveChallenges?.({ http: [], alpn: [] });
    expect(challengeBoard({ http: [], alpn: [] }).alpnResponse('acme.example')).to.equal(undefined);
  });

  it('responds with 421 for a host whose connections are relayed, over HTTP/1.1 and HTTP/2', async () => {
    const one = await dialTls(rig.ports.direct, { servername: 'a.ended.example', protocols: ['http/1.1'] });
    const refused = await sendOverHttp1(one, 'passed.example');
    expect([refused.status, /x-swarmgate-reason: (\S+)/i.exec(refused.text)?.[1]]).to.deep.equal([421, 'host-relayed']);
    if (!one.readableEnded) await once(one, 'end');
    const other = await dialTls(rig.ports.direct, { servername: 'a.ended.example', protocols: ['h2'] });
    open.push(one, other);
    const hosts = ['a.ended.example', 'passed.example', 'PASSED.example:443', 'other.example', 'echo.example'];
    expect(await sendOverHttp2(other, [...hosts, 'a.ended.example'])).to.deep.equal([200, 421, 421, 421, 421, 200]);
    const plain = connect({ port: rig.ports.plain, host: '127.0.0.1' });
    plain.write('GET / HTTP/1.1\r\nHost: ended.example\r\nConnection: close\r\n\r\n');
    expect((await plain.setEncoding('latin1').toArray()).join('')).to.match(/^HTTP\/1.1 200 /);
  });

  it('responds with 421 on connections from before the name was passed through', async () => {
    await rig.publish({ exact: undefined, wildcard: undefined, late: undefined });
    const before = await dialTls(rig.ports.direct, { servername: 'ended.example', protocols: ['h2'] });
    open.push(before);
    await rig.publish({
      late: { reqMode: 'sni', srcPort: rig.ports.direct, port: rig.tlsPort, serviceDomain: ['ended.example'] },
    });
    expect(await sendOverHttp2(before, ['ended.example'])).to.deep.equal([421]);
    await rig.publish({ late: undefined });
  });

  it('names the services of one name, and whose connections they are', async () => {
    await rig.publish({
      second: {
        reqMode: 'sni',
        since: 2,
        srcPort: rig.ports.direct,
        port: rig.tlsPort,
        serviceDomain: ['passed.example'],
      },
    });
    const problems = rig.server.problems();
    const found = (key: `manual/${string}`) =>
      problems.get(key)?.map(({ reason, otherService, value }) => [reason, otherService, value]);
    expect(found('manual/plain')).to.deep.include(['server-name-taken', 'manual/exact', 'passed.example']);
    expect(found('manual/second')).to.deep.equal([['server-name-taken', 'manual/exact', 'passed.example']]);
    expect(found('manual/web')).to.deep.equal([['server-name-taken', 'manual/exact', 'same.example']]);
    await rig.publish({ second: undefined });
  });

  it('names the service whose entrypoint does not end TLS, or does not exist', async () => {
    const { ports, tlsPort: port } = rig;
    const requested = {
      'sni-plain': { reqMode: 'sni', srcPort: ports.plain, port, serviceDomain: ['a.test'] },
      'tcp-secure': { reqMode: 'tcp', srcPort: ports.direct, port },
      'tls-nowhere': { reqMode: 'tls', entryPorts: ['1:ssl'], port, serviceDomain: ['a.test'] },
    } as const;
    await rig.publish(requested);
    const reasons = Object.keys(requested).map((name) => rig.server.problems().get(`manual/${name}`)?.[0]?.reason);
    expect(reasons).to.deep.equal(['relay-port-unavailable', 'relay-port-unavailable', 'entrypoint-missing']);
    await rig.publish(Object.fromEntries(Object.keys(requested).map((name) => [name, undefined])));
  });

  const endings: readonly (readonly [string, string, Buffer | undefined, boolean])[] = [
    ['nothing comes', 'hello-late', undefined, false],
    ['half a ClientHello comes', 'hello-late', Buffer.from([22, 3, 1, 2, 0, 1]), false],
    ['the client ends within its ClientHello', 'hello-cut', Buffer.from([22, 3, 1, 2, 0, 1]), true],
    ['a ClientHello is larger than 16 KB', 'hello-too-large', hugeHello(), false],
  ];
  for (const [what, cause, bytes, ends] of endings)
    it(`closes and counts a connection where ${what}`, async () => {
      const count = () => rig.counter('swarmgate_refused_connections_total', { cause });
      const before = await count();
      const client = connect({ port: rig.ports.direct, host: '127.0.0.1', allowHalfOpen: true });
      client.on('error', () => undefined);
      const closed = once(client, 'close');
      if (bytes !== undefined) client.write(bytes);
      if (ends) client.end();
      client.once('end', () => client.end());
      client.resume();
      await closed;
      await until(async () => (await count()) === before + 1, 'the count');
      await until(async () => (await rig.counter('swarmgate_client_connections', {})) === 0, 'the place');
    });

  it('counts relayed connections while they are open, and how they end', async () => {
    const ended = () => rig.counter('swarmgate_relayed_connection_ends_total', { end: 'closed' });
    const before = await ended();
    const secured = await dialTls(rig.ports.direct, { servername: 'echo.example' });
    await until(async () => (await rig.counter('swarmgate_relayed_connections', {})) === 1, 'an open connection');
    secured.end('x');
    expect((await secured.setEncoding('latin1').toArray()).join('')).to.equal('echo:x');
    await until(async () => (await ended()) === before + 1, 'the count');
    await until(async () => (await rig.counter('swarmgate_relayed_connections', {})) === 0, 'no open connection');
  });

  it('has no look at connections of a port without such services', async () => {
    const gone = ['exact', 'wildcard', 'proxied', 'plain'];
    await rig.publish(Object.fromEntries(gone.map((name) => [name, undefined])));
    const count = () => rig.counter('swarmgate_refused_connections_total', { cause: 'hello-cut' });
    const before = await count();
    const client = connect({ port: rig.ports.direct, host: '127.0.0.1' });
    client.end(Buffer.from([22, 3, 1, 2, 0, 1]));
    client.resume();
    await once(client, 'close');
    expect(await count()).to.equal(before);
    expect(await servedBy(rig.ports.direct, { servername: 'ended.example' })).to.equal('ended');
  });

  it('ends what is relayed or looked at with the drain', async () => {
    const own = await startSharedPortRig();
    const { ports, tlsPort: port } = own;
    await own.publish({ one: { reqMode: 'sni', srcPort: ports.direct, port, serviceDomain: ['passed.example'] } });
    const relayed = await dialTls(ports.direct, { servername: 'passed.example' });
    const silent = connect({ port: ports.direct, host: '127.0.0.1' }).on('error', () => undefined);
    await until(async () => (await own.counter('swarmgate_client_connections', {})) === 2, 'both');
    const closed = [once(relayed, 'close'), once(silent, 'close')];
    relayed.resume();
    silent.resume();
    await own.server.drain(100);
    await Promise.all(closed);
    await until(async () => (await own.counter('swarmgate_client_connections', {})) === 0, 'no place to be taken');
    await own.stop();
  });
});

function inPieces(bytes: Buffer, size: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

/** The beginning of a ClientHello of 60 KB. */
function hugeHello(): Buffer {
  const message = Buffer.alloc(30_000, 1);
  message.writeUIntBE(60_000, 1, 3);
  return Buffer.concat([Buffer.from([22, 3, 1, 16_000 >> 8, 16_000 & 255]), message.subarray(0, 16_000), message]);
}
