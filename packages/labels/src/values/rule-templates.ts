/** `{name}` and `{name:expression}` of Traefik 2, in `HostRegexp`, `Path`, `PathPrefix` and `Query`. */
const variable = /^\{[A-Za-z_][\w-]*(?::|\})/;

export function hasTemplate(text: string): boolean {
  for (let at = text.indexOf('{'); at !== -1; at = text.indexOf('{', at + 1))
    if (variable.test(text.slice(at)) && closeOf(text, at) !== undefined) return true;
  return false;
}

const anyValue = { host: '[^.]+', path: '[^/]+', query: '.*' } as const;

/**
 * The expression that a template stands for, as gorilla/mux reads it: what is outside of braces is literal, a variable
 * without expression is one label, segment or value.
 *
 * @param extent `whole`: to the end; `beginning`: what follows is free
 */
export function templateExpression(text: string, of: keyof typeof anyValue, extent: 'whole' | 'beginning'): string {
  let expression = '^';
  for (let at = 0; at < text.length; ) {
    const close = variable.test(text.slice(at)) ? closeOf(text, at) : undefined;
    if (close === undefined) {
      expression += text.charAt(at).replace(/[.*+?^${}()|[\]\\]/, '\\$&');
      at += 1;
      continue;
    }
    const inner = text.slice(at + 1, close);
    const colon = inner.indexOf(':');
    expression += `(?:${colon === -1 ? anyValue[of] : inner.slice(colon + 1)})`;
    at = close + 1;
  }
  return extent === 'whole' ? `${expression}$` : expression;
}

/** Braces inside an expression (`[0-9]{2}`) are balanced. */
function closeOf(text: string, open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text.charAt(at) === '{') depth += 1;
    else if (text.charAt(at) === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return undefined;
}
