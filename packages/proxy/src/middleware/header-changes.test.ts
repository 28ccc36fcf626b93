import type { HeaderRule } from '@swarmgate/registry';
import { expect } from 'chai';
import fc from 'fast-check';
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
): Promise<readonly string[]> {
  const exchange = exchangeOf(routeOf(), { headers, client });
  await requestHeaders(changes(given), env)?.onRequest?.(exchange);
  return exchange.request.flat;
}

describe('header changes', () => {
  it('adds, then sets, then deletes', async () => {
    const given = { add: [rule('A', '2'), rule('C', '1')], set: [rule('A', '3')], del: ['c'] };
    expect(await changed(given, ['a', '1', 'B', '1'])).to.deep.equal(['a', '3', 'B', '1']);
  });

  it('inserts the client, the port and the environment', async () => {
    const given = { set: [rule('X', '%[src]:%[dst_port] on %[env(HOSTNAME)], 100%%, %[env(UNSET)]|')] };
    expect(await changed(given, [], {}, { HOSTNAME: 'node1' })).to.deep.equal(['X', '192.0.2.7:80 on node1, 100%, |']);
  });

  it('leaves alone what frames a request, and Swarmgate-Hops, which ends loops', async () => {
    const given = {
      add: [rule('swarmgate-hops', '1')],
      set: [rule('Swarmgate_Hops', '2'), rule('TE', '3'), rule('Content_Length', '4')],
      del: ['SWARMGATE.HOPS', 'connection', 'a'],
    };
    const sent = ['Swarmgate-Hops', '1', 'Connection', 'close', 'A', '1'];
    expect(await changed(given, sent)).to.deep.equal(['Swarmgate-Hops', '1', 'Connection', 'close']);
  });

  const spellings: readonly [string, Partial<HeaderChanges>, string[], string[]][] = [
    [
      'set',
      { set: [rule('X-User', 'me')] },
      ['X_User', 'you', 'x-user', 'you', 'X.USER', 'you', 'A', '1'],
      ['x-user', 'me', 'A', '1'],
    ],
    [
      'set, where only another one came',
      { set: [rule('X-User', 'me')] },
      ['x_user', 'you', 'A', '1'],
      ['A', '1', 'X-User', 'me'],
    ],
    ['set with an underscore', { set: [rule('X_User', 'me')] }, ['X-User', 'you', 'X_User', 'you'], ['X_User', 'me']],
    [
      'set with both',
      { set: [rule('X-My_User', 'me')] },
      ['X_My-User', 'you', 'X-My-User', 'you'],
      ['X-My_User', 'me'],
    ],
    [
      'delete',
      { del: ['X-User'] },
      ['X_User', '1', 'X-USER', '2', 'x~user', '3', 'X-User-Id', '4'],
      ['X-User-Id', '4'],
    ],
    [
      'add',
      { add: [rule('X-User', 'me')] },
      ['X_User', 'you', 'X-User', 'you'],
      ['X_User', 'you', 'X-User', 'you', 'X-User', 'me'],
    ],
    [
      'add, of what the proxy sends',
      { add: [rule('X-Forwarded-Port', '443')] },
      ['X-Forwarded-Port', '80'],
      ['X-Forwarded-Port', '443'],
    ],
    [
      'add, of X-Forwarded-*',
      { add: [rule('x-forwarded-prefix', '/a')] },
      ['X-Forwarded-Prefix', '/b'],
      ['X-Forwarded-Prefix', '/a'],
    ],
    [
      'add twice',
      { add: [rule('X-Forwarded-Host', 'a'), rule('X-Forwarded-Host', 'b')] },
      [],
      ['X-Forwarded-Host', 'b'],
    ],
    ['add, of X-Request-Id', { add: [rule('X-Request-Id', 'a')] }, ['X-Request-Id', 'b'], ['X-Request-Id', 'a']],
  ];
  for (const [what, given, sent, seen] of spellings)
    it(`applies in every spelling that services fold together: ${what}`, async () => {
      expect(await changed(given, sent)).to.deep.equal(seen);
    });

  it('leaves a service that folds names one value of what a route sets, and none of what it deletes', async () => {
    const variable = (name: string) => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
    const mark = fc.constantFrom('-', '_', '.', '~', "'");
    const name = fc
      .tuple(
        fc.constantFrom('X', 'x'),
        mark,
        fc.constantFrom('User', 'USER', 'user', 'Users'),
        mark,
        fc.constantFrom('Id', 'id'),
      )
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(name, { maxLength: 6 }), name, fc.boolean(), async (names, own, isSet) => {
        const sent = names.flatMap((each) => [each, 'theirs']);
        const seen = await changed(isSet ? { set: [rule(own, 'ours')] } : { del: [own] }, sent);
        const values = (of: (name: string) => boolean) =>
          seen.filter((_, at) => at % 2 === 1 && of(seen[at - 1] as string));
        expect(values((each) => variable(each) === variable(own))).to.deep.equal(isSet ? ['ours'] : []);
        const others = names.filter((each) => variable(each) !== variable(own));
        expect(values((each) => variable(each) !== variable(own))).to.deep.equal(others.map(() => 'theirs'));
      }),
      { numRuns: 500, seed: 20_261_128 },
    );
  });

  it('give a service that folds names the values that a slow model finds, name by name', async () => {
    const parts = fc.constantFrom('X-User', 'X-USER', 'X-User-Id', 'X-Real-IP', 'X-Request-Id', 'Forwarded');
    const others = fc.constantFrom('X-Forwarded-Port', 'x-forwarded-proto', 'Swarmgate-Hops', 'Content-Length', 'TE');
    const name = fc
      .tuple(fc.oneof(parts, others), fc.constantFrom('-', '-', '_', '.', '~'))
      .map(([text, mark]) => text.replace('-', mark));
    const condition = fc.constantFrom(undefined, undefined, 'if-secure' as const, 'unless-secure' as const);
    const rules = (kind: string) =>
      fc
        .array(fc.tuple(name, condition), { maxLength: 3 })
        .map((each) => each.map(([of, when], at) => rule(of, `${kind}${at}`, when)));
    const given = fc.record({ add: rules('add'), set: rules('set'), del: fc.array(name, { maxLength: 2 }) });
    const reached = { added: 0, replaced: 0, beside: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(name, { maxLength: 6 }), given, fc.boolean(), async (names, labels, secure) => {
        const sent = names.map((each, at) => [each, `sent${at}`] as const);
        const seen = await changed(labels, sent.flat(), secure ? overTls : {});
        const values = new Map<string, string[]>();
        for (let at = 0; at < seen.length; at += 2) {
          const variable = variableOf(seen[at] as string);
          values.set(variable, [...(values.get(variable) ?? []), seen[at + 1] as string]);
        }
        const all = [...names, ...labels.add, ...labels.set].map((each) =>
          typeof each === 'string' ? each : each.name,
        );
        for (const variable of new Set(all.map(variableOf))) {
          const expected = slowValues(variable, sent, labels, secure);
          expect(values.get(variable) ?? [], variable).to.deep.equal(expected);
          const isAdded = expected.at(-1)?.startsWith('add') === true;
          if (isAdded) reached[expected.length === 1 ? 'added' : 'beside'] += 1;
          if (isAdded && expected.length === 1 && sent.some(([each]) => variableOf(each) === variable))
            reached.replaced += 1;
        }
        // What no rule names stays in its order.
        const ruled = new Set(
          [...labels.add, ...labels.set].map((each) => variableOf(each.name)).concat(labels.del.map(variableOf)),
        );
        const untouched = (flat: readonly string[]) =>
          flat.filter((_, at) => !ruled.has(variableOf(flat[at - (at % 2)] as string)));
        expect(untouched(seen)).to.deep.equal(untouched(sent.flat()));
      }),
      { numRuns: 2_000, seed: 20_261_128 },
    );
    for (const [how, times] of Object.entries(reached)) expect(times, how).to.be.greaterThan(100);
  });

  it('does not fold names of responses: their readers do not', () => {
    const head = headOf(['X_A', '1', 'X-A', '2']);
    responseHeaders(changes({ set: [rule('X-A', '3')] }), {})?.onResponse?.(exchangeOf(routeOf()), head);
    expect(head.headers.flat).to.deep.equal(['X_A', '1', 'X-A', '3']);
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

  it('does the same to responses', () => {
    const exchange = exchangeOf(routeOf());
    const head = headOf(['Server', 'x']);
    responseHeaders(changes({ add: [rule('A', '%[src]')], del: ['server'] }), {})?.onResponse?.(exchange, head);
    expect(head.headers.flat).to.deep.equal(['A', '192.0.2.7']);
  });

  it('is no step where there is nothing to do', () => {
    expect(requestHeaders(changes({}), {})).to.equal(undefined);
  });
});

/** As a service reads a name that makes CGI variables of them. */
function variableOf(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
}

/**
 * The values of one variable, from the rules that name it and nothing else: a deleted one has none, a set one has the last
 * that was set, an added one comes last, and alone where the proxy speaks for the name.
 */
function slowValues(
  variable: string,
  sent: readonly (readonly [string, string])[],
  { add, set, del }: HeaderChanges,
  secure: boolean,
): readonly string[] {
  const isOurs = ({ name, condition }: HeaderRule) =>
    variableOf(name) === variable && (condition === undefined || secure === (condition === 'if-secure'));
  const theirs = sent.filter(([name]) => variableOf(name) === variable).map(([, value]) => value);
  if (/^(CONTENT_LENGTH|TE|SWARMGATE_HOPS)$/.test(variable)) return theirs;
  if (del.some((name) => variableOf(name) === variable)) return [];
  const lastSet = set.findLast(isOurs);
  if (lastSet !== undefined) return [lastSet.value];
  const added = add.filter(isOurs).map(({ value }) => value);
  const speaksForIt = /^(X_FORWARDED_.*|FORWARDED|X_REAL_IP|X_REQUEST_ID)$/.test(variable);
  return speaksForIt && added.length > 0 ? added.slice(-1) : [...theirs, ...added];
}
