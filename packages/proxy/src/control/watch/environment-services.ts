import { environmentServices } from '@swarmgate/labels';
import { type Problem, type Sealer, type ServiceKey, serviceKey } from '@swarmgate/registry';
import { findSettingsWithoutEffect, type Settings, type SettingWithoutEffect } from '@swarmgate/runtime';
import type { ServedService } from '../../model/served-service.ts';

export interface OwnServices {
  readonly services: readonly ServedService[];
  readonly problems: ReadonlyMap<ServiceKey, readonly Problem[]>;
}

/**
 * The services of this process's own `DFP_SERVICE_*` variables. They never enter the registry: each proxy compiles its
 * own. Their passwords are hashed like all others. `since` is 0, because a variable has stood there for as long as the process; no order depends on a restart.
 */
export async function readEnvironmentServices(
  env: Readonly<Record<string, string | undefined>>,
  settings: Pick<Settings, 'separator' | 'defaultLabels'>,
  startedAt: Date,
  sealer: Sealer,
): Promise<OwnServices> {
  const services: ServedService[] = [];
  const problems = new Map<ServiceKey, Problem[]>();
  const context = {
    separator: settings.separator,
    updatedAt: startedAt.toISOString(),
    nowMs: 0,
    defaults: settings.defaultLabels,
  };
  for (const { service, prefix, translation } of environmentServices(env, context)) {
    const key = serviceKey({ owner: 'env', service });
    const found = [...(problems.get(key) ?? []), ...translation.problems];
    const { definition, secrets } = translation;
    if (definition !== undefined && services.some((each) => each.key === key))
      found.push({
        severity: 'error',
        reason: 'service-repeated',
        message: `${prefix} names ${service}, which another DFP_SERVICE variable has defined already`,
        label: 'serviceName',
      });
    else if (definition !== undefined) {
      // Without the certificate, which is refused below, sealing cannot fail.
      const sealed = await sealer.seal(definition, { passwords: secrets.passwords }, undefined);
      if (sealed.ok)
        services.push({
          key,
          definition: sealed.definition,
          endpoints: undefined,
          origin: 'env',
          addressesFresh: true,
        });
      else found.push(...sealed.problems);
    }
    if (secrets.certificate !== undefined)
      found.push({
        severity: 'warning',
        reason: 'label-ignored',
        message: `${prefix}_SERVICE_CERT is not used: certificates of a proxy come from DATA_DIR/certs or secrets`,
        label: 'serviceCert',
        value: '(secret)',
        suggestion: 'mount the certificate as the secret cert-<name>',
      });
    if (found.length > 0) problems.set(key, found);
  }
  const lost = findSettingsWithoutEffect({ env }).filter(({ isNeeded }) => isNeeded !== false);
  if (lost.length > 0) problems.set('env/settings', lost.map(withoutEffect));
  return { services, problems };
}

/** What such a setting closed or changed with Docker Flow is open or unchanged here. */
function withoutEffect({ name, suggestion }: SettingWithoutEffect): Problem {
  return {
    severity: 'warning',
    reason: 'setting-without-effect',
    message: `${name} is set, and has no effect here`,
    value: name,
    suggestion,
  };
}
