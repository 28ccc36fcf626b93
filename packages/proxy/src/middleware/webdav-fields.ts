import type { Exchange } from '../model/exchange.ts';
import { normalizePath } from '../routing/normal-path.ts';
import { isRequestedHost, readReference } from './uri-reference.ts';

/** Outcome of a path rewrite; `reason` names a local response. */
export type Rewritten =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly reason: 'rewritten-path-too-long' | 'rewritten-path-invalid' };

/**
 * Applies a path rewrite to `Destination` of MOVE and COPY and to the tags of `If`, which name resources as the request line
 * does (RFC 4918, sections 10.3 and 10.4). Returns why the request has to be refused, else `undefined`.
 */
export function rewriteDavFields(
  exchange: Exchange,
  rewrite: (path: string) => Rewritten,
): 'rewritten-path-too-long' | 'rewritten-path-invalid' | undefined {
  const { request, method } = exchange;
  let refused: 'rewritten-path-too-long' | 'rewritten-path-invalid' | undefined;
  const followed = (text: string): string => {
    const reference = readReference(text.trim());
    if (reference === undefined || refused !== undefined) return text;
    const { origin, authority, path, rest } = reference;
    if (origin !== '' && !isRequestedHost(authority, exchange)) return text;
    const normal = normalizePath(path);
    if (!normal.ok) return text;
    const rewritten = rewrite(normal.path);
    if (!rewritten.ok) {
      refused = rewritten.reason;
      return text;
    }
    return rewritten.path === normal.path ? text : origin + rewritten.path + rest;
  };
  const destination = request.get('destination');
  if (destination !== undefined && (method === 'MOVE' || method === 'COPY'))
    request.set('Destination', followed(destination));
  const condition = request.get('if');
  if (condition !== undefined) request.set('If', replaceTags(condition, followed));
  return refused;
}

/**
 * Replaces the `<…>` outside of parentheses: what stands in these are state tokens and entity tags. One pass, because a
 * client chooses the text.
 */
function replaceTags(text: string, replace: (reference: string) => string): string {
  let result = '';
  let copied = 0;
  let inList = false;
  let inQuotes = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inQuotes) inQuotes = character !== '"';
    else if (inList) {
      if (character === '"') inQuotes = true;
      else if (character === ')') inList = false;
    } else if (character === '(') inList = true;
    else if (character === '<') {
      const end = text.indexOf('>', at);
      if (end === -1) break;
      result += text.slice(copied, at + 1) + replace(text.slice(at + 1, end));
      copied = end;
      at = end;
    }
  }
  return result + text.slice(copied);
}
