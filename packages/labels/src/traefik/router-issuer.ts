import type { OverridingLabels } from '../catalogue/labels.ts';
import type { GivenOptions } from './given-options.ts';
import { splitList } from './middleware-calls.ts';
import type { EntrypointGroup } from './router-entrypoints.ts';
import type { TraefikOptions } from './traefik-options.ts';

/**
 * Traefik orders certificates for routers with a resolver, and for no others: for the names of `tls.domains`, else for the
 * hosts of the rule.
 */
export function issuerOf(
  options: GivenOptions,
  { tls }: Pick<EntrypointGroup, 'tls'>,
  { issuers = [] }: TraefikOptions,
): Pick<OverridingLabels, 'acme' | 'acmeDomains'> {
  const resolver = (tls?.resolver ?? options.get('tls.certresolver')?.value)?.trim().toLowerCase();
  if (resolver === undefined || resolver === '') return { acme: false };
  const own = [...options].filter(([key]) => /^tls\.domains\[\d+\]\.(main|sans)$/.test(key));
  const names = [...(tls?.domains ?? []), ...own.flatMap(([, { value }]) => splitList(value))]
    .map((name) => name.toLowerCase())
    .filter((name) => /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(name));
  return {
    ...(issuers.includes(resolver) ? { acme: resolver } : {}),
    ...(names.length === 0 ? {} : { acmeDomains: [...new Set(names)].slice(0, mostNames) }),
  };
}

/** As many as one certificate of Let's Encrypt has. */
const mostNames = 100;
