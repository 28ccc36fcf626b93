import { expect } from 'chai';
import { exchangeOf, headOf, routeOf } from '../../test/middleware-fixture.ts';
import { connectionMode } from './connection-mode.ts';

describe('connectionMode', () => {
  it('is no step for connections that are kept', () => {
    expect(connectionMode('http-keep-alive')).to.equal(undefined);
  });

  it('leaves an upgrade alone', async () => {
    const exchange = exchangeOf(routeOf(), { headers: ['Sec-WebSocket-Key', 'x'] });
    await connectionMode('httpclose')?.onRequest?.(exchange);
    expect(exchange.request.has('connection')).to.equal(false);
    const head = headOf([], 101);
    connectionMode('httpclose')?.onResponse?.(exchange, head);
    expect(head.headers.has('connection')).to.equal(false);
  });

  it('closes towards the client only where that is asked for', () => {
    const head = headOf();
    connectionMode('http-server-close')?.onResponse?.(exchangeOf(routeOf()), head);
    expect(head.headers.has('connection')).to.equal(false);
    connectionMode('httpclose')?.onResponse?.(exchangeOf(routeOf()), head);
    expect(head.headers.get('connection')).to.equal('close');
  });
});
