import { connect } from 'node:http2';
import { expect } from 'chai';
import { get } from '../../../test/conformance/suite.ts';
import { onHttp2Of, sendHttp2 as send } from '../../../test/http2-stage.ts';
import { makeHttp2Server } from '../../../test/server-rig.ts';

/** Different at each place and for each path, so that bytes of another response show. */
const bodyOf = (path: string, bytes: number) =>
  Buffer.from(Array.from({ length: Math.ceil(bytes / 16) }, (_, at) => `${path}:${at}`.padEnd(16)).join('')).subarray(
    0,
    bytes,
  );

describe('responses that clients of HTTP/2 read beside slow ones', () => {
  it('are whole, and so are those that wait for a window of HTTP/2 or for a socket of HTTP/1.1', () =>
    onHttp2Of(makeHttp2Server, async ({ rig, backend, session }) => {
      backend.onRequest = ({ target }, socket) => {
        const body = bodyOf(target, target === '/slow' ? 8_000_000 : 150_000);
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
        socket.write(body);
      };
      const slow = rig.client();
      slow.socket.pause();
      slow.send(get('/slow'));
      const narrow = connect(`http://127.0.0.1:${rig.port}`, { settings: { initialWindowSize: 40_000 } });
      try {
        const stalled = narrow.request({ ':path': '/narrow' });
        stalled.pause();
        await new Promise((resolve) => stalled.once('response', resolve));
        for (let round = 0; round < 4; round++) {
          const paths = Array.from({ length: 10 }, (_, at) => `/${round}/${at}`);
          const responses = await Promise.all(paths.map((path) => send(session, { ':path': path })));
          for (const [at, { body }] of responses.entries())
            expect(body.equals(bodyOf(paths[at] as string, 150_000)), paths[at]).to.equal(true);
        }
        const narrowed: Buffer[] = [];
        for await (const piece of stalled) narrowed.push(piece as Buffer);
        expect(Buffer.concat(narrowed).equals(bodyOf('/narrow', 150_000)), 'narrow').to.equal(true);
      } finally {
        narrow.destroy();
      }
      slow.socket.resume();
      const { body } = await slow.response();
      expect(Buffer.from(body, 'latin1').equals(bodyOf('/slow', 8_000_000)), 'slow').to.equal(true);
    }));
});
