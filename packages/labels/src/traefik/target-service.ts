import { isTrue } from '@swarmgate/runtime';
import type { Problem } from '../definition/problem.ts';
import type { ProblemReason } from '../definition/problem-reasons.ts';
import type { Destination } from '../definition/service-definition.ts';
import { combinedTarget, isCombined } from './combined-target.ts';
import { serversOf, textOfServer } from './file-servers.ts';
import type { GivenOption, GivenOptions } from './given-options.ts';
import { healthCheckOf } from './health-check.ts';
import type { Section } from './read-labels.ts';
import { reportTo, stickinessOf } from './service-stickiness.ts';
import { type SharedNames, sharedKey } from './shared-names.ts';
import type { FoundTarget, Target } from './target.ts';
import type { TraefikService } from './traefik-options.ts';

/** Services of several others in a row. */
const mostThrough = 8;

interface Requested {
  readonly router: string;
  /** The router's label that names it; absent: the only service of its Swarm service. */
  readonly service: GivenOption | undefined;
  readonly owner: TraefikService;
  readonly section: Extract<Section, 'http.services' | 'tcp.services'>;
  /** Services of several others that lead here. */
  readonly through?: readonly string[];
}

export function findTarget(requested: Requested, names: SharedNames): FoundTarget {
  const { service, owner, router, section } = requested;
  if (service !== undefined) return namedTarget(requested, service, names);
  if (owner.provider === 'file')
    return failed(
      'service-unknown',
      `the router ${router} names no service, so it is not served`,
      `traefik.${section.replace('services', 'routers')}.${router.replace(/@file$/, '')}`,
      'name one: web, or web@swarm for one of the Swarm',
    );
  const own = [...owner.read.sections[section]];
  const [first, ...more] = own;
  if (more.length > 0)
    return failed(
      'service-ambiguous',
      `the router ${router} names no service, and ${owner.name} has several: ${own.map(([name]) => name).join(', ')}`,
      `traefik.${section.replace('services', 'routers')}.${router}`,
      `set traefik.${section.replace('services', 'routers')}.${router}.service to one of them`,
    );
  return targetOf(requested, owner, first?.[0] ?? owner.name, first?.[1] ?? new Map(), names);
}

function namedTarget(requested: Requested, { label, value }: GivenOption, names: SharedNames): FoundTarget {
  const { router, owner, section, through = [] } = requested;
  const reference = value.trim();
  if (/@internal$/.test(reference)) return internalTarget(owner, reference, router, label);
  const name = sharedKey(reference, owner);
  const named = name === undefined ? undefined : names.byName.get(name);
  if (name !== undefined && named !== undefined) return targetOf(requested, named.owner, name, named.options, names);
  const why =
    name === undefined
      ? 'stands with another provider, which this Swarm does not have'
      : name.endsWith('@file')
        ? 'is not defined in TRAEFIK_FILE'
        : 'is not defined in this Swarm';
  return failed(
    'service-unknown',
    `the router ${router} leads to ${[...through, reference].join(', and that to ')}, which ${why}, so it is not served`,
    label,
    `define traefik.${section}.${name ?? reference}.loadbalancer.server.port`,
  );
}

function internalTarget(owner: TraefikService, reference: string, router: string, label: string): FoundTarget {
  return {
    ok: true,
    target: { owner, port: 80, fields: {}, overrides: {}, isInternal: true },
    problems: [
      {
        severity: 'warning',
        reason: 'traefik-internal',
        message: `${reference} is Traefik’s own: the router ${router} runs its middlewares, and then responds with 404`,
        label,
        suggestion: 'leave the router out; the console is on the admin port',
      },
    ],
  };
}

function targetOf(
  requested: Requested,
  owner: TraefikService,
  name: string,
  options: GivenOptions,
  names: SharedNames,
): FoundTarget {
  const { section, through = [] } = requested;
  if (isCombined(options)) {
    const targetAt = (service: GivenOption) =>
      namedTarget({ ...requested, service, owner, through: [...through, name] }, service, names);
    return through.includes(name) || through.length >= mostThrough
      ? failed(
          'service-unknown',
          `the service ${name} leads to itself, or through more than ${mostThrough} others, so it is not served`,
          options.values().next().value?.label ?? name,
          'let it lead to services with servers',
        )
      : combinedTarget({ name, owner, options }, targetAt);
  }
  const tls = section === 'tcp.services' ? options.get('loadbalancer.server.tls') : undefined;
  if (tls !== undefined && isTrue(tls.value))
    return failed(
      'tcp-router-unsupported',
      `${tls.label} is true: connections to services are not encrypted, so what leads to ${name} is not served`,
      tls.label,
      'set tls.passthrough=true at the router',
    );
  const url = options.get('loadbalancer.server.url') ?? options.get('loadbalancer.server.address');
  const port = url === undefined ? portOf(owner, name, options, section) : undefined;
  if (port !== undefined && typeof port !== 'number') return { ok: false, problems: [port] };
  const servers = url === undefined ? [] : serversOf(url, options, section === 'tcp.services');
  if (url !== undefined && typeof servers === 'string')
    return failed(
      'label-value-invalid',
      `${url.label} leads nowhere: ${servers}`,
      url.label,
      section === 'tcp.services' ? 'write it like 10.0.0.7:5432' : 'write it like http://10.0.0.7:8080',
      url.value.replaceAll(/\/\/[^/\s]*@/g, '//…@'),
    );
  const [outside, ...more] = typeof servers === 'string' ? [] : servers;
  const problems: Problem[] = [];
  const { fields, overrides } = fieldsOf(options, problems);
  const proxyHeader = section === 'tcp.services' ? proxyHeaderOf(options) : {};
  if ('severity' in proxyHeader) return { ok: false, problems: [proxyHeader] };
  const scheme = options.get('loadbalancer.server.scheme')?.value.trim().toLowerCase();
  const isSecure = scheme === 'https' || outside?.secure === true;
  return {
    ok: true,
    target: {
      owner,
      port: outside?.port ?? port ?? 80,
      fields: {
        ...fields,
        ...proxyHeader,
        ...(isSecure ? { sslVerifyNone: true } : {}),
        ...(scheme === 'h2c' ? { protocol: 'h2c' } : {}),
        ...(outside === undefined ? {} : { outboundHostname: outside.host }),
        ...(outside === undefined || more.length === 0
          ? {}
          : { outboundServers: [outside, ...more].map(textOfServer) }),
      },
      overrides,
    },
    problems,
  };
}

/** Traefik on Swarm needs the label; a service that publishes one port alone leaves no doubt. */
function portOf(
  owner: TraefikService,
  name: string,
  options: GivenOptions,
  section: Requested['section'],
): number | Problem {
  const given = options.get('loadbalancer.server.port');
  const label = `traefik.${section}.${name}.loadbalancer.server.port`;
  if (given !== undefined) {
    return givenPort(given);
  }
  const [only, ...more] = new Set(owner.targetPorts);
  if (only !== undefined && more.length === 0) return only;
  return {
    severity: 'error',
    reason: 'port-missing',
    message: `${label}, the port ${owner.name} listens on inside its container, is not set, so its routers are not served`,
    label,
    suggestion: `set ${label}`,
  };
}

function givenPort({ label, value }: GivenOption): number | Problem {
  const port = Number(value.trim());
  if (/^\d{1,5}$/.test(value.trim()) && port >= 1 && port <= 65_535) return port;
  return {
    severity: 'error',
    reason: 'label-value-invalid',
    message: `${label} is ${JSON.stringify(value.slice(0, 50))}: expected a port from 1 to 65535`,
    label,
    value: value.slice(0, 50),
    suggestion: 'write the port that the service listens on inside its container',
  };
}

/** Ports that cannot be used, whether a router leads there or not. */
export function portProblems(services: ReadonlyMap<string, GivenOptions>): readonly Problem[] {
  return [...services.values()].flatMap((options) => {
    const given = options.get('loadbalancer.server.port');
    const port = given === undefined ? 0 : givenPort(given);
    return typeof port === 'number' ? [] : [port];
  });
}

function fieldsOf(options: GivenOptions, problems: Problem[]): Pick<Target, 'fields' | 'overrides'> {
  const notHonoured = reportTo(problems);
  const keepsHost = !/^(0|f|false)$/i.test(options.get('loadbalancer.passhostheader')?.value.trim() ?? '');
  return {
    fields: { ...(keepsHost ? {} : { passHostHeader: false }), ...healthCheckOf(options, notHonoured) },
    overrides: stickinessOf(options, 'loadbalancer', notHonoured),
  };
}

/** The version of the PROXY header that a service of TCP gets. Traefik’s default is 2. */
function proxyHeaderOf(options: GivenOptions): Pick<Destination, 'sendProxyHeader'> | Problem {
  const version = options.get('loadbalancer.proxyprotocol.version');
  const text = version?.value.trim() ?? '';
  const isOn = isTrue(options.get('loadbalancer.proxyprotocol')?.value);
  if (version === undefined) return isOn ? { sendProxyHeader: 'v2' } : {};
  if (text === '1' || text === '2') return { sendProxyHeader: `v${text}` };
  return {
    severity: 'error',
    reason: 'label-value-invalid',
    message: `${version.label} is ${JSON.stringify(text.slice(0, 50))}: expected 1 or 2`,
    label: version.label,
    value: text.slice(0, 50),
    suggestion: 'write the version of the PROXY header that the service takes',
  };
}

function failed(
  reason: ProblemReason,
  message: string,
  label: string,
  suggestion: string,
  value?: string,
): FoundTarget {
  const problem: Problem = { severity: 'error', reason, message, label, suggestion };
  return { ok: false, problems: [value === undefined ? problem : { ...problem, value: value.slice(0, 100) }] };
}
