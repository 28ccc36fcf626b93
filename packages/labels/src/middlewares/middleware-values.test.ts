import { expect } from 'chai';
import { z } from 'zod';
import { middlewareKinds } from './kinds.ts';
import { middlewareList, middlewareValue } from './middleware-values.ts';
import { readArguments, readCalls } from './read-calls.ts';

const comma = { separator: ',' };

describe('readArguments', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['/api, /v1', ['/api', '/v1']],
    ['prefixes=/api,forceSlash=true', ['prefixes: /api', 'forceSlash: true']],
    ['http://auth:1/x?rd=1', ['http://auth:1/x?rd=1']],
    ['a="x, y",b=\'z\'', ['a: x, y', 'b: z']],
    ['"a=b"', ['a=b']],
    ['a="say \\"hi\\""', ['a: say "hi"']],
    ['regex=^/(a,b)/\\d{1,3}[,)]x,replacement=$1', ['regex: ^/(a,b)/\\d{1,3}[,)]x', 'replacement: $1']],
    ['/a\\,b', ['/a,b']],
    ['response.X-A=1', ['response.X-A: 1']],
    ['a=', ['a: ']],
    ['a=", b', ['a: "', 'b']],
    ['', []],
    [' , ,', []],
  ];
  for (const [text, expected] of cases)
    it(`reads ${JSON.stringify(text)}`, () => {
      const read = readArguments(text, ',').map(({ option, value }) =>
        option === undefined ? value : `${option}: ${value}`,
      );
      expect(read).to.deep.equal(expected);
    });
});

describe('readCalls', () => {
  const cases: readonly (readonly [string, readonly string[] | string])[] = [
    ['a,b(c),d(e=f, "g)")', ['a()', 'b(c)', 'd(e=f|g))']],
    ['r(regex=^/(x|y)\\)(z))', ['r(regex=^/(x|y)\\)(z))']],
    ['a(b', 'a closing parenthesis behind the options of a middleware'],
    ['a b', 'the name of a middleware, its options in parentheses'],
    ['a-b', 'the name of a middleware, its options in parentheses'],
  ];
  for (const [text, expected] of cases)
    it(`reads ${JSON.stringify(text)}`, () => {
      const read = readCalls(text, ',');
      const shown =
        typeof read === 'string'
          ? read
          : read.map(
              ({ name, arguments: all }) =>
                `${name}(${all.map(({ option, value }) => (option === undefined ? value : `${option}=${value}`)).join('|')})`,
            );
      expect(shown).to.deep.equal(expected);
    });
});

describe('the values of middleware', () => {
  for (const [name, { example, kind }] of Object.entries(middlewareKinds))
    it(`${name} reads its own example, and the schema takes what it made`, () => {
      expect(kind).to.equal(name);
      if (name === 'basicAuth') return;
      const value = middlewareValue(kind);
      const parsed = value.parse(example, comma);
      if (!parsed.ok) throw new Error(parsed.expected);
      expect(value.schema(z).parse(parsed.value)).to.deep.equal(parsed.value);
      const use = { kind, ...parsed.value };
      expect(middlewareList.schema(z).parse([use])).to.deep.equal([use]);
    });

  const wrong: readonly (readonly [string, string, string])[] = [
    ['stripPrefix', 'api', 'a path that begins with /'],
    ['stripPrefix', '', 'the option prefixes'],
    ['stripPrefix', '/a?b', 'a path without ?'],
    ['stripPrefixRegex', '(', 'a regular expression'],
    ['forwardAuth', 'preset=authelia', 'the option address'],
    ['forwardAuth', 'ftp://a', 'a URL'],
    ['forwardAuth', 'http://u:p@a', 'without user'],
    ['forwardAuth', 'http://a,preset=other', 'one of authelia'],
    ['forwardAuth', 'http://a,responseHeaders=Content-Length', 'does not frame'],
    ['forwardAuth', 'http://a,timeout=0', 'a time'],
    ['forwardAuth', 'http://a,colour=red', 'not colour'],
    ['headers', 'request=1', 'options among'],
    ['headers', 'request.Transfer-Encoding=x', 'do not frame'],
    ['rateLimit', 'average=x', 'whole number'],
  ];
  for (const [kind, text, expected] of wrong)
    it(`${kind}=${text} is an error`, () => {
      const parsed = middlewareValue(kind as 'stripPrefix').parse(text, comma);
      expect(parsed.ok ? 'taken' : parsed.expected).to.contain(expected);
    });

  it('an unknown middleware in a list is an error, with the names there are', () => {
    const parsed = middlewareList.parse('stripPrfix(/a)', comma);
    expect(parsed.ok ? '' : parsed.expected)
      .to.contain('stripPrefix')
      .and.contain('stripPrfix');
  });

  const newer: readonly (readonly [unknown, string])[] = [
    [{ kind: 'captcha', site: 1 }, 'captcha'],
    [{ kind: 'stripPrefix', prefixes: ['/a'], unless: 'x' }, 'stripPrefix'],
    [{ kind: 'toString' }, 'toString'],
  ];
  for (const [use, name] of newer)
    it(`${JSON.stringify(use)} of a newer version is unsupported, never left out`, () => {
      const [read] = middlewareList.schema(z).parse([use]);
      expect(read).to.include({ kind: 'unsupported', name });
    });

  it('an unknown option of a single label is unsupported too', () => {
    const read = middlewareValue('forwardAuth').schema(z).parse({ address: 'http://a', unless: 'x' });
    expect(read).to.include({ kind: 'unsupported', name: 'forwardAuth' });
  });

  it('a wrong value in a document is an error, not unsupported', () => {
    expect(middlewareList.schema(z).safeParse([{ kind: 'stripPrefix', prefixes: ['a'] }]).success).to.equal(false);
    expect(middlewareList.schema(z).safeParse([{ kind: 'stripPrefix' }]).success).to.equal(false);
    expect(middlewareList.schema(z).safeParse([]).success).to.equal(false);
  });
});
