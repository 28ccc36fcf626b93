import { expect } from 'chai';
import { endpoint, exchangeOf, headOf, overTls, routeOf } from '../../test/middleware-fixture.ts';
import { stickyToken } from '../endpoints/balancing/sticky-token.ts';
import { stickyCookie } from './sticky-cookie.ts';

const step = stickyCookie('go-demo');
const token = stickyToken(endpoint);

describe('stickyCookie', () => {
  it('names the task that responded, and nothing about its address', () => {
    const head = headOf();
    step.onResponse?.(exchangeOf(routeOf()), head);
    expect(head.headers.get('set-cookie')).to.equal(`go-demo=swarmgate.${token}; Path=/; HttpOnly; SameSite=Lax`);
    expect(head.headers.get('cache-control')).to.equal('private');
    expect(token).to.not.match(/10\.0\.1\.5|task-1/);
  });

  it('has the attributes of its label, and Secure once', () => {
    const own = stickyCookie('go-demo', 'Path=/a; SameSite=None; Secure');
    for (const client of [undefined, overTls]) {
      const head = headOf();
      own.onResponse?.(exchangeOf(routeOf(), client === undefined ? {} : { client }), head);
      expect(head.headers.get('set-cookie')).to.equal(`go-demo=swarmgate.${token}; Path=/a; SameSite=None; Secure`);
    }
    const plain = stickyCookie('go-demo', 'Path=/; Max-Age=60');
    const head = headOf();
    plain.onResponse?.(exchangeOf(routeOf(), { client: overTls }), head);
    expect(head.headers.get('set-cookie')).to.equal(`go-demo=swarmgate.${token}; Path=/; Max-Age=60; Secure`);
  });

  it('prefers that task again, and hides the cookie from it', async () => {
    const exchange = exchangeOf(routeOf(), { headers: ['Cookie', `a=b; go-demo=swarmgate.${token}`, 'Cookie', 'c=d'] });
    await step.onRequest?.(exchange);
    expect(exchange.stickTo).to.equal(token);
    expect(exchange.request.flat).to.deep.equal(['Cookie', 'a=b; c=d']);
    const head = headOf();
    step.onResponse?.(exchange, head);
    expect(head.headers.has('set-cookie')).to.equal(false);
  });

  it('is set again when another task responded', async () => {
    const exchange = exchangeOf(routeOf(), { headers: ['Cookie', 'go-demo=swarmgate.gone'], client: overTls });
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

  for (const name of ['swarmgate_session', '__Host-swarmgate_session'])
    it(`takes no place of the console's session: ${name}`, async () => {
      const reserved = stickyCookie(name);
      const exchange = exchangeOf(routeOf(), { headers: ['Cookie', `${name}-swarmgate=swarmgate.${token}`] });
      await reserved.onRequest?.(exchange);
      expect(exchange.stickTo).to.equal(token);
      const head = headOf();
      reserved.onResponse?.(exchangeOf(routeOf()), head);
      expect(head.headers.get('set-cookie')).to.match(new RegExp(`^${name}-swarmgate=swarmgate`));
    });

  // [what it shows, Cookie of the request, Set-Cookie of the response, token requested, Cookie for the service, name set]
  const cases: readonly [string, string, string[], string | undefined, string | undefined, string | undefined][] = [
    ['nothing sent', '', [], undefined, undefined, 'go-demo'],
    ['ours', 'go-demo=OURS', [], token, undefined, undefined],
    ['ours twice', 'go-demo=OURS; a=b; go-demo=OURS', [], token, 'a=b', undefined],
    [
      'the service’s of the same name',
      'go-demo=1234567890abcdef',
      [],
      undefined,
      'go-demo=1234567890abcdef',
      'go-demo-swarmgate',
    ],
    ['the service’s beside ours', 'go-demo=abc; go-demo-swarmgate=OURS', [], token, 'go-demo=abc', undefined],
    ['both under one name, of two paths', 'go-demo=abc; go-demo=OURS', [], token, 'go-demo=abc', undefined],
    [
      'ours under both names: the first counts',
      'go-demo-swarmgate=swarmgate.old; go-demo=OURS',
      [],
      token,
      undefined,
      undefined,
    ],
    ['the service sets one of this name', '', ['go-demo=abc; Path=/'], undefined, undefined, 'go-demo-swarmgate'],
    ['the service replaces ours', 'go-demo=OURS', ['go-demo=abc'], token, undefined, 'go-demo-swarmgate'],
    [
      'the service deletes one of this name',
      'go-demo=abc; go-demo-swarmgate=OURS',
      ['go-demo=; Max-Age=0'],
      token,
      'go-demo=abc',
      'go-demo-swarmgate',
    ],
    ['the service sets another one', 'go-demo=OURS', ['other=abc', 'go-demo2=abc'], token, undefined, undefined],
    [
      'the service has both names',
      'go-demo=a; go-demo-swarmgate=b',
      [],
      undefined,
      'go-demo=a; go-demo-swarmgate=b',
      undefined,
    ],
    ['a name that only begins so', 'go-demo-x=OURS', [], undefined, `go-demo-x=OURS`, 'go-demo'],
  ];
  for (const [what, cookie, set, requested, forService, name] of cases) {
    it(`${what}: ${name === undefined ? 'sets none' : `sets ${name}`}`, async () => {
      const ours = (text: string) => text.replaceAll('OURS', `swarmgate.${token}`);
      const exchange = exchangeOf(routeOf(), { headers: cookie === '' ? [] : ['Cookie', ours(cookie)] });
      await step.onRequest?.(exchange);
      expect(exchange.stickTo).to.equal(requested);
      expect(exchange.request.get('cookie')).to.equal(forService === undefined ? undefined : ours(forService));
      const head = headOf(set.flatMap((each) => ['Set-Cookie', each]));
      step.onResponse?.(exchange, head);
      const added = head.headers.all('set-cookie').slice(set.length);
      const expected = name === undefined ? [] : [`${name}=swarmgate.${token}; Path=/; HttpOnly; SameSite=Lax`];
      expect(added).to.deep.equal(expected);
      expect(head.headers.all('set-cookie').slice(0, set.length)).to.deep.equal(set);
    });
  }
});
