import { expect } from 'chai';
import { header, requestsArrived } from '../scripted-backend.ts';
import type { MakeServer } from '../server-rig.ts';
import { until } from '../until.ts';
import { get, onStage } from './suite.ts';

/** How requests cross. */
export function requests(makeServer: MakeServer): void {
  describe('forwards', () => {
    it('method, path and query as sent (RFC 9112, 3)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(get('/a/b?c=d&e=%2f/../f'));
        expect((await client.response()).body).to.equal('GET /a/b?c=d&e=%2f/../f');
        expect(backend.requests[0]?.version).to.equal('HTTP/1.1');
      }));

    it('a path with its dot segments resolved, and what remains as sent (RFC 3986, 5.2.4)', () =>
      onStage(makeServer, async ({ rig }) => {
        const client = rig.client();
        client.send(get('/a/./b//c/../%64?q=//'));
        expect((await client.response()).body).to.equal('GET /a/b/%64?q=//');
      }));

    it('names and order of fields as sent (RFC 9110, 5.3)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(get('/', 'X-Zeta: 1\r\nx-alpha:2\r\nX-Zeta:  3  \r\naccept: */*\r\n'));
        await client.response();
        const sent = backend.requests[0]?.headers.slice(0, 10);
        expect(sent).to.deep.equal([
          'Host',
          'a.example',
          'X-Zeta',
          '1',
          'x-alpha',
          '2',
          'X-Zeta',
          '3',
          'accept',
          '*/*',
        ]);
      }));

    it('bytes beyond ASCII in a value (RFC 9110, 5.5)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(get('/', 'X: caf\xe9\r\n'));
        await client.response();
        expect(header(backend.requests[0] ?? { headers: [] }, 'x')).to.equal('caf\xe9');
      }));

    it('an empty value (RFC 9110, 5.5)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(get('/', 'X:\r\nY: \t \r\n'));
        await client.response();
        expect(header(backend.requests[0] ?? { headers: [] }, 'x')).to.equal('');
        expect(header(backend.requests[0] ?? { headers: [] }, 'y')).to.equal('');
      }));

    it('no hop-by-hop fields, nor those that Connection names (RFC 9110, 7.6.1)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(
          get(
            '/',
            'Connection: keep-alive, X-Secret\r\nX-Secret: s\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: trailers\r\nProxy-Authorization: p\r\nX-Kept: k\r\n',
          ),
        );
        await client.response();
        const names =
          backend.requests[0]?.headers.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()) ?? [];
        expect(names).to.include('x-kept');
        for (const gone of ['x-secret', 'keep-alive', 'proxy-connection', 'te', 'proxy-authorization'])
          expect(names).not.to.include(gone);
      }));

    it('its own fields although Connection names them (RFC 9110, 7.6.1)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(get('/', 'Connection: X-Forwarded-For, Host, Via, X-Request-Id\r\nX-Forwarded-For: 6.6.6.6\r\n'));
        await client.response();
        const request = backend.requests[0] ?? { headers: [] };
        expect(header(request, 'host')).to.equal('a.example');
        expect(header(request, 'x-forwarded-for')).to.match(/127\.0\.0\.1$/);
        expect(header(request, 'via')).to.equal('1.1 swarmgate-test');
        expect(header(request, 'x-request-id')).to.match(/^id-/);
      }));

    it('X-Forwarded-For grown by the client, the others set (RFC 7239 on what they replace)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(get('/', 'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n'));
        await client.response();
        const request = backend.requests[0] ?? { headers: [] };
        expect(header(request, 'x-forwarded-for')).to.equal('1.2.3.4, 127.0.0.1');
        expect(header(request, 'x-forwarded-proto')).to.equal('http');
        expect(header(request, 'x-forwarded-host')).to.equal('a.example');
        expect(header(request, 'x-forwarded-port')).to.equal('80');
      }));

    it('what a trusted hop sent (RFC 7239 on what it replaces)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          client.send(get('/', 'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Request-Id: mine\r\n'));
          await client.response();
          const request = backend.requests[0] ?? { headers: [] };
          expect(header(request, 'x-forwarded-proto')).to.equal('https');
          expect(header(request, 'x-request-id')).to.equal('mine');
          await until(() => rig.context.reports.length === 1, 'the report');
          expect(rig.context.reports[0]?.clientAddress).to.equal('1.2.3.4');
        },
        { trusted: ['127.0.0.0/8'] },
      ));

    it('no underscore spelling of its own fields (RFC 9110, 5.1 and CGI)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(get('/', 'X_Forwarded_For: 6.6.6.6\r\nContent_Length: 5\r\nX_Other: kept\r\n'));
        await client.response();
        const request = backend.requests[0] ?? { headers: [] };
        expect(header(request, 'x_forwarded_for')).to.equal(undefined);
        expect(header(request, 'content_length')).to.equal(undefined);
        expect(header(request, 'x_other')).to.equal('kept');
      }));

    it('nothing that has passed 16 proxies of this kind before', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(get('/', 'Swarmgate-Hops: 16\r\n'));
        const response = await client.response();
        expect(response.status).to.equal(508);
        expect(response.header('x-swarmgate-reason')).to.equal('loop');
        expect(backend.requests).to.have.length(0);
      }));

    it('a body by Content-Length (RFC 9112, 6.2)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
        await client.response();
        expect(backend.requests[0]?.body).to.equal('hello');
        expect(header(backend.requests[0] ?? { headers: [] }, 'content-length')).to.equal('5');
      }));

    it('a body that comes in many pieces (RFC 9112, 6.2)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        await client.sendInPieces(['POST /p HTTP/1.1\r\nHost: a\r\nContent-Le', 'ngth: 9\r\n\r\nhel', 'lo w', 'or']);
        await client.response('POST');
        expect(backend.requests[0]?.body).to.equal('hello wor');
      }));

    it('a body of 3 MB intact (RFC 9112, 6.2)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const body = 'abcdefghijklmnop'.repeat(200_000);
        const client = rig.client();
        client.send(`PUT /big HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        await client.response('PUT');
        expect(backend.requests[0]?.body === body).to.equal(true);
      }));

    it('a chunked body as chunked (RFC 9112, 7.1)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        await client.sendInPieces([
          'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n4\r\nwi',
          'ki\r\n',
          '5;ext=1\r\npedia\r\n0\r',
          '\n\r\n',
        ]);
        await client.response('POST');
        const request = backend.requests[0];
        expect(request?.body).to.equal('wikipedia');
        expect(header(request ?? { headers: [] }, 'transfer-encoding')).to.equal('chunked');
        expect(header(request ?? { headers: [] }, 'content-length')).to.equal(undefined);
        expect(backend.received).not.to.include('ext=1');
      }));

    it('trailers, but none that would change framing (RFC 9110, 6.5.1)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(
          'POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n',
        );
        await client.response('POST');
        expect(backend.requests[0]?.trailers).to.match(/^X-Sum: 7\r\n/i);
      }));

    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      it(`the method ${method} (RFC 9110, 9)`, () =>
        onStage(makeServer, async ({ rig }) => {
          const client = rig.client();
          client.send(`${method} /m HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
          expect((await client.response(method)).body).to.equal(`${method} /m`);
        }));
    }

    it('a head that comes byte by byte (RFC 9112, 2.2)', () =>
      onStage(makeServer, async ({ rig }) => {
        const client = rig.client();
        await client.sendInPieces([...get('/slow')]);
        expect((await client.response()).body).to.equal('GET /slow');
      }));

    it('a request behind an empty line (RFC 9112, 2.2)', () =>
      onStage(makeServer, async ({ rig }) => {
        const client = rig.client();
        client.send(`\r\n${get('/a')}`);
        expect((await client.response()).body).to.equal('GET /a');
      }));

    it('an absolute-form target under its own authority (RFC 9112, 3.2.2)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send('GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n');
        expect((await client.response()).body).to.equal('GET /x');
        expect(header(backend.requests[0] ?? { headers: [] }, 'host')).to.equal('b.example');
      }));

    it('OPTIONS * (RFC 9112, 3.2.4)', () =>
      onStage(makeServer, async ({ rig }) => {
        const client = rig.client();
        client.send('OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
        expect((await client.response('OPTIONS')).body).to.equal('OPTIONS *');
      }));

    it('HTTP/1.0 without Host (RFC 9112, 3.2)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send('GET /old HTTP/1.0\r\n\r\n');
        expect((await client.response()).body).to.equal('GET /old');
        await client.end();
        expect(backend.requests[0]?.version).to.equal('HTTP/1.1');
      }));

    it('CONNECT is not forwarded (RFC 9110, 9.3.6)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send('CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n');
        expect((await client.response()).status).to.equal(501);
        expect(backend.requests).to.have.length(0);
      }));

    it('Expect: 100-continue end to end (RFC 9110, 10.1.1)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        backend.onHead = (_request, socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        const client = rig.client();
        client.send('POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
        expect((await client.response()).status).to.equal(100);
        client.send('hello');
        expect((await client.response('POST')).status).to.equal(200);
        expect(backend.requests[0]?.body).to.equal('hello');
      }));

    it('a refused expectation without its body (RFC 9110, 10.1.1)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        backend.onHead = (_request, socket) => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
        const client = rig.client();
        client.send('POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
        expect((await client.response('POST')).status).to.equal(413);
        await requestsArrived(backend, 0);
      }));
  });
}
