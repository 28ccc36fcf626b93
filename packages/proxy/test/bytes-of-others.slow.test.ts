import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { onStage } from './conformance/suite.ts';
import { sendHttp2 } from './http2-stage.ts';
import { header } from './scripted-backend.ts';
import { makeHttp2Server } from './server-rig.ts';
import { until } from './until.ts';

/** Different at each place and for each name. */
const bodyOf = (name: string, bytes: number) =>
  Buffer.from(Array.from({ length: Math.ceil(bytes / 16) }, (_, at) => `${name}:${at}`.padEnd(16)).join('')).subarray(
    0,
    bytes,
  );

describe('what clients send at the same time', () => {
  const noise = (name: string) => `GET /${name} HTTP/1.1\r\nHost: a.example\r\nX-Noise: ${name.repeat(500)}\r\n\r\n`;

  it('stays apart: heads in pieces, bodies behind slow endpoints, pipelined requests', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      const held: Socket[] = [];
      backend.onRequest = ({ target, body }, socket) => {
        if (target === '/held') held.push(socket);
        const text = `${target} ${body.length}`;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
      };
      const clients = Array.from({ length: 6 }, () => rig.client());
      const other = rig.client();
      const disturb = async (round: string) => {
        other.send(noise(round));
        expect((await other.response()).body).to.equal(`/${round} 0`);
      };
      // Heads in three pieces.
      const heads = clients.map((_, at) => `GET /head-${at} HTTP/1.1\r\nHost: a.example\r\nX-Name: name-${at}\r\n\r\n`);
      for (let piece = 0; piece < 3; piece += 1) {
        for (const [at, client] of clients.entries())
          client.send(heads[at]?.slice(piece * 20, piece === 2 ? undefined : piece * 20 + 20) ?? '');
        await disturb(`n${piece}`);
      }
      for (const [at, client] of clients.entries()) expect((await client.response()).body).to.equal(`/head-${at} 0`);
      for (const [at] of clients.entries()) {
        const seen = backend.requests.find(({ target }) => target === `/head-${at}`);
        expect(seen && header(seen, 'x-name'), `${at}`).to.equal(`name-${at}`);
      }
      // Bodies in pieces, the length and the chunks of which end anywhere.
      for (const [at, client] of clients.entries()) {
        const chunked = at % 2 === 0;
        const framing = chunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 300000';
        client.send(`POST /body-${at} HTTP/1.1\r\nHost: a.example\r\n${framing}\r\n\r\n`);
      }
      for (let piece = 0; piece < 30; piece += 1) {
        for (const [at, client] of clients.entries()) {
          const bytes = bodyOf(`body-${at}`, 300_000)
            .subarray(piece * 10_000, (piece + 1) * 10_000)
            .toString('latin1');
          client.send(at % 2 === 0 ? `2710\r\n${bytes}\r\n${piece === 29 ? '0\r\n\r\n' : ''}` : bytes);
        }
        if (piece % 10 === 0) await disturb(`b${piece}`);
      }
      for (const [at, client] of clients.entries())
        expect((await client.response()).body).to.equal(`/body-${at} 300000`);
      for (const [at] of clients.entries()) {
        const seen = backend.requests.find(({ target }) => target === `/body-${at}`);
        expect(seen?.body === bodyOf(`body-${at}`, 300_000).toString('latin1'), `${at}`).to.equal(true);
      }
      // What is pipelined behind a request waits for its response.
      for (const [at, client] of clients.entries())
        client.send(
          Array.from({ length: 40 }, (_, n) => `GET /p-${at}-${n} HTTP/1.1\r\nHost: a.example\r\n\r\n`).join(''),
        );
      await disturb('p');
      for (const [at, client] of clients.entries())
        for (let n = 0; n < 40; n += 1) expect((await client.response()).body).to.equal(`/p-${at}-${n} 0`);
    }));

  it('stays apart: bytes of tunnels whose endpoints are slow', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      const received = new Map<string, Buffer[]>();
      backend.onRequest = ({ target }, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n');
        const pieces: Buffer[] = [];
        received.set(target, pieces);
        socket.removeAllListeners('data');
        socket.on('data', (bytes: Buffer) => {
          pieces.push(bytes);
          socket.pause();
          setImmediate(() => socket.resume());
        });
      };
      const names = ['/one', '/two', '/three'];
      const bytes = 3_000_000;
      const clients = names.map((name) => {
        const client = rig.client();
        client.send(`GET ${name} HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n`);
        return { name, client };
      });
      for (const { client } of clients) await until(() => client.received.includes('101 '), 'the tunnel');
      for (const { name, client } of clients) client.socket.write(bodyOf(name, bytes));
      for (const { name } of clients) {
        const all = () => Buffer.concat(received.get(name) ?? []);
        await until(() => all().length >= bytes, name);
        expect(all().equals(bodyOf(name, bytes)), name).to.equal(true);
      }
    }));

  it('stays apart: bodies of HTTP/2, beside connections with more frames than their share', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = ({ target, body }, socket) => {
        const isWhole = body === bodyOf(target, body.length).toString('latin1');
        const text = `${target} ${body.length} ${isWhole}`;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
      };
      const sessions = Array.from({ length: 4 }, () => connectHttp2(`http://127.0.0.1:${rig.port}`));
      try {
        const sent = sessions.flatMap((session, at) =>
          Array.from({ length: 25 }, async (_, n) => {
            const path = `/${at}-${n}`;
            for (let each = 0; each < 40; each += 1) session.ping(Buffer.alloc(8), () => undefined);
            const bytes = n % 5 === 0 ? 100_000 : 0;
            const method = bytes === 0 ? 'GET' : 'POST';
            const response = await sendHttp2(session, { ':path': path, ':method': method }, bodyOf(path, bytes));
            expect(response.body.toString()).to.equal(`${path} ${bytes} true`);
          }),
        );
        await Promise.all(sent);
      } finally {
        for (const session of sessions) session.destroy();
      }
    }));
});
