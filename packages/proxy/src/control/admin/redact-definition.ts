import { isCredentialName, type MiddlewareUse, type PluginUse, type ServiceLabels } from '@swarmgate/labels';
import type { Destination, HeaderRule, ServiceDefinition } from '@swarmgate/registry';
import { redactRule } from '../../routing/request-rule.ts';

/** Required headers (`serviceHeader`) as they may be shown: a value that opens a route loses its content. */
export function redactRequiredHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isCredentialName(name) ? '' : value]),
  );
}

/**
 * A definition as it may be shown: password hashes, certificates and the values of headers that hold credentials keep
 * their place and lose their content.
 */
export function redactDefinition(definition: ServiceDefinition): ServiceDefinition {
  return {
    ...redactLabels(definition),
    destinations: definition.destinations.map((destination) => ({
      ...destination,
      ...redactedConditions(destination),
      ...redactedMiddlewares(destination),
      ...(destination.overrides === undefined ? {} : { overrides: redactLabels(destination.overrides) }),
    })),
  };
}

function redactLabels<T extends ServiceLabels>(labels: T): T {
  const { users, serviceCert, addReqHeader, setReqHeader, addResHeader, setResHeader } = labels;
  return {
    ...labels,
    ...(users === undefined
      ? {}
      : { users: users.map((user) => (user.passwordHash === undefined ? user : { ...user, passwordHash: '' })) }),
    ...(serviceCert === undefined ? {} : { serviceCert: '' }),
    ...(addReqHeader === undefined ? {} : { addReqHeader: redactHeaders(addReqHeader) }),
    ...(setReqHeader === undefined ? {} : { setReqHeader: redactHeaders(setReqHeader) }),
    ...(addResHeader === undefined ? {} : { addResHeader: redactHeaders(addResHeader) }),
    ...(setResHeader === undefined ? {} : { setResHeader: redactHeaders(setResHeader) }),
  };
}

function redactedConditions({ serviceHeader, rule }: Destination): Pick<Destination, 'serviceHeader' | 'rule'> {
  return {
    ...(serviceHeader === undefined ? {} : { serviceHeader: redactRequiredHeaders(serviceHeader) }),
    ...(rule === undefined ? {} : { rule: redactRule(rule) }),
  };
}

function redactedMiddlewares({
  headers,
  middlewares,
  plugins,
}: Destination): Pick<Destination, 'headers' | 'middlewares' | 'plugins'> {
  return {
    ...(plugins === undefined ? {} : { plugins: plugins.map(redactPlugin) }),
    ...(headers === undefined ? {} : { headers: redactSetHeaders(headers) }),
    ...(middlewares === undefined ? {} : { middlewares: middlewares.map(redactMiddleware) }),
  };
}

function redactPlugin({ name, options }: PluginUse): PluginUse {
  if (options === undefined) return { name };
  const shown = Object.entries(options).map(([key, value]) => [key, isCredentialName(key) ? '' : value] as const);
  return { name, options: Object.fromEntries(shown) };
}

function redactMiddleware(use: MiddlewareUse): MiddlewareUse {
  if (use.kind === 'headers') return redactSetHeaders(use);
  if (use.kind !== 'basicAuth') return use;
  return { ...use, users: use.users.map((user) => ({ ...user, passwordHash: '' })) };
}

function redactSetHeaders<T extends object>(use: T): T {
  const values = new Map<string, unknown>(Object.entries(use));
  const redacted = (['request', 'response'] as const).flatMap((field) => {
    const headers = values.get(field);
    return headers === undefined ? [] : [[field, redactRequiredHeaders(headers as Record<string, string>)] as const];
  });
  return { ...use, ...Object.fromEntries(redacted) };
}

function redactHeaders(rules: readonly HeaderRule[]): readonly HeaderRule[] {
  return rules.map((rule) => (isCredentialName(rule.name) ? { ...rule, value: '' } : rule));
}
