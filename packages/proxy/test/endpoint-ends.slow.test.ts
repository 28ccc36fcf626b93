import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { expect } from 'chai';
import { makeCoreServer, type Rig, startRig } from './server-rig.ts';
import { testCertificate } from './test-certificate.ts';
import { endpointAt } from './test-context.ts';
import { until } from './until.ts';

type Outcome = 'gone' | 'cut' | 'whole';

const beginnings: readonly (readonly [where: string, sent: string, inOrder: Outcome, reset: Outcome])[] = [
  ['before the head', '', 'gone', 'gone'],
  ['in the head', 'HTTP/1.1 200 OK\r\nContent-Le', 'gone', 'gone'],
  ['in a body of a known length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', 'cut', 'cut'],
  ['in a chunked body', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc', 'cut', 'cut'],
  ['in a body that lasts until the end', 'HTTP/1.1 200 OK\r\n\r\nabc', 'whole', 'cut'],
];

/** What client and operator see is the same, whether the connection is one of TLS or not. */
for (const secure of [false, true])
  describe(`a connection to an endpoint ${secure ? 'over TLS' : 'in plain text'}`, () => {
    /** The connections of the network below those of TLS. */
    const below = new WeakMap<Socket, Socket>();
    const endings: Readonly<Record<string, (socket: Socket) => void>> = {
      'ends in order': (socket) => socket.end(),
      ...(secure ? { 'is closed without the closing alert of TLS': (socket) => below.get(socket)?.end() } : {}),
      'is reset': (socket) => (below.get(socket) ?? socket).resetAndDestroy(),
    };
    let end: (socket: Socket) => void;
    let sent: string;
    let server: Server;
    let rig: Rig;

    before(async () => {
      const { key, cert } = await testCertificate(['a.example']);
      const onConnection = (socket: Socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => {
          if (sent === '') end(socket);
          else
            socket.write(sent, () => {
              if (!sent.includes('abc')) end(socket);
            });
        });
      };
      server = createServer((socket) => {
        open.push(socket);
        socket.on('error', () => undefined);
        if (secure)
          createSecureServer({ key, cert }, (secured) => {
            below.set(secured, socket);
            ending = () => end(secured);
            onConnection(secured);
          }).emit('connection', socket);
        else {
          ending = () => end(socket);
          onConnection(socket);
        }
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      rig = await startRig(makeCoreServer, {
        endpoints: [endpointAt((server.address() as AddressInfo).port, { secure })],
      });
    });
    const open: Socket[] = [];
    let ending = () => {};
    after(async () => {
      await rig.stop();
      for (const socket of open) socket.destroy();
      server.close();
    });

    for (const [what, finish] of Object.entries(endings))
      for (const [where, text, inOrder, reset] of beginnings)
        it(`that ${what} ${where}`, async () => {
          end = finish;
          sent = text;
          const outcome = what === 'is reset' ? reset : inOrder;
          const before = rig.context.reports.length;
          const client = rig.client();
          // One that is not repeated.
          client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
          if (text.includes('abc')) {
            await until(() => client.received.includes('abc'), 'the beginning of the body');
            ending();
          }
          await until(() => rig.context.reports.length > before, 'the record');
          const { status, reason } = rig.context.reports.at(-1) ?? {};
          expect([status, reason ?? '']).to.deep.equal(
            { gone: [502, 'endpoint-unreachable'], cut: [200, 'answer-truncated'], whole: [200, ''] }[outcome],
          );
          if (outcome === 'cut') await until(() => client.error === 'ECONNRESET', 'the reset');
          else if (outcome === 'whole') await until(() => client.received.endsWith('\r\n0\r\n\r\n'), 'the end');
          else expect((await client.response('POST')).status).to.equal(502);
          client.socket.destroy();
        });
  });
