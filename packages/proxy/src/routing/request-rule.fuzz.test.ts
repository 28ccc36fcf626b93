import { readRule, showRule } from '@swarmgate/labels';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import type { RequestTarget } from '../model/request-target.ts';
import { compileRule } from './request-rule.ts';

const matchers = [
  'Host(`shop.example`)',
  'Host(`a.example`, `b.example`)',
  'HostRegexp(`^[a-z]+\\.example$`)',
  'HostRegexp(`{sub:[a-z]+}.example`)',
  'Path(`/api/items`)',
  'PathPrefix(`/api/{id}`)',
  'PathRegexp(`^/(a|b)*$`)',
  'Method(`GET`)',
  'Header(`X-Version`, `3`)',
  'HeaderRegexp(`x-version`, `^[3-9]$`)',
  'Headers(`Authorization`, `x`)',
  'Query(`page`, `2`)',
  'QueryRegexp(`page`, `^[0-9]$`)',
  'ClientIP(`10.0.0.0/8`, `::1`)',
] as const;
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...matchers) },
  { weight: 4, arbitrary: fc.constantFrom(' && ', ' || ', '!', '(', ')') },
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.stringMatching(/^[A-Za-z]{0,12}\(`[^`]{0,20}`\)$/),
);
const text = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  // Those that are well formed, and one of them spoiled.
  fc
    .tuple(
      fc.array(fc.constantFrom(...matchers), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(' && ', ' || ', ' && !'),
      fc.nat(),
      piece,
    )
    .map(([parts, joined, at, extra]) => {
      const rule = parts.join(joined);
      const place = at % (2 * rule.length);
      return place < rule.length ? rule.slice(0, place) + extra + rule.slice(place + 1) : rule;
    }),
);
const target = fc.record({
  method: fc.constantFrom('GET', 'POST', ''),
  host: fc.constantFrom('shop.example', 'a.example', ''),
  path: fc.oneof(
    fc.constantFrom('/api/items', '/', `/${'a'.repeat(2_000)}!`),
    fc.string({ unit: 'binary', maxLength: 20 }),
  ),
  port: fc.constant(443),
  secure: fc.boolean(),
  header: fc.constant(() => undefined),
  lines: fc.constantFrom(undefined, (name: string) => (name === 'x-version' ? ['3'] : [])),
  query: fc.oneof(fc.constantFrom(undefined, '?page=2', '?%'), fc.string({ maxLength: 20 })),
  clientAddress: fc.constantFrom(undefined, '10.1.2.3', '::1', 'unknown'),
});

/** What is not known of a request is `undefined`, as where it is absent. */
const requests = target as fc.Arbitrary<unknown> as fc.Arbitrary<RequestTarget>;

describe('a rule of a route, whatever it says', () => {
  it('is read or refused with its place, and decides about every request', () => {
    fc.assert(
      fc.property(text, requests, (rule, request) => {
        const read = readRule(rule);
        const { fits, shown } = compileRule(rule);
        const decided = fits(request);
        expect(decided).to.be.a('boolean');
        expect(shown).to.be.a('string');
        if (read.ok) return;
        expect(read.at).to.be.within(1, rule.length + 1);
        // Not even its negation lets anyone in.
        expect(decided).to.equal(false);
      }),
      fuzzRuns(2_000, 20_261_128),
    );
  });

  it('says the same where it is written again from what was read', () => {
    fc.assert(
      fc.property(text, requests, (rule, request) => {
        const read = readRule(rule);
        if (!read.ok) return;
        const written = showRule(read.tree);
        expect(readRule(written), written).to.deep.include({ ok: true, tree: read.tree });
        expect(compileRule(written).fits(request), written).to.equal(compileRule(rule).fits(request));
      }),
      fuzzRuns(2_000, 20_261_128),
    );
  });
});
