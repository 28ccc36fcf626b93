import { expect } from 'chai';
import { endpoint, exchangeOf, headOf, overTls, routeOf } from '../../test/middleware-fixture.ts';
import { stickyToken } from '../endpoints/balancing/sticky-token.ts';
import { stickyCookie } from './sticky-cookie.ts';

const step = stickyCookie('go-demo');
const token = stickyToken(endpoint);

describe('stickyCookie', () => {
  it('names the task that answered, and nothing about its address', () => {
    const head = headOf();
    step.onResponse?.(exchangeOf(routeOf()), head);
    expect(head.headers.get('set-cookie')).to.equal(`go-demo=${token}; Path=/; HttpOnly; SameSite=Lax`);
    expect(head.headers.get('cache-control')).to.equal('private');
    expect(token).to.not.match(/10\.0\.1\.5|task-1/);
  });

  it('asks for that task again, and hides the cookie from it', async () => {
    const exchange = exchangeOf(routeOf(), { headers: ['Cookie', `a=b; go-demo=${token}`, 'Cookie', 'c=d'] });
    await step.onRequest?.(exchange);
    expect(exchange.stickTo).to.equal(token);
    expect(exchange.request.flat).to.deep.equal(['Cookie', 'a=b; c=d']);
    const head = headOf();
    step.onResponse?.(exchange, head);
    expect(head.headers.has('set-cookie')).to.equal(false);
  });

  it('is set again when another task responded', async () => {
    const exchange = exchangeOf(routeOf(), { headers: ['Cookie', 'go-demo=gone'], client: overTls });
    await step.onRequest?.(exchange);
    expect(exchange.request.has('cookie')).to.equal(false);
    const head = headOf(['Cache-Control', 'no-store']);
    step.onResponse?.(exchange, head);
    expect(head.headers.get('set-cookie')).to.include(token).and.include('; Secure');
    expect(head.headers.get('cache-control')).to.equal('no-store');
  });

  it('takes no other cookie for its own', async () => {
    const exchange = exchangeOf(routeOf(), { headers: ['Cookie', 'my-go-demo=x'] });
    await step.onRequest?.(exchange);
    expect(exchange.stickTo).to.equal(undefined);
    expect(exchange.request.flat).to.deep.equal(['Cookie', 'my-go-demo=x']);
  });
});
