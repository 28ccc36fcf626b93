import type { RE2JS } from 're2js';

type Part = { readonly text: string } | { readonly group: number | string };

/** A replacement in the notation of Go's `regexp.Expand`: `$1`, `${1}`, `$name`, `${name}`; `$$` is a dollar sign. */
export class Replacement {
  readonly #parts: readonly Part[];

  constructor(template: string) {
    this.#parts = [...template.matchAll(/\$\$|\$\{(\w+)\}|\$(\w+)|[^$]+|\$/g)].map(([whole, braced, bare]): Part => {
      // `$1x` names the group `1x`, which there is not, as in Go.
      const name = braced ?? bare;
      if (name === undefined) return { text: whole === '$$' ? '$' : whole };
      return { group: /^\d+$/.test(name) ? Number(name) : name };
    });
  }

  /** `undefined` where the result has more than `most` characters. */
  replaceAll(expression: RE2JS, text: string, most: number): string | undefined {
    const matcher = expression.matcher(text);
    let result = '';
    let copied = 0;
    while (matcher.find()) {
      result += text.slice(copied, matcher.start());
      for (const part of this.#parts) {
        result += 'text' in part ? part.text : groupOf(matcher, part.group);
        if (result.length > most) return undefined;
      }
      copied = matcher.end();
    }
    return result.length + text.length - copied > most ? undefined : result + text.slice(copied);
  }
}

/** Empty for a group that took no part, or that the expression does not have. */
function groupOf(matcher: ReturnType<RE2JS['matcher']>, group: number | string): string {
  if (typeof group === 'number') return group <= matcher.groupCount() ? (matcher.group(group) ?? '') : '';
  try {
    return matcher.group(group) ?? '';
  } catch {
    return '';
  }
}
