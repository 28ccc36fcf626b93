import { splitList } from './middleware-calls.ts';

/** What holds for every router of one entrypoint: `TRAEFIK_<ENTRYPOINT>_REDIRECT`, `_MIDDLEWARES`, `_TLS`, `_AS_DEFAULT`. */
export interface EntrypointOptions {
  /** Requests go to the same URL by TLS. `to`: an entrypoint with TLS, or `https`. */
  readonly redirect?: { readonly to: string; readonly isPermanent: boolean };
  /** Names of middlewares, before the router's own. */
  readonly middlewares?: readonly string[];
  /** Routers without `tls` have this. */
  readonly tls?: EntrypointTls;
  /** Routers that name no entrypoint are at those with this alone, where any has it. */
  readonly isDefault?: true;
  /** Why its routers respond with 503: a flag restricts it, and has no equivalent here. */
  readonly closed?: string;
}

export interface EntrypointTls {
  readonly resolver?: string;
  /** Name of TLS options. */
  readonly options?: string;
  /** Names that certificates are ordered for, instead of the hosts of the rule. */
  readonly domains?: readonly string[];
}

export type EntrypointOptionsMap = ReadonlyMap<string, EntrypointOptions>;

export type ReadEntrypointOptions =
  | { readonly ok: true; readonly options: EntrypointOptionsMap }
  | { readonly ok: false; readonly message: string };

/**
 * Reads settings by what follows `TRAEFIK_`: `WEB_REDIRECT`. An entrypoint that is not known is an error: what is meant to restrict
 * would have no effect.
 */
export function readEntrypointOptions(
  given: Readonly<Record<string, string>>,
  entrypoints: ReadonlyMap<string, readonly string[]>,
): ReadEntrypointOptions {
  const found = new Map<string, EntrypointOptions>();
  for (const [setting, value] of Object.entries(given)) {
    const match = /^(.+)_(REDIRECT|MIDDLEWARES|TLS|AS_DEFAULT|CLOSED)$/.exec(setting);
    const name = [...entrypoints.keys()].find((each) => variableOf(each) === match?.[1]);
    if (match === null || name === undefined)
      return {
        ok: false,
        message: `TRAEFIK_${setting}: there is no entrypoint ${(match?.[1] ?? setting).toLowerCase()}; known are ${[...entrypoints.keys()].join(', ')}`,
      };
    const read = optionsOf(match[2] ?? '', value, entrypoints);
    if (typeof read === 'string')
      return { ok: false, message: `TRAEFIK_${setting}=${value.slice(0, 100)}: expected ${read}` };
    found.set(name, { ...found.get(name), ...read });
  }
  for (const [name, { redirect, tls }] of found) {
    const hasTls =
      tls !== undefined || (entrypoints.get(name) ?? []).every((port) => port === 'ssl' || port.endsWith(':ssl'));
    // On a port with TLS it would have no effect: routers would be served there in full.
    if (redirect !== undefined && hasTls)
      return {
        ok: false,
        message: `TRAEFIK_${variableOf(name)}_REDIRECT: ${name} has TLS, and redirections are from entrypoints without it`,
      };
  }
  return { ok: true, options: found };
}

/** `web-secure` → `WEB_SECURE`. */
export function variableOf(entrypoint: string): string {
  return entrypoint.toUpperCase().replace(/[^A-Z0-9]/g, '_');
}

/** A text: what was expected. */
function optionsOf(
  what: string,
  value: string,
  entrypoints: ReadonlyMap<string, readonly string[]>,
): EntrypointOptions | string {
  const parts = splitList(value);
  if (what === 'CLOSED') return { closed: value };
  if (what === 'AS_DEFAULT') return /^(true|1|t)$/i.test(value.trim()) ? { isDefault: true } : 'true, or leave it out';
  if (what === 'MIDDLEWARES') return parts.length > 0 ? { middlewares: parts } : 'names of middlewares';
  if (what === 'TLS') return tlsOf(parts);
  const [to = '', ...more] = parts;
  const isPermanent = !more.includes('temporary');
  const ports = entrypoints.get(to.toLowerCase());
  const isSecure = to.toLowerCase() === 'https' || ports?.some((port) => port === 'ssl' || port.endsWith(':ssl'));
  return isSecure === true && more.every((each) => each === 'temporary')
    ? { redirect: { to: to.toLowerCase(), isPermanent } }
    : 'an entrypoint with TLS, such as websecure, or websecure,temporary';
}

function tlsOf(parts: readonly string[]): EntrypointOptions | string {
  const valuesOf = (option: string) =>
    parts.filter((part) => part.startsWith(`${option}=`)).map((part) => part.slice(option.length + 1));
  const [options] = valuesOf('options');
  const domains = valuesOf('domain');
  const [name, ...more] = parts.filter((part) => !/^(options|domain)=/.test(part));
  if (name === undefined || more.length > 0 || /^(false|0|f)$/i.test(name)) return 'true or the name of a resolver';
  const isNamed = !/^(true|1|t)$/i.test(name);
  return {
    tls: {
      ...(isNamed ? { resolver: name } : {}),
      ...(options === undefined ? {} : { options }),
      ...(domains.length === 0 ? {} : { domains }),
    },
  };
}
