import { parseNetwork } from '@swarmgate/runtime';
import { isHeaderValue, isToken } from './header-names.ts';
import { nearestName } from './nearest-name.ts';
import { pathPatternText } from './path-pattern.ts';
import { regularExpressionFault } from './regular-expression.ts';
import { hasTemplate, templateExpression } from './rule-templates.ts';
import type { Matcher, RuleTree } from './rule-tree.ts';

export type BuiltMatcher =
  /** `v2`: what of the matcher is the syntax of Traefik 2. */
  | { readonly ok: true; readonly tree: RuleTree; readonly v2?: string }
  | { readonly ok: false; readonly message: string; readonly suggestion: string };

interface MatcherForm {
  readonly name: string;
  /** How many values it takes in version 3. */
  readonly values: readonly number[];
  readonly example: string;
  /** Known to Traefik 2 only. */
  readonly v2?: true;
  readonly build: (values: readonly string[]) => BuiltMatcher;
}

const forms: readonly MatcherForm[] = [
  form('Host', [1], 'Host(`shop.example`)', either(host)),
  { ...form('HostHeader', [1], 'Host(`shop.example`)', either(host)), v2: true },
  form('HostRegexp', [1], 'HostRegexp(`^.+\\.shop\\.example$`)', either(hostRegexp)),
  form(
    'Path',
    [1],
    'Path(`/health`)',
    either((text) => path('Path', text)),
  ),
  form(
    'PathPrefix',
    [1],
    'PathPrefix(`/api`)',
    either((text) => path('PathPrefix', text)),
  ),
  form('PathRegexp', [1], 'PathRegexp(`^/v[0-9]+/`)', either(pathRegexp)),
  form('Method', [1], 'Method(`GET`)', either(method)),
  form('Header', [2], 'Header(`X-Version`, `3`)', ([name = '', value = '']) => header(name, value)),
  form('HeaderRegexp', [2], 'HeaderRegexp(`X-Version`, `^[34]$`)', ([name = '', value = '']) =>
    headerRegexp(name, value),
  ),
  { ...form('Headers', [2], 'Header(`X-Version`, `3`)', pairs(header)), v2: true },
  { ...form('HeadersRegexp', [2], 'HeaderRegexp(`X-Version`, `^[34]$`)', pairs(headerRegexp)), v2: true },
  form('Query', [1, 2], 'Query(`page`, `1`)', query),
  form('QueryRegexp', [1, 2], 'QueryRegexp(`page`, `^[0-9]+$`)', ([name = '', value]) =>
    value === undefined ? found({ kind: 'Query', name, value: '' }) : queryRegexp(name, value),
  ),
  form('ClientIP', [1], 'ClientIP(`10.0.0.0/8`)', either(clientIp)),
];

const byName = new Map(forms.map((each) => [each.name.toLowerCase(), each]));

/** Names are compared without case, as Traefik does. */
export function buildMatcher(name: string, values: readonly string[]): BuiltMatcher {
  const known = byName.get(name.toLowerCase());
  if (known === undefined) {
    const nearest = nearestName(
      name,
      forms.map((each) => each.name),
    );
    return fault(
      `there is no matcher ${name.slice(0, 60)}`,
      nearest === undefined
        ? `the matchers are ${forms
            .filter(({ v2 }) => !v2)
            .map((each) => each.name)
            .join(', ')}`
        : `did you mean ${nearest}?`,
    );
  }
  if (values.length === 0) return fault(`${known.name} has no value`, `write it like ${known.example}`);
  // Where version 3 takes one value, version 2 takes several; the others take a fixed number in both.
  const isFixed = ['Header', 'HeaderRegexp', 'QueryRegexp'].includes(known.name);
  if (isFixed && !known.values.includes(values.length))
    return fault(
      `${known.name} has ${values.length} values, not ${known.values.join(' or ')}`,
      `write it like ${known.example}`,
    );
  const built = known.build(values);
  if (!built.ok) return built;
  const isV2 = known.v2 === true || !known.values.includes(values.length);
  return isV2 ? { ...built, v2: known.v2 ? known.name : `${known.name} with ${values.length} values` } : built;
}

function form(name: string, values: readonly number[], example: string, build: MatcherForm['build']): MatcherForm {
  return { name, values, example, build };
}

function found(matcher: Matcher): BuiltMatcher {
  return { ok: true, tree: matcher };
}

function fault(message: string, suggestion: string): BuiltMatcher {
  return { ok: false, message, suggestion };
}

/** Several values are alternatives. */
function either(build: (value: string) => BuiltMatcher): MatcherForm['build'] {
  return (values) => combined('any', values.map(build));
}

/** Names and values in turn, all of which must hold. */
function pairs(build: (name: string, value: string) => BuiltMatcher): MatcherForm['build'] {
  return (values) => {
    if (values.length % 2 === 1)
      return fault('a header has a name and no value', 'write a value after every name of a header');
    const built: BuiltMatcher[] = [];
    for (let at = 0; at < values.length; at += 2) built.push(build(values[at] ?? '', values[at + 1] ?? ''));
    return combined('all', built);
  };
}

function combined(kind: 'all' | 'any', built: readonly BuiltMatcher[]): BuiltMatcher {
  const parts: RuleTree[] = [];
  let v2: string | undefined;
  for (const each of built) {
    if (!each.ok) return each;
    parts.push(each.tree);
    v2 ??= each.v2;
  }
  const [first] = parts;
  const tree: RuleTree = parts.length === 1 && first !== undefined ? first : { kind, parts };
  return v2 === undefined ? { ok: true, tree } : { ok: true, tree, v2 };
}

function host(text: string): BuiltMatcher {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (/\P{ASCII}/u.test(name))
    return fault(
      `${JSON.stringify(text)} is no host: only ASCII letters are compared`,
      'write an international name in its ASCII form (xn--…)',
    );
  const wildcard = /^(\*\*?)\.([a-z0-9_.-]+)$/.exec(name);
  if (wildcard !== null) {
    const labels = wildcard[1] === '**' ? '.+' : '[^.]+';
    return found({ kind: 'HostRegexp', expression: `^${labels}\\.${literal(wildcard[2] ?? '')}$` });
  }
  if (/^\[[0-9a-f:.]+\]$/.test(name)) return found({ kind: 'Host', host: name });
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name))
    return fault(
      `${JSON.stringify(text)} cannot be the host of a request`,
      /:\d+$/.test(name)
        ? 'leave the port out: hosts are compared without it'
        : 'write the name alone: Host(`shop.example`)',
    );
  return found({ kind: 'Host', host: name });
}

function hostRegexp(text: string): BuiltMatcher {
  if (!hasTemplate(text))
    return expression('HostRegexp', text, (source) => ({ kind: 'HostRegexp', expression: source }));
  const built = templateExpression(text.toLowerCase(), 'host', 'whole');
  const matcher = expression('HostRegexp', built, (source) => ({ kind: 'HostRegexp', expression: source }));
  return matcher.ok ? { ...matcher, v2: `HostRegexp(\`${text}\`)` } : matcher;
}

function path(kind: 'Path' | 'PathPrefix', text: string): BuiltMatcher {
  if (hasTemplate(text)) {
    const built = templateExpression(text, 'path', kind === 'Path' ? 'whole' : 'beginning');
    const matcher = pathRegexp(built);
    return matcher.ok ? { ...matcher, v2: `${kind}(\`${text}\`)` } : matcher;
  }
  const compared = pathPatternText(text, { matcher: kind === 'Path' ? 'path' : 'path_beg', ignoreCase: false });
  if (!compared.ok)
    return fault(`${JSON.stringify(text)} matches no path: expected ${compared.expected}`, compared.suggestion);
  return found({ kind, path: text });
}

function pathRegexp(text: string): BuiltMatcher {
  const compared = pathPatternText(text, { matcher: 'path_reg', ignoreCase: false });
  if (!compared.ok)
    return fault(`${JSON.stringify(text)} matches no path: expected ${compared.expected}`, compared.suggestion);
  return found({ kind: 'PathRegexp', expression: text });
}

function method(text: string): BuiltMatcher {
  if (!isToken(text)) return fault(`${JSON.stringify(text)} is no method`, 'write one such as GET');
  return found({ kind: 'Method', method: text.toUpperCase() });
}

function header(name: string, value: string): BuiltMatcher {
  const wrong = headerFault(name);
  if (wrong !== undefined) return wrong;
  if (!isHeaderValue(value))
    return fault(`the value of ${name} is no text of a header`, 'write one line in Latin letters');
  return found({ kind: 'Header', name, value });
}

function headerRegexp(name: string, value: string): BuiltMatcher {
  return (
    headerFault(name) ??
    expression('HeaderRegexp', value, (source) => ({ kind: 'HeaderRegexp', name, expression: source }))
  );
}

function headerFault(name: string): BuiltMatcher | undefined {
  if (isToken(name)) return undefined;
  return fault(`${JSON.stringify(name)} is no name of a header`, 'write one such as X-Version');
}

/** Version 2 writes `name=value` in one text and demands all of several. */
function query(values: readonly string[]): BuiltMatcher {
  const [name = '', value] = values;
  if (!values.every((each) => each.includes('=')) && values.length <= 2)
    return found({ kind: 'Query', name, value: value ?? '' });
  const built = values.map((each): BuiltMatcher => {
    const equals = each.indexOf('=');
    if (equals === -1) return found({ kind: 'Query', name: each, value: '' });
    const [key, required] = [each.slice(0, equals), each.slice(equals + 1)];
    return hasTemplate(required)
      ? queryRegexp(key, templateExpression(required, 'query', 'whole'))
      : found({ kind: 'Query', name: key, value: required });
  });
  const all = combined('all', built);
  return all.ok ? { ...all, v2: `Query(\`${name}\`)` } : all;
}

function queryRegexp(name: string, value: string): BuiltMatcher {
  return expression('QueryRegexp', value, (source) => ({ kind: 'QueryRegexp', name, expression: source }));
}

function clientIp(text: string): BuiltMatcher {
  const network = parseNetwork(text.trim());
  if (network === undefined)
    return fault(`${JSON.stringify(text)} is no address and no CIDR`, 'write one such as 10.0.0.0/8');
  return found({ kind: 'ClientIP', network: text.trim() });
}

function expression(name: string, source: string, build: (source: string) => Matcher): BuiltMatcher {
  const wrong = regularExpressionFault(source);
  if (wrong === undefined) return found(build(source));
  return fault(
    `the value of ${name} is no expression: ${wrong}`,
    'write it as Go does: https://github.com/google/re2/wiki/Syntax',
  );
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
