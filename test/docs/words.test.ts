import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../architecture/imports.ts';

/** Words that are not written, in sources, tests and docs, and what is written instead. */
const avoided: readonly (readonly [word: string, instead: string])[] = [
  ['nobody', 'the component: "no route matches", "the client is denied access"'],
  ['somebody', 'the role: another writer, another service, an operator'],
  ['anybody', 'the role: any client, any process'],
  ['everybody', 'the role: all clients, all services'],
  ['whoever', 'the role: the caller, the client, the owner'],
  ['anew', 'again; or what happens: restarted, rebuilt, reconnects'],
  ['beneath', 'under'],
  ['plane', 'server; exchange context'],
  ['hearsay', 'peer-reported ejection'],
  ['rivalry', 'conflict'],
];

/** Words that no machine is the subject or object of: in identifiers too (`wantedName`, `isTold`). */
const ofPeople: readonly (readonly [word: string, instead: string])[] = [
  ['answer', 'response; responds'],
  ['answers', 'responses; responds with, responds to'],
  ['answered', 'gets, responded with; acknowledged; served'],
  ['answering', 'responding'],
  ['unanswered', 'pending; without a response'],
  ['ask', 'request, query, call, send'],
  ['asks', 'requests, queries, calls, sends'],
  ['asked', 'requested, queried, called'],
  ['asking', 'requesting, querying, calling'],
  ['unasked', 'without a request'],
  ['told', 'reported (a problem), notified (a component), sent (a value)'],
  ['wanted', 'required, desired, requested'],
];

const aUnixUser = 'the name of a user of every Unix';
const ofDns = 'the answer section of a DNS message (RFC 1035, section 4.1)';
const ofRegistry = 'a field of a document in the registry, which other versions read';
const ofRest = 'a field of a REST response, which clients read';

/** Names that are not ours to choose, or not any more. */
const allowed: readonly (readonly [file: string, word: string, reason: string])[] = [
  ['docker/base-image.mjs', 'nobody', aUnixUser],
  ['test/bench/forwarding.ts', 'nobody', aUnixUser],
  ['packages/acme/src/challenges/dns-message.ts', 'answer', ofDns],
  ['packages/acme/src/challenges/dns-message.ts', 'answers', ofDns],
  ['packages/acme/src/ordering/order-documents.ts', 'unanswered', ofRegistry],
  ['packages/acme/src/ordering/orders.test.ts', 'answers', ofRegistry],
  ['packages/acme/src/ordering/orders.test.ts', 'told', ofRegistry],
  ['packages/acme/src/ordering/orders.ts', 'told', ofRegistry],
  ['packages/acme/src/ordering/run-order.slow.test.ts', 'told', ofRegistry],
  ['packages/acme/src/ordering/run-order.ts', 'told', ofRegistry],
  ['packages/acme/src/storage/acme-follower.ts', 'answers', ofRegistry],
  ['packages/acme/src/storage/acme-head.ts', 'answers', ofRegistry],
  ['packages/acme/src/storage/documents.ts', 'answers', ofRegistry],
  ['packages/acme/src/storage/documents.ts', 'unanswered', ofRegistry],
  ['packages/acme/src/storage/documents.ts', 'told', ofRegistry],
  ['packages/acme/src/storage/fenced-writer.ts', 'answers', ofRegistry],
  ['packages/acme/src/storage/hostile-documents.fuzz.test.ts', 'answers', ofRegistry],
  ['packages/acme/src/storage/hostile-documents.fuzz.test.ts', 'told', ofRegistry],
  ['packages/acme/src/storage/hostile-documents.fuzz.test.ts', 'unanswered', ofRegistry],
  ['packages/acme/src/storage/storage.test.ts', 'answers', ofRegistry],
  ['docs/openapi.yaml', 'answer', ofRest],
  ['packages/cli/src/commands/explain.test.ts', 'answer', ofRest],
  ['packages/cli/src/commands/explain.ts', 'answer', ofRest],
  ['packages/cli/src/commands/operator.test.ts', 'answer', ofRest],
  ['packages/console/web/types.ts', 'answer', ofRest],
  ['packages/console/web/views/explain.tsx', 'answer', ofRest],
  ['packages/proxy/src/control/admin/explain.ts', 'answer', ofRest],
  ['packages/proxy/src/control/admin/explained-requests.test.ts', 'answer', ofRest],
  ['packages/proxy/src/control/admin/response-bodies.ts', 'answer', ofRest],
  ['packages/proxy/src/proxy.slow.test.ts', 'answer', ofRest],
  ['packages/swarm-listener/src/swarm/observation.ts', 'answered', ofRest],
  ['packages/swarm-listener/src/swarm/observer.ts', 'answered', ofRest],
];

describe('words', () => {
  const files = globSync(['**/*.{ts,tsx,mjs,cjs,md,yaml,yml,sh}'], {
    cwd: root,
    exclude: (name) => /(^|\/)(node_modules|dist|\.git)$/.test(name),
  }).filter((file) => file !== 'test/docs/words.test.ts');

  it('are looked for in all sources and docs', () => {
    expect(files.length).to.be.greaterThan(500);
    expect(files).to.include.members([
      'README.md',
      'docs/routing.md',
      'packages/proxy/src/proxy.ts',
      'docker/stack.yml',
    ]);
  });

  for (const [word, instead] of avoided)
    it(`"${word}" is written nowhere; instead: ${instead}`, () => {
      const found = files
        .filter((file) => !allowed.some(([path, one]) => path === file && one === word))
        .flatMap((file) => linesWith(word, file));
      expect(found).to.deep.equal([]);
    });

  for (const [word, instead] of ofPeople)
    it(`"${word}" is written nowhere, in identifiers neither; instead: ${instead}`, () => {
      const found = files
        .filter((file) => !allowed.some(([path, one]) => path === file && one === word))
        .flatMap((file) => linesMatching(inIdentifiers(word), file));
      expect(found).to.deep.equal([]);
    });

  const found: readonly (readonly [text: string, isFound: boolean])[] = [
    ['the endpoint answered', true],
    ['Answered.', true],
    ['answeredAtMs', true],
    ['isAnswered', true],
    ['untilAnsweredBy', true],
    ['#answered', true],
    ['unanswered', false],
    ['endpoint-answered-late', false], // a public code
    ['own_answered_total', false],
  ];
  for (const [text, isFound] of found)
    it(`${isFound ? 'are' : 'are not'} found in ${text}`, () => {
      expect(inIdentifiers('answered').test(text)).to.equal(isFound);
    });

  it('that are allowed for a file do occur there', () => {
    const isThere = (file: string, word: string) =>
      linesWith(word, file).length > 0 || linesMatching(inIdentifiers(word), file).length > 0;
    expect(allowed.filter(([file, word]) => !isThere(file, word))).to.deep.equal([]);
  });
});

function linesWith(word: string, file: string): readonly string[] {
  return linesMatching(new RegExp(`(?<![\\w-])${word}(?![\\w-])`, 'i'), file);
}

/** The word by itself and as a part of a camelCase name; not in codes with hyphens or underscores, which are public. */
function inIdentifiers(word: string): RegExp {
  const capital = `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
  return new RegExp(`(?<![\\w-])(${word}|${capital})(?![a-z_-])|(?<=[a-z])${capital}(?![a-z_-])`);
}

function linesMatching(pattern: RegExp, file: string): readonly string[] {
  return readFileSync(join(root, file), 'utf8')
    .split('\n')
    .flatMap((line, at) => (pattern.test(shown(line, file)) ? [`${file}:${at + 1}: ${line.trim()}`] : []));
}

/** The last column of the glossary lists words to avoid. */
function shown(line: string, file: string): string {
  return file === 'GLOSSARY.md' && line.startsWith('|') ? line.replace(/\|[^|]*\|$/, '|') : line;
}
