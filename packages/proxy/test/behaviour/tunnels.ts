import type { Socket } from 'node:net';
import { expect } from 'chai';
import { until } from '../behaviour-rig.ts';
import { afterHead, bodyOf, digestOf, numbered, offer, switching } from './open-tunnel.ts';
import type { Suite } from './suite.ts';

/** How tunnels of every protocol that `Upgrade` can name begin, and what a client gets where none does. */
export function tunnels(suite: Suite): void {
  describe('tunnels', () => {
    beforeEach(() => suite.start({ timeouts: { serverMs: 400 } }));

    const protocols = [
      ['websocket', 'GET', '', 'websocket'],
      ['tcp', 'POST', '{"Detach":false,"Tty":true}', 'tcp'],
      ['SPDY/3.1', 'POST', '', 'SPDY/3.1'],
      ['foo/2', 'GET', '', 'Foo/2'],
      ['h2c, tcp', 'POST', '', 'tcp'],
      ['tcp, websocket', 'GET', '', 'WebSocket'],
    ] as const;
    for (const [offered, method, body, chosen] of protocols)
      it(`carry ${chosen} where a ${method} offers ${offered}`, async () => {
        let head = '';
        let received = '';
        const endpoint = await suite.rig.rawBackend((socket) =>
          afterHead(socket, (text, rest) => {
            head = text;
            received = rest;
            socket.on('data', (bytes: Buffer) => {
              received += bytes.toString('latin1');
            });
            socket.write(`${switching(chosen)}hello`);
          }),
        );
        suite.rig.route('t', { endpoints: [endpoint] });
        const client = suite.rig.connect();
        const framing = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
        client.send(
          `${method} /t?x=1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: ${offered}\r\n${framing}\r\n${body}`,
        );
        await client.until('hello');
        client.send('there');
        await until(() => received === `${body}there`);
        expect(head).to.match(new RegExp(`^${method} /t\\?x=1 HTTP/1\\.1\\r\\n`));
        expect(/^upgrade: (.*)\r$/im.exec(head)?.[1]).to.equal(offered.replace('h2c, ', ''));
        expect(head).to.match(/^connection: upgrade\r$/im);
        expect(client.received).to.match(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
        expect(/^upgrade: (.*)\r$/im.exec(client.received)?.[1]).to.equal(chosen);
        client.socket.destroy();
      });

    it('are not begun for a protocol that was not offered, nor for h2c', async () => {
      for (const [offered, chosen] of [
        ['tcp', 'websocket'],
        ['h2c', 'h2c'],
        ['tcp, websocket', 'tcp, websocket'],
      ] as const) {
        const endpoint = await suite.rig.rawBackend((socket) =>
          afterHead(socket, () => socket.write(switching(chosen))),
        );
        suite.rig.route('t', { endpoints: [endpoint] });
        const client = suite.rig.connect();
        client.send(offer('/t', offered));
        expect(await client.until('\r\n\r\n')).to.match(/^HTTP\/1\.1 502 [\s\S]*Reason: endpoint-answer-invalid/);
        await until(() => suite.rig.balancer.outstandingOf(endpoint.id) === 0);
        client.socket.destroy();
      }
    });

    it('are not begun in the middle of a chunked body, whose rest could not be distinguished from the tunnel', async () => {
      const endpoint = await suite.rig.rawBackend((socket) => afterHead(socket, () => socket.write(switching('tcp'))));
      suite.rig.route('t', { endpoints: [endpoint] });
      const client = suite.rig.connect();
      client.send(`${offer('/t', 'tcp', 'Transfer-Encoding: chunked\r\n')}5\r\nhel`);
      expect(await client.until('\r\n\r\n')).to.match(/^HTTP\/1\.1 502 [\s\S]*Reason: endpoint-answer-invalid/);
      client.socket.destroy();
    });

    it('pass on what is left of a body with a length after an early 101', async () => {
      let received = '';
      const endpoint = await suite.rig.rawBackend((socket) =>
        afterHead(socket, (_head, rest) => {
          received = rest;
          socket.on('data', (bytes: Buffer) => {
            received += bytes.toString('latin1');
          });
          socket.write(switching('tcp'));
        }),
      );
      suite.rig.route('u', { endpoints: [endpoint] });
      const early = suite.rig.connect();
      early.send(`${offer('/u', 'tcp', 'Content-Length: 10\r\n')}12345`);
      await early.until('\r\n\r\n');
      early.send('67890tunnel');
      await until(() => received === '1234567890tunnel');
      early.socket.destroy();
    });

    it('deliver 300 of 300 greetings of a server that speaks first, in the segment of its 101', async () => {
      let greeted = 0;
      const endpoint = await suite.rig.rawBackend((socket) =>
        afterHead(socket, () => socket.write(`${switching('tcp')}greeting ${greeted++};`)),
      );
      suite.rig.route('t', { endpoints: [endpoint] });
      for (let round = 0; round < 30; round++)
        await Promise.all(
          Array.from({ length: 10 }, async () => {
            const client = suite.rig.connect();
            client.send(offer('/t'));
            expect(await client.until(';')).to.match(/\r\n\r\ngreeting \d+;$/);
            client.socket.destroy();
          }),
        );
      expect(greeted).to.equal(300);
    });

    it('deliver what both sides sent before they saw the other', async () => {
      const endpoint = await suite.rig.rawBackend((socket) =>
        afterHead(socket, (_head, rest) => {
          let received = rest;
          socket.write(`${switching('tcp')}server first\n`);
          const response = () => {
            if (received.includes('\n')) socket.write(`got ${received}`);
          };
          response();
          socket.on('data', (bytes: Buffer) => {
            received += bytes.toString('latin1');
            response();
          });
        }),
      );
      suite.rig.route('t', { endpoints: [endpoint] });
      for (let round = 0; round < 50; round++) {
        const client = suite.rig.connect();
        client.send(`${offer('/t')}client first\n`);
        expect(bodyOf(await client.until('got client first\n'))).to.equal('server first\ngot client first\n');
        client.socket.destroy();
      }
    });

    it('begin with a 101 that is split at any byte, and the bytes behind it', async () => {
      const text = `${switching('tcp')}ab`;
      for (let at = 1; at < text.length; at++) {
        const endpoint = await suite.rig.rawBackend((socket) =>
          afterHead(socket, () => {
            socket.write(text.slice(0, at));
            // No event shows that the proxy has read the first part; sent at once, both would be one read.
            setTimeout(() => socket.write(text.slice(at)), 2);
          }),
        );
        suite.rig.route(`s${at}`, { endpoints: [endpoint] });
      }
      await Promise.all(
        Array.from({ length: text.length - 1 }, async (_, each) => {
          const client = suite.rig.connect();
          client.send(offer(`/s${each + 1}`));
          expect(bodyOf(await client.until('ab')), `split at ${each + 1}`).to.equal('ab');
          client.socket.destroy();
        }),
      );
    });

    for (const [status, text] of [
      ['403', 'Content-Length: 3145728'],
      ['400', 'Transfer-Encoding: chunked'],
      ['404', 'Connection: close'],
    ] as const)
      it(`relay a refusal ${status} with a large body (${text})`, async () => {
        const body = numbered(3_145_728, 'r');
        const endpoint = await suite.rig.rawBackend((socket) =>
          afterHead(socket, () => {
            socket.write(`HTTP/1.1 ${status} No\r\n${text}\r\n\r\n`);
            const isChunked = text.includes('chunked');
            socket.write(isChunked ? `300000\r\n${body}\r\n0\r\n\r\n` : body, 'latin1');
            if (text.includes('close')) socket.end();
          }),
        );
        suite.rig.route('t', { endpoints: [endpoint] });
        const client = suite.rig.connect();
        client.send(offer('/t'));
        const last = body.slice(-16);
        const received = await client.until(last);
        expect(received).to.match(new RegExp(`^HTTP/1\\.1 ${status} No\\r\\n`));
        const withoutFraming = bodyOf(received).replace(/(^|\r\n)[0-9a-f]+\r\n/g, '');
        expect(digestOf(withoutFraming.slice(0, body.length))).to.equal(digestOf(body));
        expect((await suite.rig.report()).status).to.equal(Number(status));
        client.socket.destroy();
      });

    const failures: readonly (readonly [string, (socket: Socket) => void, number, string])[] = [
      ['a reset', (socket) => socket.resetAndDestroy(), 502, 'endpoint-unreachable'],
      ['an end', (socket) => socket.end(), 502, 'endpoint-unreachable'],
      ['garbage', (socket) => socket.write('garbage\r\n\r\n'), 502, 'endpoint-answer-invalid'],
      ['a head that is cut', (socket) => socket.end('HTTP/1.1 101 Swit'), 502, 'endpoint-unreachable'],
      [
        'a head of 100 KB',
        (socket) => socket.write(`HTTP/1.1 101 S\r\nConnection: Upgrade\r\nX: ${'x'.repeat(102_400)}\r\n\r\n`),
        502,
        'endpoint-answer-invalid',
      ],
      ['silence', () => undefined, 504, 'head-timeout'],
      ['half a head and silence', (socket) => socket.write('HTTP/1.1 101 Swit'), 504, 'head-timeout'],
      ['another version', (socket) => socket.write('HTTP/2.0 101 S\r\n\r\n'), 502, 'endpoint-answer-invalid'],
    ];
    for (const [what, act, status, reason] of failures)
      it(`response ${status} ${reason} to ${what} before the 101`, async () => {
        const endpoint = await suite.rig.rawBackend((socket) => afterHead(socket, () => act(socket)));
        suite.rig.route('t', { endpoints: [endpoint] });
        const client = suite.rig.connect();
        client.send(`${offer('/t')}early bytes`);
        expect(await client.until('\r\n\r\n')).to.match(
          new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*Reason: ${reason}\r`),
        );
        const report = await suite.rig.report();
        expect(report).to.include({ status, reason, method: 'POST', path: '/t' });
        expect(report.endpoint?.id).to.equal(endpoint.id);
        client.socket.destroy();
      });

    it('responds 502 where the endpoint ends TLS with an alert', async () => {
      const endpoint = await suite.rig.rawBackend((socket) => {
        // handshake_failure (RFC 8446, section 6.2).
        socket.once('data', () => socket.end(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28])));
      });
      suite.rig.route('t', { endpoints: [{ ...endpoint, secure: true }] });
      const client = suite.rig.connect();
      client.send(offer('/t'));
      expect(await client.until('\r\n\r\n')).to.match(/^HTTP\/1\.1 502 [\s\S]*Reason: endpoint-unreachable/);
      client.socket.destroy();
    });
  });
}
