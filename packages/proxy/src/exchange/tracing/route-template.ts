import type { Route } from '../../model/route.ts';
import { defaultPathType, type PathPattern, parsePathPattern, pathMatches } from '../../routing/path-pattern.ts';

interface PathOfRoute {
  readonly label: string;
  /** As the paths of labels are matched with whole segments, and without. */
  readonly patterns: readonly [whole: PathPattern | undefined, anywhere: PathPattern | undefined];
}

const pathsOf = new WeakMap<Route, readonly PathOfRoute[]>();

/** `http.route`: the path of the route's labels that the request fell under. They are few, where paths of requests are many. */
export function routeTemplateOf(route: Route, path: string): string {
  const labels = route.destination.servicePath ?? ['/'];
  const [first = '/'] = labels;
  if (labels.length < 2) return first;
  // Which of the two the table matches by is a setting: what ends at a segment goes before what does not.
  for (const at of [0, 1] as const) {
    let longest: string | undefined;
    for (const { label, patterns } of parsedPathsOf(route, labels)) {
      const pattern = patterns[at];
      if (pattern === undefined || (longest !== undefined && label.length <= longest.length)) continue;
      if (pathMatches(pattern, path)) longest = label;
    }
    if (longest !== undefined) return longest;
  }
  return first;
}

function parsedPathsOf(route: Route, labels: readonly string[]): readonly PathOfRoute[] {
  const known = pathsOf.get(route);
  if (known !== undefined) return known;
  const type = route.destination.pathType ?? defaultPathType;
  const parse = (label: string, wholeSegments: boolean) => {
    const parsed = parsePathPattern(label, type, wholeSegments);
    return parsed.ok ? parsed.pattern : undefined;
  };
  const parsed = labels.map((label) => ({ label, patterns: [parse(label, true), parse(label, false)] as const }));
  pathsOf.set(route, parsed);
  return parsed;
}
