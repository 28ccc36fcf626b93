import type { ServiceDefinition } from '@swarmgate/registry';
import type { Exchange } from '../../model/exchange.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Decision, Middleware } from '../middleware.ts';
import type { PasswordCheckResult } from './password-pool.ts';
import type { PasswordVerifier } from './password-verifier.ts';
import type { UserDirectory, Users } from './user-directory.ts';

/**
 * Basic authentication (RFC 7617) in two steps around the others. `remember` goes first: it keeps what the client sent,
 * so that no header rule can make a client authentic. `check` stands where the documented order has it, and takes the
 * client's own Authorization off the request.
 */
export interface BasicAuth {
  readonly remember: Middleware;
  readonly check: Middleware;
}

export interface BasicAuthOptions {
  readonly definition: ServiceDefinition;
  readonly scope: 'service' | 'global';
  readonly directory: UserDirectory;
  readonly verifier: PasswordVerifier;
}

export function basicAuth({ definition, scope, directory, verifier }: BasicAuthOptions): BasicAuth {
  const sent = new WeakMap<Exchange, string>();
  const realm = scope === 'service' ? `${definition.service}Realm` : 'defaultRealm';
  const challenge = ['WWW-Authenticate', `Basic realm="${realm}"`];
  const usersNow = () => (scope === 'service' ? directory.of(definition) : directory.global);

  const check = (exchange: Exchange, users: Users): Decision | Promise<Decision> => {
    if (users.size === 0) return refuse('credentials-unresolved', challenge);
    const header = sent.get(exchange);
    const given = header === undefined ? undefined : credentialsIn(header);
    if (given === undefined) return refuse('credentials-required', challenge);
    const known = users.get(given.username);
    const credential = known ?? verifier.decoyFor(given.username, [...users.values()]);
    if (credential === undefined) return refuse('credentials-unresolved', challenge);
    const checked = verifier.check(given.username, given.password, credential);
    const conclude = (result: PasswordCheckResult): Decision => {
      if (result === 'busy') return refuse('credentials-busy', ['Retry-After', '1']);
      if (result === 'differs' || known === undefined) return refuse('credentials-wrong', challenge);
      exchange.user = given.username;
      // Only the client's own: a header that a label set is for the service.
      if (exchange.request.get('authorization') === header) exchange.request.delete('authorization');
      return proceed;
    };
    return checked instanceof Promise ? checked.then(conclude) : conclude(checked);
  };

  return {
    remember: {
      name: 'Authorization',
      onRequest(exchange) {
        const header = exchange.request.get('authorization');
        if (header !== undefined) sent.set(exchange, header);
        return proceed;
      },
    },
    check: {
      name: scope === 'service' ? 'users' : 'USERS',
      onRequest(exchange) {
        const users = usersNow();
        return users instanceof Promise ? users.then((read) => check(exchange, read)) : check(exchange, users);
      },
    },
  };
}

export function credentialsIn(header: string): { readonly username: string; readonly password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/_=-]+) *$/i.exec(header)?.[1];
  if (encoded === undefined || encoded.length > 4096) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon === -1 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
