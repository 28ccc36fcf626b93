import type { MiddlewareUse } from '../middlewares/kinds.ts';
import { readMiddleware } from '../middlewares/middleware-values.ts';
import { nearestName } from '../values/nearest-name.ts';
import type { GivenOption, GivenOptions } from './given-options.ts';
import { splitList } from './middleware-calls.ts';
import { type SharedNames, sharedKey } from './shared-names.ts';
import type { TraefikService } from './traefik-options.ts';

export type TcpMiddlewares =
  | { readonly ok: true; readonly uses: readonly MiddlewareUse[]; readonly used: readonly string[] }
  /** One of them cannot be had, so the router is not served. */
  | { readonly ok: false; readonly why: string; readonly suggestion: string; readonly used: readonly string[] };

/** Ours by Traefik's kind and option in lower case. */
const ours: Readonly<Record<string, { readonly kind: string; readonly option: string }>> = {
  'ipallowlist.sourcerange': { kind: 'ipAllowList', option: 'sourceRange' },
  'ipwhitelist.sourcerange': { kind: 'ipAllowList', option: 'sourceRange' },
  'inflightconn.amount': { kind: 'inFlightConn', option: 'amount' },
};

/**
 * The middlewares of a TCP router, in its order
 * (https://doc.traefik.io/traefik/reference/routing-configuration/tcp/middlewares/overview/). Never throws.
 */
export function tcpMiddlewares(
  given: GivenOption | undefined,
  owner: TraefikService,
  names: SharedNames,
): TcpMiddlewares {
  const uses: MiddlewareUse[] = [];
  const used: string[] = [];
  for (const reference of splitList(given?.value ?? '')) {
    const name = sharedKey(reference, owner);
    const named = name === undefined ? undefined : names.byName.get(name);
    if (name === undefined || named === undefined) {
      const nearest = name === undefined ? undefined : nearestName(name, names.byName.keys());
      const define = `define traefik.tcp.middlewares.${(name ?? reference).replace(/@.*$/, '')}`;
      return {
        ok: false,
        why: `its middleware ${reference} is not defined`,
        suggestion: nearest === undefined ? define : `did you mean ${nearest}?`,
        used,
      };
    }
    used.push(name);
    const use = useOf(named.options);
    if (typeof use === 'string')
      return { ok: false, why: `its middleware ${name} cannot be had: ${use}`, suggestion: 'correct it', used };
    uses.push(use);
  }
  return { ok: true, uses, used };
}

/** A text: why there is none. */
function useOf(options: GivenOptions): MiddlewareUse | string {
  const [first, ...more] = options;
  if (first === undefined || more.length > 0) return 'it is not of one kind';
  const [key, { value }] = first;
  const to = Object.hasOwn(ours, key) ? ours[key] : undefined;
  if (to === undefined) return `${key} is not supported`;
  const read = readMiddleware(
    to.kind,
    splitList(value).map((each) => ({ option: to.option, value: each })),
  );
  if (!read.ok) return `expected ${read.expected}`;
  return read.value ?? 'it has no options';
}
