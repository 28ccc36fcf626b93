import { faultsIn, type Mutant } from './mutant.ts';

const proxy = 'packages/proxy/src';

/** Parsers, routing, middleware, balancing. */
export const servingMutants: readonly Mutant[] = [
  ...faultsIn(
    `${proxy}/http/request-head.ts`,
    [`${proxy}/http/request-head.test.ts`],
    [
      [
        'two Content-Length of the same value pass',
        '          if (this.contentLength !== -1) return parseErrors.contentLengthDuplicate;\n',
        '',
      ],
      [
        'Transfer-Encoding beside Content-Length passes',
        'if (this.chunked && this.contentLength !== -1) return parseErrors.framingConflict;',
        '',
      ],
      ['a missing Host passes', 'if (this.host === -1 && this.minorVersion === 1) return parseErrors.hostMissing;', ''],
      [
        'a head over the limit passes',
        "if (outcome === 'complete' && this.end - start > this.#limits.headBytes) return parseErrors.headTooLarge;",
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/http/request-head.ts`,
    ['packages/proxy/test/three-views.slow.test.ts'],
    [
      [
        'chunked with a trailing blank passes',
        '          if (bytes[fields.valueEnd(index)] !== CR) return parseErrors.transferEncoding;\n',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/middleware/path-rewrite.ts`,
    [`${proxy}/middleware/path-rewrite.test.ts`],
    [
      ['a replacement is made in full, however long', '        if (result.length > mostBytes) return undefined;\n', ''],
      [
        'a rewritten path has no bound',
        'return result.length + path.length - copied > mostBytes ? undefined :',
        'return',
      ],
      ['rewrites read a long path as often as they like', 'read > mostRead ? undefined :', ''],
      ['a rewrite takes every match', '      if (all !== true) break;\n', ''],
      [
        'a rewrite makes a path that no rule saw',
        'return normal.ok ? normal :',
        'return normal.ok ? { ok: true, path } :',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/control/serving/in-order.ts`,
    [`${proxy}/control/serving/expressions-in-slices.slow.test.ts`],
    [
      [
        'expressions are compiled in one turn',
        'if (performance.now() < endAtMs) continue;',
        'if (endAtMs > 0) continue;',
      ],
      ['a later change overtakes the one that is prepared', '      await before;\n', ''],
      ['a change waits for none before it', 'prepare === undefined && this.#waiting === 0', 'prepare === undefined'],
      ['a change without expressions waits for good once there were some', '      this.#waiting -= 1;\n', ''],
      [
        'changes behind one that fails are never served',
        '    } finally {\n      this',
        '    } catch (error) {\n      throw error;\n    }\n    {\n      this',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/http/chunked-reader.ts`,
    [`${proxy}/http/chunked-reader.test.ts`],
    [
      [
        'a bare LF ends a chunk size',
        "else if (byte === CR) this.#state = 'size-lf';\n        else return",
        "else if (byte === CR) this.#state = 'size-lf';\n        else if (byte === LF) this.#state = 'data';\n        else return",
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/routing/path-pattern.ts`,
    [`${proxy}/routing/path-pattern.test.ts`, 'packages/proxy/test/routing-cases.slow.test.ts'],
    [
      [
        'the first alternative of an expression is taken for its prefix',
        "  if (expression.includes('|')) return undefined;\n",
        '',
      ],
      ['the character before a quantifier is part of the prefix', 'literal.slice(0, -1)', 'literal'],
      [
        'a prefix ends in the middle of a word',
        'return met.startsWith(text) && endsAtSegment(text, met);',
        'return met.startsWith(text);',
      ],
      ['path_dir matches in the middle of a segment', '`${met}/`.includes(`/${text}/`)', 'met.includes(text)'],
    ],
  ),
  ...faultsIn(
    `${proxy}/routing/conditions.ts`,
    [`${proxy}/routing/conditions.test.ts`],
    [
      [
        'a method in lower case passes what is denied',
        'conditions.deniedMethods.has(method.toUpperCase())',
        'conditions.deniedMethods.has(method)',
      ],
      [
        'a method in lower case passes as one that is allowed',
        '!conditions.allowedMethods.has(method)',
        '!conditions.allowedMethods.has(method.toUpperCase())',
      ],
      ['names of header conditions keep their case', 'name: name.toLowerCase(), value', 'name, value'],
      [
        'user agents are compared with case',
        "target.header('user-agent')?.toLowerCase() ?? ''",
        "target.header('user-agent') ?? ''",
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/middleware/compression.ts`,
    [`${proxy}/middleware/compression.test.ts`],
    [
      ['a 206 is compressed', "status === 206 || headers.has('content-range')", "headers.has('content-range')"],
      [
        'a response with Content-Range is compressed',
        "status === 206 || headers.has('content-range')",
        'status === 206',
      ],
      [
        'no-transform is not kept to',
        "  if (headers.all('cache-control').some((value) => /(^|[\\s,])no-transform([\\s,]|$)/i.test(value))) return false;\n",
        '',
      ],
      [
        'what is compressed is compressed again',
        "value.trim() !== '' && value.trim().toLowerCase() !== 'identity'",
        'value === undefined',
      ],
      ['a strong validator stays', "if (etag?.startsWith('\"')) headers.set('ETag', `W/${etag}`);", ''],
      ['caches do not learn of it', '  vary(headers);\n', ''],
      ['the order of the labels is ignored', 'encodings(codings, { preferred: codings })', 'encodings(codings)'],
      ['x-gzip is not gzip', ".replace(/\\bx-gzip\\b/gi, 'gzip')", ''],
      ['small bodies are compressed', 'Number(length) >= least;', 'Number(length) >= 0;'],
    ],
  ),
  ...faultsIn(
    `${proxy}/routing/match-key.ts`,
    [`${proxy}/routing/create-route-table.test.ts`],
    [
      ['a weight of zero gets requests', 'if (left < 0) return rule;', 'if (left <= 0) return rule;'],
      [
        'a service that offers nothing is shared',
        'if (matchRules.length === 1 || weightOf(winner) === undefined) return alone;',
        'if (matchRules.length === 1) return alone;',
      ],
      [
        'weights are counted evenly',
        'left -= weightOf(rule) ?? 0;',
        'left -= conflict.totalWeight / conflict.shares.length;',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/http/field-section.ts`,
    ['packages/proxy/test/differential.fuzz.test.ts'],
    [
      [
        'whitespace behind a value is part of it',
        'while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd--;',
        '',
      ],
      ['a name may end with whitespace', 'if (bytes[at] !== COLON || at === nameStart) {', 'if (at === nameStart) {'],
    ],
  ),
  ...faultsIn(
    `${proxy}/server/relay/relay-plan.ts`,
    ['packages/proxy/test/shared-ports.slow.test.ts'],
    [
      ['a wildcard that is passed through takes exact hosts', 'ofRequests < (named?.rank ?? nameRank.any)', 'false'],
      ['ending TLS comes before passing it through', 'return ends || age ||', 'return -ends || age ||'],
    ],
  ),
  ...faultsIn(
    `${proxy}/server/relay/shared-ports.ts`,
    ['packages/proxy/test/shared-ports.slow.test.ts'],
    [
      [
        'a validation of ours goes to the service',
        'group === undefined || this.#isValidation(hello.serverName, hello.protocols)',
        'group === undefined',
      ],
      [
        'the address of a PROXY header is not that of the relayed client',
        'if (source !== undefined && client === socket) presentAs(socket, source);',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/exchange/decide.ts`,
    ['packages/proxy/test/shared-ports.slow.test.ts'],
    [['a relayed host is served on a connection of another', "info.secure && host !== ''", "false && host !== ''"]],
  ),
];
