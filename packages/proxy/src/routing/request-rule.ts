import { isIP } from 'node:net';
import {
  isCredentialName,
  type Matcher,
  mapMatchers,
  matchersOf,
  type RuleTree,
  readRule,
  showRule,
} from '@swarmgate/labels';
import { addressList } from '../http/address-list.ts';
import type { RequestTarget } from '../model/request-target.ts';
import { compileExpression } from './expressions.ts';
import { defaultPathType, parsePathPattern, pathMatches } from './path-pattern.ts';

/** A rule of a destination (`rule`), compiled once with its route. */
export interface RequestRule {
  readonly text: string;
  /** For messages: values of headers and parameters that may be credentials are left out. */
  readonly shown: string;
  readonly fits: (target: RequestTarget) => boolean;
}

type Predicate = (target: RequestTarget) => boolean;

/**
 * A rule that cannot be read, or that reads what is not known of a request, fits no request: its negation would let
 * requests in that the rule is to keep out.
 */
export function compileRule(text: string): RequestRule {
  const read = readRule(text);
  if (!read.ok) return { text, shown: 'it cannot be read', fits: never };
  const shown = showRule(mapMatchers(read.tree, withoutCredential));
  const isKnown = knownFor(matchersOf(read.tree));
  const fits = compileTree(read.tree);
  return { text, shown, fits: isKnown === undefined ? fits : (target) => isKnown(target) && fits(target) };
}

/** A rule as it may be shown. */
export function redactRule(text: string): string {
  return compileRule(text).shown;
}

function withoutCredential(matcher: Matcher): Matcher {
  switch (matcher.kind) {
    case 'Header':
    case 'Query':
      return isCredentialName(matcher.name) ? { ...matcher, value: '' } : matcher;
    case 'HeaderRegexp':
    case 'QueryRegexp':
      return isCredentialName(matcher.name) ? { ...matcher, expression: '' } : matcher;
    default:
      return matcher;
  }
}

function knownFor(matchers: readonly Matcher[]): Predicate | undefined {
  const needs = (kinds: readonly Matcher['kind'][]) => matchers.some(({ kind }) => kinds.includes(kind));
  const [lines, query, address] = [
    needs(['Header', 'HeaderRegexp']),
    needs(['Query', 'QueryRegexp']),
    needs(['ClientIP']),
  ];
  if (!lines && !query && !address) return undefined;
  return (target) =>
    !(lines && target.lines === undefined) &&
    !(query && target.query === undefined) &&
    !(address && isIP(target.clientAddress ?? '') === 0);
}

function compileTree(tree: RuleTree): Predicate {
  switch (tree.kind) {
    case 'all': {
      const parts = tree.parts.map(compileTree);
      return (target) => parts.every((part) => part(target));
    }
    case 'any': {
      const parts = tree.parts.map(compileTree);
      return (target) => parts.some((part) => part(target));
    }
    case 'not': {
      const part = compileTree(tree.part);
      return (target) => !part(target);
    }
    default:
      return compileMatcher(tree);
  }
}

function compileMatcher(matcher: Matcher): Predicate {
  switch (matcher.kind) {
    case 'Host':
      return ({ host }) => host === matcher.host;
    case 'HostRegexp': {
      const expression = compileExpression(matcher.expression, false);
      // Without a Host (HTTP/1.0) there is nothing to compare.
      return ({ host }) => host !== '' && expression.test(host);
    }
    case 'Path':
    case 'PathPrefix':
    case 'PathRegexp':
      return pathMatcher(matcher);
    case 'Method':
      return ({ method }) => method === matcher.method;
    case 'Header': {
      const name = matcher.name.toLowerCase();
      return (target) => target.lines?.(name).includes(matcher.value) === true;
    }
    case 'HeaderRegexp': {
      const name = matcher.name.toLowerCase();
      const expression = compileExpression(matcher.expression, false);
      return ({ lines }) => lines?.(name).some((value) => expression.test(value)) === true;
    }
    case 'Query':
      return ({ query }) => parametersOf(query, matcher.name).includes(matcher.value);
    case 'QueryRegexp': {
      const expression = compileExpression(matcher.expression, false);
      return ({ query }) => parametersOf(query, matcher.name).some((value) => expression.test(value));
    }
    case 'ClientIP':
      return addressMatcher(matcher.network);
  }
}

function pathMatcher(matcher: Extract<Matcher, { readonly kind: 'Path' | 'PathPrefix' | 'PathRegexp' }>): Predicate {
  const text = matcher.kind === 'PathRegexp' ? matcher.expression : matcher.path;
  const type =
    matcher.kind === 'PathPrefix'
      ? defaultPathType
      : ({ matcher: matcher.kind === 'Path' ? 'path' : 'path_reg', ignoreCase: false } as const);
  const parsed = parsePathPattern(text, type, false);
  return parsed.ok ? ({ path }) => pathMatches(parsed.pattern, path) : never;
}

function parametersOf(query: string | undefined, name: string): readonly string[] {
  return query === undefined ? [] : new URLSearchParams(query).getAll(name);
}

function addressMatcher(text: string): Predicate {
  const contains = addressList([text]);
  return ({ clientAddress = '' }) => contains(clientAddress);
}

const never: Predicate = () => false;
