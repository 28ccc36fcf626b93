import { expect } from 'chai';
import fc from 'fast-check';
import { readRule, ruleBounds } from './read-rule.ts';
import { hostsOfRule, pathsOfRule, type RuleTree, showRule } from './rule-tree.ts';

/** As version 3 writes it; `undefined`: it cannot be read. */
function shown(rule: string): string | undefined {
  const read = readRule(rule);
  return read.ok ? showRule(read.tree) : undefined;
}

describe('reading a rule', () => {
  const asIs = [
    'Host(`shop.example`)',
    'Host(`shop.example`) && PathPrefix(`/api`)',
    'Host(`a.example`) || Host(`b.example`) && Path(`/x`)',
    '(Host(`a.example`) || Host(`b.example`)) && !Path(`/x`)',
    '!(Host(`a.example`) || Host(`b.example`))',
    '!(Host(`a.example`) && Method(`GET`))',
    'HostRegexp(`^.+\\.shop\\.example$`)',
    'PathRegexp(`^/v[0-9]+/`)',
    'Header(`X-Version`, `3`) && HeaderRegexp(`X-Name`, `^[a-z]+$`)',
    'Query(`page`, `1`) || QueryRegexp(`page`, `^[0-9]+$`)',
    'ClientIP(`10.0.0.0/8`) || ClientIP(`2001:db8::1`)',
    'Host(`[2001:db8::1]`)',
    'Header(`X-Quote`, "a`b\\\\c")',
  ];
  for (const rule of asIs) it(`keeps ${rule}`, () => expect(shown(rule)).to.equal(rule));

  // [rule, the same in the syntax of version 3, whether it was version 2]
  const rewritten: readonly (readonly [string, string, boolean])[] = [
    ['host(`Shop.Example.`)', 'Host(`shop.example`)', false],
    ['HOSTREGEXP(`a`)&&pathprefix(`/`)', 'HostRegexp(`a`) && PathPrefix(`/`)', false],
    ['Host("shop\\x2eexample")', 'Host(`shop.example`)', false],
    ['((Host(`a`)))', 'Host(`a`)', false],
    ['!!Host(`a`)', 'Host(`a`)', false],
    ['Host(`a`) || (Host(`b`) || Host(`c`))', 'Host(`a`) || Host(`b`) || Host(`c`)', false],
    ['method(`get`)', 'Method(`GET`)', false],
    ['Query(`debug`)', 'Query(`debug`, ``)', false],
    ['Host(`*.shop.example`)', 'HostRegexp(`^[^.]+\\.shop\\.example$`)', false],
    ['Host(`**.shop.example`)', 'HostRegexp(`^.+\\.shop\\.example$`)', false],
    ['Host(`a`, `b`)', 'Host(`a`) || Host(`b`)', true],
    ['Host(`a`,`b`) && Path(`/x`,`/y`)', '(Host(`a`) || Host(`b`)) && (Path(`/x`) || Path(`/y`))', true],
    ['!Host(`a`,`b`)', '!(Host(`a`) || Host(`b`))', true],
    ['HostHeader(`a`)', 'Host(`a`)', true],
    ['HostRegexp(`{host:.+}`)', 'HostRegexp(`^(?:.+)$`)', true],
    ['HostRegexp(`{sub:[a-z]+}.Shop.example`)', 'HostRegexp(`^(?:[a-z]+)\\.shop\\.example$`)', true],
    ['HostRegexp(`{sub}.a`)', 'HostRegexp(`^(?:[^.]+)\\.a$`)', true],
    ['Path(`/items/{id:[0-9]{2}}`)', 'PathRegexp(`^/items/(?:[0-9]{2})$`)', true],
    ['PathPrefix(`/items/{id}`)', 'PathRegexp(`^/items/(?:[^/]+)`)', true],
    ['Headers(`X-A`, `1`)', 'Header(`X-A`, `1`)', true],
    ['HeadersRegexp(`X-A`, `1|2`)', 'HeaderRegexp(`X-A`, `1|2`)', true],
    ['Query(`a=1`, `b=2`)', 'Query(`a`, `1`) && Query(`b`, `2`)', true],
    ['Query(`a={n:[0-9]+}`)', 'QueryRegexp(`a`, `^(?:[0-9]+)$`)', true],
    ['ClientIP(`10.0.0.1`, `10.0.0.2`)', 'ClientIP(`10.0.0.1`) || ClientIP(`10.0.0.2`)', true],
  ];
  for (const [rule, expected, isV2] of rewritten)
    it(`${rule} → ${expected}${isV2 ? ', as version 2' : ''}`, () => {
      const read = readRule(rule);
      expect(read.ok && showRule(read.tree)).to.equal(expected);
      expect(read.ok && read.v2 !== undefined).to.equal(isV2);
      expect(shown(expected)).to.equal(expected);
    });

  // [rule, place, in the message or its suggestion]
  const wrong: readonly (readonly [string, number, RegExp])[] = [
    ['', 1, /empty/],
    ['Host:shop.example', 5, /Traefik 1/],
    ["Host('a')", 6, /single quotes/],
    ['Host(`a`', 5, /not closed/],
    ['Host(`a', 6, /backtick/],
    ['Host("a)', 6, /double quote/],
    ['Host("\\q")', 7, /escape/],
    ['(Host(`a`)', 1, /not closed/],
    ['Host(`a`))', 10, /not expected/],
    ['Host(`a`) &&', 13, /ends where/],
    ['Host(`a`) & Host(`b`)', 11, /write &&/],
    ['Host(`a`) and Path(`/`)', 11, /write &&/],
    ['Host(`a`) Path(`/`)', 11, /&&/],
    ['Host(a)', 6, /backticks/],
    ['Host()', 1, /no value/],
    ['Host', 1, /parentheses/],
    ['Hots(`a`)', 1, /did you mean Host/],
    ['Host(`a`) && Cookie(`x`)', 14, /no matcher Cookie/],
    ['Host(`a b`)', 1, /cannot be the host/],
    ['Host(`a:80`)', 1, /port/],
    ['Host(`*`)', 1, /cannot be the host/],
    ['Host(`bücher.example`)', 1, /xn--/],
    ['Path(`x`)', 1, /slash/],
    ['PathPrefix(`/a?b`)', 1, /matches no path/],
    ['PathRegexp(`(?=a)`)', 1, /look-around/],
    ['HostRegexp(`(`)', 1, /expression/],
    ['Header(`X-A`)', 1, /has 1 values, not 2/],
    ['QueryRegexp(`a`, `b`, `c`)', 1, /has 3 values/],
    ['Headers(`X-A`)', 1, /no value/],
    ['Header(`X A`, `1`)', 1, /no name of a header/],
    ['Method(`G T`)', 1, /no method/],
    ['ClientIP(`10.0.0.0/33`)', 1, /CIDR/],
    ['#', 1, /not expected/],
    [`${'('.repeat(60)}Host(\`a\`)${')'.repeat(60)}`, 51, /deep/],
    [`Host(${Array.from({ length: 1001 }, () => '`a`').join(',')})`, 1, /matchers/],
    [`Host(\`${'a'.repeat(ruleBounds.characters)}\`)`, ruleBounds.characters + 1, /longer/],
  ];
  for (const [rule, at, expected] of wrong)
    it(`names what is wrong with ${rule.slice(0, 60)}, and where`, () => {
      const read = readRule(rule);
      if (read.ok) throw new Error(`read as ${showRule(read.tree)}`);
      expect(read.at).to.equal(at);
      expect(`${read.message} ${read.suggestion}`).to.match(expected);
    });

  // [rule, hosts, paths]
  const necessary: readonly (readonly [string, readonly string[] | undefined, readonly string[] | undefined])[] = [
    ['Host(`a`) && PathPrefix(`/x`)', ['a'], ['/x']],
    ['(Host(`a`) || Host(`b`)) && (Path(`/x`) || PathPrefix(`/y`))', ['a', 'b'], ['/x', '/y']],
    ['Host(`a`) || PathPrefix(`/x`)', undefined, undefined],
    ['Host(`a`) && PathPrefix(`/x`) || Host(`b`)', ['a', 'b'], undefined],
    ['!Host(`a`) && Path(`/x`)', undefined, ['/x']],
    ['Host(`a`) && HostRegexp(`b`)', ['a'], undefined],
    ['(Host(`a`) || Host(`b`)) && Host(`b`)', ['b'], undefined],
    ['Method(`GET`)', undefined, undefined],
  ];
  for (const [rule, hosts, paths] of necessary)
    it(`finds the hosts and paths that ${rule} needs`, () => {
      const read = readRule(rule);
      if (!read.ok) throw new Error(read.message);
      expect(hostsOfRule(read.tree)).to.deep.equal(hosts);
      expect(pathsOfRule(read.tree)?.map(({ path }) => path)).to.deep.equal(paths);
    });

  it('reads every rule that it shows as the same rule', () => {
    const matcher: fc.Arbitrary<RuleTree> = fc.constantFrom<RuleTree>(
      { kind: 'Host', host: 'a.example' },
      { kind: 'PathPrefix', path: '/x' },
      { kind: 'Header', name: 'X-A', value: 'a`"\\b' },
      { kind: 'Method', method: 'GET' },
    );
    const { tree } = fc.letrec<{ tree: RuleTree }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        matcher,
        fc.record({ kind: fc.constant('not' as const), part: tie('tree') }),
        fc.record({
          kind: fc.constantFrom('all' as const, 'any' as const),
          parts: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
        }),
      ),
    }));
    const values = (each: RuleTree, of: number): boolean => {
      if (each.kind === 'all') return each.parts.every((part) => values(part, of));
      if (each.kind === 'any') return each.parts.some((part) => values(part, of));
      if (each.kind === 'not') return !values(each.part, of);
      return (of & (1 << ['Host', 'PathPrefix', 'Header', 'Method'].indexOf(each.kind))) !== 0;
    };
    fc.assert(
      fc.property(tree, (given) => {
        const read = readRule(showRule(given));
        if (!read.ok) throw new Error(`${showRule(given)}: ${read.message}`);
        expect(shown(showRule(read.tree))).to.equal(showRule(read.tree));
        for (let of = 0; of < 16; of += 1) expect(values(read.tree, of)).to.equal(values(given, of));
      }),
      { numRuns: 500, seed: 20260102 },
    );
  });

  it('never throws', () => {
    const pieces = fc.constantFrom(
      'Host',
      '(',
      ')',
      '`a`',
      '`',
      '"',
      ',',
      '&&',
      '||',
      '!',
      ' ',
      '{',
      '\\',
      'Path',
      ':',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
        readRule(parts.join(''));
      }),
      { numRuns: 1000, seed: 20260102 },
    );
  });
});
