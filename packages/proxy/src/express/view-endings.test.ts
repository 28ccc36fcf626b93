import { expect } from 'chai';
import express, { type RequestHandler } from 'express';
import { get, onStage } from '../../test/conformance/suite.ts';
import { header } from '../../test/scripted-backend.ts';
import { until } from '../../test/until.ts';
import { post, withPlugins } from '../../test/with-plugins.ts';

describe('Express middleware', () => {
  describe('with a client that expects 100-continue', () => {
    const expecting =
      'POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';

    it('sends 100 where a parser reads the body, once; the endpoint gets it without the expectation', () =>
      onStage(withPlugins(express.json()), async ({ rig, backend }) => {
        const client = rig.client();
        client.send(expecting);
        expect((await client.response()).status).to.equal(100);
        expect(backend.requests).to.have.length(0);
        client.send('{}');
        expect((await client.response('POST')).status).to.equal(200);
        const [request] = backend.requests;
        expect(request?.body).to.equal('{}');
        expect(request && header(request, 'expect')).to.equal(undefined);
      }));

    it('sends no 100 for a body that is refused unread, and closes behind the response', () => {
      const refuse: RequestHandler = (_request, response) => {
        response.status(413).end('no');
      };
      return onStage(withPlugins(refuse), async ({ rig }) => {
        const client = rig.client();
        client.send(expecting);
        const response = await client.response('POST');
        expect([response.status, response.header('connection')]).to.deep.equal([413, 'close']);
        await client.end();
        expect(client.received).to.equal('');
      });
    });

    it('leaves 100 to the endpoint for a body that nothing reads', () => {
      const look: RequestHandler = (request, _response, next) => {
        request.on('close', () => undefined);
        next();
      };
      return onStage(withPlugins(look), async ({ rig, backend }) => {
        backend.onHead = (_request, socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        const client = rig.client();
        client.send(expecting);
        expect((await client.response()).status).to.equal(100);
        client.send('{}');
        expect((await client.response('POST')).status).to.equal(200);
        const [request] = backend.requests;
        expect(request && header(request, 'expect')).to.equal('100-continue');
      });
    });
  });

  for (const [what, destroy] of [
    ['its request', (request) => request.destroy()],
    ['its response', (_request, response) => response.destroy()],
    ['its socket', (request) => request.socket.destroy()],
  ] as readonly (readonly [string, (...parts: Parameters<RequestHandler>) => void])[])
    it(`destroys ${what}: the client gets a 500, or a response that is cut`, () => {
      const drop: RequestHandler = (request, response, next) => {
        if (request.path === '/begun') {
          response.write('begun');
          setImmediate(() => response.destroy());
        } else destroy(request, response, next);
      };
      return onStage(withPlugins(drop), async ({ rig }) => {
        const client = rig.client();
        client.send(get('/'));
        expect((await client.response()).status).to.equal(500);
        client.send(get('/begun'));
        await client.end();
        expect(client.error).to.equal('ECONNRESET');
      });
    });

  it('responds while it still reads: what is left of the body never comes, and that is an error', () => {
    const events: string[] = [];
    const respond: RequestHandler = (request, response) => {
      request.on('data', () => response.end('enough'));
      request.on('end', () => events.push('end'));
      request.on('error', (error: NodeJS.ErrnoException) => events.push(String(error.code)));
    };
    return onStage(withPlugins(respond), async ({ rig }) => {
      const client = rig.client();
      client.send(post('/', 'half').replace('Length: 4', 'Length: 8'));
      expect((await client.response('POST')).body).to.equal('enough');
      await until(() => events.length > 0, 'the end of the request');
      expect(events).to.deep.equal(['ECONNRESET']);
      await client.end();
    });
  });

  it('reports whether its own request was complete, whatever stands behind it on the connection', () => {
    const seen: unknown[] = [];
    const respond: RequestHandler = (request, response) => {
      request.on('close', () => seen.push([request.url, request.complete]));
      setImmediate(() => response.end(request.url));
    };
    return onStage(withPlugins(respond), async ({ rig }) => {
      const client = rig.client();
      client.send(`${get('/1')}${post('/2', 'half').replace('Length: 4', 'Length: 8')}`);
      expect((await client.response()).body).to.equal('/1');
      expect((await client.response('POST')).body).to.equal('/2');
      await until(() => seen.length === 2, 'both to be closed');
      expect(seen).to.deep.equal([
        ['/1', true],
        ['/2', false],
      ]);
    });
  });
});
