import type { UseOf } from '@swarmgate/labels';
import type { Exchange } from '../../model/exchange.ts';
import type { Route } from '../../model/route.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Decision, Middleware } from '../middleware.ts';
import { credentialsIn } from './basic-auth.ts';
import type { PasswordCheckResult } from './password-pool.ts';
import type { Credential, PasswordVerifier } from './password-verifier.ts';

/** `basicAuth` of a list (RFC 7617): checks what the request carries at this point of the list. */
export function listedBasicAuth(use: UseOf<'basicAuth'>, route: Route, verifier: PasswordVerifier): Middleware {
  const { removeHeader = true, userHeader } = use;
  const users = new Map<string, Credential>(
    use.users.map(({ username, passwordHash }) => [username, { kind: 'hash', hash: passwordHash }]),
  );
  const realm = (use.realm ?? `${route.definition.service}Realm`).replace(/[^\x20-\x7e]|["\\]/g, '');
  const challenge = ['WWW-Authenticate', `Basic realm="${realm}"`];

  const conclude = (exchange: Exchange, username: string, result: PasswordCheckResult, isKnown: boolean): Decision => {
    if (result === 'busy') return refuse('credentials-busy', ['Retry-After', '1']);
    if (result === 'differs' || !isKnown) return refuse('credentials-wrong', challenge);
    exchange.user = username;
    if (removeHeader) exchange.request.delete('authorization');
    if (userHeader !== undefined) exchange.request.setInEverySpelling(userHeader, username);
    return proceed;
  };

  return {
    name: 'basicAuth',
    onRequest(exchange) {
      const header = exchange.request.get('authorization');
      const given = header === undefined ? undefined : credentialsIn(header);
      if (given === undefined) return refuse('credentials-required', challenge);
      const { username, password } = given;
      const known = users.get(username);
      const credential = known ?? verifier.decoyFor(username, [...users.values()]);
      if (credential === undefined) return refuse('credentials-unresolved', challenge);
      const checked = verifier.check(username, password, credential);
      const isKnown = known !== undefined;
      return checked instanceof Promise
        ? checked.then((result) => conclude(exchange, username, result, isKnown))
        : conclude(exchange, username, checked, isKnown);
    },
  };
}
