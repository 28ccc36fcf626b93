import {
  lackingFeature,
  pathsOfRule,
  readRule,
  restrictionNotHonoured,
  unsupportedMiddleware,
} from '@swarmgate/labels';
import {
  type Destination,
  type Problem,
  type ProblemReason,
  type ServiceDefinition,
  type ServiceDomainAlgo,
  type ServiceKey,
  serviceKey,
} from '@swarmgate/registry/vocabulary';
import type { Route } from '../model/route.ts';
import { compileConditions } from './conditions.ts';
import { entryPortOf } from './entry-port.ts';
import { anyHost, type HostPattern, parseHostPattern } from './host-pattern.ts';
import type { CompiledRoute, MatchPhase, MatchRule } from './match-rule.ts';
import { acmePath, type MatchingOrder } from './matching-order.ts';
import { defaultPathType, everyPath, type PathPattern, parsePathPattern } from './path-pattern.ts';

export interface CompileOptions {
  /** Restricting features that this proxy honours. Default: all of this version. */
  readonly features?: ReadonlySet<string>;
  readonly order: MatchingOrder;
  /** For services without the label: `SERVICE_DOMAIN_ALGO`. Default: the exact host. */
  readonly serviceDomainAlgo?: ServiceDomainAlgo;
}

/** One service, compiled: what can be used of it, and what cannot. */
export interface CompiledService {
  readonly key: ServiceKey;
  readonly definition: ServiceDefinition;
  readonly routes: readonly CompiledRoute[];
  readonly problems: readonly Problem[];
}

/**
 * Never throws: whatever is wrong with a definition costs only the destination it stands in.
 * @param key of the service, where the caller has it: 10,000 services keep one text each instead of three
 */
export function compileService(
  definition: ServiceDefinition,
  options: CompileOptions,
  key: ServiceKey = serviceKey(definition),
): CompiledService {
  const legacyClass = legacyClassOf(definition);
  const compiled = definition.destinations.map((destination) => {
    const compile = new DestinationCompiler(key, definition, destination, legacyClass, options);
    return { routes: compile.routes(), problems: compile.problems };
  });
  // `flatMap` grows its result with room to spare, which 10,000 services would keep.
  const routes = compiled.flatMap(({ routes }) => routes).slice();
  const problems = compiled.flatMap(({ problems }) => problems);
  return { key, definition, routes, problems: problems.length === 0 ? noProblems : problems };
}

const MOST_PATHS_OF_RULE = 100;

const noProblems: readonly Problem[] = [];

class DestinationCompiler {
  readonly problems: Problem[] = [];
  readonly #key: ServiceKey;
  readonly #definition: ServiceDefinition;
  readonly #destination: Destination;
  readonly #legacyClass: 0 | 1 | 2;
  readonly #options: CompileOptions;
  #unusableExclude = false;
  #overridden: ServiceDefinition | undefined;
  #isBlockReportedOf = false;

  constructor(
    key: ServiceKey,
    definition: ServiceDefinition,
    destination: Destination,
    legacyClass: 0 | 1 | 2,
    options: CompileOptions,
  ) {
    this.#key = key;
    this.#definition = definition;
    this.#destination = destination;
    this.#legacyClass = legacyClass;
    this.#options = options;
  }

  routes(): readonly CompiledRoute[] {
    const destination = this.#destination;
    const { port, httpsPort } = destination;
    if (destination.reqMode !== undefined && destination.reqMode !== 'http') return this.#relay();
    const hosts = this.#hosts();
    const paths = this.#paths(destination.servicePath, 'servicePath') ?? this.#pathsOfRule();
    const excludes = this.#paths(destination.servicePathExclude, 'servicePathExclude') ?? [];
    const compiled: CompiledRoute[] = [];
    const matches = { hosts: hosts ?? [anyHost], paths: paths ?? [everyPath], excludes };
    // A destination without match labels (a default backend may have none) gets no match rule.
    if (hosts === undefined && paths === undefined) matches.hosts = [];
    if (port !== undefined) compiled.push(this.#http('', port, entryPortOf(destination, 'port'), matches));
    if (httpsPort !== undefined)
      compiled.push(this.#http(':https', httpsPort, entryPortOf(destination, 'httpsPort'), matches));
    if (compiled.length === 0) {
      this.#problem('port-missing', 'port', undefined, 'the port of the service is not set', 'Set com.df.port.');
    }
    return [...compiled, ...this.#redirect()];
  }

  #http(
    suffix: string,
    upstreamPort: number,
    entryPort: number | undefined,
    matches: { hosts: readonly HostPattern[]; paths: readonly PathPattern[]; excludes: readonly PathPattern[] },
  ): CompiledRoute {
    const conditions = compileConditions(
      this.#destination,
      entryPort,
      matches.excludes,
      this.#options.order.name === 'strict',
    );
    return this.#compiled(this.#route(suffix, upstreamPort), conditions, 'http', matches.hosts, matches.paths);
  }

  /** tcp, sni and tls: listed, never looked up; the relays read the destination itself. */
  #relay(): readonly CompiledRoute[] {
    const { port, srcPort } = this.#destination;
    if (port === undefined) {
      this.#problem('port-missing', 'port', undefined, 'the port of the service is not set', 'Set com.df.port.');
      return [];
    }
    const conditions = compileConditions(this.#destination, srcPort, [], true);
    return [this.#compiled(this.#route('', port), conditions, 'tcp', [], [])];
  }

  #redirect(): readonly CompiledRoute[] {
    const from = this.#destination.redirectFromDomain ?? [];
    if (from.length === 0) return [];
    const to = this.#destination.serviceDomain?.[0];
    if (to === undefined || to.startsWith('*')) {
      this.#problem(
        'redirect-target-missing',
        'redirectFromDomain',
        from.join(','),
        'redirectFromDomain leads to the first serviceDomain, which is not one host',
        'Name the host to redirect to first in com.df.serviceDomain.',
      );
      return [];
    }
    // A redirect comes before routing: from every host, it would take the requests of all other services.
    if (from.includes('*'))
      this.#problem(
        'host-unusable',
        'redirectFromDomain',
        '*',
        'redirectFromDomain * would take the requests of every other service: it is left out',
        'Name the hosts, or write *.example.com for those below one.',
      );
    const named = from.filter((domain) => domain !== '*');
    const hosts = this.#hostPatterns(named, 'redirectFromDomain', undefined);
    const target = parseHostPattern(to, undefined);
    if (hosts.length === 0 || target?.kind !== 'exact') return [];
    const route: Route = { ...this.#route(':redirect', this.#destination.port ?? 0), redirectToHost: target.text };
    const conditions = compileConditions({ index: 0, since: 0 }, undefined, [], true);
    return [this.#compiled(Object.freeze(route), conditions, 'redirect', hosts, [everyPath])];
  }

  #route(suffix: string, upstreamPort: number): Route {
    const destination = this.#destination;
    const definition = this.#definitionFor(destination);
    const key = this.#key;
    const unsupported = unsupportedMiddleware(destination);
    // A relay that cannot honour one is not opened: relay-plan.ts.
    const ofRelays =
      (destination.reqMode ?? 'http') === 'http' ? restrictionNotHonoured(definition, destination) : undefined;
    const blockedBy = this.#unusableExclude
      ? 'servicePathExclude'
      : (lackingFeature(definition, destination, this.#options.features) ?? unsupported?.name ?? ofRelays);
    if (blockedBy !== undefined && !this.#unusableExclude && !this.#isBlockReportedOf) {
      this.#isBlockReportedOf = true;
      if (unsupported !== undefined)
        this.#problem(
          'middleware-unsupported',
          'middlewares',
          unsupported.name,
          `the middleware ${unsupported.name} cannot be used, so the destination responds with 503: ${unsupported.why}`,
          'Correct or remove the middleware.',
        );
      else if (blockedBy === ofRelays)
        this.#problem(
          'label-not-honoured',
          blockedBy,
          undefined,
          `${blockedBy} is for relays, so the destination responds with 503`,
          `Remove com.df.${blockedBy}, or use reqMode tcp.`,
        );
      else
        this.#problem(
          'unsupported-feature',
          'requires',
          undefined,
          `the definition requires ${blockedBy}, which this proxy does not have, so the destination responds with 503`,
          this.#mendingOf(blockedBy),
        );
    }
    const route = {
      id: `${key}/${destination.index}${suffix}`,
      key,
      definition,
      destination,
      upstreamPort,
      upstreamSecure: destination.sslVerifyNone === true || destination.protocol === 'h2',
      ...(isHttp2(destination) ? { upstreamHttp2: true as const } : {}),
    };
    return Object.freeze(blockedBy === undefined ? route : { ...route, blockedBy });
  }

  /** What holds for one destination: its own fields stand over those of the service. */
  #definitionFor({ overrides }: Destination): ServiceDefinition {
    if (overrides === undefined) return this.#definition;
    this.#overridden ??= Object.freeze({ ...this.#definition, ...overrides });
    return this.#overridden;
  }

  #mendingOf(blockedBy: string): string {
    if (blockedBy.startsWith('field:'))
      return `Correct or remove the field ${blockedBy.slice('field:'.length)} in the registry.`;
    const named = this.#destination.plugins?.map(({ name }) => name).join(', ');
    if (blockedBy === 'plugins' && named !== undefined)
      return `Set PLUGINS_DIR of this proxy to a folder that has the plug-ins: ${named}.`;
    return 'Update this proxy to the version of the listener, or remove the label that needs the feature.';
  }

  #compiled(
    route: Route,
    conditions: CompiledRoute['conditions'],
    mode: CompiledRoute['mode'],
    hosts: readonly HostPattern[],
    paths: readonly PathPattern[],
  ): CompiledRoute {
    const matchRules: MatchRule[] = new Array(hosts.length * paths.length);
    const compiled: CompiledRoute = {
      route,
      conditions,
      matchRules,
      mode,
      aclName: this.#definition.aclName ?? this.#definition.service,
      legacyClass: this.#legacyClass,
    };
    const { order } = this.#options;
    let next = 0;
    for (const host of hosts) {
      for (const path of paths) {
        const phase = phaseOf(route, mode, path, order);
        const rank = order.rank(phase, host, path, this.#legacyClass);
        matchRules[next++] = { of: compiled, phase, host, path, rank };
      }
    }
    matchRules.sort((one, other) => one.rank - other.rank);
    return compiled;
  }

  #hosts(): readonly HostPattern[] | undefined {
    const domains = this.#destination.serviceDomain;
    if (domains === undefined || domains.length === 0) return undefined;
    const algo = this.#definition.serviceDomainAlgo ?? this.#options.serviceDomainAlgo;
    return this.#hostPatterns(domains, 'serviceDomain', algo);
  }

  #hostPatterns(
    domains: readonly string[],
    label: string,
    algo: ServiceDomainAlgo | undefined,
  ): readonly HostPattern[] {
    const patterns: HostPattern[] = [];
    for (const domain of domains) {
      const pattern = parseHostPattern(domain, algo);
      if (pattern !== undefined) patterns.push(pattern);
      else
        this.#problem('host-unusable', label, domain, `${domain} cannot be the host of a request`, 'Correct the name.');
    }
    return patterns;
  }

  #paths(texts: readonly string[] | undefined, label: string): readonly PathPattern[] | undefined {
    if (texts === undefined || texts.length === 0) return undefined;
    const type = this.#destination.pathType ?? defaultPathType;
    const patterns: PathPattern[] = [];
    for (const text of texts) {
      const parsed = parsePathPattern(text, type, this.#options.order.name === 'strict');
      if (parsed.ok) patterns.push(parsed.pattern);
      else {
        // What an unusable exclusion was to keep out must not get in.
        if (label === 'servicePathExclude') this.#unusableExclude = true;
        this.#problem('path-unusable', label, text, parsed.message, parsed.suggestion);
      }
    }
    return patterns;
  }

  /**
   * Narrows the candidates to the paths that the rule names; the rule itself is what decides. Only among rules with a priority:
   * the rank of others is by the labels alone.
   */
  #pathsOfRule(): readonly PathPattern[] | undefined {
    const { rule, priority } = this.#destination;
    const read = rule === undefined || priority === undefined ? undefined : readRule(rule);
    const named = read?.ok === true ? pathsOfRule(read.tree) : undefined;
    if (named === undefined || named.length > MOST_PATHS_OF_RULE) return undefined;
    const patterns: PathPattern[] = [];
    for (const { kind, path } of named) {
      const type = { matcher: kind === 'Path' ? 'path' : 'path_beg', ignoreCase: false } as const;
      const parsed = parsePathPattern(path, type, false);
      if (!parsed.ok) return undefined;
      patterns.push(parsed.pattern);
    }
    return patterns;
  }

  #problem(reason: ProblemReason, label: string, value: string | undefined, message: string, suggestion: string): void {
    const { index } = this.#destination;
    const problem = {
      severity: 'warning',
      reason,
      message,
      label: index === 0 ? label : `${label}.${index}`,
      suggestion,
    } as const;
    this.problems.push(value === undefined ? problem : { ...problem, value });
  }
}

function isHttp2({ protocol = 'http1' }: Destination): boolean {
  return protocol !== 'http1';
}

function phaseOf(
  { destination }: Route,
  mode: CompiledRoute['mode'],
  path: PathPattern,
  order: MatchingOrder,
): MatchPhase {
  if (mode === 'redirect') return 'redirect';
  if (destination.priority !== undefined) return 'prioritized';
  if (order.name === 'legacy') return 'ordinary';
  const challenge = (path.kind === 'exact' || path.kind === 'prefix') && isBelow(acmePath, path.text);
  return challenge ? 'acme' : 'ordinary';
}

export function isBelow(parent: string, path: string): boolean {
  return path.startsWith(parent) && (path.length === parent.length || path[parent.length] === '/');
}

function legacyClassOf(definition: ServiceDefinition): 0 | 1 | 2 {
  const paths = definition.destinations.flatMap(({ servicePath, serviceDomain }) =>
    servicePath !== undefined && servicePath.length > 0 ? servicePath : serviceDomain === undefined ? [] : ['/'],
  );
  if (paths.some((path) => path.startsWith('/.well-known'))) return 0;
  return paths.includes('/') ? 2 : 1;
}
