import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { expect } from 'chai';
import { Http2ClientSession } from './client-session.ts';
import { releaseOutput } from './frame-output.ts';
import { fieldValue, flatFields, type RequestHead, type ResponseHead } from './message-head.ts';
import { Http2ServerSession } from './server-session.ts';
import type { Http2Session } from './session.ts';
import type { ClientEvents, ServerEvents, SessionEvents } from './session-events.ts';
import type { SessionOptions } from './session-options.ts';
import type { Http2Stream } from './stream.ts';

/** Joins a session and a socket as a server would: one gathered write a tick, and backpressure. */
function attach(socket: Socket, session: () => Http2Session): SessionEvents {
  let scheduled = false;
  const flush = () => {
    scheduled = false;
    const batch = socket.writableNeedDrain ? undefined : session().takeOutput();
    if (batch === undefined) return;
    socket.cork();
    for (const chunk of batch.chunks) socket.write(chunk);
    socket.write('', () => releaseOutput(batch));
    process.nextTick(() => socket.uncork());
    if (socket.writableNeedDrain) session().pauseData();
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };
  socket.on('data', (bytes: Buffer) => session().read(bytes, 0, bytes.length));
  socket.on('drain', () => {
    session().resumeData();
    schedule();
  });
  socket.on('close', () => session().abort());
  socket.on('error', () => undefined);
  const nothing = () => undefined;
  return {
    onData: (stream, _bytes, from, to) => stream.consumed(to - from),
    onTrailers: nothing,
    onEnd: nothing,
    onReset: nothing,
    onWindow: nothing,
    onOutput: schedule,
    onGoaway: nothing,
    onPong: nothing,
    onSettings: nothing,
    onFault: () => setImmediate(() => socket.end()),
    onDrained: () => setImmediate(() => socket.end()),
  };
}

interface OurServer {
  readonly client: ClientHttp2Session;
  readonly session: () => Http2ServerSession;
  readonly stop: () => Promise<void>;
}

/** Our server session behind a loopback socket, and node:http2 as its client. */
async function ourServer(events: Partial<ServerEvents>, options: Partial<SessionOptions> = {}): Promise<OurServer> {
  let session: Http2ServerSession | undefined;
  const current = () => session as Http2ServerSession;
  const server = createTcpServer((socket) => {
    const base = attach(socket, current);
    session = new Http2ServerSession(
      { ...base, onRequest: () => undefined, onRefused: (stream) => stream.sendHead(400, [], true), ...events },
      options,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(client, 'remoteSettings');
  const stop = async () => {
    client.destroy();
    server.close();
    await once(server, 'close');
  };
  return { client, session: current, stop };
}

interface Response {
  readonly status: number | undefined;
  readonly body: Buffer;
  readonly headers: Record<string, unknown>;
  readonly trailers: Record<string, unknown>;
}

function send(client: ClientHttp2Session, headers: Record<string, string>, body?: Buffer): Promise<Response> {
  return new Promise((resolve, reject) => {
    const stream = client.request(headers, { endStream: body === undefined });
    const pieces: Buffer[] = [];
    let head: Record<string, unknown> = {};
    let trailers: Record<string, unknown> = {};
    stream.on('response', (given) => {
      head = given;
    });
    stream.on('trailers', (given) => {
      trailers = given;
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () =>
      resolve({ status: head[':status'] as number, body: Buffer.concat(pieces), headers: head, trailers }),
    );
    stream.on('error', reject);
    if (body !== undefined) stream.end(body);
  });
}

/** Sends a large body at the speed of the windows. */
function sendAll(stream: Http2Stream, body: Buffer): void {
  let at = 0;
  const more = () => {
    while (at < body.length) {
      const to = Math.min(body.length, at + 50_000);
      const from = at;
      at = to;
      if (!stream.sendData(body, from, to, to === body.length)) return;
    }
  };
  stream.context = more;
  more();
}

const large = Buffer.alloc(3_000_000, 'The quick brown fox. ');

describe('HTTP/2 server session with node:http2 as its client', () => {
  it('serves requests with repeated fields, and trailers', async () => {
    const heads: RequestHead[] = [];
    const { client, stop } = await ourServer({
      onRequest: (stream, head) => {
        heads.push(head);
        stream.sendHead(200, ['Content-Type', 'text/plain', 'X-Path', head.path], false);
        stream.sendData(Buffer.from('hello'), 0, 5, false);
        stream.sendTrailers(['x-checksum', 'abc']);
      },
    });
    for (let each = 0; each < 20; each++) {
      const response = await send(client, { ':path': `/a?${each}`, 'x-test': 'repeated', cookie: 'a=b; c=d' });
      expect(response.status).to.equal(200);
      expect(response.body.toString()).to.equal('hello');
      expect(response.headers['x-path']).to.equal(`/a?${each}`);
      expect(response.trailers['x-checksum']).to.equal('abc');
    }
    expect(fieldValue(heads[19]?.fields ?? [], 'x-test')).to.equal('repeated');
    expect(fieldValue(heads[19]?.fields ?? [], 'cookie')).to.equal('a=b; c=d');
    await stop();
  });

  it('serves 500 requests at once, up to its limit of streams', async () => {
    const { client, stop } = await ourServer({
      onRequest: (stream) =>
        setImmediate(() => {
          stream.sendHead(200, [], false);
          stream.sendData(Buffer.from(String(stream.id)), 0, String(stream.id).length, true);
        }),
    });
    const responses = await Promise.all(Array.from({ length: 500 }, () => send(client, { ':path': '/' })));
    expect(new Set(responses.map(({ body }) => body.toString())).size).to.equal(500);
    await stop();
  });

  it('sends 3 MB against the windows of the client, and receives 3 MB against its own', async () => {
    const received: Buffer[] = [];
    const { client, stop } = await ourServer({
      onWindow: (stream) => (stream.context as () => void)(),
      onRequest: (stream, head) => {
        if (head.method !== 'GET') return;
        stream.sendHead(200, [], false);
        sendAll(stream, large);
      },
      onData: (stream, bytes, from, to) => {
        received.push(Buffer.from(bytes.subarray(from, to)));
        stream.consumed(to - from);
      },
      onEnd: (stream) => {
        stream.sendHead(204, [], true);
      },
    });
    const [down, other] = await Promise.all([send(client, { ':path': '/' }), send(client, { ':path': '/2' })]);
    expect([down.body.equals(large), other.body.equals(large)]).to.deep.equal([true, true]);
    const up = await send(client, { ':path': '/', ':method': 'POST' }, large);
    expect(up.status).to.equal(204);
    expect(Buffer.concat(received).equals(large)).to.equal(true);
    await stop();
  });

  it('sends interim heads, and learns of a cancelled stream', async () => {
    let cancelled: number | undefined;
    let done: () => void = () => undefined;
    const wasReset = new Promise<void>((resolve) => {
      done = resolve;
    });
    const { client, stop } = await ourServer({
      onRequest: (stream) => {
        stream.sendInterim(103, ['link', '</a.css>']);
      },
      onReset: (_stream, reset) => {
        cancelled = reset.errorCode;
        done();
      },
    });
    const stream = client.request({ ':path': '/' });
    const [interim] = await once(stream, 'headers');
    expect((interim as Record<string, unknown>)[':status']).to.equal(103);
    stream.close(constants.NGHTTP2_CANCEL);
    await wasReset;
    expect(cancelled).to.equal(8);
    await stop();
  });

  it('drains: the open stream finishes, and the client closes without an error', async () => {
    let finish: () => void = () => undefined;
    const { client, session, stop } = await ourServer({
      onRequest: (stream) => {
        finish = () => {
          stream.sendHead(200, [], false);
          stream.sendData(Buffer.from('late'), 0, 4, true);
        };
        session().drain();
      },
    });
    const closed = once(client, 'close');
    const response = send(client, { ':path': '/' });
    await once(client, 'goaway');
    finish();
    expect((await response).body.toString()).to.equal('late');
    await closed;
    await stop();
  });
});

describe('HTTP/2 client session with node:http2 as its server', () => {
  async function withServer(
    serve: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void,
    events: Partial<ClientEvents>,
    use: (session: Http2ClientSession) => Promise<void>,
  ): Promise<void> {
    const server = createServer();
    server.on('stream', serve as never);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connectTcp((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    let session: Http2ClientSession | undefined;
    const base = attach(socket, () => session as Http2ClientSession);
    session = new Http2ClientSession({
      ...base,
      onInterim: () => undefined,
      onResponse: () => undefined,
      ...events,
    });
    await use(session);
    socket.destroy();
    server.close();
    await once(server, 'close');
  }

  const line = { method: 'POST', scheme: 'http', authority: 'shop.example', path: '/a' } as const;

  it('sends bodies and receives responses with trailers', async () => {
    const results: string[] = [];
    let finished: () => void = () => undefined;
    const heads: ResponseHead[] = [];
    const events: Partial<ClientEvents> = {
      onInterim: (_stream, head) => results.push(`interim ${head.status}`),
      onResponse: (_stream, head) => heads.push(head),
      onData: (stream, bytes, from, to) => {
        results.push(bytes.toString('latin1', from, to));
        stream.consumed(to - from);
      },
      onTrailers: (_stream, fields) => results.push(flatFields(fields).join()),
      onEnd: () => finished(),
    };
    await withServer(
      (stream, headers) => {
        stream.additionalHeaders({ ':status': 103 });
        let body = '';
        stream.setEncoding('latin1');
        stream.on('data', (piece: string) => {
          body += piece;
        });
        stream.on('end', () => {
          stream.respond({ ':status': 201, 'x-path': headers[':path'] as string }, { waitForTrailers: true });
          stream.on('wantTrailers', () => stream.sendTrailers({ 'x-length': String(body.length) }));
          stream.end(body);
        });
      },
      events,
      async (session) => {
        for (let each = 0; each < 3; each++) {
          const ended = new Promise<void>((resolve) => {
            finished = resolve;
          });
          const stream = session.request(line, ['x-a', 'b'], false);
          stream?.sendData(Buffer.from('hello'), 0, 5, true);
          await ended;
        }
      },
    );
    const one = ['interim 103', 'hello', 'x-length,5'];
    expect(results).to.deep.equal([...one, ...one, ...one]);
    expect(heads.map((head) => [head.status, fieldValue(head.fields, 'x-path')])).to.deep.equal([
      [201, '/a'],
      [201, '/a'],
      [201, '/a'],
    ]);
  });

  it('sends and receives 3 MB', async () => {
    const received: Buffer[] = [];
    let finished: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      finished = resolve;
    });
    await withServer(
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.pipe(stream);
      },
      {
        onWindow: (stream) => (stream.context as () => void)(),
        onData: (stream, bytes, from, to) => {
          received.push(Buffer.from(bytes.subarray(from, to)));
          stream.consumed(to - from);
        },
        onEnd: () => finished(),
      },
      async (session) => {
        const stream = session.request(line, [], false);
        if (stream !== undefined) sendAll(stream, large);
        await ended;
      },
    );
    expect(Buffer.concat(received).equals(large)).to.equal(true);
  });

  it('receives REFUSED_STREAM', async () => {
    let finished: (unprocessed: boolean) => void = () => undefined;
    const reset = new Promise<boolean>((resolve) => {
      finished = resolve;
    });
    await withServer(
      (stream) => {
        stream.on('error', () => undefined);
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
      },
      { onReset: (_stream, { unprocessed }) => finished(unprocessed) },
      async (session) => {
        session.request({ ...line, method: 'GET' }, [], true);
        expect(await reset).to.equal(true);
      },
    );
  });
});
