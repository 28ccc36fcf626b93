import type { OverridingLabels } from '../catalogue/labels.ts';
import type { Problem } from '../definition/problem.ts';
import type { Destination } from '../definition/service-definition.ts';
import type { GivenOptions } from './given-options.ts';
import { middlewareUses } from './middleware-uses.ts';
import { type EntrypointGroup, routerEntrypoints } from './router-entrypoints.ts';
import { issuerOf } from './router-issuer.ts';
import { type AddressOf, routerMiddlewares } from './router-middlewares.ts';
import { defaultRuleFor, routerRule } from './router-rule.ts';
import type { SharedNames } from './shared-names.ts';
import { findTarget } from './target-service.ts';
import type { TranslatedRouter } from './tcp-routers.ts';
import { withServedTls, withServedTlsOptions } from './tls-options.ts';
import type { TraefikOptions, TraefikService } from './traefik-options.ts';

/**
 * Traefik waits for a response for as long as its client does: `responseHeaderTimeout` is 0, and there is no idle limit
 * (https://doc.traefik.io/traefik/reference/routing-configuration/http/load-balancing/serverstransport/). An hour, as for a tunnel, is
 * longer than clients wait, and still ends what an endpoint has forgotten.
 */
const timeoutServerMs = 3_600_000;
/**
 * Traefik gives a whole request 60 s (`respondingTimeouts.readTimeout`,
 * https://doc.traefik.io/traefik/reference/install-configuration/entrypoints/), and sets no limit for reading a response.
 */
const timeoutClientMs = 60_000;

export interface HttpRouters {
  /** One for all entrypoints that add the same. None: what is not served as Traefik would serve it is not served. */
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
  written: GivenOptions,
  owner: TraefikService,
  names: HttpNames,
  settings: TraefikOptions,
): HttpRouters {
  const options = withServedTlsOptions(written, owner, settings);
  const entrypoints = routerEntrypoints(options, name, settings);
  const fallback = owner.provider === 'file' ? '' : defaultRuleFor(settings.defaultRule, owner);
  const rule = routerRule(options.get('rule'), name, fallback);
  const requested = { router: name, service: options.get('service'), owner, section: 'http.services' } as const;
  const found = findTarget(requested, names.services);
  const addressOf: AddressOf = (service, of) => addressOfService(service, of, names.services);
  const priority = priorityOf(options, name);
  const problems: Problem[] = [...rule.problems, ...entrypoints.problems, ...found.problems, ...priority.problems];
  const used = new Set<string>();
  const routers: TranslatedRouter[] = [];
  // Middlewares of a router that is served nowhere are looked at too.
  const groups = entrypoints.groups.length === 0 ? [{ ports: [], middlewares: [] }] : entrypoints.groups;
  for (const group of groups.flatMap((each) => withDefaultTls(withServedTls(each, settings), settings))) {
    const middlewares = routerMiddlewares(options, { name, owner }, names.middlewares, addressOf, group);
    problems.push(...middlewares.problems);
    for (const middleware of middlewares.used) used.add(middleware);
    if (!rule.ok || !found.ok || group.ports.length === 0 || priority.value === undefined) continue;
    const uses = middlewareUses(middlewares.calls, name, options.get('middlewares')?.label ?? '');
    problems.push(...uses.problems);
    const { target } = found;
    const destination = {
      ...(rule.hosts === undefined ? { servicePath: ['/'] } : { serviceDomain: rule.hosts }),
      rule: rule.rule,
      entryPorts: group.ports,
      priority: priority.value === 0 ? rule.length : priority.value,
      port: target.port,
      timeoutServerMs,
      // The messages of a gRPC call may be as far apart as those of a tunnel.
      ...(target.fields.protocol === undefined ? { timeoutClientMs } : {}),
      ...target.fields,
      ...observedBy(options),
      ...(group.redirect === undefined ? {} : { httpsOnly: true, httpsRedirectCode: group.redirect }),
      ...uses.fields(target.isInternal === true),
    };
    const overrides: OverridingLabels = { ...target.overrides, ...issuerOf(options, group, settings) };
    routers.push({
      owner: target.owner,
      destination: Object.keys(overrides).length === 0 ? destination : { ...destination, overrides },
    });
  }
  return { routers, problems, used };
}

/** What Traefik leaves out of its access log and traces. Metrics are counted for all routes. */
function observedBy(options: GivenOptions): Pick<Destination, 'accessLog' | 'traceSample'> {
  const isOff = (what: string) => /^(0|f|false)$/i.test(options.get(`observability.${what}`)?.value.trim() ?? '');
  return { ...(isOff('accesslogs') ? { accessLog: 'off' } : {}), ...(isOff('tracing') ? { traceSample: 0 } : {}) };
}

/** Default TLS options that restrict hold for every port with TLS. */
function withDefaultTls(group: EntrypointGroup, { closesTls }: TraefikOptions): readonly EntrypointGroup[] {
  const secure = closesTls === undefined ? [] : group.ports.filter((port) => /^ssl$|:ssl$/.test(port));
  if (secure.length === 0 || closesTls === undefined) return [group];
  const plain = group.ports.filter((port) => !secure.includes(port));
  const closed = { ...group, ports: secure, closed: closesTls };
  return plain.length === 0 ? [closed] : [{ ...group, ports: plain }, closed];
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

function addressOfService(service: string, owner: TraefikService, services: SharedNames): string | undefined {
  const label = 'traefik.http.middlewares.errors.service';
  const requested = { router: '', service: { label, value: service }, owner, section: 'http.services' } as const;
  const found = findTarget(requested, services);
  if (!found.ok || found.target.isInternal === true) return undefined;
  const { target } = found;
  const scheme = target.fields.sslVerifyNone === true ? 'https' : 'http';
  const host = target.fields.outboundHostname ?? target.owner.name;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${target.port}`;
}
