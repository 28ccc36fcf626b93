import type { GivenOption, GivenOptions } from './given-options.ts';
import type { EntrypointGroup } from './router-entrypoints.ts';
import { sharedKey } from './shared-names.ts';
import type { TraefikOptions, TraefikService } from './traefik-options.ts';

type Served = Pick<TraefikOptions, 'servedTlsOptions'>;

/** TLS options that the proxy serves as they are count as `default`; others stay, and close the router that names them. */
export function withServedTlsOptions(
  options: GivenOptions,
  owner: Pick<TraefikService, 'provider'>,
  settings: Served,
): GivenOptions {
  const given = options.get('tls.options');
  if (given === undefined || !isServed(given.value, owner, settings)) return options;
  const usual: GivenOption = { ...given, value: 'default' };
  return new Map([...options, ['tls.options', usual]]);
}

/** The same of the options that an entrypoint gives its routers. */
export function withServedTls(group: EntrypointGroup, settings: Served): EntrypointGroup {
  const { tls } = group;
  if (tls?.options === undefined || !isServed(tls.options, {}, settings)) return group;
  return { ...group, tls: { ...tls, options: 'default' } };
}

function isServed(reference: string, owner: Pick<TraefikService, 'provider'>, { servedTlsOptions }: Served): boolean {
  const name = sharedKey(reference.trim(), owner);
  return name !== undefined && servedTlsOptions?.has(name) === true;
}
