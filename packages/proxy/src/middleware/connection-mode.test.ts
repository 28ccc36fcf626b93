import { expect } from 'chai';
import { exchangeOf, routeOf } from '../../test/middleware-fixture.ts';
import { connectionMode } from './connection-mode.ts';

describe('connectionMode', () => {
  it('is no step for connections that are kept', () => {
    expect(connectionMode('http-keep-alive')).to.equal(undefined);
  });

  it('leaves an upgrade alone', async () => {
    const exchange = { ...exchangeOf(routeOf()), upgrade: 'websocket' };
    await connectionMode('httpclose')?.onRequest?.(exchange);
    expect(exchange.request.has('connection')).to.equal(false);
    expect(exchange.closesConnection).to.equal(undefined);
  });

  it('closes towards the client only where that is requested', async () => {
    for (const [mode, closes] of [
      ['http-server-close', undefined],
      ['httpclose', true],
    ] as const) {
      const exchange = exchangeOf(routeOf());
      await connectionMode(mode)?.onRequest?.(exchange);
      expect(exchange.request.get('connection'), mode).to.equal('close');
      expect(exchange.closesConnection, mode).to.equal(closes);
    }
  });
});
