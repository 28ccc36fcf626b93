import { expect } from 'chai';
import { get, onStage } from '../../../test/conformance/suite.ts';
import { ownClient } from '../../../test/own-connection.ts';
import { makeCoreServer, type Rig } from '../../../test/server-rig.ts';
import { takesByEachLook } from '../../../test/shown-taken.ts';
import { until } from '../../../test/until.ts';

const size = 400_000;
const bodyBytesPerSecond = 1_000;
const timeouts = { headMs: 200, clientMs: 250, bodyBytesPerSecond };

describe('a response of HTTP/1.1 whose client takes it slowly', () => {
  /** Nothing leaves, as where the client and the system's buffers are full; what the system shows is given. */
  const onSlow = (takenBytes: number, run: (rig: Rig, got: () => Promise<string>) => Promise<void>) =>
    onStage(
      makeCoreServer,
      async ({ rig, backend }) => {
        backend.onRequest = (_request, socket) =>
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'a'.repeat(size)}`);
        const { client, socket, end } = await ownClient(rig);
        socket.cork();
        takesByEachLook(socket, takenBytes);
        client.send(get('/'));
        await until(() => socket.writableNeedDrain, 'a part of the response');
        await run(rig, async () => {
          socket.uncork();
          return (await client.response()).body;
        });
        end();
      },
      { timeouts },
    );

  it('is given whole, where some of it leaves within each TIMEOUT_CLIENT', () =>
    onSlow(1_000, async (rig, got) => {
      for (let spans = 0; spans < 3; spans += 1) {
        const silent = rig.client();
        await until(() => silent.ended, 'one that sends nothing to end');
      }
      expect(await got()).to.have.length(size);
    }));

  for (const [what, takenBytes] of [
    ['nothing leaves', 0],
    ['less leaves than a body has to bring', 10],
  ] as const)
    it(`is cut, where ${what}`, () =>
      onSlow(takenBytes, async (rig) => {
        await until(() => rig.context.reports.length === 1, 'the end');
        expect(rig.context.reports[0]?.reason).to.equal('request-timeout');
      }));
});
