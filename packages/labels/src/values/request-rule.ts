import { readRule } from './read-rule.ts';
import { showRule } from './rule-tree.ts';
import { not, type Value } from './value.ts';

/** A rule in the syntax of Traefik 3, as `showRule` writes it. */
export const requestRule: Value<string> = {
  parse: (raw) => {
    const read = readRule(raw);
    if (!read.ok) return { ...not(ruleExpectation(read)), suggestion: read.suggestion };
    const rule = showRule(read.tree);
    if (read.v2 === undefined) return { ok: true, value: rule };
    return {
      ok: true,
      value: rule,
      warning: {
        reason: 'rule-syntax-v2',
        message: `${read.v2} is the syntax of Traefik 2, read as ${rule.slice(0, 200)}`,
        suggestion: 'write it in the syntax of version 3',
      },
    };
  },
  schema: (zod) =>
    zod.string().superRefine((text, context) => {
      const read = readRule(text);
      if (!read.ok) context.addIssue({ code: 'custom', message: `expected ${ruleExpectation(read)}` });
    }),
};

function ruleExpectation({ at, message }: { readonly at: number; readonly message: string }): string {
  return `a rule that can be read: at character ${at}, ${message}`;
}
