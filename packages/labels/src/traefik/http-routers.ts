import type { OverridingLabels } from '../catalogue/labels.ts';
import type { Problem } from '../definition/problem.ts';
import type { Destination } from '../definition/service-definition.ts';
import type { GivenOptions } from './given-options.ts';
import { middlewareUses } from './middleware-uses.ts';
import { routerEntrypoints } from './router-entrypoints.ts';
import { type AddressOf, routerMiddlewares } from './router-middlewares.ts';
import { defaultRuleFor, routerRule } from './router-rule.ts';
import type { SharedNames } from './shared-names.ts';
import { findTarget } from './target-service.ts';
import type { TranslatedRouter } from './tcp-routers.ts';
import type { TraefikOptions, TraefikService } from './traefik-options.ts';

export interface HttpRouters {
  /** One or none: what is not served as Traefik would serve it is not served. */
  readonly routers: readonly TranslatedRouter[];
  readonly problems: readonly Problem[];
  /** Middlewares that it names. */
  readonly used: ReadonlySet<string>;
}

export interface HttpNames {
  readonly services: SharedNames;
  readonly middlewares: SharedNames;
}

export function translateHttpRouter(
  name: string,
  options: GivenOptions,
  owner: TraefikService,
  names: HttpNames,
  settings: TraefikOptions,
): HttpRouters {
  const entrypoints = routerEntrypoints(options, name, settings);
  const rule = routerRule(options.get('rule'), name, defaultRuleFor(settings.defaultRule, owner));
  const asked = { router: name, service: options.get('service'), owner, section: 'http.services' } as const;
  const found = findTarget(asked, names.services);
  const addressOf: AddressOf = (service) => addressOfService(service, owner, names.services);
  const middlewares = routerMiddlewares(options, name, names.middlewares, addressOf);
  const priority = priorityOf(options, name);
  const problems = [
    ...rule.problems,
    ...entrypoints.problems,
    ...found.problems,
    ...middlewares.problems,
    ...priority.problems,
  ];
  const isServed = rule.ok && found.ok && entrypoints.ports.length > 0 && priority.value !== undefined;
  if (!isServed) return { routers: [], problems, used: middlewares.used };
  const { target } = found;
  const uses = middlewareUses(middlewares.calls, name, options.get('middlewares')?.label ?? '');
  const overrides: OverridingLabels = { ...target.overrides, ...issuerOf(options, settings) };
  const destination: Omit<Destination, 'index' | 'since'> = {
    ...(rule.hosts === undefined ? { servicePath: ['/'] } : { serviceDomain: rule.hosts }),
    rule: rule.rule,
    entryPorts: entrypoints.ports,
    priority: priority.value === 0 ? rule.length : priority.value,
    port: target.port,
    ...target.fields,
    ...uses.fields(target.isInternal === true),
    ...(Object.keys(overrides).length === 0 ? {} : { overrides }),
  };
  return {
    routers: [{ owner: target.owner, destination }],
    problems: [...problems, ...uses.problems],
    used: middlewares.used,
  };
}

/** 0: the length of the rule. */
function priorityOf(
  options: GivenOptions,
  router: string,
): { readonly value?: number; readonly problems: readonly Problem[] } {
  const given = options.get('priority');
  if (given === undefined) return { value: 0, problems: [] };
  const value = Number(given.value.trim());
  if (/^-?\d{1,10}$/.test(given.value.trim()) && Math.abs(value) <= 2_147_483_647) return { value, problems: [] };
  return {
    problems: [
      {
        severity: 'error',
        reason: 'label-value-invalid',
        message: `the priority of the router ${router} is ${JSON.stringify(given.value.slice(0, 50))}: expected a whole number`,
        label: given.label,
        value: given.value.slice(0, 50),
        suggestion: 'write a number; the router with the highest one comes first',
      },
    ],
  };
}

/** Traefik orders certificates for routers with a resolver, and for no others. */
function issuerOf(options: GivenOptions, { issuers = [] }: TraefikOptions): Pick<OverridingLabels, 'acme'> {
  const resolver = options.get('tls.certresolver')?.value.trim().toLowerCase();
  if (resolver === undefined || resolver === '') return { acme: false };
  return issuers.includes(resolver) ? { acme: resolver } : {};
}

function addressOfService(service: string, owner: TraefikService, services: SharedNames): string | undefined {
  const label = 'traefik.http.middlewares.errors.service';
  const asked = { router: '', service: { label, value: service }, owner, section: 'http.services' } as const;
  const found = findTarget(asked, services);
  if (!found.ok || found.target.isInternal === true) return undefined;
  const { target } = found;
  const scheme = target.fields.sslVerifyNone === true ? 'https' : 'http';
  const host = target.fields.outboundHostname ?? target.owner.name;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${target.port}`;
}
