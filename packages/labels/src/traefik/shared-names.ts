import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../definition/problem.ts';
import type { GivenOptions } from './given-options.ts';
import type { Section } from './read-labels.ts';
import type { TraefikService } from './traefik-options.ts';

/** One definition of a name, and the Swarm service whose labels it stands in. */
export interface Named {
  readonly name: string;
  readonly options: GivenOptions;
  readonly owner: TraefikService;
}

/** The names of one section, which all services share. */
export interface SharedNames {
  readonly byName: ReadonlyMap<string, Named>;
  /** Of owners whose definition is not in force, by their id. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>;
}

/**
 * Names are shared across services. Of two different definitions of one name the one of the older service holds; Traefik drops
 * both. Equal definitions are one.
 */
export function sharedNames(services: readonly TraefikService[], section: Section): SharedNames {
  const byName = new Map<string, Named>();
  const problems = new Map<string, Problem[]>();
  const byAge = services.toSorted((one, other) =>
    compare(`${one.createdAt} ${one.id}`, `${other.createdAt} ${other.id}`),
  );
  for (const owner of byAge) {
    for (const [name, options] of owner.read.sections[section]) {
      const key = keyOf(name, owner);
      const known = byName.get(key);
      if (known === undefined) byName.set(key, { name: key, options, owner });
      else if (section === 'http.services' || section === 'http.routers' || !isSame(known.options, options))
        problems.set(owner.id, [...(problems.get(owner.id) ?? []), takenProblem(section, name, known, options)]);
    }
  }
  return { byName, problems };
}

/**
 * The key of a name among the shared ones: `auth@docker` → `auth`, `auth@file` as it is, and a name alone is of its owner's provider.
 * `undefined`: of a provider that is neither the Swarm nor `TRAEFIK_FILE`.
 */
export function sharedKey(reference: string, owner: Pick<TraefikService, 'provider'>): string | undefined {
  const at = reference.lastIndexOf('@');
  if (at === -1) return keyOf(reference, owner);
  const provider = reference.slice(at + 1);
  if (provider === 'file') return reference;
  return /^(docker|swarm)$/.test(provider) ? reference.slice(0, at) : undefined;
}

function keyOf(name: string, { provider }: Pick<TraefikService, 'provider'>): string {
  return provider === undefined ? name : `${name}@${provider}`;
}

function isSame(one: GivenOptions, other: GivenOptions): boolean {
  const values = (options: GivenOptions) => new Map([...options].map(([key, { value }]) => [key, value]));
  return isDeepStrictEqual(values(one), values(other));
}

function takenProblem(section: Section, name: string, known: Named, options: GivenOptions): Problem {
  const [first] = options.values();
  const what = section.replace(/^.*\./, '').replace(/s$/, '');
  return {
    severity: 'error',
    reason: 'traefik-name-taken',
    message: `the ${what} ${name} is defined by ${known.owner.name} too, whose definition is older and holds`,
    label: first?.label ?? `traefik.${section}.${name}`,
    suggestion: `give one of the two another name`,
    otherService: known.owner.name,
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
