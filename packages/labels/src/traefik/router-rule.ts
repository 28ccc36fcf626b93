import type { Problem } from '../definition/problem.ts';
import { ruleMayHoldCredential, withoutQuotes } from '../values/credentials.ts';
import { readRule } from '../values/read-rule.ts';
import { hostsOfRule, showRule } from '../values/rule-tree.ts';
import type { GivenOption } from './given-options.ts';

export type RouterRule =
  | {
      readonly ok: true;
      /** In the syntax of version 3. */
      readonly rule: string;
      /** Traefik orders by the length of the rule as it was written, in bytes. */
      readonly length: number;
      readonly hosts: readonly string[] | undefined;
      readonly problems: readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** @param fallback the default rule, for a router that has none */
export function routerRule(given: GivenOption | undefined, router: string, fallback: string): RouterRule {
  const text = given?.value ?? fallback;
  const label = given?.label ?? `traefik.http.routers.${router}.rule`;
  const read = readRule(text);
  if (!read.ok)
    return {
      ok: false,
      problems: [
        {
          severity: 'error',
          reason: 'rule-unreadable',
          message: `the rule of the router ${router} cannot be read at character ${read.at}: ${ruleMayHoldCredential(text) ? withoutQuotes(read.message) : read.message}`,
          label,
          value: shown(text),
          suggestion: read.suggestion,
        },
      ],
    };
  const rule = showRule(read.tree);
  const problems: readonly Problem[] =
    read.v2 === undefined
      ? []
      : [
          {
            severity: 'warning',
            reason: 'rule-syntax-v2',
            message: `the rule of the router ${router} has the syntax of Traefik 2 (${shown(read.v2)}), which version 3 does not read so; it is read as ${shown(rule)}`,
            label,
            value: shown(text),
            suggestion: `write ${shown(rule)}`,
          },
        ];
  return { ok: true, rule, length: Buffer.byteLength(text), hosts: hostsOfRule(read.tree), problems };
}

/** `TRAEFIK_DEFAULT_RULE` for one service: of Go's templates, `.Name`, `normalize` and `index .Labels`. */
export function defaultRuleFor(
  template: string,
  { name, labels }: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
): string {
  return template.replace(/\{\{\s*(.*?)\s*\}\}/g, (whole, expression: string) => {
    if (/^normalize\s+\.Name$/.test(expression)) return name.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '');
    if (expression === '.Name') return name;
    const key = /^index\s+\.Labels\s+["`]([^"`]+)["`]$/.exec(expression)?.[1];
    // What is not understood stays, and makes a rule that cannot be read.
    return key === undefined ? whole : (labels[key] ?? whole);
  });
}

/** A rule may hold a credential that a header must have. */
function shown(text: string): string {
  if (ruleMayHoldCredential(text)) return '(secret)';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
