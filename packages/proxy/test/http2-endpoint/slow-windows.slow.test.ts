import { expect } from 'chai';
import { Flag, Frame, Setting } from '../../src/http/http2/frames.ts';
import { FrameClient } from '../frame-client.ts';
import { data, headers, plainGet, plainPost, rstStream, settings, windowUpdate } from '../http2-wire.ts';
import { startBackend } from '../scripted-backend.ts';
import { makeHttp2Server, type Rig, startRig } from '../server-rig.ts';
import { endpointAt } from '../test-context.ts';
import { until } from '../until.ts';
import { http2At, type ScriptedEndpoint, startScriptedEndpoint } from './scripted-endpoint.ts';

/** Responses whose rest waits for a window while the endpoint has already ended its part. */
describe('a client with small windows', () => {
  let scripted: ScriptedEndpoint;
  let rig: Rig;
  let client: FrameClient;
  beforeEach(async () => {
    scripted = await startScriptedEndpoint();
    rig = await startRig(makeHttp2Server, { endpoints: [http2At(scripted.port)] });
    client = new FrameClient(rig.port);
  });
  afterEach(async () => {
    client.destroy();
    await rig.stop();
    await scripted.stop();
  });

  const call = [...plainPost, ['content-type', 'application/grpc'], ['te', 'trailers']] as const;
  const response = (stream: number) => [
    headers(
      stream,
      [
        [':status', '200'],
        ['content-type', 'application/grpc'],
      ],
      Flag.endHeaders,
    ),
    data(stream, 'm'.repeat(100)),
    headers(stream, [['grpc-status', '0']]),
  ];
  const received = () => client.frames.filter(({ stream }) => stream === 1);
  const bytes = () =>
    Buffer.concat(received().flatMap(({ type, payload }) => (type === Frame.data ? [payload] : []))).toString();

  // Another proxy dropped what waited and sent RST_STREAM alone.
  for (const [name, isWhole, resets] of [
    ['its endpoint resets the stream behind them', false, true],
    ['its own side is open', false, false],
    ['its own side has ended', true, false],
  ] as const)
    it(`gets data and trailers of a call that ended while they waited, where ${name}`, async () => {
      scripted.onFrame = ({ type, stream }, socket) => {
        if (type !== Frame.headers) return;
        socket.write(Buffer.concat([...response(stream), ...(resets ? [rstStream(stream, 0)] : [])]));
      };
      client.send(settings([[Setting.initialWindowSize, 10]]));
      client.send(headers(1, call, isWhole ? Flag.endHeaders | Flag.endStream : Flag.endHeaders));
      await until(() => bytes().length === 10, 'what the window allows');
      await until(() => rig.context.reports.length === 1 || !resets, 'the end of the call');
      expect(received().some(({ type }) => type === Frame.rstStream)).to.equal(false);
      client.send(windowUpdate(1, 1_000));
      await client.responded(1);
      expect(bytes()).to.equal('m'.repeat(100));
      const [, trailers] = received().filter(({ type }) => type === Frame.headers);
      expect(trailers?.flags).to.equal(Flag.endHeaders | Flag.endStream);
      if (!isWhole) await until(() => received().at(-1)?.type === Frame.rstStream, 'the rest is not needed');
      if (!isWhole) expect(received().at(-1)?.payload.readUInt32BE()).to.equal(0);
    });

  it('gets a response byte by byte with windows of one byte, and of none until it opens them', async () => {
    scripted.onFrame = ({ type, stream }, socket) => {
      if (type === Frame.headers) socket.write(Buffer.concat(response(stream)));
    };
    client.send(settings([[Setting.initialWindowSize, 0]]), headers(1, call));
    await until(() => received().length === 1, 'the head');
    for (let at = 1; at <= 100; at++) {
      client.send(windowUpdate(1, 1));
      await until(() => bytes().length === at, `byte ${at}`);
    }
    await client.responded(1);
    expect(bytes()).to.equal('m'.repeat(100));
  });

  it('sends an upload to an endpoint that opens its window of 0 later, by SETTINGS or by WINDOW_UPDATE', async () => {
    for (const [at, opening] of [settings([[Setting.initialWindowSize, 1_000]]), windowUpdate(1, 1_000)].entries()) {
      const endpoint = await startScriptedEndpoint();
      endpoint.greeting = settings([[Setting.initialWindowSize, 0]]);
      let body = '';
      endpoint.onFrame = ({ type, flags, stream, payload }, socket) => {
        if (type === Frame.headers) socket.write(opening);
        if (type !== Frame.data) return;
        body += payload.toString();
        if ((flags & Flag.endStream) !== 0) socket.write(headers(stream, [[':status', '204']]));
      };
      const other = await startRig(makeHttp2Server, { endpoints: [http2At(endpoint.port)] });
      const sender = new FrameClient(other.port);
      try {
        sender.send(headers(1, plainPost, Flag.endHeaders), data(1, 'u'.repeat(500), true));
        await sender.responded(1);
        expect(body, `opening ${at}`).to.equal('u'.repeat(500));
      } finally {
        sender.destroy();
        await other.stop();
        await endpoint.stop();
      }
    }
  });

  it('gets a whole body behind a 103 that came in one segment with its head', async () => {
    // Another proxy ended such a stream with the first piece.
    const backend = await startBackend();
    const body = 'b'.repeat(2_000_000);
    backend.onRequest = (_request, socket) => {
      const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
      socket.write(`${hints}HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    };
    const other = await startRig(makeHttp2Server, { endpoints: [endpointAt(backend.port)] });
    const reader = new FrameClient(other.port);
    try {
      reader.send(settings([[Setting.initialWindowSize, 3_000_000]]), windowUpdate(0, 3_000_000), headers(1, plainGet));
      await reader.responded(1);
      const got = reader.frames.filter(({ type }) => type === Frame.data).map(({ payload }) => payload);
      expect(Buffer.concat(got).equals(Buffer.from(body))).to.equal(true);
    } finally {
      reader.destroy();
      await other.stop();
      await backend.stop();
    }
  });
});
