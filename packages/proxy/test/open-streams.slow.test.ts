import { type ClientHttp2Session, connect } from 'node:http2';
import { expect } from 'chai';
import { onStage } from './conformance/suite.ts';
import { makeHttp2Server } from './server-rig.ts';
import { until } from './until.ts';

const streamsOfConnection = 100;
const connections = 12;

describe('streams of server-sent events', () => {
  it(`are served at once, ${streamsOfConnection * connections} of one endpoint, and requests beside them`, () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = ({ target }, socket) => {
        const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
        socket.write(target === '/events' ? `${head}6\r\n: ok\n\n\r\n` : 'HTTP/1.1 204 No Content\r\n\r\n');
      };
      const sessions: ClientHttp2Session[] = [];
      let begun = 0;
      const open = (path: string, onStatus: (status: number) => void) => {
        const session = sessions.at(-1) as ClientHttp2Session;
        const stream = session.request({ ':path': path, ':authority': 'a.test' });
        stream.on('error', () => undefined).on('response', (head) => onStatus(Number(head[':status'])));
        stream.resume();
      };
      try {
        for (let each = 0; each < connections; each += 1) {
          sessions.push(connect(`http://127.0.0.1:${rig.port}`).on('error', () => undefined));
          for (let at = 0; at < streamsOfConnection; at += 1)
            open('/events', (status) => {
              begun += status === 200 ? 1 : 0;
            });
          // As clients come: those before have their streams.
          await until(() => begun === (each + 1) * streamsOfConnection, `stream ${(each + 1) * streamsOfConnection}`);
        }
        let beside = 0;
        sessions.push(connect(`http://127.0.0.1:${rig.port}`).on('error', () => undefined));
        open('/', (status) => {
          beside = status;
        });
        await until(() => beside !== 0, 'the request beside them');
        expect(beside).to.equal(204);
      } finally {
        for (const session of sessions) session.destroy();
      }
    }));
});
