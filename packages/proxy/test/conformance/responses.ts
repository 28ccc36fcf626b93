import { expect } from 'chai';
import { responding } from '../scripted-backend.ts';
import type { MakeServer } from '../server-rig.ts';
import { until } from '../until.ts';
import { get, onStage } from './suite.ts';

/** How responses come back. */
export function responses(makeServer: MakeServer): void {
  const requested = (title: string, reply: string, check: Check, given: Partial<CaseOptions> = {}) =>
    it(title, () =>
      onStage(makeServer, async ({ rig, backend }) => {
        backend.onRequest = responding(reply, given.after);
        const client = rig.client();
        client.send(given.request ?? get('/'));
        const response = await client.response(given.method ?? 'GET');
        await check(response, client, backend.requests.length);
      }),
    );

  describe('responses', () => {
    requested(
      'with status, reason and fields as sent (RFC 9112, 4)',
      'HTTP/1.1 299 Quite Fine\r\nX-Zeta: 1\r\nx-alpha:2\r\nX-Zeta: 3\r\nContent-Length: 2\r\n\r\nok',
      (response) => {
        expect(response.status).to.equal(299);
        expect(response.reason).to.equal('Quite Fine');
        expect(response.headers.slice(0, 8)).to.deep.equal([
          'X-Zeta',
          '1',
          'x-alpha',
          '2',
          'X-Zeta',
          '3',
          'Content-Length',
          '2',
        ]);
        expect(response.body).to.equal('ok');
      },
    );
    requested(
      'without hop-by-hop fields, nor those that Connection names (RFC 9110, 7.6.1)',
      'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: h\r\nKeep-Alive: timeout=5, max=9\r\nX-Kept: k\r\nContent-Length: 0\r\n\r\n',
      (response) => {
        expect(response.header('x-hop')).to.equal(undefined);
        expect(response.header('keep-alive') ?? '').not.to.include('max=9');
        expect(response.header('x-kept')).to.equal('k');
      },
    );
    for (const [title, sent, lines] of [
      [
        '426 with the protocols to upgrade to (RFC 9110, 15.5.22)',
        'HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade, X-Hop\r\nUpgrade: websocket, TLS/1.3\r\nX-Hop: h',
        ['Upgrade: websocket, TLS/1.3', 'Connection: Upgrade'],
      ],
      [
        '407 with its challenge (RFC 9110, 15.5.8)',
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="inner"\r\nUpgrade: h2c',
        ['Proxy-Authenticate: Basic realm="inner"'],
      ],
      [
        'other statuses without either',
        'HTTP/1.1 401 Unauthorized\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nProxy-Authenticate: Basic realm="inner"',
        [],
      ],
    ] as const)
      requested(title, `${sent}\r\nContent-Length: 0\r\n\r\n`, ({ headers }) => {
        const found: string[] = [];
        for (let at = 0; at < headers.length; at += 2)
          if (/^(upgrade|proxy-authenticate|x-hop|connection)$/i.test(headers[at] ?? ''))
            found.push(`${headers[at]}: ${headers[at + 1]}`);
        expect(found.filter((line) => !/: (close|keep-alive)$/.test(line))).to.have.members(lines);
      });
    requested(
      'chunked as chunked (RFC 9112, 7.1)',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n5\r\npedia\r\n0\r\n\r\n',
      (response) => {
        expect(response.chunked).to.equal(true);
        expect(response.body).to.equal('wikipedia');
      },
    );
    requested(
      'with trailers (RFC 9110, 6.5)',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n',
      (response) => expect(response.trailers).to.match(/^x-sum: 7\r\n/i),
    );
    requested(
      'until close, sent on chunked (RFC 9112, 6.3)',
      'HTTP/1.1 200 OK\r\n\r\nall of it',
      (response) => {
        expect(response.body).to.equal('all of it');
        expect(response.chunked).to.equal(true);
      },
      { after: 'end' },
    );
    requested(
      'of an HTTP/1.0 service (RFC 9112, 2.3)',
      'HTTP/1.0 200 OK\r\n\r\nold',
      (response) => expect(response.body).to.equal('old'),
      { after: 'end' },
    );
    requested(
      'to HEAD without a body, with its length (RFC 9110, 9.3.2)',
      'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n',
      async (response, client) => {
        expect(response.header('content-length')).to.equal('1234');
        client.send(get('/next'));
        expect((await client.response('HEAD')).status).to.equal(200);
      },
      { request: 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', method: 'HEAD' },
    );
    requested('204 without a body (RFC 9110, 15.3.5)', 'HTTP/1.1 204 No Content\r\nX: y\r\n\r\n', (response) => {
      expect(response.status).to.equal(204);
      expect(response.header('transfer-encoding')).to.equal(undefined);
    });
    requested(
      '304 with the length of what it spares (RFC 9110, 15.4.5)',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: "a"\r\n\r\n',
      (response) => {
        expect(response.status).to.equal(304);
        expect(response.header('etag')).to.equal('"a"');
      },
    );
    requested(
      'a 204 without the length that it must not have (RFC 9110, 8.6)',
      'HTTP/1.1 204 No Content\r\nContent-Length: 30\r\nETag: "a"\r\n\r\n',
      (response) => {
        expect(response.status).to.equal(204);
        expect(response.header('etag')).to.equal('"a"');
        expect(response.header('content-length')).to.equal(undefined);
      },
    );
    requested('an empty body of length 0 (RFC 9112, 6.2)', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', (response) =>
      expect(response.body).to.equal(''),
    );
    requested('without a reason phrase (RFC 9112, 4)', 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok', (response) =>
      expect(response.body).to.equal('ok'),
    );
    requested(
      'bytes of any value (RFC 9110, 8.6)',
      `HTTP/1.1 200 OK\r\nContent-Length: 256\r\n\r\n${String.fromCharCode(...Array.from({ length: 256 }, (_, at) => at))}`,
      (response) =>
        expect([...response.body].map((each) => each.charCodeAt(0))).to.deep.equal(
          Array.from({ length: 256 }, (_, at) => at),
        ),
    );
    requested(
      'early hints before the response (RFC 8297)',
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      async (response, client) => {
        expect(response.status).to.equal(103);
        expect(response.header('link')).to.equal('</a.css>; rel=preload');
        expect((await client.response()).body).to.equal('ok');
      },
    );
    requested(
      'HTTP/1.0 clients without interim responses (RFC 9110, 15.2)',
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      (response) => expect(response.status).to.equal(200),
      { request: 'GET / HTTP/1.0\r\nHost: a\r\n\r\n' },
    );
    requested(
      'HTTP/1.0 clients without chunks (RFC 9112, 7.1)',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n5\r\npedia\r\n0\r\n\r\n',
      (response) => {
        expect(response.header('transfer-encoding')).to.equal(undefined);
        expect(response.body).to.equal('wikipedia');
      },
      { request: 'GET / HTTP/1.0\r\nHost: a\r\n\r\n' },
    );

    it('piece by piece as they come (RFC 9112, 7.1)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        backend.onRequest = (_request, socket) =>
          socket.write(
            'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata: ',
          );
        const client = rig.client();
        client.send(get('/events'));
        await until(() => client.received.includes('data: '), 'the first half event');
        backend.requests[0]?.socket.write('\r\n3\r\n1\n\n\r\n');
        await until(() => client.received.includes('1\n\n'), 'the rest of it');
        backend.requests[0]?.socket.write('0\r\n\r\n');
        expect((await client.response()).body).to.equal('data: 1\n\n');
      }));

    it('a head at once, before any body (RFC 9112, 6)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        backend.onRequest = (_request, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
        const client = rig.client();
        client.send(get('/'));
        await until(() => client.received.includes('\r\n\r\n'), 'the head');
        backend.requests[0]?.socket.write('ok');
        expect((await client.response()).body).to.equal('ok');
      }));

    it('of 5 MB intact, by length and chunked (RFC 9112, 6)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const body = '0123456789abcdef'.repeat(320_000);
        backend.onRequest = (request, socket) => {
          if (request.target === '/length')
            socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
          else {
            socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
            for (let at = 0; at < body.length; at += 70_001) {
              const piece = body.slice(at, at + 70_001);
              socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
            }
            socket.write('0\r\n\r\n');
          }
        };
        const client = rig.client();
        client.send(get('/length'));
        expect((await client.response()).body === body).to.equal(true);
        client.send(get('/chunked'));
        expect((await client.response()).body === body).to.equal(true);
      }));

    it('that come a byte at a time (RFC 9112, 2.2)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const text =
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0a;x=y\r\n0123456789\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n';
        backend.onRequest = (_request, socket) => {
          let at = 0;
          const next = () => {
            if (at === text.length) return;
            socket.write(text[at++] as string, () => setImmediate(next));
          };
          next();
        };
        const client = rig.client();
        client.send(get('/'));
        expect((await client.response()).body).to.equal('0123456789!');
      }));

    const unusable: readonly (readonly [string, string])[] = [
      ['that are no HTTP', 'SSH-2.0-OpenSSH_9\r\n\r\n'],
      [
        'with Content-Length beside chunks',
        'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['with two different Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'],
      ['with a malformed Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 3x\r\n\r\nabc'],
      ['with a NUL in a value', 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n'],
      ['with a space before a colon', 'HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n'],
      ['with a head that never ends', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`],
    ];
    for (const [name, reply] of unusable)
      requested(`502 for responses ${name} (RFC 9110, 15.6.3)`, reply, (response) => {
        expect(response.status).to.equal(502);
        expect(response.header('x-swarmgate-reason')).to.be.oneOf(['endpoint-answer-invalid', 'endpoint-unreachable']);
      });

    requested(
      '502 for an upgrade without a request for it (RFC 9110, 15.2.2)',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      (response) => expect(response.status).to.equal(502),
    );
  });
}

interface CaseOptions {
  readonly request: string;
  readonly method: string;
  readonly after: 'keep' | 'end' | 'reset';
}

type Check = (
  response: Awaited<ReturnType<import('../raw-client.ts').RawClient['response']>>,
  client: import('../raw-client.ts').RawClient,
  requests: number,
) => unknown;
