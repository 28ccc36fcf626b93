import { serviceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import fc from 'fast-check';
import { definitionOf, type GivenService } from '../../test/routing-cases/routing-case.ts';
import { createRouteTable } from './create-route-table.ts';
import { readPath } from './path-readings.ts';

const seed = 20261128;
const pieces = [
  '/',
  '/',
  '//',
  '.',
  '..',
  '%2e',
  ';',
  ';v=1',
  'a',
  'b',
  'api',
  'admin',
  '%61',
  '%2F',
  '%2f',
  '\\',
  '%5c',
  '{',
];
const rawPath = fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((parts) => `/${parts.join('')}`);

describe('readings of a path', () => {
  it('are those that a slow model finds, by another algorithm', () => {
    fc.assert(
      fc.property(rawPath, (raw) => {
        const read = readPath(raw, 'keep');
        const model = modelOf(raw);
        if (model === 'path-dot-parameter' || model.others.size > 7) {
          expect(read).to.deep.equal({ ok: false, reason: model === 'path-dot-parameter' ? model : 'path-ambiguous' });
          return;
        }
        if (!read.ok) throw new Error(`${raw}: ${read.reason}`);
        expect(new Set(read.readings.map(({ path }) => path)), raw).to.deep.equal(model.others);
        expect(read.sent, raw).to.equal(model.sent);
        const isStrict = ({ slashes, parameters }: { slashes: string; parameters: string }) =>
          slashes === 'merged' && parameters === 'cut';
        expect(new Set(read.readings.filter(isStrict).map(({ path }) => path)), raw).to.deep.equal(model.strict);
      }),
      { numRuns: 5000, seed },
    );
  });

  it('let nothing through that another server would take for another destination or an excluded path', () => {
    fc.assert(
      fc.property(rawPath, fc.subarray(prefixes, { minLength: 1 }), fc.subarray(prefixes), (raw, served, excluded) => {
        const read = readPath(raw, 'keep');
        if (!read.ok) return;
        const { chosen, isRefused } = decided(served, excluded, raw);
        const model = modelOf(raw);
        if (model === 'path-dot-parameter') throw new Error(`${raw} is not refused`);
        const expected = slowChoice(served, excluded, model.primary);
        const differs = [...model.strict].some((path) => {
          const other = slowChoice(served, excluded, path);
          return other !== undefined && other !== expected;
        });
        const excludes = [...model.others].some(
          (path) => expected !== undefined && isExcluded(excluded, expected, path),
        );
        expect(isRefused, `${raw} on ${served} without ${excluded}`).to.equal(differs || excludes);
        if (!isRefused) expect(chosen, raw).to.equal(expected);
      }),
      { numRuns: 2000, seed },
    );
  });

  it('are none for a path that every server reads alike, which is forwarded as it is', () => {
    for (const path of ['/', '/a/b.c', '/a,b=c', '/a%20b', '/%61', '/{a}', '/a/', '/~a:@'])
      expect(readPath(path, 'keep'), path).to.deep.include({ ok: true, sent: path, readings: [] });
  });

  it('are seven at most: a target with more is refused', () => {
    expect(readPath('//a;x/b%2Fc', 'keep')).to.deep.include({ ok: true });
    expect(readPath('//a;x/b%2F;y%2F..%2F%2Fc', 'keep')).to.deep.equal({ ok: false, reason: 'path-ambiguous' });
  });
});

const prefixes = ['/', '/a', '/api', '/api/admin', '/admin', '/a/b'];

/** One service for each prefix; each excludes the same paths, except the one that is its own. */
function decided(served: readonly string[], excluded: readonly string[], raw: string) {
  const given = served.map((path): GivenService => {
    const excludes = excluded.filter((each) => each !== path);
    const exclusion = excludes.length === 0 ? {} : { servicePathExclude: excludes };
    return { service: `s${prefixes.indexOf(path)}`, destinations: [{ servicePath: [path], ...exclusion }] };
  });
  const definitions = given.map(definitionOf);
  const table = createRouteTable({ order: 'strict', instanceName: 'swarmgate', filterInstanceName: false }).with(
    new Map(definitions.map((definition) => [serviceKey(definition), definition])),
  );
  const read = readPath(raw, 'keep');
  if (!read.ok) throw new Error(read.reason);
  const target = { method: 'GET', host: 'any.example', path: read.path, port: 80, header: () => undefined };
  const route = table.lookupUnambiguous(target, read.readings);
  if (route === 'path-ambiguous') return { isRefused: true, chosen: undefined };
  return { isRefused: false, chosen: route?.destination.servicePath?.[0] };
}

function isBelow(prefix: string, path: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

function isExcluded(excluded: readonly string[], prefix: string, path: string): boolean {
  return excluded.some((each) => each !== prefix && isBelow(each, path));
}

/** The longest prefix that does not exclude the path. */
function slowChoice(served: readonly string[], excluded: readonly string[], path: string): string | undefined {
  return served
    .filter((prefix) => isBelow(prefix, path) && !isExcluded(excluded, prefix, path))
    .sort((one, other) => other.length - one.length)[0];
}

interface Model {
  readonly primary: string;
  readonly sent: string;
  readonly strict: ReadonlySet<string>;
  readonly others: ReadonlySet<string>;
}

/** Every combination, by repeated replacement of text and the algorithm of RFC 3986, section 5.2.4. */
function modelOf(raw: string): Model | 'path-dot-parameter' {
  const data = raw
    .replace(/%2e/gi, '.')
    .replace(/%61/g, 'a')
    .replace(/\{/g, '%7B')
    .replace(/\\|%5c/gi, '%5C')
    .replace(/%2f/gi, '%2F');
  const asSlashes = (text: string) => text.replaceAll('%2F', '/').replaceAll('%5C', '/');
  const merge = (text: string) => text.replace(/\/+/g, '/');
  const cut = (text: string) => text.replace(/;[^/]*/g, '');
  const normal = removeDots(merge(data));
  const hasDots = data.split('/').some((each) => each === '.' || each === '..');
  const asSent = hasDots ? normal : data;
  const before = asSlashes(data);
  if ([data, before, cut(before)].some((each) => /\/\.\.?;/.test(each))) return 'path-dot-parameter';
  const primary = merge(cut(normal));
  const strict = [removeDots(merge(before)), removeDots(merge(cut(before))), asSlashes(normal)].map((each) =>
    merge(cut(each)),
  );
  const kept = [asSent, removeDots(before), asSlashes(asSent)];
  const loose = [
    ...kept,
    ...kept.map(cut),
    // `before` is merged first, because that changes what `..` takes away.
    ...[asSent, removeDots(merge(before)), asSlashes(asSent)].map(merge),
  ];
  const without = (paths: readonly string[]) => new Set(paths.filter((path) => path !== primary));
  return { primary, sent: sentOf(raw), strict: without(strict), others: without([...strict, ...loose]) };
}

/** As sent, but without dot segments and the segments that they take away. */
function sentOf(raw: string): string {
  const segments = raw.split('/').slice(1);
  const plain = segments.map((each) => each.replace(/%2e/gi, '.'));
  if (!plain.some((each) => each === '.' || each === '..')) return raw;
  const full = segments.map((segment, at) => ({ segment, plain: plain[at] })).filter(({ segment }) => segment !== '');
  for (let at = full.findIndex((each) => each.plain === '..'); at !== -1; ) {
    const parent = full.slice(0, at).findLastIndex((each) => each.plain !== '.');
    full.splice(at, 1);
    if (parent !== -1) full.splice(parent, 1);
    at = full.findIndex((each) => each.plain === '..');
  }
  const kept = full.filter((each) => each.plain !== '.').map(({ segment }) => segment);
  const last = plain.at(-1) as string;
  return `/${kept.join('/')}${kept.length > 0 && ['', '.', '..'].includes(last) ? '/' : ''}`;
}

/** RFC 3986, section 5.2.4, step by step. */
function removeDots(path: string): string {
  let input = path;
  let output = '';
  while (input !== '') {
    if (input.startsWith('/./')) input = input.slice(2);
    else if (input === '/.') input = '/';
    else if (input.startsWith('/../') || input === '/..') {
      input = input === '/..' ? '/' : input.slice(3);
      output = output.slice(0, Math.max(0, output.lastIndexOf('/')));
    } else {
      const end = input.indexOf('/', 1);
      output += end === -1 ? input : input.slice(0, end);
      input = end === -1 ? '' : input.slice(end);
    }
  }
  return output;
}
