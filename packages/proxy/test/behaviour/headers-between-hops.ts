import { expect } from 'chai';
import { viaName } from '../server-rig.ts';
import { get, type Suite } from './suite.ts';

/** What crosses the proxy, and what belongs to one hop. */
export function headersBetweenHops(suite: Suite): void {
  describe('headers between hops', () => {
    it('removes hop-by-hop headers and those that Connection names, in both directions (RFC 9110, 7.6.1)', async () => {
      await suite.start();
      let received: Record<string, unknown> = {};
      const endpoint = await suite.rig.rawBackend((socket) => {
        socket.once('data', (bytes: Buffer) => {
          received = { text: bytes.toString() };
          socket.end(
            'HTTP/1.1 200 OK\r\nConnection: close, X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=9\r\nProxy-Authenticate: Basic\r\nX-Public: 2\r\nContent-Length: 2\r\n\r\nok',
          );
        });
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const reply = await suite.rig.exchange(
        'GET /a HTTP/1.1\r\nHost: h\r\nConnection: close, X-Secret, X-Forwarded-For\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: x\r\nX-Open: 2\r\n\r\n',
      );
      expect(received.text).not.to.match(/x-secret|^keep-alive: 5|^te:|proxy-/im);
      expect(received.text).to.match(/x-open: 2/i);
      expect(received.text).to.match(/x-forwarded-for: 127\.0\.0\.1/i);
      expect(reply).not.to.match(/x-private|timeout=9|proxy-authenticate/i);
      expect(reply).to.match(/x-public: 2/i);
    });

    it('appends to X-Forwarded-For and sets the others from an untrusted client', async () => {
      await suite.start();
      let headers: NodeJS.Dict<string | string[]> = {};
      const endpoint = await suite.rig.backend((request, response) => {
        headers = request.headers;
        response.end();
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      await suite.rig.exchange(
        get(
          '/a',
          'X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Request-Id: not mine\r\nForwarded: for=1.2.3.4\r\nX_Forwarded_For: 1.1.1.1\r\n',
        ),
      );
      expect(headers['x-forwarded-for']).to.equal('9.9.9.9, 127.0.0.1');
      expect(headers['x-forwarded-proto']).to.equal('http');
      expect(headers['x-forwarded-host']).to.equal('shop.example');
      expect(headers['x-forwarded-port']).to.equal(String(suite.rig.port));
      expect(headers['x-request-id']).to.match(/\S{8}/);
      expect(headers.forwarded).to.equal(undefined);
      expect(headers.x_forwarded_for).to.equal(undefined);
      expect(headers.via).to.equal(`1.1 ${viaName}`);
      expect((await suite.rig.report()).clientAddress).to.equal('127.0.0.1');
    });

    it('takes the values of a trusted proxy', async () => {
      await suite.start({ trustedProxies: ['127.0.0.0/8'] });
      let headers: NodeJS.Dict<string | string[]> = {};
      const endpoint = await suite.rig.backend((request, response) => {
        headers = request.headers;
        response.end();
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      await suite.rig.exchange(
        get(
          '/a',
          'X-Forwarded-For: 6.6.6.6, 9.9.9.9, 127.0.0.5\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\nX-Forwarded-Port: 443\r\nX-Request-Id: mine\r\n',
        ),
      );
      expect(headers['x-forwarded-for']).to.equal('6.6.6.6, 9.9.9.9, 127.0.0.5, 127.0.0.1');
      expect(headers['x-forwarded-proto']).to.equal('https');
      expect(headers['x-forwarded-host']).to.equal('shop');
      expect(headers['x-forwarded-port']).to.equal('443');
      expect(headers['x-request-id']).to.equal('mine');
      expect((await suite.rig.report()).clientAddress).to.equal('9.9.9.9');
    });

    it('sends Forwarded as configured, for untrusted clients only its own element (RFC 7239)', async () => {
      await suite.start({ writesForwarded: true });
      let forwarded: unknown;
      const endpoint = await suite.rig.backend((request, response) => {
        forwarded = request.headers.forwarded;
        response.end();
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      await suite.rig.exchange(get('/a'));
      expect(forwarded).to.equal('for=127.0.0.1;host=shop.example;proto=http');
      await suite.rig.exchange(get('/a', 'Forwarded: for=1.2.3.4\r\n'));
      expect(forwarded).to.equal('for=127.0.0.1;host=shop.example;proto=http');
      await suite.rig.exchange(get('/a').replace('shop.example', 'shop.example:80'));
      expect(forwarded).to.equal('for=127.0.0.1;host="shop.example:80";proto=http');
    });

    it('lets Forwarded of a trusted proxy grow (RFC 7239, 4)', async () => {
      await suite.start({ writesForwarded: true, trustedProxies: ['127.0.0.0/8'] });
      let forwarded: unknown;
      const endpoint = await suite.rig.backend((request, response) => {
        forwarded = request.headers.forwarded;
        response.end();
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      await suite.rig.exchange(get('/a', 'Forwarded: for=9.9.9.9;proto=https\r\nForwarded: for=8.8.8.8\r\n'));
      expect(forwarded).to.equal('for=9.9.9.9;proto=https, for=8.8.8.8, for=127.0.0.1;host=shop.example;proto=http');
    });

    it('responds with 508 to a request that has passed 16 proxies of this kind', async () => {
      await suite.start();
      const endpoint = await suite.rig.backend((_request, response) => response.end());
      suite.rig.route('a', { endpoints: [endpoint] });
      const reply = await suite.rig.exchange(get('/a', 'Swarmgate-Hops: 16\r\n'));
      expect(reply).to.match(/^HTTP\/1\.1 508 /);
      expect(reply).to.include('X-Swarmgate-Reason: loop');
    });
  });
}
