import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { expect } from 'chai';
import express, { type RequestHandler } from 'express';
import { get, onStage } from '../../test/conformance/suite.ts';
import { header, responding } from '../../test/scripted-backend.ts';
import { until } from '../../test/until.ts';
import { post, withPlugins } from '../../test/with-plugins.ts';

describe('Express middleware on an exchange', () => {
  it('changes what the endpoint gets: headers set, changed and removed, the path and the query', () => {
    const change: RequestHandler = (request, _response, next) => {
      request.headers['x-new'] = 'made';
      request.headers['x-sent'] = 'changed';
      delete request.headers['x-secret'];
      request.url = '/other?b=2';
      next();
    };
    return onStage(withPlugins(change), async ({ rig, backend }) => {
      const client = rig.client();
      client.send(get('/first?a=1', 'X-Sent: as it was\r\nX-Secret: s\r\nX-Kept: k\r\n'));
      expect((await client.response()).body).to.equal('GET /other?b=2');
      const [request] = backend.requests;
      if (request === undefined) throw new Error('no request');
      expect(header(request, 'x-new')).to.equal('made');
      expect(header(request, 'x-sent')).to.equal('changed');
      expect(header(request, 'x-secret')).to.equal(undefined);
      expect(header(request, 'x-kept')).to.equal('k');
    });
  });

  it('adds headers to what the endpoint sends, whose own win', () => {
    const add: RequestHandler = (_request, response, next) => {
      response.setHeader('X-Frame-Options', 'DENY');
      response.setHeader('Content-Type', 'text/html');
      next();
    };
    return onStage(withPlugins(add), async ({ rig }) => {
      const client = rig.client();
      client.send(get('/'));
      const response = await client.response();
      expect(response.header('x-frame-options')).to.equal('DENY');
      expect(response.header('content-type')).to.equal('text/plain');
    });
  });

  for (const [what, text] of [
    ['a body of a known length', 'Content-Length: 4\r\n\r\nbody'],
    ['chunks with trailers', 'Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n'],
    ['chunks without them', 'Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n'],
  ] as const)
    it(`changes a response that announces trailers: ${what}`, () => {
      const add: RequestHandler = (_request, response, next) => {
        response.setHeader('X-Frame-Options', 'DENY');
        next();
      };
      return onStage(withPlugins(add), async ({ rig, backend }) => {
        backend.onRequest = responding(`HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n${text}`);
        const client = rig.client();
        client.send(get('/'));
        const response = await client.response();
        expect([response.status, response.body, response.header('x-frame-options')]).to.deep.equal([
          200,
          'body',
          'DENY',
        ]);
        expect(response.trailers.trim()).to.equal(what === 'chunks with trailers' ? 'X-Sum: 42' : '');
      });
    });

  for (const event of ['finish', 'close'] as const)
    it(`throws in a listener for ${event} of its response: that is logged, and the next request is served`, () => {
      let thrown = 0;
      const respond: RequestHandler = (request, response) => {
        if (request.url === '/broken')
          response.once(event, () => {
            thrown += 1;
            throw new Error('broken');
          });
        response.end('by itself');
      };
      return onStage(withPlugins(respond), async ({ rig }) => {
        const client = rig.client();
        client.send(get('/broken'));
        expect((await client.response()).body).to.equal('by itself');
        await until(() => thrown === 1, 'the listener to be called');
        const other = rig.client();
        other.send(get('/'));
        expect((await other.response()).body).to.equal('by itself');
        expect(rig.context.reports.map(({ status }) => status)).to.deep.equal([200, 200]);
      });
    });

  it('throws in the callback of a write or an end: the same', () => {
    const called: string[] = [];
    const breaks = (name: string) => () => {
      called.push(name);
      throw new Error('broken');
    };
    const respond: RequestHandler = (_request, response) => {
      response.write('by ', breaks('write'));
      response.end('itself', breaks('end'));
    };
    return onStage(withPlugins(respond), async ({ rig }) => {
      for (let at = 0; at < 2; at += 1) {
        const client = rig.client();
        client.send(get('/'));
        expect((await client.response()).body).to.equal('by itself');
      }
      await until(() => called.length === 4, 'the callbacks to be called');
      expect(rig.context.reports.map(({ status }) => status)).to.deep.equal([200, 200]);
    });
  });

  it('responds by itself, and the connection goes on', () => {
    const respond: RequestHandler = (request, response, next) => {
      if (request.path === '/json') response.status(201).json({ ip: request.ip, query: request.url });
      else if (request.path === '/redirect') response.redirect('/json');
      else next();
    };
    return onStage(withPlugins(respond), async ({ rig, backend }) => {
      const client = rig.client();
      client.send(get('/json?x=1'));
      const json = await client.response();
      expect(json.status).to.equal(201);
      expect(JSON.parse(json.body)).to.deep.equal({ ip: '127.0.0.1', query: '/json?x=1' });
      client.send(get('/redirect'));
      const redirect = await client.response();
      expect(redirect.status).to.equal(302);
      expect(redirect.header('location')).to.equal('/json');
      client.send(get('/forwarded'));
      expect((await client.response()).body).to.equal('GET /forwarded');
      expect(backend.requests).to.have.length(1);
      expect(rig.context.reports.map(({ status }) => status)).to.deep.equal([201, 302, 200]);
    });
  });

  it('reads a body that the endpoint gets all the same', () => {
    let parsed: unknown;
    const read: RequestHandler = (request, _response, next) => {
      parsed = request.body;
      next();
    };
    return onStage(withPlugins(express.json(), read), async ({ rig, backend }) => {
      const client = rig.client();
      const body = JSON.stringify({ a: 'ä', list: [1, 2] });
      client.send(Buffer.from(post('/', body, 'Content-Type: application/json\r\n')).toString('latin1'));
      expect((await client.response('POST')).status).to.equal(200);
      expect(parsed).to.deep.equal({ a: 'ä', list: [1, 2] });
      expect(Buffer.from(backend.requests[0]?.body ?? '', 'latin1').toString()).to.equal(body);
    });
  });

  it('replaces write and end, and so changes a body that streams through it', () => {
    const upper: RequestHandler = (_request, response, next) => {
      const stream = new Transform({
        transform(bytes: Buffer, _encoding, done) {
          done(null, bytes.toString('latin1').toUpperCase());
        },
      });
      const write = response.write.bind(response);
      const end = response.end.bind(response);
      const writeHead = response.writeHead.bind(response);
      response.writeHead = ((status: number) => {
        response.removeHeader('Content-Length');
        return writeHead(status);
      }) as typeof response.writeHead;
      response.write = ((bytes: Buffer) => stream.write(bytes)) as typeof response.write;
      response.end = ((bytes?: Buffer) => {
        stream.end(bytes);
        return response;
      }) as typeof response.end;
      stream.on('data', (bytes: Buffer) => {
        if (!write(bytes)) stream.pause();
      });
      response.on('drain', () => stream.resume());
      stream.on('end', () => end());
      next();
    };
    return onStage(withPlugins(upper), async ({ rig }) => {
      const client = rig.client();
      client.send(get('/streamed'));
      const response = await client.response();
      expect(response.chunked).to.equal(true);
      expect(response.body).to.equal('GET /STREAMED');
      client.send(get('/next'));
      expect((await client.response()).body).to.equal('GET /NEXT');
    });
  });

  it('streams a large response with backpressure, whole and in order', () => {
    const size = 8 * 1024 * 1024;
    const stream: RequestHandler = (_request, response) => {
      const bytes = Buffer.alloc(64 * 1024, 'x');
      let left = size;
      response.setHeader('Content-Length', size);
      const more = () => {
        while (left > 0) {
          left -= bytes.length;
          if (left === 0) response.end(bytes);
          else if (!response.write(bytes)) {
            response.once('drain', more);
            return;
          }
        }
      };
      more();
    };
    return onStage(withPlugins(stream), async ({ rig }) => {
      const client = rig.client();
      client.send(get('/'));
      const { body } = await client.response();
      expect(createHash('sha256').update(body).digest('hex')).to.equal(
        createHash('sha256').update('x'.repeat(size)).digest('hex'),
      );
    });
  });

  for (const [how, plugin] of [
    [
      'throws',
      (() => {
        throw new Error('broken');
      }) as RequestHandler,
    ],
    ['rejects', (async () => Promise.reject(new Error('broken'))) as RequestHandler],
    ['passes an error on', ((_request, _response, next) => next(new Error('broken'))) as RequestHandler],
  ] as const)
    it(`costs its own request where it ${how}`, () => {
      const sometimes: RequestHandler = (request, response, next) =>
        request.path === '/bad' ? plugin(request, response, next) : next();
      return onStage(withPlugins(sometimes), async ({ rig, backend }) => {
        const client = rig.client();
        client.send(get('/bad'));
        expect((await client.response()).status).to.equal(500);
        client.send(get('/good'));
        expect((await client.response()).status).to.equal(200);
        expect(backend.requests).to.have.length(1);
      });
    });

  it('cannot send a body of another length than it announced', () => {
    const lie: RequestHandler = (_request, response) => {
      response.setHeader('Content-Length', 5);
      response.write('hello, and HTTP/1.1 200 OK');
      response.end();
    };
    return onStage(withPlugins(lie), async ({ rig }) => {
      const client = rig.client();
      client.send(get('/'));
      expect((await client.response()).status).to.equal(500);
    });
  });

  it('is over with its exchange when the client leaves', () => {
    const closed: string[] = [];
    let waiting = false;
    const wait: RequestHandler = (request, response) => {
      waiting = true;
      request.on('close', () => closed.push('request'));
      response.on('close', () => closed.push('response'));
    };
    return onStage(withPlugins(wait), async ({ rig }) => {
      const client = rig.client();
      client.send(get('/'));
      await until(() => waiting, 'the request');
      client.destroy();
      await until(() => closed.length === 2, 'both to be closed');
      expect(rig.context.reports.map(({ status }) => status)).to.deep.equal([499]);
    });
  });

  it('replaces write by a function that returns nothing: the response goes on', () => {
    const quiet: RequestHandler = (_request, response, next) => {
      const write = response.write.bind(response);
      response.write = ((bytes: Buffer) => {
        write(bytes);
      }) as typeof response.write;
      next();
    };
    return onStage(withPlugins(quiet), async ({ rig, backend }) => {
      const part = 'x'.repeat(100_000);
      backend.onRequest = (_request, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n${part}`);
        setImmediate(() => socket.write(part, () => socket.write(part)));
      };
      const client = rig.client();
      client.send(get('/'));
      expect((await client.response()).body).to.have.length(300_000);
    });
  });

  it('runs before a tunnel', () => {
    const mark: RequestHandler = (request, _response, next) => {
      request.headers['x-user'] = 'jane';
      next();
    };
    return onStage(withPlugins(mark), async ({ rig, backend }) => {
      backend.onRequest = responding(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nhi',
      );
      const client = rig.client();
      client.send(get('/', 'Connection: Upgrade\r\nUpgrade: chat\r\n'));
      await until(() => client.received.endsWith('\r\n\r\nhi'), 'the greeting');
      const [request] = backend.requests;
      expect(request && header(request, 'x-user')).to.equal('jane');
    });
  });
});
