import { isFixedRequestHeader, isFramingHeader, isSecretVariable } from '@swarmgate/labels';
import type { HeaderRule } from '@swarmgate/registry/vocabulary';
import type { Exchange } from '../model/exchange.ts';
import { foldedName, type HeaderList } from '../model/header-list.ts';
import { proceed } from './local-responses.ts';
import type { Middleware } from './middleware.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface HeaderChanges {
  readonly add: readonly HeaderRule[];
  readonly set: readonly HeaderRule[];
  readonly del: readonly string[];
}

type Change = (headers: HeaderList, exchange: Exchange) => void;

/**
 * `addReqHeader`, `setReqHeader`, `delReqHeader`, in that order. `undefined` where there is nothing to do. What is set or
 * deleted goes in every spelling: a service may take the client's `X_User` for the `X-User` that the route sets.
 */
export function requestHeaders(changes: HeaderChanges, env: Environment): Middleware | undefined {
  const compiled = compileChanges(changes, env, isFixedRequestHeader, onRequest);
  if (compiled.length === 0) return undefined;
  return {
    name: 'reqHeader',
    onRequest(exchange) {
      for (const change of compiled) change(exchange.request, exchange);
      return proceed;
    },
  };
}

/** As `requestHeaders`, on the response of the endpoint. */
export function responseHeaders(changes: HeaderChanges, env: Environment): Middleware | undefined {
  const compiled = compileChanges(changes, env, isFramingHeader, onResponse);
  if (compiled.length === 0) return undefined;
  return {
    name: 'resHeader',
    onResponse(exchange, { headers }) {
      for (const change of compiled) change(headers, exchange);
    },
  };
}

interface Operations {
  readonly add: (headers: HeaderList, name: string, value: string) => void;
  readonly set: (headers: HeaderList, name: string, value: string) => void;
  readonly delete: (headers: HeaderList, name: string) => void;
}

const onResponse: Operations = {
  add: (headers, name, value) => headers.add(name, value),
  set: (headers, name, value) => headers.set(name, value),
  delete: (headers, name) => headers.delete(name),
};

const onRequest: Operations = {
  // Beside the proxy's own value services would have two, and would take one or the other.
  add: (headers, name, value) =>
    isForwardingHeader(name) ? headers.setInEverySpelling(name, value) : headers.add(name, value),
  set: (headers, name, value) => headers.setInEverySpelling(name, value),
  delete: (headers, name) => headers.deleteInEverySpelling(name),
};

function isForwardingHeader(name: string): boolean {
  const folded = foldedName(name);
  return folded.startsWith('x-forwarded-') || ['forwarded', 'x-real-ip', 'x-request-id'].includes(folded);
}

function compileChanges(
  { add, set, del }: HeaderChanges,
  env: Environment,
  isFixed: (name: string) => boolean,
  apply: Operations,
): readonly Change[] {
  // Checked where labels are read, and again here: this is where it would do harm.
  const changeable = ({ name }: HeaderRule) => !isFixed(name);
  const names = del.filter((name) => !isFixed(name));
  return [
    ...add
      .filter(changeable)
      .map((rule) => compileRule(rule, env, (headers, value) => apply.add(headers, rule.name, value))),
    ...set
      .filter(changeable)
      .map((rule) => compileRule(rule, env, (headers, value) => apply.set(headers, rule.name, value))),
    ...names.map(
      (name): Change =>
        (headers) =>
          apply.delete(headers, name),
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
