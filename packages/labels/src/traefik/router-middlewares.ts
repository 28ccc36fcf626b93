import type { Problem } from '../definition/problem.ts';
import { nearestName } from '../values/nearest-name.ts';
import type { GivenOption, GivenOptions } from './given-options.ts';
import { type MiddlewareCall, middlewareCall, splitList } from './middleware-calls.ts';
import type { EntrypointGroup } from './router-entrypoints.ts';
import { type Named, type SharedNames, sharedKey } from './shared-names.ts';
import type { TraefikService } from './traefik-options.ts';

/** The middlewares of one router in its order, `tls.options` among them, which are not read. */
export interface RouterMiddlewares {
  readonly calls: readonly { readonly name: string; readonly call: MiddlewareCall }[];
  readonly problems: readonly Problem[];
  /** Names that were found, chains and their members alike. */
  readonly used: ReadonlySet<string>;
}

/** URL of a Traefik service that `owner` names, for the pages of `errors`. */
export type AddressOf = (service: string, owner: TraefikService) => string | undefined;

const mostInChain = 50;

/**
 * Resolves names, `@docker` and `@swarm` being the Swarm itself, and takes chains apart. A name that is not defined is one
 * that cannot be served: Traefik does not serve such a router either. Never throws.
 */
export function routerMiddlewares(
  options: GivenOptions,
  router: { readonly name: string; readonly owner: TraefikService },
  names: SharedNames,
  addressOf: AddressOf,
  group: Omit<EntrypointGroup, 'ports'> = { middlewares: [] },
): RouterMiddlewares {
  const calls: { name: string; call: MiddlewareCall }[] = [];
  const problems: Problem[] = [];
  const used = new Set<string>();
  const refuse = (name: string, why: string, suggestion: string, label: string) => {
    calls.push({ name, call: { kind: 'unsupported', why, suggestion } });
    problems.push({
      severity: 'error',
      reason: 'middleware-unusable',
      message: `the router ${router.name} responds with 503, because its middleware ${name} cannot be had: ${why}`,
      label,
      suggestion,
    });
  };
  const resolve = (reference: string, label: string, owner: TraefikService, around: readonly string[]): void => {
    const name = sharedKey(reference, owner);
    const named = name === undefined ? undefined : names.byName.get(name);
    if (name === undefined || named === undefined) {
      refuse(reference, ...missing(reference, name, names), label);
      return;
    }
    used.add(name);
    if (around.includes(name)) {
      refuse(
        name,
        `the chain leads back to itself: ${[...around, name].join(' → ')}`,
        'take it out of the chain',
        label,
      );
      return;
    }
    if (calls.length >= mostInChain) {
      refuse(name, `the router has more than ${mostInChain} middlewares`, 'use fewer', label);
      return;
    }
    const members = named.options.get('chain.middlewares');
    if (members !== undefined && [...named.options.keys()].every((key) => key.startsWith('chain'))) {
      for (const member of splitList(members.value)) resolve(member, members.label, named.owner, [...around, name]);
      return;
    }
    const call = callOf(named, addressOf);
    if (call.kind === 'unsupported' && 'why' in call) refuse(name, call.why, call.suggestion, labelOf(named));
    else {
      calls.push({ name, call });
      problems.push(...withoutAverage(named));
    }
  };
  if (group.closed !== undefined)
    refuse(
      'of its entrypoint',
      group.closed,
      'use another equivalent of the flag, or leave it out',
      'TRAEFIK_ENTRYPOINTS',
    );
  const tlsOptions = options.get('tls.options') ?? ofEntrypoint(group);
  // They may demand certificates of clients.
  if (tlsOptions !== undefined && !/^default(@\w+)?$/.test(tlsOptions.value.trim()))
    refuse(
      `tls.options=${tlsOptions.value.slice(0, 100)}`,
      'TLS options are not read, and they may demand certificates of clients',
      'leave them out, or demand certificates by com.df.verifyClientSsl',
      tlsOptions.label,
    );
  for (const { name, setting } of group.middlewares) resolve(name, setting, router.owner, []);
  const given = options.get('middlewares');
  for (const reference of splitList(given?.value ?? '')) resolve(reference, given?.label ?? '', router.owner, []);
  return { calls, problems, used };
}

function ofEntrypoint({ tls }: Omit<EntrypointGroup, 'ports'>): GivenOption | undefined {
  return tls?.options === undefined ? undefined : { label: 'TRAEFIK_ENTRYPOINTS', value: tls.options };
}

function callOf(named: Named, addressOf: AddressOf): MiddlewareCall {
  const page = named.options.get('errors.service');
  if (page === undefined) return middlewareCall(named.options);
  const address = addressOf(page.value, named.owner);
  if (address === undefined)
    return {
      kind: 'unsupported',
      why: `its service ${page.value} is not defined in this Swarm`,
      suggestion: 'define the service, with its port',
    };
  const options = new Map(named.options);
  options.delete('errors.service');
  options.set('errors.address', { label: page.label, value: address });
  return middlewareCall(options);
}

/** Traefik's default of `average` is 0, which is no limit. */
function withoutAverage({ name, options }: Named): readonly Problem[] {
  const burst = options.get('ratelimit.burst');
  if (burst === undefined || options.has('ratelimit.average')) return [];
  return [
    {
      severity: 'warning',
      reason: 'rate-limit-without-average',
      message: `the middleware ${name} has a burst and no average, so it limits nothing`,
      label: burst.label,
      suggestion: `set traefik.http.middlewares.${name}.ratelimit.average`,
    },
  ];
}

function missing(reference: string, name: string | undefined, names: SharedNames): [string, string] {
  if (name === undefined)
    return [
      `${reference} stands with another provider, which this Swarm does not have`,
      'define it by labels of a service, and leave @… out',
    ];
  if (name.endsWith('@file'))
    return ['TRAEFIK_FILE does not define it', 'set TRAEFIK_FILE to the file that Traefik’s file provider reads'];
  const nearest = nearestName(name, names.byName.keys());
  return [
    'no service of this Swarm defines it',
    nearest === undefined ? `define traefik.http.middlewares.${name}` : `did you mean ${nearest}?`,
  ];
}

function labelOf({ options, name }: Named): string {
  return options.values().next().value?.label ?? `traefik.http.middlewares.${name}`;
}
