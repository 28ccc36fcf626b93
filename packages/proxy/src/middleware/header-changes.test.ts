import type { HeaderRule } from '@swarmgate/registry';
import { expect } from 'chai';
import { exchangeOf, headOf, overTls, routeOf } from '../../test/middleware-fixture.ts';
import { type HeaderChanges, requestHeaders, responseHeaders } from './header-changes.ts';

const changes = (given: Partial<HeaderChanges>): HeaderChanges => ({ add: [], set: [], del: [], ...given });
const rule = (name: string, value: string, condition?: HeaderRule['condition']): HeaderRule =>
  condition === undefined ? { name, value } : { name, value, condition };

async function changed(
  given: Partial<HeaderChanges>,
  headers: string[] = [],
  client = {},
  env = {},
): Promise<string[]> {
  const exchange = exchangeOf(routeOf(), { headers, client });
  await requestHeaders(changes(given), env)?.onRequest?.(exchange);
  return exchange.request.flat;
}

describe('header changes', () => {
  it('adds, then sets, then deletes', async () => {
    const given = { add: [rule('A', '2'), rule('C', '1')], set: [rule('A', '3')], del: ['c'] };
    expect(await changed(given, ['a', '1', 'B', '1'])).to.deep.equal(['a', '3', 'B', '1']);
  });

  it('knows the client, the port and the environment', async () => {
    const given = { set: [rule('X', '%[src]:%[dst_port] on %[env(HOSTNAME)], 100%%, %[env(UNSET)]|')] };
    expect(await changed(given, [], {}, { HOSTNAME: 'node1' })).to.deep.equal(['X', '192.0.2.7:80 on node1, 100%, |']);
  });

  it('leaves alone what frames a request, and Via, which ends loops', async () => {
    const given = {
      add: [rule('via', '1')],
      set: [rule('Via', '2'), rule('TE', '3')],
      del: ['VIA', 'connection', 'a'],
    };
    const sent = ['Via', '1.1 swarmgate-1', 'Connection', 'close', 'A', '1'];
    expect(await changed(given, sent)).to.deep.equal(['Via', '1.1 swarmgate-1', 'Connection', 'close']);
  });

  it('follows its condition', async () => {
    const given = { add: [rule('S', '1', 'if-secure'), rule('P', '1', 'unless-secure')] };
    expect(await changed(given)).to.deep.equal(['P', '1']);
    expect(await changed(given, [], overTls)).to.deep.equal(['S', '1']);
  });

  it('never tells a secret of ours, and never breaks a line', async () => {
    const env = { ADMIN_TOKEN: 'hush', NOTE: 'a\r\nX-Evil: 1', CONSUL_HTTP_AUTH: 'me:hush', DB: 'pg://me:hush@db/x' };
    expect(
      await changed({ set: [rule('A', '%[env(ADMIN_TOKEN)]'), rule('B', '%[env(NOTE)]')] }, [], {}, env),
    ).to.deep.equal(['A', '', 'B', 'a X-Evil: 1']);
    const others = { set: [rule('A', '%[env(CONSUL_HTTP_AUTH)]'), rule('B', '%[env(DB)]')] };
    expect(await changed(others, [], {}, env)).to.deep.equal(['A', '', 'B', '']);
  });

  it('never changes framing headers', async () => {
    expect(await changed({ set: [rule('Content-Length', '0')] }, ['Content-Length', '5'])).to.deep.equal([
      'Content-Length',
      '5',
    ]);
  });

  it('does the same to answers', () => {
    const exchange = exchangeOf(routeOf());
    const head = headOf(['Server', 'x']);
    responseHeaders(changes({ add: [rule('A', '%[src]')], del: ['server'] }), {})?.onResponse?.(exchange, head);
    expect(head.headers.flat).to.deep.equal(['A', '192.0.2.7']);
  });

  it('is no step where there is nothing to do', () => {
    expect(requestHeaders(changes({}), {})).to.equal(undefined);
  });
});
