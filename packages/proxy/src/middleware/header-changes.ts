import { isFixedRequestHeader, isFramingHeader, isSecretVariable } from '@swarmgate/labels';
import type { HeaderRule } from '@swarmgate/registry/vocabulary';
import type { Exchange } from '../model/exchange.ts';
import type { HeaderList } from '../model/header-list.ts';
import { proceed } from './local-responses.ts';
import type { Middleware } from './middleware.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface HeaderChanges {
  readonly add: readonly HeaderRule[];
  readonly set: readonly HeaderRule[];
  readonly del: readonly string[];
}

type Change = (headers: HeaderList, exchange: Exchange) => void;

/** `addReqHeader`, `setReqHeader`, `delReqHeader`, in that order. `undefined` where there is nothing to do. */
export function requestHeaders(changes: HeaderChanges, env: Environment): Middleware | undefined {
  const compiled = compileChanges(changes, env, isFixedRequestHeader);
  if (compiled.length === 0) return undefined;
  return {
    name: 'reqHeader',
    onRequest(exchange) {
      for (const change of compiled) change(exchange.request, exchange);
      return proceed;
    },
  };
}

/** As `requestHeaders`, on the answer of the endpoint. */
export function responseHeaders(changes: HeaderChanges, env: Environment): Middleware | undefined {
  const compiled = compileChanges(changes, env, isFramingHeader);
  if (compiled.length === 0) return undefined;
  return {
    name: 'resHeader',
    onResponse(exchange, { headers }) {
      for (const change of compiled) change(headers, exchange);
    },
  };
}

function compileChanges(
  { add, set, del }: HeaderChanges,
  env: Environment,
  isFixed: (name: string) => boolean,
): readonly Change[] {
  // Checked where labels are read, and again here: this is where it would do harm.
  const changeable = ({ name }: HeaderRule) => !isFixed(name);
  const names = del.filter((name) => !isFixed(name));
  return [
    ...add.filter(changeable).map((rule) => compileRule(rule, env, (headers, value) => headers.add(rule.name, value))),
    ...set.filter(changeable).map((rule) => compileRule(rule, env, (headers, value) => headers.set(rule.name, value))),
    ...names.map(
      (name): Change =>
        (headers) =>
          headers.delete(name),
    ),
  ];
}

function compileRule(
  { value, condition }: HeaderRule,
  env: Environment,
  apply: (headers: HeaderList, value: string) => void,
): Change {
  const text = compileValue(value, env);
  return (headers, exchange) => {
    if (condition !== undefined && (condition === 'if-secure') !== (exchange.client.scheme === 'https')) return;
    apply(headers, text(exchange));
  };
}

/** `postgres://user:password@host`: a secret, whatever the variable is called. */
const userInUrl = /:\/\/[^/?#\s]*@/;

/** `%[src]`, `%[dst_port]`, `%[env(NAME)]` and `%%`; whatever else there is stands for itself. */
function compileValue(template: string, env: Environment): (exchange: Exchange) => string {
  const parts = template.split(/(%%|%\[[^\]]*\])/).map((part): string | ((exchange: Exchange) => string) => {
    if (part === '%%') return '%';
    if (part === '%[src]') return ({ client }) => client.address;
    if (part === '%[dst_port]') return ({ client }) => String(client.entryPort);
    const variable = /^%\[env\(([A-Za-z_][A-Za-z0-9_]*)\)\]$/.exec(part)?.[1];
    if (variable === undefined) return part;
    // An unset variable is empty, as in HAProxy. Line ends would make a header of their own, other letters none at all.
    const text = env[variable] ?? '';
    return isSecretVariable(variable) || userInUrl.test(text) ? '' : text.replace(/[^\t\x20-\x7e\x80-\xff]+/g, ' ');
  });
  if (parts.every((part) => typeof part === 'string')) {
    const constant = parts.join('');
    return () => constant;
  }
  return (exchange) => parts.map((part) => (typeof part === 'string' ? part : part(exchange))).join('');
}
