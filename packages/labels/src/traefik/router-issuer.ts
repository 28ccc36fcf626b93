import type { OverridingLabels } from '../catalogue/labels.ts';
import type { GivenOptions } from './given-options.ts';
import type { EntrypointGroup } from './router-entrypoints.ts';
import type { TraefikOptions } from './traefik-options.ts';

/** Traefik orders certificates for routers with a resolver, and for no others. */
export function issuerOf(
  options: GivenOptions,
  { tls }: Pick<EntrypointGroup, 'tls'>,
  { issuers = [] }: TraefikOptions,
): Pick<OverridingLabels, 'acme'> {
  const resolver = (tls?.resolver ?? options.get('tls.certresolver')?.value)?.trim().toLowerCase();
  if (resolver === undefined || resolver === '') return { acme: false };
  return issuers.includes(resolver) ? { acme: resolver } : {};
}
