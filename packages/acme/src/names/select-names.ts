import type { Problem, ServiceKey } from '@swarmgate/registry';
import { isCovered, nameKind, normalName } from './name-kind.ts';
import { objectionTo } from './objections.ts';

export const challengeKinds = ['http-01', 'tls-alpn-01', 'dns-01'] as const;
export type ChallengeKind = (typeof challengeKinds)[number];

/** A service as the orderer sees it: its names on TLS entrypoints and its labels. */
export interface ServiceNames {
  readonly key: ServiceKey;
  /** Exact hosts and wildcards of its http routes. */
  readonly names: readonly string[];
  /** Label `acme`: `false`, or the issuer to use. */
  readonly acme?: false | string;
  /** Label `acmeChallenge`. */
  readonly challenge?: ChallengeKind;
  /** Label `acmeProfile`. */
  readonly profile?: string;
}

/** A CA that names may be ordered from. */
export interface SelectableIssuer {
  readonly id: string;
  /** As `ACME_DIRECTORY` has it. */
  readonly name: string;
  readonly directoryUrl: string;
  /** Keeps to the public DNS. */
  readonly isPublic: boolean;
}

/** What the settings allow. */
export interface SelectionRules {
  /** `ACME_DOMAINS`; empty allows all. `*.example.com` means every name below it, at any depth, and the wildcard itself. */
  readonly domains: readonly string[];
  /** `ACME_CHALLENGE`, tried in turn. */
  readonly challenges: readonly ChallengeKind[];
  /** Names of the issuers, tried in turn, and whether they are public CAs. None: nothing is ordered. */
  readonly issuers: readonly SelectableIssuer[];
  readonly profile?: string;
  /** Whether records of this name's zone can be written. */
  readonly canWriteDns: (name: string) => boolean;
}

/** A name to have a certificate for. */
export interface RequiredName {
  readonly name: string;
  /** All services with that host. The first one, whose labels can be honoured, decides and shares its certificate. */
  readonly services: readonly [ServiceKey, ...ServiceKey[]];
  readonly issuers: readonly string[];
  readonly challenges: readonly ChallengeKind[];
  readonly profile?: string;
}

export interface SelectedNames {
  /** Sorted by name. */
  readonly required: readonly RequiredName[];
  readonly problems: ReadonlyMap<ServiceKey, readonly Problem[]>;
}

/**
 * Which names are ordered at all: those of served routes that nothing better covers, that the settings allow, and that a
 * CA can certify. Others are problems of their services.
 * @param better names of certificates from files, secrets, labels and `PUT cert`
 */
export function selectNames(
  services: readonly ServiceNames[],
  better: readonly string[],
  rules: SelectionRules,
): SelectedNames {
  const problems = new Map<ServiceKey, Problem[]>();
  if (rules.issuers.length === 0) return { required: [], problems };
  const report = (key: ServiceKey, problem: Problem) => {
    const known = problems.get(key);
    if (known === undefined) problems.set(key, [problem]);
    else known.push(problem);
  };
  const covering = new Set(better.map(normalName));
  const byName = new Map<string, ServiceNames[]>();
  for (const service of services.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    if (service.acme === false) continue;
    for (const name of new Set(service.names.map(normalName))) {
      if (!isAllowed(name, rules.domains) || isCovered(name, covering)) continue;
      byName.set(name, [...(byName.get(name) ?? []), service]);
    }
  }

  const required: RequiredName[] = [];
  for (const [name, sharing] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const ways = sharing.map((service) => wayOf(name, service, rules));
    for (const way of ways) if (way.kind === 'none') report(way.service.key, way.problem);
    const first = ways.find((way) => way.kind === 'order');
    if (first === undefined) continue;
    const others = sharing.filter((service) => service !== first.service);
    const profile = first.service.profile ?? rules.profile;
    required.push({
      name,
      services: [first.service.key, ...others.map(({ key }) => key)],
      issuers: first.issuers,
      challenges: first.challenges,
      ...(profile === undefined ? {} : { profile }),
    });
  }
  return { required, problems };
}

type Way =
  | {
      readonly kind: 'order';
      readonly service: ServiceNames;
      readonly issuers: readonly string[];
      readonly challenges: readonly ChallengeKind[];
    }
  | { readonly kind: 'none'; readonly service: ServiceNames; readonly problem: Problem };

/** How a name is ordered by the labels of one service, or why it cannot be. */
function wayOf(name: string, service: ServiceNames, rules: SelectionRules): Way {
  const none = (problem: Problem): Way => ({ kind: 'none', service, problem });
  const issuers = issuersFor(service, rules);
  if (issuers.length === 0) return none(unknownIssuer(service, rules));
  const challenges = challengesFor(name, service, rules);
  const publicCa = issuers.every(({ isPublic }) => isPublic);
  const objection = objectionTo(name, { publicCa, dns: challenges.includes('dns-01') });
  if (objection !== undefined) return none({ severity: 'warning', value: name, ...objection });
  if (challenges.length === 0) return none(unprovable(name, service));
  return { kind: 'order', service, issuers: issuers.map(({ id }) => id), challenges };
}

export function isAllowed(name: string, patterns: readonly string[]): boolean {
  return (
    patterns.length === 0 ||
    patterns.some((pattern) => {
      const normal = normalName(pattern);
      return normal.startsWith('*.') ? name.endsWith(normal.slice(1)) : name === normal;
    })
  );
}

function issuersFor({ acme }: ServiceNames, { issuers }: SelectionRules): SelectionRules['issuers'] {
  return typeof acme === 'string'
    ? issuers.filter((each) => [each.name, each.id, each.directoryUrl].includes(acme))
    : issuers;
}

function challengesFor(name: string, service: ServiceNames, rules: SelectionRules): ChallengeKind[] {
  const requested = service.challenge === undefined ? rules.challenges : [service.challenge];
  const kind = nameKind(name);
  return requested.filter((challenge) => {
    if (kind === 'wildcard' && challenge !== 'dns-01') return false;
    // dns-01 cannot validate addresses: they have no zone (RFC 8738, section 7).
    return challenge !== 'dns-01' || (kind !== 'ip' && rules.canWriteDns(name));
  });
}

function unknownIssuer(service: ServiceNames, { issuers }: SelectionRules): Problem {
  return {
    severity: 'warning',
    reason: 'acme-issuer-unknown',
    message: `acme=${service.acme} is none of the issuers of this proxy`,
    label: 'acme',
    value: String(service.acme),
    suggestion: `use one of ${issuers.map(({ name }) => name).join(', ')}, or add it to ACME_DIRECTORY`,
  };
}

function unprovable(name: string, { challenge }: ServiceNames): Problem {
  const requested = challenge === undefined ? 'ACME_CHALLENGE' : 'acmeChallenge';
  return {
    severity: 'warning',
    reason: 'acme-challenge-impossible',
    message: `no certificate can be ordered: ${requested} leaves no way to prove control of ${name}`,
    value: name,
    suggestion:
      'use http-01, or configure access to its DNS zone (ACME_DNS_WEBHOOK, ACME_DNS_SERVER, ACME_CLOUDFLARE_TOKEN)',
  };
}
