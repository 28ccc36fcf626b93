import { boolean, integer, oneOf } from '../values/plain.ts';
import { middlewareKind, optional, required } from './middleware-kind.ts';
import { expression, replacement } from './option-values.ts';

/** Middleware that responds with a redirect. */

const permanent = optional(boolean, {
  meaning: '308 (301 for GET) instead of 307 (302 for GET).',
  default: 'false',
});

export const redirectScheme = middlewareKind({
  kind: 'redirectScheme',
  positional: 'scheme',
  meaning: 'Redirects requests that came by another scheme.',
  example: 'https,permanent=true',
  restricts: 'redirect-scheme',
  options: {
    scheme: required(oneOf('https', 'http'), { meaning: 'The scheme that passes.' }),
    port: optional(integer(1, 65_535), { meaning: 'Port of the redirect.', default: 'the scheme’s own' }),
    permanent,
  },
});

export const redirectRegex = middlewareKind({
  kind: 'redirectRegex',
  meaning: 'Redirects requests whose URL, `scheme://host/path?query`, an expression matches.',
  example: 'regex=^https?://www\\.(.*),replacement=https://$1,permanent=true',
  options: {
    regex: required(expression, { isExpression: true, meaning: 'RE2 expression.' }),
    replacement: required(replacement, { meaning: 'The new URL. Groups are `$1` or `${1}`.' }),
    permanent,
  },
});
