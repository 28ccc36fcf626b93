import type { Problem } from '@swarmgate/registry';
import { RE2JS } from 're2js';
import type { Route } from '../../model/route.ts';
import { nameRank } from '../../routing/name-rank.ts';

/** What a route requires of a server name. */
export interface NamePattern {
  /** Equal patterns of two services are one match. */
  readonly id: string;
  /** `nameRank`: lower comes first. */
  readonly rank: number;
  /** As written in the label, and which label that is. */
  readonly text: string;
  readonly label: 'serviceDomain' | 'servicePath';
  /** A name that it matches, and no pattern of a better rank has to; absent: none is known. */
  readonly sample?: string;
  readonly matches: (serverName: string) => boolean;
}

/** `undefined`: the service cannot be relayed; its problem is recorded. Empty: it takes every name. */
export function namePatternsOf(
  route: Route,
  complain: (route: Route, problem: Omit<Problem, 'severity'>) => void,
): readonly NamePattern[] | undefined {
  const { serviceDomain = [], servicePath = [], pathType } = route.destination;
  if (serviceDomain.includes('*')) return [];
  const patterns: NamePattern[] = serviceDomain.map((text) => ({
    ...domainPattern(text),
    text,
    label: 'serviceDomain',
  }));
  const matcher = pathType?.matcher ?? 'sni';
  for (const text of servicePath) {
    const pattern = namePattern(matcher, text);
    if (pattern === undefined) {
      complain(route, {
        reason: 'sni-pattern-invalid',
        message: `no server name can be compared with ${JSON.stringify(text)} by ${matcher}`,
        label: 'servicePath',
        value: text,
        suggestion: 'Set com.df.pathType to req_ssl_sni with -m str, beg, end or reg, or use com.df.serviceDomain.',
      });
      return undefined;
    }
    patterns.push({ ...pattern, text, label: 'servicePath' });
  }
  return patterns;
}

const longest = 1_000;

type Matching = Omit<NamePattern, 'text' | 'label'>;

function namePattern(matcher: string, text: string): Matching | undefined {
  const required = text.toLowerCase();
  switch (matcher) {
    case 'sni':
      return exactly(required);
    case 'sni_end':
      return { id: `$${required}`, rank: nameRank.ending(required), matches: (name) => name.endsWith(required) };
    case 'sni_beg':
      return { id: `^${required}`, rank: nameRank.beginning(required), matches: (name) => name.startsWith(required) };
    case 'sni_reg': {
      if (text.length > longest) return undefined;
      try {
        // Linear in the name's length whatever the expression. Names have no case, so neither has the match.
        const expression = RE2JS.compile(text, RE2JS.CASE_INSENSITIVE);
        return { id: `~${text}`, rank: nameRank.expression, matches: (name) => expression.matcher(name).find() };
      } catch {
        return undefined;
      }
    }
    default:
      return undefined;
  }
}

/** As hosts in http mode: a name, or `*.domain` for all of its subdomains. */
function domainPattern(domain: string): Matching {
  const required = domain.toLowerCase();
  if (!required.startsWith('*')) return exactly(required);
  const ending = required.slice(1);
  return {
    id: `$${ending}`,
    rank: nameRank.ending(ending),
    sample: `x${ending}`,
    matches: (name) => name.length > ending.length && name.endsWith(ending),
  };
}

function exactly(required: string): Matching {
  return { id: `=${required}`, rank: nameRank.exact, sample: required, matches: (name) => name === required };
}
