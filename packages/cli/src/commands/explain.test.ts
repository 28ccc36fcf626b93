import type { ExplainResponse } from '@swarmgate/proxy';
import { expect } from 'chai';
import { describeExplanation } from './explain.ts';

describe('an explanation in words', () => {
  const explained: ExplainResponse = {
    request: { method: 'GET', host: 'x.example', path: '/x%2F..%2Fadmin', port: 80, headers: {} },
    winner: null,
    byDefault: false,
    middleware: [],
    answer: { status: 400, reason: 'path-ambiguous' },
    readings: [
      {
        path: '/admin',
        encodedSlashes: 'decoded-before-dots',
        slashes: 'merged',
        parameters: 'cut',
        routes: ['manual/admin/0', 'swarm/admin/0'],
        conflict: 'destination',
      },
      {
        path: '/x/../admin',
        encodedSlashes: 'data',
        slashes: 'kept',
        parameters: 'kept',
        routes: [],
        conflict: null,
      },
    ],
    candidates: [],
    omitted: 0,
  };

  it('has a line for each reading: how it is read, where it leads, and what it is refused for', () => {
    const lines = describeExplanation(explained).split('\n');
    expect(lines).to.include('response 400 path-ambiguous');
    const rows = lines.slice(lines.findIndex((line) => line.startsWith('READ AS'))).map((line) => line.split(/ {2,}/));
    expect(rows).to.deep.equal([
      ['READ AS', '%2F', '//', ';x', 'ROUTE', 'REFUSED FOR'],
      ['/admin', 'decoded-before-dots', 'merged', 'cut', 'manual/admin/0, swarm/admin/0', 'destination'],
      ['/x/../admin', 'data', 'kept', 'kept', 'none'],
    ]);
  });

  it('shows what a client of HTTP/2 gets where that was requested', () => {
    const http2 = {
      spoken: 'alpn',
      misdirected: true,
      upstream: 'grpc',
      webSocket: 'extended-connect',
      grpc: 'passes',
      grpcWeb: true,
    } as const;
    const text = describeExplanation({ ...explained, http2 });
    for (const part of [
      'HTTP/2 spoken over TLS, by ALPN',
      '421 misdirected-request',
      'protocol to the service: grpc',
      'RFC 8441',
      'gRPC-Web',
    ])
      expect(text).to.include(part);
    const without = {
      spoken: 'off',
      misdirected: false,
      upstream: null,
      webSocket: null,
      grpc: null,
      grpcWeb: false,
    } as const;
    expect(describeExplanation({ ...explained, http2: without })).to.match(/^HTTP\/2 not spoken \(HTTP2=false\)$/m);
    expect(describeExplanation(explained)).to.not.include('HTTP/2');
  });

  describe('of a request that a route takes', () => {
    const endpoint = { id: 'a', host: '10.0.0.7', port: 80, secure: false, health: 'healthy', outstanding: 0 } as const;
    type State = NonNullable<ExplainResponse['winner']>['endpoints'][number]['state'];
    const linesWith = (states: readonly State[], answer: ExplainResponse['answer']) =>
      describeExplanation({
        ...explained,
        answer,
        winner: {
          id: 'swarm/shop/0',
          service: 'shop',
          owner: 'swarm',
          index: 0,
          origin: 'registry',
          addressesFresh: true,
          conditions: {},
          upstream: { port: 80, secure: false, protocol: 'http1' },
          endpoints: states.map((state) => ({ ...endpoint, state })),
        },
      }).split('\n');
    const none = 'no endpoint takes new requests: 503 no-endpoint';

    it('shows that no endpoint takes requests, where there is none and where all are drained', () => {
      for (const states of [[], ['draining'], ['draining', 'draining']] as const)
        expect(linesWith(states, null), states.join()).to.include(none);
      for (const states of [['active'], ['draining', 'active']] as const)
        expect(linesWith(states, null), states.join()).to.not.include(none);
    });

    it('names the response that the route or its maintenance has instead', () => {
      const lines = linesWith([], { status: 301, reason: 'redirect' });
      expect(lines).to.include('response 301 redirect').and.to.not.include(none);
    });
  });

  it('has no such lines for a path that is read in one way', () => {
    expect(describeExplanation({ ...explained, readings: [] })).to.not.include('READ AS');
  });
});
