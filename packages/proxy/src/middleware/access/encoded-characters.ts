import type { UseOf } from '@swarmgate/labels';
import { forwardedPath } from '../../model/exchange.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';

/** `encodedCharacters`: refuses a path that holds one of these percent-encoded, as servers decode them at different times. */
export function encodedCharacters(use: UseOf<'encodedCharacters'>): Middleware {
  const refused = [
    ...(use.allowEncodedSlash === true ? [] : ['2F']),
    ...(use.allowEncodedBackSlash === true ? [] : ['5C']),
    ...(use.allowEncodedSemicolon === true ? [] : ['3B']),
    ...(use.allowEncodedPercent === true ? [] : ['25']),
    ...(use.allowEncodedQuestionMark === true ? [] : ['3F']),
    ...(use.allowEncodedHash === true ? [] : ['23']),
  ];
  const pattern = refused.length === 0 ? undefined : new RegExp(`%(?:${refused.join('|')})`, 'i');
  return {
    name: 'encodedCharacters',
    onRequest: (exchange) => (pattern?.test(forwardedPath(exchange)) === true ? refuse('encoded-character') : proceed),
  };
}
