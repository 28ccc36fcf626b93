import { expect } from 'chai';
import { onStage } from '../../../test/conformance/suite.ts';
import { FrameClient } from '../../../test/frame-client.ts';
import {
  block,
  data,
  frame,
  headers,
  plainGet,
  plainPost,
  rstStream,
  settings,
  windowUpdate,
} from '../../../test/http2-wire.ts';
import { responding, type ScriptedBackend } from '../../../test/scripted-backend.ts';
import { makeHttp2Server } from '../../../test/server-rig.ts';
import { tinyRoute } from '../../../test/test-context.ts';
import { until } from '../../../test/until.ts';
import { ErrorCode, Flag, Frame, Setting } from '../../http/http2/frames.ts';

interface Play {
  readonly client: FrameClient;
  readonly backend: ScriptedBackend;
}

const cancel = ErrorCode.cancel;
const unknownHost = 'nowhere.example';
const range = (count: number) => Array.from({ length: count }, (_, at) => at);
const heads = (first: number, count: number) =>
  Buffer.concat(range(count).map((at) => headers(first + 2 * at, plainGet)));
const small = responding('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
const large = responding(`HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n${'x'.repeat(60_000)}`);
const ping = frame(Frame.ping, 0, 0, Buffer.alloc(8));

/** What clients do that mean no harm; each returns the next stream that it may open. */
const patterns: Readonly<Record<string, (play: Play) => Promise<number>>> = {
  'a page is left: all of its hundred requests are cancelled at once': async ({ client, backend }) => {
    backend.onRequest = () => undefined;
    client.send(heads(1, 100));
    await until(() => backend.requests.length === 100, 'the requests');
    client.send(...range(100).map((at) => rstStream(1 + 2 * at, cancel)));
    return 201;
  },
  'every other call of three hundred is cancelled before its response (gRPC)': async ({ client, backend }) => {
    backend.onRequest = (request, socket) => {
      if (Number(request.target.slice(1)) % 2 === 0) small(request, socket);
    };
    for (const at of range(300)) {
      const path = [...plainGet.filter(([name]) => name !== ':path'), [':path', `/${at}`] as const];
      client.send(headers(1 + 2 * at, path));
      if (at % 2 === 0) await client.responded(1 + 2 * at);
      else {
        await until(() => backend.requests.length === at + 1, 'the call');
        client.send(rstStream(1 + 2 * at, cancel));
      }
    }
    return 601;
  },
  'a hundred responses wait for a window that opens late': async ({ client, backend }) => {
    backend.onRequest = large;
    client.send(settings([[Setting.initialWindowSize, 0]]), heads(1, 100));
    await until(() => backend.requests.length === 100, 'the requests');
    client.send(windowUpdate(0, 10_000_000), settings([[Setting.initialWindowSize, 65_535]]));
    for (const at of range(100)) await client.responded(1 + 2 * at);
    return 201;
  },
  'a response is read in small steps of its window': async ({ client, backend }) => {
    backend.onRequest = large;
    client.send(settings([[Setting.initialWindowSize, 100]]), headers(1, plainGet));
    for (let window = 100; window < 60_000; window += 100) {
      const taken = () =>
        client.frames.reduce((sum, { type, payload }) => sum + (type === Frame.data ? payload.length : 0), 0);
      await until(() => taken() === window, 'what the window allows');
      client.send(windowUpdate(1, 100));
    }
    await client.responded(1);
    return 3;
  },
  'five hundred requests for a host without a route': async ({ client }) => {
    const fields = plainGet.map(([name, value]) => [name, name === ':authority' ? unknownHost : value] as const);
    for (const round of range(5)) {
      const first = 1 + 200 * round;
      client.send(...range(100).map((at) => headers(first + 2 * at, fields)));
      await client.responded(first + 198);
    }
    return 1_001;
  },
  'fifty requests with too many cookies': async ({ client }) => {
    const cookies = (count: number) => [['cookie', 'c'.repeat(count)]] as const;
    for (const at of range(50)) {
      const stream = 1 + 2 * at;
      const more = [cookies(16_000), cookies(16_000)].map((each) => block(each));
      client.send(
        headers(stream, plainGet, Flag.endStream),
        frame(Frame.continuation, 0, stream, more[0]),
        frame(Frame.continuation, 0, stream, more[1]),
        frame(Frame.continuation, Flag.endHeaders, stream, block(cookies(1_000))),
      );
      await client.responded(stream);
    }
    return 101;
  },
  'a PING with each small piece of a long upload': async ({ client }) => {
    client.send(headers(1, plainPost, Flag.endHeaders));
    for (const _ of range(1_500)) client.send(data(1, 'x'), ping);
    client.send(data(1, '', true));
    await client.responded(1);
    return 3;
  },
  'settings that change a hundred times': async ({ client }) => {
    for (const at of range(100)) client.send(settings([[Setting.initialWindowSize, 65_535 + at]]));
    return 1;
  },
};

describe('honest clients of HTTP/2', () => {
  for (const [pattern, play] of Object.entries(patterns))
    it(`stay served: ${pattern}`, () =>
      onStage(
        makeHttp2Server,
        async ({ rig, backend }) => {
          backend.onRequest = small;
          const client = new FrameClient(rig.port);
          const next = await play({ client, backend });
          backend.onRequest = small;
          client.send(headers(next, plainGet));
          await client.responded(next);
          expect(client.frames.filter(({ type }) => type === Frame.goaway)).to.deep.equal([]);
          client.destroy();
        },
        { routeOf: ({ host }) => (host === unknownHost ? undefined : tinyRoute()) },
      ));
});
