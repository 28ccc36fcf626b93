import { type ClientHttp2Session, connect } from 'node:http2';
import { expect } from 'chai';
import { onStage, type Stage } from './conformance/suite.ts';
import { sendHttp2 } from './http2-stage.ts';
import {
  makeCoreServer,
  makeExpressHttp2Server,
  makeExpressServer,
  makeHttp2Server,
  makeReferenceServer,
} from './server-rig.ts';
import { until } from './until.ts';

const streamsOfConnection = 100;
const connections = 12;

const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
/** Every one is shorter than the silence between two events. */
const short = { timeouts: { headMs: 100, keepAliveMs: 100, clientMs: 100, serverMs: 100 } };

describe('streams of server-sent events', () => {
  const late = ({ backend }: Stage) => {
    backend.onRequest = (_request, socket) => {
      socket.write(`${head}6\r\n: ok\n\n\r\n`);
      // Time itself is tested: five times the limits above.
      setTimeout(() => socket.write('7\r\n: end\n\n\r\n0\r\n\r\n'), 500);
    };
  };

  for (const [name, make] of [
    ['core', makeCoreServer],
    ['Express', makeExpressServer],
  ] as const)
    it(`may be silent for longer than anything but a tunnel, HTTP/1.1, ${name}`, () =>
      onStage(
        make,
        async (stage) => {
          late(stage);
          const client = stage.rig.client();
          client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
          await until(() => client.closed || client.received.endsWith('0\r\n\r\n'), 'the end');
          expect(client.received).to.contain(': ok\n\n').and.to.contain(': end\n\n');
        },
        short,
      ));

  for (const [name, make] of [
    ['core', makeHttp2Server],
    ['Express', makeExpressHttp2Server],
    ['node:http2', makeReferenceServer],
  ] as const)
    it(`may be silent for longer than anything but a tunnel, HTTP/2, ${name}`, () =>
      onStage(
        make,
        async (stage) => {
          late(stage);
          const session = connect(`http://127.0.0.1:${stage.rig.port}`).on('error', () => undefined);
          try {
            const { status, body } = await sendHttp2(session, { ':path': '/' });
            expect([status, body.toString()]).to.deep.equal([200, ': ok\n\n: end\n\n']);
          } finally {
            session.destroy();
          }
        },
        short,
      ));

  it(`are served at once, ${streamsOfConnection * connections} of one endpoint, and requests beside them`, () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = ({ target }, socket) => {
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
