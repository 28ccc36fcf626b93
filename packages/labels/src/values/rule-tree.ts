/**
 * A router's rule (https://doc.traefik.io/traefik/reference/routing-configuration/http/routing/rules-and-priority/), in the
 * syntax of Traefik 3: one value a matcher, whatever syntax it was written in.
 */
export type RuleTree =
  | { readonly kind: 'all'; readonly parts: readonly RuleTree[] }
  | { readonly kind: 'any'; readonly parts: readonly RuleTree[] }
  | { readonly kind: 'not'; readonly part: RuleTree }
  | Matcher;

export type Matcher =
  /** Lower case, without trailing dot. */
  | { readonly kind: 'Host'; readonly host: string }
  /** RE2, searched in the host in lower case without its port. */
  | { readonly kind: 'HostRegexp'; readonly expression: string }
  /** `PathPrefix` compares text, whatever the segments: `/api` fits `/apiary`. */
  | { readonly kind: 'Path' | 'PathPrefix'; readonly path: string }
  | { readonly kind: 'PathRegexp'; readonly expression: string }
  /** Upper case. */
  | { readonly kind: 'Method'; readonly method: string }
  /** One of the values of that header. */
  | { readonly kind: 'Header'; readonly name: string; readonly value: string }
  | { readonly kind: 'HeaderRegexp'; readonly name: string; readonly expression: string }
  /** One of the values of that parameter, decoded. */
  | { readonly kind: 'Query'; readonly name: string; readonly value: string }
  | { readonly kind: 'QueryRegexp'; readonly name: string; readonly expression: string }
  /** An address or a CIDR. */
  | { readonly kind: 'ClientIP'; readonly network: string };

/** In the syntax of Traefik 3; `readRule` reads it back. */
export function showRule(tree: RuleTree): string {
  switch (tree.kind) {
    case 'any':
      return tree.parts.map(showRule).join(' || ');
    case 'all':
      return tree.parts.map((part) => (part.kind === 'any' ? `(${showRule(part)})` : showRule(part))).join(' && ');
    case 'not':
      return tree.part.kind === 'any' || tree.part.kind === 'all'
        ? `!(${showRule(tree.part)})`
        : `!${showRule(tree.part)}`;
    default:
      return `${tree.kind}(${valuesOf(tree).map(quoted).join(', ')})`;
  }
}

/** Every matcher of a rule, from left to right. */
export function matchersOf(tree: RuleTree): readonly Matcher[] {
  if (tree.kind === 'all' || tree.kind === 'any') return tree.parts.flatMap(matchersOf);
  return tree.kind === 'not' ? matchersOf(tree.part) : [tree];
}

/** The same rule with other matchers. */
export function mapMatchers(tree: RuleTree, change: (matcher: Matcher) => Matcher): RuleTree {
  switch (tree.kind) {
    case 'all':
    case 'any':
      return { kind: tree.kind, parts: tree.parts.map((part) => mapMatchers(part, change)) };
    case 'not':
      return { kind: 'not', part: mapMatchers(tree.part, change) };
    default:
      return change(tree);
  }
}

/** The hosts of which every request that fits the rule has one; `undefined`: any host may fit. */
export function hostsOfRule(tree: RuleTree): readonly string[] | undefined {
  return necessary(tree, (matcher) => (matcher.kind === 'Host' ? [matcher.host] : undefined));
}

export interface RulePath {
  readonly kind: 'Path' | 'PathPrefix';
  readonly path: string;
}

/** The paths of which every request that fits the rule has one; `undefined`: any path may fit. */
export function pathsOfRule(tree: RuleTree): readonly RulePath[] | undefined {
  return necessary(tree, (matcher) =>
    matcher.kind === 'Path' || matcher.kind === 'PathPrefix' ? [{ kind: matcher.kind, path: matcher.path }] : undefined,
  );
}

/** One of these alternatives holds wherever the rule does. The shortest list where several parts give one. */
function necessary<T>(tree: RuleTree, of: (matcher: Matcher) => readonly T[] | undefined): readonly T[] | undefined {
  switch (tree.kind) {
    case 'not':
      return undefined;
    case 'all':
      return tree.parts
        .flatMap((part) => {
          const found = necessary(part, of);
          return found === undefined ? [] : [found];
        })
        .toSorted((one, other) => one.length - other.length)[0];
    case 'any': {
      const found = tree.parts.map((part) => necessary(part, of));
      return found.every((each) => each !== undefined) ? unique(found.flat()) : undefined;
    }
    default:
      return of(tree);
  }
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

function valuesOf(matcher: Matcher): readonly string[] {
  const { kind: _, ...values } = matcher;
  return Object.values(values);
}

/** Go's raw string, or where it cannot hold the text an interpreted one. */
function quoted(text: string): string {
  return text.includes('`') || /[\r\n]/.test(text) ? JSON.stringify(text) : `\`${text}\``;
}
