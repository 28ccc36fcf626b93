import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { connectSwarm } from '../../../packages/swarm-listener/src/swarm/swarm-client.ts';
import { programPath } from '../../harness/binary-image.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { until } from '../../harness/until.ts';

const configuration = fileURLToPath(new URL('../../../docker/docker-api/haproxy.cfg', import.meta.url));
const filters = encodeURIComponent('{"service":["abc"]}');

describe('the allow-list before Docker’s socket', () => {
  let directory: string;
  let engine: Server;
  let haproxy: ChildProcess;
  let port: number;
  let seen: string[];
  let fields: IncomingHttpHeaders;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-allow-list-'));
    const socket = join(directory, 'docker.sock');
    engine = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      fields = request.headers;
      request.resume();
      response.end('[]');
    });
    // As the engine does: it takes over the connection and responds with 101.
    engine.on('upgrade', (request, stream) => {
      seen.push(`upgrade ${request.url}`);
      stream.end('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    });
    await new Promise<void>((resolve) => engine.listen(socket, resolve));
    [port] = (await freePorts(1)) as [number];
    const text = await readFile(configuration, 'utf8');
    const own = text
      .replace('bind :::2375 v4v6', `bind 127.0.0.1:${port}`)
      .replace('unix@/var/run/docker.sock', `unix@${socket}`);
    expect(own).to.include(`127.0.0.1:${port} proto h1`).and.to.include(socket);
    await writeFile(join(directory, 'haproxy.cfg'), own);
    haproxy = spawn(programPath('haproxy'), ['-db', '-f', join(directory, 'haproxy.cfg')], { stdio: 'inherit' });
    seen = [];
    await until('HAProxy responds', async () => (await statusOf('GET /_ping HTTP/1.1')) === '200');
  });

  after(async () => {
    const ended = once(haproxy, 'exit');
    haproxy.kill('SIGKILL');
    await ended;
    engine.closeAllConnections();
    engine.close();
    await rm(directory, { recursive: true, force: true });
  });

  beforeEach(() => {
    seen = [];
  });

  /** The status of the first response to these bytes, or `closed`. */
  function statusOf(start: string, headers: readonly string[] = [], body = ''): Promise<string> {
    return exchange(`${[start, 'Host: docker-api', ...headers].join('\r\n')}\r\n\r\n${body}`);
  }

  function exchange(bytes: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let received = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')));
      socket.setEncoding('latin1');
      const end = (result: string) => {
        socket.destroy();
        resolve(result);
      };
      socket.on('data', (chunk) => {
        received += chunk;
        const status = /^HTTP\/1\.[01] ([0-9]{3})/.exec(received)?.[1];
        if (status !== undefined) end(status);
      });
      socket.once('end', () => end('closed'));
      socket.once('error', reject);
    });
  }

  it('forwards every read that the listener makes', async () => {
    const client = connectSwarm(`tcp://127.0.0.1:${port}`);
    const signal = AbortSignal.timeout(20_000);
    const reads = [
      () => client.swarmId(signal),
      () => client.services(signal),
      () => client.service('web.1_x-y', signal),
      () => client.tasks({ serviceIds: ['abc', 'def'], desiredRunning: true }, signal),
      () => client.nodes(signal),
      () => client.networks(signal),
      () => client.events(signal),
    ];
    // The engine of this test responses `[]`, which is not an object: only what arrives there counts here.
    for (const read of reads) await read().catch(() => undefined);
    const paths = seen.map((line) => line.replace(/^GET (\/v1\.\d+)?/, '').replace(/\?.*$/, ''));
    expect([...new Set(paths)].filter((path) => path !== '/_ping')).to.deep.equal([
      '/info',
      '/services',
      '/services/web.1_x-y',
      '/tasks',
      '/nodes',
      '/networks',
      '/events',
    ]);
  });

  const forwarded = [
    'GET /_ping',
    'HEAD /_ping',
    'GET /v1.51/info',
    'GET /services',
    'GET /services?',
    'GET /v1.41/services/abc',
    'GET /nodes',
    `GET /tasks?filters=${filters}`,
    `GET /v1.44/events?filters=${filters}`,
    'GET /networks',
  ];
  for (const start of forwarded) {
    it(`forwards ${start}`, async () => {
      expect(await statusOf(`${start} HTTP/1.1`)).to.equal('200');
      expect(seen).to.deep.equal([start]);
    });
  }

  it('forwards a read with Content-Length: 0', async () => {
    expect(await statusOf('GET /info HTTP/1.1', ['Content-Length: 0'])).to.equal('200');
  });

  const denied: readonly (readonly [what: string, start: string, headers?: readonly string[], body?: string])[] = [
    ['another method', 'POST /services/create'],
    ['another method on a listed path', 'POST /services'],
    ['DELETE', 'DELETE /services/abc'],
    ['OPTIONS', 'OPTIONS /services'],
    ['a method that is no token of ours', 'GETX /services'],
    ['containers', 'GET /containers/json'],
    ['secrets', 'GET /secrets'],
    ['configs', 'GET /configs'],
    ['the root', 'GET /'],
    ['what hangs below a service', 'GET /services/abc/logs'],
    ['a path that ends in a slash', 'GET /services/'],
    ['dot segments', 'GET /services/../secrets'],
    ['dot segments in place of a name', 'GET /services/..'],
    ['encoded dot segments', 'GET /services/%2e%2e/secrets'],
    ['an encoded letter', 'GET /%73ervices'],
    ['a doubled slash', 'GET //services'],
    ['another case', 'GET /Services'],
    ['a version that is none', 'GET /v2.0/services'],
    ['a version without its dot', 'GET /v1x41/services'],
    ['a version twice', 'GET /v1.41/v1.41/services'],
    ['a query where none is taken', 'GET /services?status=true'],
    ['a query on an object', 'GET /services/abc?insertDefaults=true'],
    ['another query', 'GET /tasks?limit=1'],
    ['another query beside the filters', `GET /tasks?filters=${filters}&since=0`],
    ['filters twice', `GET /tasks?filters=${filters}&filters=${filters}`],
    ['an encoded name of a query', `GET /tasks?%66ilters=${filters}`],
    ['a semicolon in a query', `GET /tasks?filters=${filters};x=1`],
    ['absolute form', 'GET http://docker-api/services'],
    ['an upgrade', 'GET /events', ['Connection: Upgrade', 'Upgrade: tcp']],
    [
      'an upgrade to HTTP/2',
      'GET /info',
      ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMA'],
    ],
    ['the header alone', 'GET /info', ['Upgrade: tcp']],
    ['the connection option alone', 'GET /info', ['Connection: keep-alive, upgrade']],
    ['a body', 'GET /info', ['Content-Length: 5'], 'hello'],
    ['a chunked body', 'GET /info', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'],
    [
      'a hidden second request',
      'GET /info',
      ['Content-Length: 40'],
      'POST /containers/create HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    ['a chunked body by HTTP/1.0', 'GET /info HTTP/1.0\r\nX: y', ['Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['a space before a colon', 'GET /info', ['Transfer-Encoding : chunked'], '0\r\n\r\n'],
    ['a tab before a colon', 'GET /info', ['Transfer-Encoding\t: chunked'], '0\r\n\r\n'],
    ['a transfer coding that is none', 'GET /info', ['Transfer-Encoding: xchunked']],
    ['both framings', 'GET /info', ['Content-Length: 0', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['two lengths', 'GET /info', ['Content-Length: 0', 'Content-Length: 5'], 'hello'],
    ['two lengths in one field', 'GET /info', ['Content-Length: 0, 5'], 'hello'],
    ['a length with a sign', 'GET /info', ['Content-Length: +0']],
    ['a length in another form', 'GET /info', ['Content-Length: 0x0']],
    ['the option in a second field', 'GET /events', ['Connection: close', 'Connection: Upgrade', 'Upgrade: tcp']],
    ['an encoded slash', 'GET /services/abc%2Flogs'],
    ['encoded dot segments behind a service', 'GET /services/abc%2f..%2fsecrets'],
    ['a dot segment', 'GET /./services'],
    ['a backslash', 'GET /services\\..\\secrets'],
    ['a parameter of the path', 'GET /services;x=1'],
    ['a fragment', 'GET /services#x'],
    ['a NUL', 'GET /services\0'],
    ['asterisk form', 'GET *'],
    ['a method in lower case', 'get /services'],
  ];
  for (const [what, start, headers, body] of denied) {
    it(`denies ${what}`, async () => {
      const line = start.includes(' HTTP/') ? start : `${start} HTTP/1.1`;
      expect(await statusOf(line, headers, body)).to.be.oneOf(['403', '400', '413']);
      expect(seen).to.deep.equal([]);
    });
  }

  /** All that comes until the connection is closed. */
  async function all(bytes: string): Promise<string> {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')));
    socket.setEncoding('latin1');
    let received = '';
    for await (const piece of socket) received += piece;
    return received;
  }

  it('looks at each of the requests that follow each other on a connection', async () => {
    const received = await all(
      [
        'GET /info HTTP/1.1\r\nHost: a\r\n\r\n',
        'HEAD /services HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
        'POST /containers/create HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
        'GET /nodes HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      ].join(''),
    );
    expect(received.match(/HTTP\/1\.1 [0-9]{3}/g)?.slice(0, 3)).to.deep.equal([
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      'HTTP/1.1 403',
    ]);
    expect(seen.join(' ')).not.to.include('containers');
  });

  it('takes lines that end in LF alone, and a request without a version, for what they are or not at all', async () => {
    await all('POST /containers/create HTTP/1.1\nHost: a\nConnection: close\n\n');
    await all('GET /secrets\r\n');
    await all('GET /info HTTP/1.1\nHost: a\nX: y\r\rPOST /containers/create HTTP/1.1\nConnection: close\n\n');
    expect(seen.filter((each) => each !== 'GET /info')).to.deep.equal([]);
  });

  it('forwards a folded field as one', async () => {
    expect(await statusOf('GET /info HTTP/1.1', ['X: y\r\n Transfer-Encoding: chunked'])).to.equal('200');
    expect(fields).to.include({ x: 'y   Transfer-Encoding: chunked' }).and.not.have.property('transfer-encoding');
  });

  it('forwards a read by HTTP/1.0', async () => {
    expect(await statusOf('GET /info HTTP/1.0')).to.equal('200');
  });

  it('serves no HTTP/2', async () => {
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';
    expect(await exchange(preface)).to.be.oneOf(['400', '403', 'closed']);
    expect(seen).to.deep.equal([]);
  });

  it('denies CONNECT', async () => {
    expect(await exchange('CONNECT docker-api:2375 HTTP/1.1\r\nHost: docker-api:2375\r\n\r\n')).to.be.oneOf([
      '400',
      '403',
    ]);
    expect(seen).to.deep.equal([]);
  });
});
