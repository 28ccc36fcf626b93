import { expect } from 'chai';
import { onStage } from '../../../test/conformance/suite.ts';
import { FrameClient } from '../../../test/frame-client.ts';
import { headers, plainGet, settings, windowUpdate } from '../../../test/http2-wire.ts';
import { ownConnection } from '../../../test/own-connection.ts';
import { makeHttp2Server, type Rig } from '../../../test/server-rig.ts';
import { takesByEachLook } from '../../../test/shown-taken.ts';
import { until } from '../../../test/until.ts';
import { Flag, Frame, Setting } from '../../http/http2/frames.ts';

const size = 100_000;
const streams = 8;
const ids = Array.from({ length: streams }, (_, at) => 1 + 2 * at);
const bodyBytesPerSecond = 1_000;
const timeouts = { keepAliveMs: 200, clientMs: 250, bodyBytesPerSecond };

/** They wait for longer than TIMEOUT_CLIENT, twice: an idle connection ends after TIMEOUT_HTTP_KEEP_ALIVE. */
async function clientTimesPassed(rig: Rig): Promise<void> {
  for (let spans = 0; spans < 3; spans += 1) {
    const idle = new FrameClient(rig.port);
    await until(() => idle.ended, 'an idle connection to end');
  }
}

interface Case {
  /** Initial window of streams; what is added to the connection's. */
  readonly windows: readonly [number, number];
  /** By each look at it. */
  readonly takenBytes: number;
}

/** Nothing leaves, as where the client and the system's buffers are full; what the system shows is given. */
const kept: Readonly<Record<string, Case>> = {
  'room in the output': { windows: [1_000_000, 10_000_000], takenBytes: 100_000 },
  "the connection's window": { windows: [1_000_000, 0], takenBytes: 100_000 },
  'their own windows, which their client cannot open yet': { windows: [1_000, 0], takenBytes: 100_000 },
};
const cut: Readonly<Record<string, Case>> = {
  'takes too little for so many': {
    windows: [1_000_000, 10_000_000],
    // With every stream's looks: what one of them needs, and not what all of them do.
    takenBytes: 30,
  },
  'takes nothing': { windows: [1_000_000, 10_000_000], takenBytes: 0 },
};

describe('responses of HTTP/2 whose client takes them slowly', () => {
  const onSlow = (
    { windows, takenBytes }: Case,
    run: (rig: Rig, client: FrameClient, uncork: () => void) => Promise<void>,
  ) =>
    onStage(
      makeHttp2Server,
      async ({ rig, backend }) => {
        backend.onRequest = (_request, socket) =>
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'a'.repeat(size)}`);
        const { port, socket, close } = await ownConnection(rig);
        const client = new FrameClient(port);
        client.send(settings([[Setting.initialWindowSize, windows[0]]]));
        if (windows[1] > 0) client.send(windowUpdate(0, windows[1]));
        await until(() => client.frames.some(({ flags }) => (flags & Flag.ack) !== 0), 'the connection');
        socket().cork();
        takesByEachLook(socket(), takenBytes);
        client.send(...ids.map((id) => headers(id, plainGet)));
        await until(() => backend.requests.length === streams, 'all requests');
        try {
          await run(rig, client, () => socket().uncork());
        } finally {
          client.destroy();
          close();
        }
      },
      { timeouts },
    );

  for (const [what, each] of Object.entries(kept))
    it(`are given whole, where streams wait for ${what}`, () =>
      onSlow(each, async (rig, client, uncork) => {
        await clientTimesPassed(rig);
        uncork();
        client.send(windowUpdate(0, 10_000_000), ...ids.map((id) => windowUpdate(id, size)));
        const got = () =>
          client.frames.reduce((sum, { type, payload }) => sum + (type === Frame.data ? payload.length : 0), 0);
        await until(() => got() === streams * size, 'all of them');
        expect(client.frames.filter(({ type }) => type === Frame.rstStream)).to.deep.equal([]);
      }));

  for (const [what, each] of Object.entries(cut))
    it(`are cut, where the client ${what}`, () =>
      onSlow(each, async (rig) => {
        await until(() => rig.context.reports.some(({ reason }) => reason === 'request-timeout'), 'one to be cut');
      }));

  it('are cut, where a stream waits for its own window while the client takes others', () =>
    onStage(
      makeHttp2Server,
      async ({ rig, backend }) => {
        const large = Buffer.alloc(10_000_000);
        backend.onRequest = (_request, socket) => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`);
          socket.write(large);
        };
        const { port, socket, close } = await ownConnection(rig);
        const client = new FrameClient(port);
        client.send(settings([[Setting.initialWindowSize, 1_000]]), headers(1, plainGet), headers(3, plainGet));
        client.send(windowUpdate(0, large.length), windowUpdate(3, large.length));
        const reasons = () => rig.context.reports.map(({ reason }) => reason);
        await until(() => reasons().length > 0, 'one of them to end');
        takesByEachLook(socket(), 1_000_000);
        await until(() => reasons().length === 2, 'the end of the other');
        expect(reasons()).to.have.members(['request-timeout', undefined]);
        client.destroy();
        close();
      },
      { timeouts },
    ));
});
