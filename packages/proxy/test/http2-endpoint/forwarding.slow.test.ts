import { expect } from 'chai';
import { startRig } from '../server-rig.ts';
import { tinyRoute } from '../test-context.ts';
import { until } from '../until.ts';
import { type ClientRequest, type ClientResponse, everyClient } from './every-client.ts';
import { type Act, type ForeignEndpoint, type SeenRequest, startEndpoint } from './foreign-endpoint.ts';

interface Case {
  readonly name: string;
  readonly request: ClientRequest;
  readonly onHead?: Act;
  readonly onRequest?: Act;
  readonly endpoint?: (seen: SeenRequest) => void;
  readonly client: (response: ClientResponse) => void;
}

const ok = (response: ClientResponse, body: string) => {
  expect(response.broken).to.equal(false);
  expect([response.status, response.body]).to.deep.equal([200, body]);
};
/** Every place holds other bytes: a buffer that is read into again too early shows. */
const large = Array.from({ length: 300_000 }, (_, at) => String(at).padStart(7, '0')).join('');

const cases: readonly Case[] = [
  {
    name: 'a GET with its query',
    request: { path: '/a%2Fb?c=d' },
    endpoint: ({ headers }) => {
      expect([headers[':method'], headers[':path'], headers[':scheme']]).to.deep.equal(['GET', '/a%2Fb?c=d', 'http']);
      expect(headers[':authority']).to.equal('a.test');
      expect(headers.host).to.equal(undefined);
      expect(headers['x-forwarded-for']).to.equal('127.0.0.1');
      expect(headers['x-forwarded-host']).to.equal('a.test');
      expect(headers['swarmgate-hops']).to.equal('1');
    },
    client: (response) => ok(response, 'GET /a%2Fb?c=d'),
  },
  {
    name: 'TE: trailers, of a client that takes them',
    request: { headers: { te: 'trailers' } },
    endpoint: ({ headers }) => expect(headers.te).to.equal('trailers'),
    client: (response) => ok(response, 'GET /'),
  },
  {
    name: 'no TE of a client that says nothing',
    request: {},
    endpoint: ({ headers }) => expect(headers.te).to.equal(undefined),
    client: (response) => ok(response, 'GET /'),
  },
  {
    name: 'HEAD',
    request: { method: 'HEAD' },
    onRequest: (stream) => stream.respond({ ':status': 200, 'content-length': 5 }, { endStream: true }),
    client: (response) => {
      ok(response, '');
      expect(response.headers['content-length']).to.equal('5');
    },
  },
  {
    name: 'a body with a length',
    request: { method: 'PUT', headers: { 'content-length': '5' }, body: ['hello'] },
    endpoint: ({ headers, body }) => expect([headers['content-length'], body]).to.deep.equal(['5', 'hello']),
    client: (response) => ok(response, 'PUT /'),
  },
  {
    name: 'a body without a length, in pieces, with trailers',
    request: { method: 'POST', body: ['one ', 'two'], trailers: { 'x-sum': '7' } },
    endpoint: ({ headers, body, trailers }) => {
      expect(headers['transfer-encoding']).to.equal(undefined);
      expect([body, trailers['x-sum']]).to.deep.equal(['one two', '7']);
    },
    client: (response) => ok(response, 'POST /'),
  },
  {
    name: 'a body that exceeds every window',
    request: { method: 'POST', body: [large] },
    endpoint: ({ body }) => expect(body === large).to.equal(true),
    client: (response) => ok(response, 'POST /'),
  },
  {
    name: 'a response that exceeds every window',
    request: {},
    onRequest: (stream) => {
      stream.respond({ ':status': 200 });
      stream.end(large);
    },
    client: ({ status, body }) => expect([status, body === large]).to.deep.equal([200, true]),
  },
  {
    name: 'a response with a length',
    request: {},
    onRequest: (stream) => {
      stream.respond({ ':status': 201, 'content-length': 3, 'set-cookie': ['a=b', 'c=d'], 'x-mixed': 'Yes' });
      stream.end('abc');
    },
    client: ({ status, headers, body }) => {
      expect([status, body, headers['content-length'], headers['x-mixed']]).to.deep.equal([201, 'abc', '3', 'Yes']);
      expect(headers['set-cookie']).to.deep.equal(['a=b', 'c=d']);
    },
  },
  {
    name: 'an empty response without a length',
    request: {},
    onRequest: (stream) => stream.respond({ ':status': 404 }, { endStream: true }),
    client: ({ status, body, broken }) => expect([status, body, broken]).to.deep.equal([404, '', false]),
  },
  {
    name: '204',
    request: { method: 'DELETE' },
    onRequest: (stream) => stream.respond({ ':status': 204 }, { endStream: true }),
    client: ({ status, body, broken }) => expect([status, body, broken]).to.deep.equal([204, '', false]),
  },
  {
    name: 'trailers of the response',
    request: {},
    onRequest: (stream) => {
      stream.respond({ ':status': 200, trailer: 'x-sum' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '3' }));
      stream.end('abc');
    },
    client: (response) => {
      ok(response, 'abc');
      expect(response.trailers['x-sum']).to.equal('3');
      expect(response.headers.trailer).to.equal('x-sum');
    },
  },
  {
    name: '103 before the response',
    request: {},
    onRequest: (stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>; rel=preload' });
      stream.respond({ ':status': 200 });
      stream.end('late');
    },
    client: (response) => {
      ok(response, 'late');
      expect(response.interims).to.deep.equal([103]);
    },
  },
  {
    name: 'a response before the request has ended',
    request: { method: 'POST', headers: { 'content-length': String(large.length) }, body: [large] },
    onHead: (stream) => {
      stream.respond({ ':status': 413 });
      stream.end('too much');
    },
    onRequest: () => undefined,
    client: ({ status }) => expect(status).to.equal(413),
  },
  {
    name: 'a stream that the endpoint resets before it responds',
    request: { method: 'POST', body: ['x'] },
    onRequest: (stream) => stream.close(2),
    client: ({ status, headers }) =>
      expect([status, headers['x-swarmgate-reason']]).to.deep.equal([502, 'endpoint-unreachable']),
  },
  {
    name: 'a response that breaks off',
    request: {},
    onRequest: (stream) => {
      stream.respond({ ':status': 200, 'content-length': 10 });
      stream.write('abc', () => stream.close(2));
    },
    client: ({ status, broken }) => expect([status, broken]).to.deep.equal([200, true]),
  },
];

for (const { name: clientName, make, send } of everyClient)
  describe(`an HTTP/2 endpoint, over ${clientName}`, () => {
    let foreign: ForeignEndpoint;
    beforeEach(async () => {
      foreign = await startEndpoint();
    });
    afterEach(() => foreign.stop());

    for (const each of cases)
      it(`gets ${each.name}`, async () => {
        if (each.onHead !== undefined) foreign.onHead = each.onHead;
        if (each.onRequest !== undefined) foreign.onRequest = each.onRequest;
        const route = { ...tinyRoute(), upstreamHttp2: true as const };
        const rig = await startRig(make, { endpoints: [foreign.endpoint], routeOf: () => route });
        try {
          const response = await send(rig, each.request);
          each.client(response);
          const [seen] = foreign.seen;
          if (seen === undefined) throw new Error('the endpoint was not queried');
          each.endpoint?.(seen);
          await until(() => rig.context.reports.length === 1, 'the access record');
          await until(() => rig.context.outstanding === 0, 'the end of the exchange');
        } finally {
          await rig.stop();
        }
      });

    it('gets many requests over one connection', async () => {
      const rig = await startRig(make, { endpoints: [foreign.endpoint] });
      const responses = await Promise.all(
        Array.from({ length: 40 }, (_, at) => send(rig, { path: `/${at}`, method: 'POST', body: [`${at}`] })),
      );
      for (const [at, { body }] of responses.entries()) expect(body).to.equal(`POST /${at}`);
      expect(foreign.connections).to.equal(1);
      await rig.stop();
    });
  });
