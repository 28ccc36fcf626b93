import type { Socket } from 'node:net';
import { expect } from 'chai';
import { onStage } from '../../../test/conformance/suite.ts';
import { ownClient } from '../../../test/own-connection.ts';
import { readChunk } from '../../../test/read-chunk.ts';
import { makeCoreServer } from '../../../test/server-rig.ts';
import { tinyRoute } from '../../../test/test-context.ts';
import { until } from '../../../test/until.ts';
import { smallPieces } from '../../transport/small-pieces.ts';

describe('the share of an HTTP/1.1 connection in a turn of the event loop', () => {
  const full = Buffer.alloc(65_536, 'x');

  it('reads no more behind two full reads of a body, then behind each: others are waiting', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      const { client, socket, end } = await ownClient(rig);
      const length = 4 * full.length + 3;
      client.send(`POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${length}\r\n\r\n`);
      await until(() => backend.received.includes('\r\n\r\n'), 'the head at the endpoint');
      const isPaused: boolean[] = [];
      for (let times = 0; times < 4; times += 1) {
        readChunk(socket, full);
        isPaused.push(socket.isPaused());
        await until(() => !socket.isPaused(), 'the next turn');
      }
      expect(isPaused).to.deep.equal([false, true, true, true]);
      client.send('end');
      expect((await client.response()).status).to.equal(200);
      expect(backend.requests[0]?.body).to.equal(`${'x'.repeat(length - 3)}end`);
      end();
    }));

  it('reads an upload of 100 KB at once, each of many: an endpoint that responds early must have all of it by then', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      backend.onHead = (_head, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      backend.onRequest = () => undefined;
      const { client, socket, end } = await ownClient(rig);
      const head = 'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 102400\r\n\r\n';
      const upload = Buffer.from(head + 'x'.repeat(102_400));
      for (let times = 0; times < 3; times += 1) {
        readChunk(socket, upload.subarray(0, full.length));
        readChunk(socket, upload.subarray(full.length));
        expect(socket.isPaused()).to.equal(false);
        const { status, header } = await client.response();
        expect([status, header('connection')]).to.deep.equal([200, undefined]);
      }
      expect(backend.connections).to.equal(1);
      end();
    }));

  it('writes a response before it ends, where its client stops sending in the same turn', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      const { client, socket, end } = await ownClient(rig);
      const { reports } = rig.context;
      reports.push = (...ended) => {
        process.nextTick(() => socket.emit('end'));
        return Array.prototype.push.apply(reports, ended);
      };
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
      const { status, body } = await client.response();
      expect([status, body]).to.deep.equal([200, 'ok']);
      await client.end();
      end();
    }));

  for (const [what, head] of [
    ['a body', 'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 16000000\r\n\r\n'],
    ['what is pipelined behind a request', 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'],
  ] as const)
    it(`holds a share of ${what} while its endpoint does not respond, and reads no more`, () =>
      onStage(makeCoreServer, async ({ rig, backend }) => {
        backend.onConnection = (endpoint) => endpoint.pause();
        backend.onRequest = () => undefined;
        const { client, socket, end } = await ownClient(rig);
        client.send(head);
        client.socket.write(Buffer.alloc(16_000_000, 'x'));
        const staysPaused = async () => {
          for (let turn = 0; turn < 50; turn += 1) {
            if (!socket.isPaused()) return false;
            await new Promise((resolve) => setImmediate(resolve));
          }
          return true;
        };
        await until(staysPaused, 'nothing more to be read');
        // With what the system takes on the way to the endpoint.
        expect(socket.bytesRead).to.be.within(head.length, 12_000_000);
        end();
      }));

  it('reads no more behind a full read of a tunnel, and stays paused where the endpoint does not keep up', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      let tunnel: Socket | undefined;
      backend.onRequest = (_request, socket) => {
        tunnel = socket;
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n');
      };
      const { client, socket, end } = await ownClient(rig);
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n');
      await until(() => client.received.includes('101'), 'the tunnel');
      readChunk(socket, full);
      expect(socket.isPaused()).to.equal(true);
      await until(() => !socket.isPaused(), 'the next turn');
      tunnel?.pause();
      // Far more than the system takes on the way to it.
      while (!socket.isPaused()) {
        readChunk(socket, Buffer.alloc(1024 * 1024));
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
      }
      tunnel?.resume();
      await until(() => !socket.isPaused(), 'the tunnel goes on');
      end();
      tunnel?.destroy();
    }));

  const unserved = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
  const noRoute = { routeOf: () => undefined };

  it('serves some of many pipelined requests in a turn where no endpoint has a part in them, and all in the end', () =>
    onStage(
      makeCoreServer,
      async ({ rig }) => {
        const { client, socket, end } = await ownClient(rig);
        readChunk(socket, Buffer.from(unserved.repeat(49)));
        expect(rig.context.reports).to.have.length(4);
        expect(socket.isPaused()).to.equal(true);
        await until(() => rig.context.reports.length === 49, 'all to be served');
        await until(() => !socket.isPaused(), 'the connection to be read again');
        client.send(unserved);
        await until(() => client.received.split('HTTP/1.1 503').length === 51, 'all responses');
        end();
      },
      noRoute,
    ));

  it('goes on with one connection in a turn, however many have pipelined more than their share', () =>
    onStage(
      makeCoreServer,
      async ({ rig }) => {
        const connections = await Promise.all(Array.from({ length: 4 }, () => ownClient(rig)));
        for (const { socket } of connections) readChunk(socket, Buffer.from(unserved.repeat(20)));
        const turns: number[] = [];
        while (rig.context.reports.length < 80) {
          const before = rig.context.reports.length;
          await new Promise((resolve) => setImmediate(resolve));
          turns.push(rig.context.reports.length - before);
        }
        expect(Math.max(...turns)).to.equal(4);
        for (const { end } of connections) end();
      },
      noRoute,
    ));

  it('begins one pipelined request in a turn, however many responses of endpoints came in it', () => {
    let begun = 0;
    const route = tinyRoute();
    const routeOf = () => {
      begun += 1;
      return route;
    };
    return onStage(
      makeCoreServer,
      async ({ rig, backend }) => {
        const waiting: Socket[] = [];
        backend.onRequest = (_request, endpoint) => waiting.push(endpoint);
        const connections = await Promise.all(Array.from({ length: 12 }, () => ownClient(rig)));
        for (const { socket } of connections) readChunk(socket, Buffer.from(unserved.repeat(3)));
        for (const round of [1, 2, 3]) {
          await until(() => waiting.length === 12, `the requests of round ${round}`);
          for (const endpoint of waiting.splice(0)) endpoint.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
          let most = 0;
          while (round < 3 && begun < 12 * (round + 1)) {
            const before = begun;
            await new Promise((resolve) => setImmediate(resolve));
            most = Math.max(most, begun - before);
          }
          // The turn before this one's count and the one behind it.
          expect(most).to.be.at.most(2);
        }
        for (const { client, end } of connections) {
          await until(() => client.received.split('200 OK').length === 4, 'all responses');
          end();
        }
        expect(begun).to.equal(36);
      },
      { routeOf },
    );
  });

  it('finds that a client has gone while its last pipelined request is served', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      backend.onRequest = ({ target }, endpoint) => {
        if (target === '/') endpoint.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      };
      const { client, socket, end } = await ownClient(rig);
      readChunk(socket, Buffer.from(`${unserved}${unserved.replace('/', '/slow')}`));
      await until(() => backend.requests.length === 2, 'the last request');
      await until(() => !socket.isPaused(), 'the connection to be read');
      client.destroy();
      await until(() => rig.context.reports.length === 2, 'the end of the exchange');
      expect(rig.context.reports[1]).to.include({ status: 499 });
      end();
    }));

  it('passes on a body in small pieces as they come, and reads on in its turn where others send theirs so, too', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      const { client, socket, end } = await ownClient(rig);
      client.send('POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n');
      await until(() => backend.received.includes('\r\n\r\n'), 'the head at the endpoint');
      const waits = () => {
        const other = { pause: () => undefined, resume: () => undefined } as unknown as Socket;
        smallPieces.wait(other, { onFault: () => undefined }, () => true);
      };
      const send = (text: string) => {
        waits();
        readChunk(socket, Buffer.from(text));
        return socket.isPaused();
      };
      const large = `400\r\n${'y'.repeat(1_024)}\r\n`;
      // With the head there have been 16 small reads then.
      const paused = [...Array.from({ length: 15 }, () => send('1\r\nx\r\n')), send(large), send('1\r\nx\r\n')];
      expect(paused).to.deep.equal([...Array(16).fill(false), true]);
      await until(() => backend.received.split('\r\nx\r\n').length === 17, 'the piece at the endpoint');
      await until(() => !socket.isPaused(), 'its turn');
      // The end of the body: the next request is another matter.
      expect(send('0\r\n\r\n')).to.equal(false);
      expect((await client.response()).status).to.equal(200);
      expect(send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 17\r\n\r\n')).to.equal(false);
      expect(Array.from({ length: 15 }, () => send('x'))).to.deep.equal(Array(15).fill(false));
      expect(send('xx')).to.equal(false);
      expect((await client.response()).status).to.equal(200);
      end();
    }));

  it('holds no small packets of a tunnel back', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n');
      const { client, socket, end } = await ownClient(rig);
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n');
      await until(() => client.received.includes('101'), 'the tunnel');
      const other = { pause: () => undefined, resume: () => undefined } as unknown as Socket;
      smallPieces.wait(other, { onFault: () => undefined }, () => true);
      for (let times = 0; times < 40; times += 1) {
        readChunk(socket, Buffer.from('x'));
        expect(socket.isPaused()).to.equal(false);
      }
      end();
    }));

  it('counts the smaller pieces that TLS gives', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      const { client, socket, end } = await ownClient(rig);
      client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\n');
      await until(() => backend.received.includes('\r\n\r\n'), 'the head at the endpoint');
      const isPaused = [1, 2, 3, 4].map(() => {
        readChunk(socket, full.subarray(0, 32_768));
        return socket.isPaused();
      });
      expect(isPaused).to.deep.equal([false, false, false, true]);
      end();
    }));

  it('reads what is dropped behind the last response at the same pace', () =>
    onStage(makeCoreServer, async ({ rig }) => {
      const { client, socket, end } = await ownClient(rig);
      client.send('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n');
      await until(() => client.received.includes('\r\n\r\n'), 'the refusal');
      readChunk(socket, full);
      expect(socket.isPaused()).to.equal(true);
      await until(() => !socket.isPaused(), 'the next turn');
      end();
    }));
});
