import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { head } from '../../../test/http2-heads.ts';
import {
  block,
  data,
  frame,
  headers,
  openServer,
  parseFrames,
  plainGet,
  plainPost,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
} from '../../../test/http2-wire.ts';
import { clientPreface, Flag, Frame } from './frames.ts';
import { flatFields } from './message-head.ts';

const seed = 20_261_128;

interface NodeRequest {
  readonly headers: Record<string, unknown>;
  body: string;
  ended: boolean;
}

/** What node:http2 makes of bytes: its requests, and the streams and connections that it ended. */
interface NodeView {
  readonly requests: ReadonlyMap<number, NodeRequest>;
  readonly resets: ReadonlyMap<number, number>;
  /** The code of GOAWAY, or that the connection was closed without one. */
  readonly goaway: number | undefined;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function nodeView(server: Http2Server, bytes: Buffer): Promise<NodeView> {
  const written: Buffer[] = [];
  const requests = new Map<number, NodeRequest>();
  let goaway: number | undefined;
  const connection = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk);
      done();
    },
  });
  const onStream = (stream: ServerHttp2Stream, given: Record<string, unknown>) => {
    const request: NodeRequest = { headers: given, body: '', ended: false };
    requests.set(stream.id as number, request);
    stream.on('error', () => undefined);
    stream.setEncoding('latin1');
    stream.on('data', (piece: string) => {
      request.body += piece;
    });
    stream.on('end', () => {
      request.ended = !stream.aborted;
    });
  };
  server.on('stream', onStream);
  server.once('session', (session: ServerHttp2Session) => session.on('error', () => undefined));
  server.emit('connection', connection);
  connection.push(bytes);
  for (let each = 0; each < 6; each++) await turn();
  const resets = new Map<number, number>();
  for (const { type, stream, payload } of parseFrames(Buffer.concat(written))) {
    if (type === Frame.goaway) goaway = payload.readUInt32BE(4);
    if (type === Frame.rstStream) resets.set(stream, payload.readUInt32BE(0));
  }
  if (connection.destroyed) goaway ??= 0;
  connection.destroy();
  server.off('stream', onStream);
  await turn();
  return { requests, resets, goaway };
}

function nodeServer(): Http2Server {
  const server = createServer({ settings: { maxConcurrentStreams: 100 } });
  server.on('sessionError', () => undefined);
  return server;
}

const greeting = Buffer.concat([clientPreface, settings(), settingsAck]);

describe('HTTP/2 server session beside node:http2', () => {
  it('accepts no head that node:http2 refuses, and gives the same request', async function () {
    this.timeout(60_000);
    const server = nodeServer();
    let agreed = 0;
    await fc.assert(
      fc.asyncProperty(head, fc.constantFrom('', 'body', 'other'), async (fields, body) => {
        const bytes =
          body === '' ? headers(1, fields) : Buffer.concat([headers(1, fields, Flag.endHeaders), data(1, body, true)]);
        const rig = openServer().feed(bytes);
        const ours = rig.recorder.heads[0];
        if (ours === undefined || rig.recorder.resets.length > 0) return;
        const theirs = await nodeView(server, Buffer.concat([greeting, bytes]));
        const shown = JSON.stringify([fields, [...theirs.resets], theirs.goaway]);
        const request = theirs.requests.get(1);
        expect(request, shown).to.not.equal(undefined);
        expect([theirs.resets.size, theirs.goaway], shown).to.deep.equal([0, undefined]);
        if (request === undefined) return;
        expect([request.headers[':method'], request.headers[':path'] ?? '', request.body], shown).to.deep.equal([
          ours.method,
          ours.path,
          body,
        ]);
        const mine = new Map<string, string>();
        const flat = flatFields(ours.fields);
        for (let at = 0; at < flat.length; at += 2) {
          const name = flat[at] as string;
          const before = mine.get(name);
          mine.set(name, before === undefined ? (flat[at + 1] as string) : `${before}, ${flat[at + 1]}`);
        }
        for (const [name, value] of mine) expect(request.headers[name], shown).to.equal(value);
        agreed++;
      }),
      fuzzRuns(1_500, seed),
    );
    server.close();
    expect(agreed, 'requests that both accepted').to.be.greaterThan(200);
  });

  // node:http2 ignores PRIORITY on stream 0, which RFC 9113, section 6.3, calls an error.
  const stream = fc.constantFrom(1, 1, 3, 3, 5, 0, 2);
  const oneFrame = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(stream, fc.constantFrom(plainGet, plainPost), fc.constantFrom(4, 5, 0))
        .map(([id, fields, flags]) => headers(id, block(fields), flags)),
    },
    { weight: 1, arbitrary: stream.map((id) => headers(id, [['trailer', 'x']])) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(stream, fc.constantFrom('', 'abc'), fc.boolean())
        .map(([id, text, end]) => data(id, text, end)),
    },
    { weight: 1, arbitrary: fc.tuple(stream, fc.constantFrom(0, 8)).map(([id, code]) => rstStream(id, code)) },
    {
      weight: 1,
      arbitrary: fc.tuple(stream, fc.constantFrom(0, 1, 2 ** 31 - 1)).map(([id, by]) => windowUpdate(id, by)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(stream, fc.constantFrom(4, 0))
        .map(([id, flags]) => frame(Frame.continuation, flags, id, block([['c', 'd']]))),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.nat(8), fc.constantFrom(0, 1, 2, 16_384, 2 ** 31))
        .map(([name, value]) => settings([[name, value]])),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(1, 3), fc.constantFrom(4, 5))
        .map(([id, size]) => frame(Frame.priority, 0, id, Buffer.alloc(size))),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(0, 1), fc.constantFrom(7, 8))
        .map(([id, size]) => frame(Frame.ping, 0, id, Buffer.alloc(size))),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(1, 5, 0xbb), stream)
        .map(([type, id]) => frame(type, 0xff & ~0x28, id, [1, 2, 3])),
    },
  );

  it('finds fault with the same sequences of frames', async function () {
    this.timeout(60_000);
    const server = nodeServer();
    let [right, wrong] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(oneFrame, { maxLength: 6 }), async (frames) => {
        const bytes = Buffer.concat(frames);
        const rig = openServer().feed(bytes);
        // node:http2 judges some frames before the field block that they begin is complete.
        if (rig.session.midFrame) return;
        const theirs = await nodeView(server, Buffer.concat([greeting, bytes]));
        const ours = rig.frames().filter(({ type }) => type === Frame.goaway || type === Frame.rstStream);
        const shown = `${parseFrames(bytes).map(({ type, flags, stream: id, payload }) => `${type}:${flags}:${id}:${payload.length}`)}`;
        // The scope differs where node:http2 ends the connection for what RFC 9113 calls an error of the stream.
        const isFault = theirs.goaway !== undefined || theirs.resets.size > 0;
        // node:http2 ignores frames on streams below the last that were never opened (RFC 9113, section 5.1.1).
        const cause = rig.recorder.faults[0]?.cause ?? '';
        if (!isFault && ['bad-stream-identifier', 'closed-stream'].includes(cause)) return;
        expect(ours.length > 0, `${shown} ${theirs.goaway} ${[...theirs.resets]}`).to.equal(isFault);
        if (isFault) wrong++;
        else right++;
      }),
      fuzzRuns(2_000, seed),
    );
    server.close();
    expect(right, 'sequences without a fault').to.be.greaterThan(200);
    expect(wrong, 'sequences with a fault').to.be.greaterThan(200);
  });
});
