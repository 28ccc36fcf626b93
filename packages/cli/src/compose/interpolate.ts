/** Why `docker stack deploy` refuses a value, or makes something of it that its author cannot mean. */
export interface InterpolationFault {
  readonly kind: 'format-invalid' | 'variable-missing' | 'default-nested';
  readonly message: string;
  readonly suggestion: string;
}

export interface Interpolated {
  readonly value: string;
  readonly faults: readonly InterpolationFault[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

// `$$`, `$NAME`, or the beginning of `${NAME`, with the operator behind it.
const reference = /\$(?:\$|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(:?[-?+])?)/y;

/**
 * Variables in a value as `docker stack deploy` reads them: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`,
 * `${NAME:?message}`, `${NAME?message}`; `$$` is a dollar sign; a variable that is not set is empty. Compose
 * (https://docs.docker.com/reference/compose-file/interpolation/) also takes `${NAME:+value}` and references inside a
 * default, which `docker stack deploy` does not (checked with its version 28.2): both are faults, and `value` is Compose's.
 */
export function interpolate(text: string, env: Environment): Interpolated {
  const faults: InterpolationFault[] = [];
  let value = '';
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar === -1) break;
    value += text.slice(at, dollar);
    const found = readReference(text, dollar, env);
    if (found === undefined) {
      faults.push(formatFault(text));
      return { value: value + text.slice(dollar), faults };
    }
    value += found.value;
    faults.push(...found.faults);
    at = found.end;
  }
  return { value: value + text.slice(at), faults };
}

interface ReadReference extends Interpolated {
  /** Index behind the reference. */
  readonly end: number;
}

function readReference(text: string, start: number, env: Environment): ReadReference | undefined {
  reference.lastIndex = start;
  const match = reference.exec(text);
  if (match === null) return undefined;
  const [whole, plain, braced, operator] = match;
  const behind = start + whole.length;
  if (braced === undefined) return { value: plain === undefined ? '$' : (env[plain] ?? ''), faults: [], end: behind };
  const end = closingBrace(text, behind);
  if (end === undefined) return undefined;
  const operand = text.slice(behind, end);
  if (operator === undefined)
    return operand === '' ? { value: env[braced] ?? '', faults: [], end: end + 1 } : undefined;
  return { ...applyOperator(text.slice(start, end + 1), braced, operator, operand, env), end: end + 1 };
}

function applyOperator(whole: string, name: string, operator: string, operand: string, env: Environment): Interpolated {
  const given = env[name];
  const isMissing = given === undefined || (operator.startsWith(':') && given === '');
  if (operator.endsWith('?')) {
    return isMissing ? { value: '', faults: [missingFault(name, operand)] } : { value: given, faults: [] };
  }
  if (operator.endsWith('+')) {
    const { value } = interpolate(operand, env);
    return { value: isMissing ? '' : value, faults: [plusFault(whole)] };
  }
  if (!operand.includes('$')) return { value: isMissing ? operand : given, faults: [] };
  return { value: isMissing ? interpolate(operand, env).value : given, faults: [nestedFault(whole)] };
}

/** The index of the brace that closes the reference, references inside it skipped. */
function closingBrace(text: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '$' && text[at + 1] === '{') depth += 1;
    else if (text[at] === '}') {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
  return undefined;
}

function formatFault(text: string): InterpolationFault {
  return {
    kind: 'format-invalid',
    message: `docker stack deploy refuses the file: ${JSON.stringify(text)} has a $ that begins no variable`,
    suggestion: 'write $$ for a dollar sign',
  };
}

function missingFault(name: string, message: string): InterpolationFault {
  return {
    kind: 'variable-missing',
    message: `docker stack deploy refuses the file: the required variable ${name} has no value${message === '' ? '' : ` (${message})`}`,
    suggestion: `set ${name} in the environment`,
  };
}

function plusFault(whole: string): InterpolationFault {
  return {
    kind: 'format-invalid',
    message: `docker stack deploy refuses the file: ${whole} is Compose's alone`,
    suggestion: 'use ${NAME:-default}, ${NAME-default}, ${NAME:?message} or ${NAME?message}',
  };
}

function nestedFault(whole: string): InterpolationFault {
  return {
    kind: 'default-nested',
    message: `docker stack deploy reads no variable inside ${whole}: the label would get another value than Compose gives it`,
    suggestion: 'write the default as a constant, or set the variable in the environment',
  };
}
