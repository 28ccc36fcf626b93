import { expect } from 'chai';
import { get, type Suite } from './suite.ts';

/** Steps of a route change an exchange, or response instead of the endpoint. */
export function middleware(suite: Suite): void {
  describe('middleware', () => {
    beforeEach(() => suite.start());

    it('lets steps change path and headers, and response instead of the endpoint', async () => {
      let seen = '';
      const endpoint = await suite.rig.backend((request, response) => {
        seen = `${request.url} ${request.headers['x-added']}`;
        response.end('endpoint');
      });
      suite.rig.route('a', {
        endpoints: [endpoint],
        middleware: [
          {
            name: 'rewrite',
            onRequest: async (exchange) => {
              exchange.path = '/rewritten';
              exchange.request.set('X-Added', 'yes');
              return { kind: 'continue' };
            },
            onResponse: (_exchange, response) => response.headers.set('X-Seen', String(response.status)),
          },
        ],
      });
      suite.rig.route('denied', {
        middleware: [
          {
            name: 'deny',
            onRequest: () => ({ kind: 'respond', response: { status: 403, reason: 'method-denied', body: 'no\n' } }),
          },
        ],
      });
      expect(await suite.rig.exchange(get('/a/b?q=1'))).to.match(/X-Seen: 200[\s\S]*endpoint/);
      expect(seen).to.equal('/rewritten?q=1 yes');
      const denied = await suite.rig.exchange(get('/denied'));
      expect(denied).to.match(/^HTTP\/1\.1 403 [\s\S]*X-Swarmgate-Reason: method-denied/);
    });

    it('redirects by name and keeps scheme, port, path and query', async () => {
      suite.rig.route('old', { redirectToHost: 'new.example' });
      const reply = await suite.rig.exchange(
        'GET /old/x?y=1 HTTP/1.1\r\nHost: old.example:8000\r\nConnection: close\r\n\r\n',
      );
      expect(reply).to.match(/^HTTP\/1\.1 301 /);
      expect(reply).to.include('Location: http://new.example:8000/old/x?y=1');
    });
  });
}
