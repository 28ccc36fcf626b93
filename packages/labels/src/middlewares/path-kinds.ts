import { boolean } from '../values/plain.ts';
import { middlewareKind, optional, required } from './middleware-kind.ts';
import { expression, linesOf, listOf, pathText, replacement } from './option-values.ts';

/** Middleware that changes the path of the request. */

export const stripPrefix = middlewareKind({
  kind: 'stripPrefix',
  positional: 'prefixes',
  meaning:
    'Removes the first of the prefixes that the path begins with, and sends it as `X-Forwarded-Prefix`. A prefix is compared as text, as Traefik does: `/api` is removed from `/apiary` too.',
  example: '/api,/v1',
  options: {
    prefixes: required(listOf(pathText), { meaning: 'Prefixes, compared in this order.' }),
    forceSlash: optional(boolean, { meaning: 'Ignored: a path always begins with a slash.', default: 'true' }),
  },
});

export const stripPrefixRegex = middlewareKind({
  kind: 'stripPrefixRegex',
  positional: 'expressions',
  meaning: 'As `stripPrefix`, for the first expression that matches at the beginning of the path.',
  example: '^/[a-z]+/v[0-9]+/',
  options: {
    expressions: required(linesOf(expression), { isExpression: true, meaning: 'RE2 expressions.' }),
  },
});

export const addPrefix = middlewareKind({
  kind: 'addPrefix',
  positional: 'prefix',
  meaning: 'Puts a prefix before the path.',
  example: '/shop',
  options: { prefix: required(pathText, { meaning: 'The prefix.' }) },
});

export const replacePath = middlewareKind({
  kind: 'replacePath',
  positional: 'path',
  meaning: 'Replaces the path, and sends the former one as `X-Replaced-Path`. The query stays.',
  example: '/index.html',
  options: { path: required(pathText, { meaning: 'The new path.' }) },
});

export const replacePathRegex = middlewareKind({
  kind: 'replacePathRegex',
  meaning:
    'Replaces every match of an expression in the path where it matches, and sends the former path as `X-Replaced-Path`.',
  example: 'regex=^/api/(.*),replacement=/v2/$1',
  options: {
    regex: required(expression, { isExpression: true, meaning: 'RE2 expression.' }),
    replacement: required(replacement, { meaning: 'Groups are `$1` or `${1}`, a dollar sign is `$$`.' }),
  },
});
