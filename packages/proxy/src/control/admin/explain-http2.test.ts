import type { Destination } from '@swarmgate/registry';
import { expect } from 'chai';
import type { Route } from '../../model/route.ts';
import { explainHttp2, upstreamProtocolOf } from './explain-http2.ts';

const routeOf = (destination: Partial<Destination>, upstreamSecure = false) =>
  ({ destination, upstreamSecure }) as unknown as Route;

describe('what is explained of a route for HTTP/2', () => {
  const protocols = [
    [{}, false, 'http1', 'upgrade', 'not-spoken'],
    [{ sslVerifyNone: true }, true, 'http1', 'upgrade', 'not-spoken'],
    [{ protocol: 'h2c' }, false, 'h2c', 'extended-connect', 'passes'],
    // Over TLS it is chosen by ALPN.
    [{ protocol: 'h2c', sslVerifyNone: true }, true, 'h2', 'extended-connect', 'passes'],
    [{ protocol: 'h2' }, true, 'h2', 'extended-connect', 'passes'],
    [{ protocol: 'grpc' }, false, 'grpc', 'extended-connect', 'passes'],
  ] as const;
  for (const [destination, secure, protocol, webSocket, grpc] of protocols)
    it(`follows the label: ${JSON.stringify(destination)}`, () => {
      const route = routeOf(destination, secure);
      expect(upstreamProtocolOf(route)).to.equal(protocol);
      expect(explainHttp2(route, false, { secure: false, isServed: true })).to.deep.equal({
        spoken: 'prior-knowledge',
        misdirected: false,
        upstream: protocol,
        webSocket,
        grpc,
        grpcWeb: false,
      });
    });

  it('explains how the entrypoint serves it, and where a connection may be for another host', () => {
    const ofEntry = (secure: boolean, isServed: boolean) => {
      const { spoken, misdirected } = explainHttp2(routeOf({}), false, { secure, isServed });
      return [spoken, misdirected];
    };
    expect(ofEntry(true, true)).to.deep.equal(['alpn', true]);
    expect(ofEntry(false, true)).to.deep.equal(['prior-knowledge', false]);
    expect(ofEntry(true, false)).to.deep.equal(['off', false]);
  });

  it('is absent for a service that no request reaches', () => {
    const nothing = { upstream: null, webSocket: null, grpc: null, grpcWeb: false };
    const entry = { secure: false, isServed: true };
    expect(explainHttp2(undefined, false, entry)).to.include(nothing);
    expect(explainHttp2(routeOf({ protocol: 'grpc', grpcWeb: true }), true, entry)).to.include(nothing);
    expect(explainHttp2(routeOf({ protocol: 'grpc', grpcWeb: true }), false, entry).grpcWeb).to.equal(true);
  });
});
