import { createSecureContext, type SecureContext } from 'node:tls';

export interface ClientContextOptions {
  readonly cert: string;
  readonly key: string;
  /** PEM of `CA_FILE`; `undefined`: no client certificates are requested. */
  readonly clientAuthorities: string | undefined;
}

const authoritiesOf = new WeakMap<SecureContext, string | undefined>();

/**
 * A context for connections of clients. The only place that makes one: every context has to check client certificates by
 * the same rule, because a client chooses the context by the server name that it sends.
 */
export function createClientContext({ cert, key, clientAuthorities }: ClientContextOptions): SecureContext {
  const authorities = clientAuthorities === undefined ? {} : { ca: clientAuthorities };
  const context = createSecureContext({ cert, key, minVersion: 'TLSv1.2', ...authorities });
  authoritiesOf.set(context, clientAuthorities);
  return context;
}

/** Whether a context checks client certificates against these authorities and no others. */
export function checksAgainst(context: SecureContext, clientAuthorities: string | undefined): boolean {
  return authoritiesOf.has(context) && authoritiesOf.get(context) === clientAuthorities;
}
