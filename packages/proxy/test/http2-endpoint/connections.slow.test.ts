import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect } from 'chai';
import { ErrorCode, Flag, Frame, Setting } from '../../src/http/http2/frames.ts';
import { goaway, headers, rstStream, settings, windowUpdate } from '../http2-wire.ts';
import { makeHttp2Server, type Rig, type RigOptions, startRig } from '../server-rig.ts';
import { endpointAt } from '../test-context.ts';
import { until } from '../until.ts';
import { type ClientRequest, everyClient } from './every-client.ts';
import { type ForeignEndpoint, startEndpoint } from './foreign-endpoint.ts';
import { http2At, type ScriptedEndpoint, startScriptedEndpoint } from './scripted-endpoint.ts';

const [, client] = everyClient;
const send = (rig: Rig, request: ClientRequest = {}) => (client as (typeof everyClient)[number]).send(rig, request);
const responded = (stream: number) => headers(stream, [[':status', '204']]);
const post = { method: 'POST', body: ['call'] };

describe('connections to HTTP/2 endpoints', () => {
  let scripted: ScriptedEndpoint;
  let foreign: ForeignEndpoint;
  let rig: Rig;
  beforeEach(async () => {
    [scripted, foreign] = await Promise.all([startScriptedEndpoint(), startEndpoint()]);
  });
  afterEach(async () => {
    await rig.stop();
    await Promise.all([scripted.stop(), foreign.stop()]);
  });
  const start = async (options: Partial<RigOptions> = {}) => {
    rig = await startRig(makeHttp2Server, { endpoints: [http2At(scripted.port)], ...options });
  };
  const reason = async (request?: ClientRequest) => {
    const { status, headers: fields } = await send(rig, request);
    return [status, fields['x-swarmgate-reason']];
  };
  /** Streams of all connections whose request is whole. */
  const requests = () => scripted.frames.filter(({ type }) => type === Frame.headers);

  it('keep to the endpoint’s limit of streams, and open another one only where all are full', async () => {
    scripted.greeting = settings([[Setting.maxConcurrentStreams, 2]]);
    await start();
    const open: [number, () => void][] = [];
    scripted.onFrame = ({ type, stream }, socket, connection) => {
      if (type === Frame.headers) open.push([connection, () => socket.write(responded(stream))]);
    };
    const all = Promise.all(Array.from({ length: 5 }, () => send(rig)));
    await until(() => open.length === 5, 'five requests');
    const perConnection = [1, 2, 3].map((each) => open.filter(([connection]) => connection === each).length);
    expect(perConnection.sort()).to.deep.equal([1, 2, 2]);
    for (const [, reply] of open) reply();
    for (const { status } of await all) expect(status).to.equal(204);
    expect(scripted.connections).to.equal(3);
  });

  it('spread requests by the fewest outstanding', async () => {
    scripted.greeting = settings([[Setting.maxConcurrentStreams, 2]]);
    await start();
    const open: [number, () => void][] = [];
    scripted.onFrame = ({ type, stream }, socket, connection) => {
      if (type === Frame.headers) open.push([connection, () => socket.write(responded(stream))]);
    };
    const first = [send(rig), send(rig), send(rig)];
    await until(() => open.length === 3, 'three requests');
    const full = open.filter(([connection]) => open.filter(([each]) => each === connection).length === 2);
    const other = open.find(([connection]) => connection !== full[0]?.[0]);
    for (const [, reply] of full) reply();
    await until(() => rig.context.outstanding === 1, 'two responses');
    const next = send(rig);
    await until(() => open.length === 4, 'the next request');
    expect(open[3]?.[0]).to.equal(full[0]?.[0]);
    open[3]?.[1]();
    other?.[1]();
    await Promise.all([...first, next]);
  });

  it('queue requests beyond their number, first come first served', async () => {
    scripted.greeting = settings([[Setting.maxConcurrentStreams, 1]]);
    await start({ limits: { perEndpoint: 1 } });
    const open: (() => void)[] = [];
    scripted.onFrame = ({ type, stream }, socket) => {
      if (type === Frame.headers) open.push(() => socket.write(responded(stream)));
    };
    const first = send(rig);
    await until(() => open.length === 1, 'the first request');
    const more = [send(rig), send(rig)];
    await until(() => rig.pool.sizes().queued === 2, 'the line');
    for (let at = 0; at < 3; at++) {
      await until(() => open.length === at + 1, 'a request');
      open[at]?.();
    }
    for (const { status } of await Promise.all([first, ...more])) expect(status).to.equal(204);
    expect(scripted.connections).to.equal(1);
  });

  it('wait for SETTINGS, for as long as a connection may take to open', async () => {
    scripted.greeting = undefined;
    await start({ timeouts: { connectMs: 50 } });
    expect(await reason()).to.deep.equal([504, 'connect-timeout']);
    expect(requests()).to.deep.equal([]);
  });

  const unprocessed = [
    ['REFUSED_STREAM', (stream: number) => rstStream(stream, ErrorCode.refusedStream)],
    ['GOAWAY below the stream', (stream: number) => goaway(stream - 1)],
  ] as const;
  for (const [name, refusal] of unprocessed) {
    it(`repeat a POST after ${name}, at another endpoint where there is one, without a budget`, async () => {
      scripted.onFrame = ({ type, stream }, socket) => {
        if (type === Frame.headers) socket.write(refusal(stream));
      };
      await start({ endpoints: [http2At(scripted.port), foreign.endpoint] });
      for (let each = 0; each < 30; each++) expect((await send(rig, post)).body).to.equal('POST /');
      expect(foreign.seen.every(({ body }) => body === 'call')).to.equal(true);
      expect(requests().length).to.be.greaterThan(10);
      expect(rig.context.outcomes).not.to.include('broken');
    });

    it(`repeat a POST after ${name} at the same endpoint where there is no other`, async () => {
      let refused = 0;
      scripted.onFrame = ({ type, stream, flags }, socket) => {
        if (type === Frame.headers && refused++ === 0) socket.write(refusal(stream));
        else if (refused > 1 && (flags & Flag.endStream) !== 0) socket.write(responded(stream));
      };
      await start();
      expect((await send(rig, post)).status).to.equal(204);
      expect(rig.context.reports[0]?.retries).to.equal(1);
    });
  }

  it('repeat a POST whose body was passed on already, as long as it is held: 64 KB', async () => {
    await start({ endpoints: [http2At(scripted.port), foreign.endpoint] });
    for (const [bytes, status] of [
      [60_000, 200],
      [500_000, 502],
    ] as const) {
      let received = 0;
      scripted.onFrame = ({ type, stream, payload }, socket) => {
        if (type === Frame.headers)
          socket.write(Buffer.concat([windowUpdate(0, 600_000), windowUpdate(stream, 600_000)]));
        if (type === Frame.data) received += payload.length;
        if (received === bytes) socket.write(rstStream(stream, ErrorCode.refusedStream));
      };
      const statuses: number[] = [];
      // The endpoints take turns: one of two requests begins at the one that refuses.
      for (let each = 0; each < 2; each++) {
        received = 0;
        const pieces = Array.from({ length: bytes / 10_000 }, () => 'x'.repeat(10_000));
        statuses.push((await send(rig, { method: 'POST', body: pieces })).status);
      }
      expect(statuses).to.include(status);
      if (status === 200) for (const { body } of foreign.seen) expect(body.length).to.equal(bytes);
    }
  });

  it('do not repeat a POST that was reset otherwise, and repeat a GET', async () => {
    scripted.onFrame = ({ type, stream }, socket) => {
      if (type === Frame.headers) socket.write(rstStream(stream, ErrorCode.internalError));
    };
    await start({ endpoints: [http2At(scripted.port), foreign.endpoint] });
    const statuses = new Set<number>();
    for (let each = 0; each < 4; each++) statuses.add((await send(rig, post)).status);
    expect([...statuses].sort()).to.deep.equal([200, 502]);
    for (let each = 0; each < 4; each++) expect((await send(rig)).status).to.equal(200);
  });

  it('finish the streams that GOAWAY leaves, and send new ones over another connection', async () => {
    const late: (() => void)[] = [];
    scripted.onFrame = ({ type, stream }, socket, connection) => {
      if (type !== Frame.headers) return;
      if (connection === 1) {
        socket.write(goaway(stream));
        late.push(() => socket.write(responded(stream)));
      } else socket.write(responded(stream));
    };
    await start();
    const first = send(rig);
    await until(() => late.length === 1, 'GOAWAY');
    await until(async () => (await send(rig)).status === 204 && scripted.connections === 2, 'the second connection');
    late[0]?.();
    expect((await first).status).to.equal(204);
    await until(() => scripted.sockets.size === 1, 'the end of the first connection');
  });

  it('close after the idle time, with GOAWAY', async () => {
    scripted.onFrame = ({ type, stream }, socket) => {
      if (type === Frame.headers) socket.write(responded(stream));
    };
    await start({ limits: { idleMs: 50 } });
    expect((await send(rig)).status).to.equal(204);
    await until(() => scripted.sockets.size === 0, 'the end of the connection');
    expect(scripted.frames.filter(({ type }) => type === Frame.goaway)).to.have.length(1);
    await until(() => rig.pool.sizes().open === 0, 'an empty pool');
    expect((await send(rig)).status).to.equal(204);
  });

  it('end with RST_STREAM what the client gives up', async () => {
    await start();
    scripted.onFrame = ({ type }) => {
      if (type === Frame.headers) for (const each of clients) each.destroy();
    };
    const raw = rig.client();
    const clients = [raw];
    raw.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const cancelled = ({ type, payload }: { type: number; payload: Buffer }) =>
      type === Frame.rstStream && payload.readUInt32BE(0) === ErrorCode.cancel;
    await until(() => scripted.frames.some(cancelled), 'RST_STREAM');
    expect(rig.context.outcomes).to.deep.equal(['abandoned']);
    expect(scripted.sockets.size).to.equal(1);
  });

  it('end with RST_STREAM what is left of a request that has its response', async () => {
    await start();
    scripted.onFrame = ({ type, stream }, socket) => {
      if (type === Frame.headers) socket.write(headers(stream, [[':status', '413']]));
    };
    // Beyond the endpoint's window, so its end cannot have been sent.
    const { status } = await send(rig, { method: 'POST', body: ['x'.repeat(100_000)] });
    expect(status).to.equal(413);
    await until(() => scripted.frames.some(({ type }) => type === Frame.rstStream), 'RST_STREAM');
    expect(scripted.sockets.size).to.equal(1);
  });

  it('do not take more of a response than the client does, and hold up no other stream', async () => {
    const piece = Buffer.alloc(16_384, 'x');
    await start({ endpoints: [foreign.endpoint] });
    let written = 0;
    foreign.onRequest = (stream, { headers: head }) => {
      stream.respond({ ':status': 200 });
      if (head[':path'] !== '/endless') {
        stream.end('quick');
        return;
      }
      const more = () => {
        for (;;) {
          written += piece.length;
          if (!stream.write(piece)) break;
        }
        stream.once('drain', more);
      };
      more();
    };
    const slow = connect(rig.port, '127.0.0.1');
    slow.pause();
    slow.write('GET /endless HTTP/1.1\r\nHost: a.test\r\n\r\n');
    let before = -1;
    await until(() => {
      const isStill = written > 0 && written === before;
      before = written;
      return isStill && written > 262_144;
    }, 'the endpoint to be held up');
    for (let each = 0; each < 20; each++) expect((await send(rig, { path: '/quick' })).body).to.equal('quick');
    // The client's socket buffers, the proxy's and one window.
    expect(written).to.be.lessThan(12_000_000);
    expect(foreign.connections).to.equal(1);
    slow.destroy();
  });

  describe('of an endpoint that does not speak what its label says', () => {
    const cases: readonly (readonly [string, Buffer | undefined, readonly [number, string]])[] = [
      ['HTTP/1.1', Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'), [502, 'wrong-protocol']],
      ['TLS', Buffer.from([0x15, 3, 3, 0, 2, 2, 10]), [502, 'wrong-protocol']],
      ['something else', Buffer.from('220 mail.example ESMTP ready\r\n'), [502, 'wrong-protocol']],
      ['frames without SETTINGS', goaway(0), [502, 'wrong-protocol']],
    ];
    for (const [name, greeting, expected] of cases)
      it(`refuse with a reason: ${name}`, async () => {
        scripted.greeting = greeting;
        await start();
        expect(await reason(post)).to.deep.equal(expected);
        expect(requests()).to.deep.equal([]);
        expect(rig.context.outcomes).to.deep.equal(['broken']);
      });

    it('send the request to another one that does', async () => {
      scripted.greeting = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');
      await start({ endpoints: [http2At(scripted.port), foreign.endpoint] });
      for (let each = 0; each < 4; each++) expect((await send(rig, post)).status).to.equal(200);
    });

    it('refuse with a reason: Node’s own HTTP/1.1 server', async () => {
      const server = createServer((_request, response) => response.end());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      await start({ endpoints: [http2At((server.address() as AddressInfo).port)] });
      expect(await reason()).to.deep.equal([502, 'wrong-protocol']);
      server.close();
    });

    it('refuse with a reason: HTTP/2 where HTTP/1.1 is expected', async () => {
      await start({ endpoints: [endpointAt(foreign.endpoint.port)] });
      expect(await reason()).to.deep.equal([502, 'wrong-protocol']);
    });
  });

  it('use h2 over TLS by ALPN, and refuse an endpoint that does not choose it', async () => {
    const secure = await startEndpoint({}, true);
    await start({ endpoints: [secure.endpoint] });
    expect((await send(rig, post)).body).to.equal('POST /');
    expect(secure.seen[0]?.headers[':scheme']).to.equal('https');
    await secure.stop();
  });
});
