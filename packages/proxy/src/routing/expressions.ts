import { matchersOf, middlewareExpressions, pathPatternText, readRule } from '@swarmgate/labels';
import type { Destination, PathType, ServiceDefinition } from '@swarmgate/registry';
import { RE2JS } from 're2js';

/** Compiled ahead of the change that needs them. */
const prepared = new Map<string, RE2JS>();
/** The results of path checks, which compile them too. */
const checked = new Map<string, ReturnType<typeof pathPatternText>>();

/** An expression of a path or a rewrite. @throws for one that is not valid for RE2 */
export function compileExpression(text: string, ignoreCase: boolean): RE2JS {
  return prepared.get(keyOf(text, ignoreCase)) ?? RE2JS.compile(text, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
}

/** As `pathPatternText`, which is queried again for every change. */
export function checkedExpression(text: string, type: PathType): ReturnType<typeof pathPatternText> {
  return checked.get(keyOf(text, type.ignoreCase)) ?? pathPatternText(text, type);
}

export function hasExpressions(definition: ServiceDefinition | undefined): boolean {
  return definition?.destinations.some((destination) => expressionsOf(destination).length > 0) === true;
}

/** Compiles one expression a step, so that what puts them in force finds them made. Keeps them until `forgetPrepared`. */
export function* prepareExpressions(
  definitions: Iterable<ServiceDefinition | undefined>,
): Generator<undefined, undefined> {
  for (const definition of definitions)
    for (const destination of definition?.destinations ?? []) {
      const { pathType, servicePath = [] } = destination;
      if (pathType?.matcher === 'path_reg')
        for (const path of servicePath) {
          checked.set(keyOf(path, pathType.ignoreCase), pathPatternText(path, pathType));
          yield;
        }
      for (const [text, ignoreCase] of expressionsOf(destination)) {
        try {
          prepared.set(keyOf(text, ignoreCase), compileExpression(text, ignoreCase));
        } catch {
          // What puts it in force finds it invalid, too, and reports it.
        }
        yield;
      }
    }
}

export function forgetPrepared(): void {
  prepared.clear();
  checked.clear();
}

type Expression = readonly [text: string, ignoreCase: boolean];

function expressionsOf(destination: Destination): readonly Expression[] {
  const { pathType, servicePath = [], servicePathExclude = [], reqPathSearchReplace = [] } = destination;
  const rewrites = reqPathSearchReplace.map(({ search, ignoreCase }): Expression => [search, ignoreCase === true]);
  const ofMiddlewares = middlewareExpressions(destination).map((text): Expression => [text, false]);
  const others = [...rewrites, ...ofMiddlewares, ...expressionsOfRule(destination.rule)];
  if (pathType?.matcher !== 'path_reg') return others;
  const { ignoreCase } = pathType;
  return [...[...servicePath, ...servicePathExclude].map((path): Expression => [path, ignoreCase]), ...others];
}

function expressionsOfRule(rule: string | undefined): readonly Expression[] {
  if (rule === undefined || !rule.includes('Regexp(')) return [];
  const read = readRule(rule);
  if (!read.ok) return [];
  return matchersOf(read.tree).flatMap((matcher): readonly Expression[] =>
    'expression' in matcher ? [[matcher.expression, false]] : [],
  );
}

function keyOf(text: string, ignoreCase: boolean): string {
  return `${ignoreCase ? 'i' : 'c'}${text}`;
}
