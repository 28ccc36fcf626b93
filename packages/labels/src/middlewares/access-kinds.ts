import { boolean, text } from '../values/plain.ts';
import { middlewareKind, optional, required } from './middleware-kind.ts';
import { hashedUser, headerName, hostName, linesOf, listOf } from './option-values.ts';

/** Middleware that lets in who proves to be a user, or refuses what servers read in different ways. */

export const basicAuth = middlewareKind({
  kind: 'basicAuth',
  positional: 'users',
  meaning: 'Basic authentication with users that htpasswd has hashed. For users of the service see `users`.',
  example: '"jane:$2y$05$e9qbRo2.1i1mM0EmbERS5.zBg9qccdlA/PWowqYXlPtv2UnSUzrCu"',
  restricts: 'basic-auth-list',
  insteadOfLabel: 'users',
  options: {
    users: required(linesOf(hashedUser), {
      meaning:
        '`name:hash`, one each, as `htpasswd -nB NAME` prints it. The password of the example is `correct-horse`.',
    }),
    realm: optional(text, { meaning: 'Realm that browsers show.', default: 'the service’s name' }),
    userHeader: optional(headerName, { meaning: 'Header that carries the user to the service.' }),
    removeHeader: optional(boolean, {
      meaning: 'Takes the client’s `Authorization` off the request.',
      default: 'true',
    }),
  },
});

const allowed = (character: string) =>
  optional(boolean, { meaning: `Lets ${character} pass in a path.`, default: 'false' });

export const encodedCharacters = middlewareKind({
  kind: 'encodedCharacters',
  meaning: 'Refuses paths that hold certain characters percent-encoded, with 400 `encoded-character`.',
  example: 'allowEncodedSlash=true',
  restricts: 'encoded-characters',
  options: {
    allowEncodedSlash: allowed('`%2F`'),
    allowEncodedBackSlash: allowed('`%5C`'),
    allowEncodedNullCharacter: optional(boolean, { meaning: 'Ignored: `%00` is always refused.', default: 'false' }),
    allowEncodedSemicolon: allowed('`%3B`'),
    allowEncodedPercent: allowed('`%25`'),
    allowEncodedQuestionMark: allowed('`%3F`'),
    allowEncodedHash: allowed('`%23`'),
  },
});

export const allowedHosts = middlewareKind({
  kind: 'allowedHosts',
  positional: 'hosts',
  meaning: 'Hosts that requests may name; others get 403 `host-denied`. Compared without port and case.',
  example: 'shop.example,www.shop.example',
  restricts: 'allowed-hosts',
  options: { hosts: required(listOf(hostName), { meaning: 'Hosts.' }) },
});
